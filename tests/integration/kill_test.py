"""Kills the exporter with SIGKILL at random moments while its files are written, rotated, renamed, moved, compressed and
truncated, and compares every counter with a count that was kept beside the writing. Fixed seeds; no difference allowed."""
import gzip
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter

BINARY = pathlib.Path(sys.argv[2])
SEEDS = [int(seed) for seed in sys.argv[3:]] or [101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112]
KILLS_PER_SEED = 20
URL = "http://127.0.0.1:10925/metrics"
BOUNDS = [1, 5, 15, 30, 60, 300, 900, 3600, 14400, 43200, 86400, 172800, 259200, 432000]

ACCT = ("type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,srcMta,dlvType,"
        "dlvSourceIp,dlvDestinationIp,dlvEsmtpAvailable,dlvSize,vmta,jobId,envId,queue,vmtaPool")
OTHER = ("type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,dlvSourceIp,vmta,queue,feedbackType,format,"
         "userAgent,rcvSmtpUser")
PROVIDERS = {"gmail.com": "gmail", "yahoo.com": "yahoo", "outlook.com": "microsoft", "example.org": "other",
             "b\u00fccher.example": "other"}
SENDERS = ["news.example.com", "shop.example.com", "alerts.example.net"]
# address -> VirtualMTA and pool: complaints are attributed through it.
SOURCES = {"192.0.2.1": ("vmta1", "pool-a"), "192.0.2.2": ("vmta2", "pool-a"), "192.0.2.3": ("vmta3", "")}
# dsnStatus, dsnDiag, category, bounce class, reason, code, enhanced code
BOUNCES = [
    ("5.1.1 (bad destination mailbox address)", "smtp;550 5.1.1 user unknown", "bad-mailbox", "hard", "unknown-user",
     "550", "5.1.1"),
    ("5.2.2 (mailbox full)", "smtp;552 5.2.2 mailbox full, try later", "quota-issues", "soft", "mailbox-full", "552",
     "5.2.2"),
    ("5.7.1 (delivery not authorized)", 'smtp;550 5.7.1 recipient is in suppression list "a1": <x>', "other", "local",
     None, "550", "5.7.1"),
]


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n') else cell


def stamp(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(seconds))


class Expected:
    """Counts what was written, by rules of its own; keys are metric name and label values in order."""

    def __init__(self):
        self.counts = Counter()

    def add(self, metric, *labels, by=1):
        self.counts[(metric,) + labels] += by

    def delay(self, provider, pool, seconds):
        for bound in BOUNDS + [float("inf")]:
            if seconds <= bound:
                le = "+Inf" if bound == float("inf") else f"{float(bound)}"
                self.add("pmta_delivery_delay_seconds_bucket", provider, pool, le)
        self.add("pmta_delivery_delay_seconds_sum", provider, pool, by=seconds)
        self.add("pmta_delivery_delay_seconds_count", provider, pool)


