"""Twenty thousand records a second, rotation, and a scrape every second: the lag stays bounded, memory flat, counts exact.

    load_test.py SOURCE_DIR BUILD_DIR [--seconds 3600] [--rate 20000] [--rotate 60]

Half a minute with a rotation every five seconds unless told otherwise. The records are made beforehand, in blocks whose
series are counted by rules of this test's own (accounting_records.py); while it runs only their time stamps are put in.
So what every counter has to be is known, whatever the exporter did."""
import argparse
import collections
import gzip
import http.client
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import kill_support
from accounting_records import ACCT, OTHER, Records
from sanitized import sanitized

TICKS = 20                 # blocks of each file in a second
BLOCKS = 50                # different ones, taken in turn
OTHER_SHARE = 0.1          # r, rb, rs, f, tq and an unknown type, in a file of their own
KEEP = 4                   # packed files before the oldest is deleted
LAST_WORDS = 0.2           # seconds in which the old file still gets what the new one should have
SLOWEST_SCRAPE = 3.0       # seconds; milliseconds on a quiet machine, a busy test machine is given time
LONGEST_LAG = 10.0         # seconds from written to seen in a scrape; the same
GROWTH = 16 * 1024         # KiB of memory between the end of the warm-up and the end
DESCRIPTORS = 64
PROVIDERS = {"gmail.com": "gmail", "yahoo.com": "yahoo", "hotmail.com": "microsoft", "icloud.com": "apple",
             "gmx.de": "gmx", "example.org": "other", "b\u00fccher.example": "other"}
SENDERS = [f"mail{number}.example.com" for number in range(30)]
SOURCES = {f"192.0.2.{number}": (f"vmta{number}", f"pool-{number % 8}") for number in range(1, 41)}
STAMP = re.compile("\x01([0-9]+)\x02")
TOTAL = re.compile(rb"^pmta_accounting_records_total\{.*\} (\d+)$", re.MULTILINE)
LAG = re.compile(rb"^pmta_exporter_read_lag_bytes\{.*\} (\d+)$", re.MULTILINE)


class Block:
    """Records whose time stamps are left open, and what each adds to which counter."""

    def __init__(self, choose, number, make):
        self.expected = kill_support.Expected("pmta_")
        records = Records(choose, self.expected, lambda ago: f"\x01{ago}\x02", PROVIDERS, SENDERS, SOURCES)
        pieces = STAMP.split("".join(make(records) for _ in range(number)))
        self.pieces = [piece.encode() for piece in pieces]
        self.waits = [int(wait) for wait in pieces[1::2]]
        self.records = number

    def text(self, now):
        stamps = {}
        for wait in set(self.waits):
            stamps[wait] = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(now - wait)).encode()
        self.pieces[1::2] = [stamps[wait] for wait in self.waits]
        return b"".join(self.pieces)


class Log:
    """One of PowerMTA's files with its rotation: a new name for the old one, gzip a rotation later, deletion at last."""

    def __init__(self, folder, name, header, blocks):
        self.path = folder / f"{name}.csv"
        self.header, self.blocks = header, blocks
        self.written = collections.Counter()
        self.number = 0
        self.renamed, self.packed, self.packing = [], [], []
        self.bytes = 0
        self.open()

    def open(self):
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(self.file, self.header.encode() + b"\n")

    def put(self, tick, now):
        """The next block, in two writes that are apart in the middle of a line."""
        which = tick % len(self.blocks)
        text = self.blocks[which].text(now)
        cut = len(text) * (tick % 7 + 1) // 9
        for part in (text[:cut], text[cut:]):
            if os.write(self.file, part) != len(part):
                raise RuntimeError(f"{self.path}: written in part")
        self.written[which] += 1
        self.bytes += len(text)
        return self.blocks[which].records

    def rotate(self):
        """The old file gets a new name and, until the new one is opened, what is still written."""
        self.number += 1
        self.renamed.append(self.path.rename(self.path.with_name(f"{self.path.stem}-{self.number:04}.csv")))

    def reopen(self):
        os.close(self.file)
        self.open()
        self.packing = [(process, path) for process, path in self.packing if process.poll() is None]
        while len(self.renamed) > 1:
            path = self.renamed.pop(0)
            self.packing.append((subprocess.Popen(["gzip", "-1", path]), path))
            self.packed.append(path.with_name(path.name + ".gz"))
        while len(self.packed) > KEEP:
            self.packed.pop(0).unlink(missing_ok=True)

    def expected(self):
        total = kill_support.Expected("pmta_")
        for which, times in self.written.items():
            for key, count in self.blocks[which].expected.counts.items():
                total.counts[key] += count * times
        return total.counts

    def finish(self):
        os.close(self.file)
        for process, path in self.packing:
            if process.wait() != 0:
                raise RuntimeError(f"gzip {path}: status {process.returncode}")