class Writer(threading.Thread):
    """PowerMTA and its log rotation, sped up: one operation after the other until told to stop."""

    def __init__(self, folder, seed):
        super().__init__()
        self.random = random.Random(seed)
        self.folder = folder
        self.expected = Expected()
        self.stopping = threading.Event()
        self.number = 0
        self.clock = int(time.time()) - 3600
        self.files = {}
        self.operations = Counter()
        self.failure = None
        for name in ("acct", "other"):
            self.open_new(name)

    # ---- files
    def open_new(self, name):
        self.number += 1
        path = self.folder / "log" / f"{name}-2026-11-21-{self.number:04}.csv"
        self.files[name] = open(path, "a", encoding="utf-8")
        self.put(name, (ACCT if name == "acct" else OTHER) + "\n")

    def put(self, name, text):
        data = self.files[name]
        if len(text) > 40 and self.random.random() < 0.1:
            cut = self.random.randrange(1, len(text) - 1)
            data.write(text[:cut])
            data.flush()
            time.sleep(self.random.random() * 0.004)
            text = text[cut:]
        data.write(text)
        data.flush()

    def rotate(self, name):
        """A new file by name; the old one stays, is renamed in place, or moved to the other folder."""
        old = self.files[name]
        path = pathlib.Path(old.name)
        way = self.random.choice(["stay", "move", "rename", "rename-then-write"])
        self.operations["rotate-" + way] += 1
        if way == "rename-then-write":
            path = self.renamed(path)
            self.record(name)
        elif way == "rename":
            path = self.renamed(path)
        elif way == "move":
            path = path.rename(self.folder / "moved" / path.name)
        if self.random.random() < 0.5:
            self.record_into(old, name)  # PowerMTA's last words to the old file
        old.close()
        self.open_new(name)
        if self.random.random() < 0.6:
            self.compress(path)

    def renamed(self, path):
        self.number += 1
        return path.rename(path.with_name(f"{path.name.split('-')[0]}-done-{self.number:04}.csv"))

    def compress(self, path):
        self.operations["gzip"] += 1
        packed = path.with_name(path.name + ".gz")
        with open(path, "rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
            data = source.read()
            half = len(data) // 2
            target.write(data[:half])
            target.flush()
            time.sleep(self.random.random() * 0.01)
            target.write(data[half:])
        path.unlink()

    def truncate(self, name):
        """Only what a checkpoint covers may go: waits for one that does, or does without."""
        if not self.covered():
            self.operations["truncate-skipped"] += 1
            return
        self.operations["truncate"] += 1
        path = self.files[name].name
        self.files[name].close()
        os.truncate(path, 0)
        self.files[name] = open(path, "a", encoding="utf-8")
        self.put(name, (ACCT if name == "acct" else OTHER) + "\n")
        self.record(name)

    def covered(self):
        written = sum(count for key, count in self.expected.counts.items()
                      if key[0] == "pmta_accounting_records_total")
        # The stamp is that of the moment before the copy, so a later one than `reached` covers everything. A killed exporter
        # begins with an older checkpoint, though: what another process had reached counts for nothing.
        reached = process = None
        limit = time.time() + 1.5
        while time.time() < limit and not self.stopping.is_set():
            metrics = scrape()
            total = started = last = None
            if metrics is not None:
                total = sum(v for k, v in metrics.items() if k[0] == "pmta_accounting_records_total")
                started = metrics.get(("process_start_time_seconds",))
                last = metrics.get(("pmta_exporter_checkpoint_last_write_timestamp_seconds",), 0)
            if total != written:
                reached = None
            elif reached is None or started != process:
                reached, process = time.time(), started
            elif last > reached:
                return True
            time.sleep(0.005)
        return False

    # ---- records
    def record(self, name):
        self.record_into(self.files[name], name)

    def record_into(self, data, name):
        self.clock += self.random.choice([0, 0, 1, 2])
        line = self.acct_record() if name == "acct" else self.other_record()
        if data is self.files[name]:
            self.put(name, line)
        else:
            data.write(line)
            data.flush()

    def acct_record(self):
        kind = self.random.choices("dbt", [80, 12, 8])[0]
        domain = self.random.choice(list(PROVIDERS))
        provider = PROVIDERS[domain]
        sender = self.random.choice(SENDERS)
        source = self.random.choice(list(SOURCES))
        vmta, pool = SOURCES[source]
        waited = self.random.choice([0, 1, 2, 5, 6, 59, 61, 4000, 500000])
        size = self.random.randrange(500, 90000)
        expect = self.expected
        expect.add("pmta_accounting_records_total", kind)
        status, diag, category = "2.0.0 (success)", "smtp;250 2.0.0 OK", ""
        if kind == "d":
            expect.add("pmta_deliveries_total", vmta, pool, provider)
            expect.add("pmta_delivered_bytes_total", vmta, pool, provider, by=size)
            expect.add("pmta_replies_total", provider, "250", "2.0.0")
            expect.add("pmta_sender_deliveries_total", sender, provider)
            expect.add("pmta_sender_lifetime_records_total", sender)
            expect.add("pmta_source_ip_deliveries_total", source)
            expect.delay(provider, pool, waited)
        elif kind == "b":
            status, diag, category, verdict, reason, code, enhanced = self.random.choice(BOUNCES)
            expect.add("pmta_bounces_total", vmta, pool, provider, category, verdict)
            if reason is not None:
                expect.add("pmta_bounce_reasons_total", vmta, provider, reason)
            expect.add("pmta_replies_total", provider, code, enhanced)
            expect.add("pmta_sender_bounces_total", sender, verdict)
            expect.add("pmta_sender_lifetime_records_total", sender)
            expect.add("pmta_source_ip_bounces_total", source, verdict)
        else:
            status, diag = "4.2.1 (mailbox busy)", "smtp;421 4.7.0 Try again later, too many connections, closing"
            expect.add("pmta_transient_failures_total", vmta, pool, provider, "rate-limit")
            expect.add("pmta_replies_total", provider, "421", "4.7.0")
            expect.add("pmta_sender_transient_failures_total", sender)
            expect.add("pmta_source_ip_transient_failures_total", source)
        self.number += 1
        cells = [kind, stamp(self.clock), stamp(self.clock - waited), f"bounce-{self.number}@{sender}",
                 f"user{self.number}@{domain}", "", "relayed", status, diag, "mx.example.net (198.51.100.7)", category,
                 "smtp", "feeder (127.0.0.1)", "smtp", source, "198.51.100.7", "PIPELINING,SIZE,STARTTLS", str(size),
                 vmta, f"job{self.number}", "", f"{domain}/{vmta}", pool]
        return ",".join(map(quoted, cells)) + "\n"

    def other_record(self):
        kind = self.random.choices(["r", "rb", "f", "tq", "rs", "x"], [40, 20, 20, 15, 3, 2])[0]
        domain = self.random.choice(list(PROVIDERS))
        provider = PROVIDERS[domain]
        source = self.random.choice(list(SOURCES))
        vmta, pool = SOURCES[source]
        sender = self.random.choice(SENDERS)
        expect = self.expected
        expect.add("pmta_accounting_records_total", "other" if kind == "x" else kind)
        row = dict.fromkeys(OTHER.split(","), "")
        self.number += 1
        row.update(type=kind, timeLogged=stamp(self.clock), orig=f"b{self.number}@{sender}")
        if kind == "r":
            row.update(rcpt=f"u{self.number}@{domain}", srcType="smtp", vmta=vmta, rcvSmtpUser="feeder1")
            expect.add("pmta_receipts_total", vmta, "smtp")
            expect.add("pmta_smtp_user_receipts_total", "feeder1")
        elif kind == "rb":
            row.update(rcpt=f"u{self.number}@{domain}", dsnStatus="5.1.1 (bad)", dsnDiag="smtp;550 5.1.1 user unknown",
                       bounceCat="bad-mailbox")
            expect.add("pmta_remote_bounces_total", provider, "bad-mailbox", "hard")
        elif kind == "f":
            row.update(rcpt=f"u{self.number}@{domain}", feedbackType="abuse", format="arf", dlvSourceIp=source)
            expect.add("pmta_complaints_total", provider, "abuse", vmta, pool)
            expect.add("pmta_sender_complaints_total", sender)
        elif kind == "tq":
            row.update(vmta=vmta, queue=f"{domain}/{vmta}", dsnStatus="4.4.1 (no answer from host)")
            expect.add("pmta_queue_transient_failures_total", vmta, provider, "connection")
        return ",".join(map(quoted, row.values())) + "\n"

    # ---- the thread
    def teach_sources(self):
        """One delivery of every address before the first complaint, read before it: attribution is then the same."""
        wanted = set(SOURCES)
        while wanted:
            before = dict(self.expected.counts)
            self.record("acct")
            for key, count in self.expected.counts.items():
                if key[0] == "pmta_source_ip_deliveries_total" and before.get(key) != count:
                    wanted.discard(key[1])

    def run(self):
        try:
            while not self.stopping.is_set():
                name = self.random.choices(["acct", "other"], [70, 30])[0]
                choice = self.random.random()
                if choice < 0.02:
                    self.rotate(name)
                elif choice < 0.03:
                    self.truncate(name)
                else:
                    for _ in range(self.random.randrange(1, 30)):
                        self.record(name)
                time.sleep(self.random.random() * 0.003)
        except Exception as error:  # the main thread reports it
            self.failure = error


LINE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'[a-z_]+="((?:[^"\\]|\\.)*)"')


def scrape():
    try:
        with urllib.request.urlopen(URL, timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    metrics = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match and not line.startswith("#"):
            metrics[(match[1],) + tuple(LABEL.findall(match[2] or ""))] = float(match[3])
    return metrics


class Exporter:
    def __init__(self, folder):
        config = folder / "config.yml"
        config.write_text(f"""accounting:
  files: ["{folder}/log/*.csv", "{folder}/log/*.csv.gz"]
  moved_to: ["{folder}/moved"]
  state_interval: 20ms
  rescan_interval: 1s
""")
        self.command = [BINARY / "exporter" / "pmta_exporter", "--config.file", config, "--state.file",
                        folder / "state"]
        self.log = open(folder / "exporter.log", "ab")

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)

    def kill(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the exporter ended by itself with status {self.process.returncode}")
        self.process.kill()
        self.process.wait()


def settle(exporter, writer):
    """The exporter's metrics once they show every record, or whatever they show in the end."""
    written = sum(c for k, c in writer.expected.counts.items() if k[0] == "pmta_accounting_records_total")
    limit = time.time() + 15
    metrics = None
    while time.time() < limit:
        metrics = scrape() or metrics
        if metrics and sum(v for k, v in metrics.items() if k[0] == "pmta_accounting_records_total") >= written:
            break
        time.sleep(0.02)
    time.sleep(0.1)  # a record counted twice would come now
    return scrape() or metrics or {}


def compare(metrics, writer):
    expected = writer.expected.counts
    families = {key[0] for key in expected}
    # The reason of a local bounce is the reply table's business; everything else must be as it was written.
    skipped = {"pmta_bounce_reasons_total"}
    differences = []
    for key, count in sorted(expected.items()):
        if metrics.get(key, 0) != count:
            differences.append(f"{key}: written {count}, counted {metrics.get(key, 0)}")
    for key, value in sorted(metrics.items()):
        if key[0] in families - skipped and value != 0 and key not in expected:
            differences.append(f"{key}: never written, counted {value}")
    return differences


def run_seed(seed, root):
    folder = root / str(seed)
    for name in ("log", "moved"):
        (folder / name).mkdir(parents=True)
    choose = random.Random(seed * 7919)
    exporter = Exporter(folder)
    writer = Writer(folder, seed)
    exporter.start()
    writer.teach_sources()
    settle(exporter, writer)
    writer.start()
    try:
        for _ in range(KILLS_PER_SEED):
            time.sleep(choose.random() ** 2 * 0.3)
            exporter.kill()
            exporter.start()
    finally:
        writer.stopping.set()
        writer.join()
    if writer.failure:
        raise writer.failure
    for data in writer.files.values():
        data.close()
    differences = compare(settle(exporter, writer), writer)
    exporter.kill()
    records = sum(c for k, c in writer.expected.counts.items() if k[0] == "pmta_accounting_records_total")
    print(f"seed {seed}: {KILLS_PER_SEED} kills, {records} records, {dict(writer.operations)}, "
          f"{len(differences)} differences", flush=True)
    for difference in differences[:20]:
        print("   ", difference)
    if differences:
        print((folder / "exporter.log").read_text()[-3000:])
    return len(differences)


def main():
    root = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-kill-"))
    begun = time.time()
    try:
        wrong = sum(1 for seed in SEEDS if run_seed(seed, root))
    finally:
        if not os.environ.get("KEEP"):
            shutil.rmtree(root)
    print(f"{len(SEEDS) * KILLS_PER_SEED} kills in {time.time() - begun:.0f} s, {wrong} seeds with differences")
    sys.exit(1 if wrong else 0)


main()