class Writer(threading.Thread):
    def __init__(self, folder, options):
        super().__init__()
        choose = random.Random(20261121)
        others = max(1, int(options.rate * OTHER_SHARE) // TICKS)
        accts = options.rate // TICKS - others
        self.logs = [
            Log(folder, "acct", ACCT, [Block(choose, accts, Records.acct) for _ in range(BLOCKS)]),
            Log(folder, "other", OTHER, [Block(choose, others, Records.other) for _ in range(BLOCKS)]),
        ]
        self.seconds, self.rotation = options.seconds, options.rotate
        self.history = [(0.0, 0)]  # when so many records had been written
        self.rotations = 0
        self.latest = 0.0  # seconds behind its own schedule, at the most
        self.failure = None
        self.stopping = threading.Event()

    def begin(self):
        """A block of deliveries, to be read before the first complaint: complaints are attributed through them."""
        self.logs[0].put(0, int(time.time()))
        self.count(self.logs[0].blocks[0].records)

    def count(self, records):
        self.history.append((time.monotonic(), self.history[-1][1] + records))

    def run(self):
        try:
            self.write()
        except Exception as error:  # the main thread reports it
            self.failure = error

    def write(self):
        begun = time.monotonic()
        rotated, reopen = begun, None
        for tick in range(self.seconds * TICKS):
            due = begun + tick / TICKS
            late = time.monotonic() - due
            if late < 0:
                time.sleep(-late)
            self.latest = max(self.latest, late)
            if self.stopping.is_set():
                return
            # Known as written from before it is: a scrape must never show more.
            now = int(time.time())
            for log in self.logs:
                records = log.blocks[tick % BLOCKS].records
                self.count(records)
                log.put(tick, now)
            if reopen and time.monotonic() >= reopen:
                reopen = None
                for log in self.logs:
                    log.reopen()
            elif not reopen and time.monotonic() >= rotated + self.rotation:
                rotated = time.monotonic()
                reopen = rotated + LAST_WORDS
                self.rotations += 1
                for log in self.logs:
                    log.rotate()

    def written(self):
        return self.history[-1][1]

    def expected(self):
        total = kill_support.Expected("pmta_")
        for log in self.logs:
            total.counts.update(log.expected())
        return total


class Scraper:
    """Asks as Prometheus does, and keeps what each scrape showed."""

    def __init__(self, process, writer):
        self.folder = pathlib.Path("/proc") / str(process.pid)
        self.writer = writer
        self.connection = http.client.HTTPConnection("127.0.0.1", 10925, timeout=30)
        self.took, self.lags, self.behind, self.memory, self.files, self.load = [], [], [], [], [], []
        self.seen = 0
        self.oldest = 0  # in the writer's history: the first that was not seen
        self.size = 0
        self.wrong = []

    def page(self):
        self.connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"/metrics answers {answer.status}: {body[:200]!r}")
        return gzip.decompress(body)

    def total(self):
        return sum(map(int, TOTAL.findall(self.page())))

    def scrape(self):
        begin = time.monotonic()
        page = self.page()
        end = time.monotonic()
        written = self.writer.written()
        total = sum(map(int, TOTAL.findall(page)))
        if not self.seen <= total <= written:
            self.wrong.append(f"{total} records after {self.seen}, {written} written")
        self.seen = total
        history = self.writer.history
        while self.oldest < len(history) and history[self.oldest][1] <= total:
            self.oldest += 1
        # What was written while the page was made is not late.
        unseen = history[self.oldest][0] if self.oldest < len(history) else begin
        self.behind.append(max(0.0, begin - unseen))
        self.lags.append(sum(map(int, LAG.findall(page))))
        self.took.append(end - begin)
        self.size = len(page)
        status = (self.folder / "status").read_text()
        self.memory.append(int(re.search(r"VmRSS:\s+(\d+)", status)[1]))
        self.files.append(len(list((self.folder / "fd").iterdir())))
        self.load.append(os.getloadavg()[0])

    def every_second(self, until):
        due = time.monotonic()
        while until():
            self.scrape()
            due = max(due + 1, time.monotonic())
            time.sleep(due - time.monotonic())


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def cpu(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled(scraper, writer):
    limit = time.monotonic() + 60
    while time.monotonic() < limit and scraper.total() < writer.written():
        time.sleep(0.1)


def judge(scraper, log, flat):
    """What is wrong, in words."""
    wrong = scraper.wrong[:20]
    warm = len(scraper.memory) // 3
    growth = max(scraper.memory[warm:]) - max(scraper.memory[:warm])
    if flat and growth > GROWTH:
        wrong.append(f"memory grew by {growth} KiB after the first third")
    if max(scraper.files) > DESCRIPTORS:
        wrong.append(f"{max(scraper.files)} descriptors")
    if max(scraper.took) > SLOWEST_SCRAPE:
        wrong.append(f"a scrape took {max(scraper.took):.2f} s")
    if max(scraper.behind) > LONGEST_LAG:
        wrong.append(f"a record was not to be seen for {max(scraper.behind):.2f} s")
    wrong += [line for line in log.splitlines() if "level=warn" in line or "level=error" in line][:20]
    return wrong


def report(scraper, writer, options, used):
    written = sum(log.bytes for log in writer.logs)
    warm = len(scraper.memory) // 3
    took, behind, lags, memory = scraper.took, scraper.behind, scraper.lags, scraper.memory
    print(f"{writer.written()} records, {written / 1e9:.2f} GB in {options.seconds} s; {writer.rotations} rotations of "
          f"{len(writer.logs)} files; the writer was at most {writer.latest:.2f} s late")
    print(f"{len(took)} scrapes of {scraper.size / 1e6:.2f} MB: median {statistics.median(took) * 1e3:.0f} ms, "
          f"99 % {percentile(took, 0.99) * 1e3:.0f} ms, slowest {max(took) * 1e3:.0f} ms")
    print(f"written to seen: median {statistics.median(behind) * 1e3:.0f} ms, 99 % {percentile(behind, 0.99) * 1e3:.0f} ms, "
          f"longest {max(behind) * 1e3:.0f} ms; pmta_exporter_read_lag_bytes: median {statistics.median(lags) / 1e6:.2f} MB, "
          f"largest {max(lags) / 1e6:.2f} MB")
    tenths = [f"{memory[len(memory) * tenth // 10 - 1] / 1024:.1f}" for tenth in range(1, 11)]
    print(f"memory: largest {max(memory[:warm]) / 1024:.1f} MiB in the first third, {max(memory[warm:]) / 1024:.1f} MiB "
          f"later; after each tenth {' '.join(tenths)} MiB; at most {max(scraper.files)} descriptors")
    print(f"exporter: {100 * used / options.seconds:.1f} % of a core; load average of the machine "
          f"{statistics.median(scraper.load):.1f} (median), {max(scraper.load):.1f} (largest), {os.cpu_count()} cores", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--rotate", type=float)
    options = parser.parse_args()
    options.rotate = options.rotate or (60 if options.seconds >= 600 else 5)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-load-"))
    (folder / "log").mkdir()
    writer = Writer(folder / "log", options)
    exporter = kill_support.Exporter(pathlib.Path(options.build) / "exporter" / "pmta_exporter", folder,
                                     f'accounting:\n  files: ["{folder}/log/acct*.csv", "{folder}/log/other*.csv"]\n')
    exporter.start()
    try:
        writer.begin()
        while kill_support.scrape() is None:
            time.sleep(0.05)
        scraper = Scraper(exporter.process, writer)
        settled(scraper, writer)
        before = cpu(exporter.process)
        writer.start()
        scraper.every_second(writer.is_alive)
        used = cpu(exporter.process) - before
        if writer.failure:
            raise writer.failure
        for log in writer.logs:
            log.finish()
        settled(scraper, writer)
        time.sleep(6)  # a rescan: a record counted twice would come now
        wrong = kill_support.compare(kill_support.scrape() or {}, writer.expected(), {"pmta_bounce_reasons_total"})
        report(scraper, writer, options, used)
        print(f"{len(writer.expected().counts)} series, {len(wrong)} differ from what was written")
        wrong += judge(scraper, (folder / "exporter.log").read_text(), flat=not sanitized(exporter.command[0]))
    finally:
        writer.stopping.set()
        if writer.ident:
            writer.join()
        exporter.kill()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder)
    for line in wrong[:40]:
        print("   ", line)
    sys.exit(1 if wrong else 0)


main()
