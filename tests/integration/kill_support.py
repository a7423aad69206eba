"""What the kill tests share: an exporter that is killed with SIGKILL at random moments while a writer goes on, and the
comparison of every counter with a count that was kept beside the writing. Fixed seeds; no difference allowed."""
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

URL = "http://127.0.0.1:10925/metrics"
BOUNDS = [1, 5, 15, 30, 60, 300, 900, 3600, 14400, 43200, 86400, 172800, 259200, 432000]
LINE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'[a-z_]+="((?:[^"\\]|\\.)*)"')


class Expected:
    """Counts what was written, by rules of its own; keys are metric name and label values in order."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.counts = Counter()

    def add(self, metric, *labels, by=1):
        self.counts[(self.prefix + metric,) + labels] += by

    def delay(self, seconds, *labels):
        for bound in BOUNDS + [float("inf")]:
            if seconds <= bound:
                le = "+Inf" if bound == float("inf") else f"{float(bound)}"
                self.add("delivery_delay_seconds_bucket", *labels, le)
        self.add("delivery_delay_seconds_sum", *labels, by=int(seconds + 0.5))
        self.add("delivery_delay_seconds_count", *labels)

    def records(self, metrics=None):
        """All records written, or all that the exporter shows."""
        return sum(count for key, count in (self.counts if metrics is None else metrics).items()
                   if key[0] == self.prefix + "accounting_records_total")


class Writer(threading.Thread):
    """A mail server and its log rotation, sped up: one step() after the other until told to stop."""

    def __init__(self, folder, seed, prefix):
        super().__init__()
        self.random = random.Random(seed)
        self.folder = folder
        self.expected = Expected(prefix)
        self.stopping = threading.Event()
        self.number = 0
        self.clock = int(time.time()) - 3600
        self.operations = Counter()
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
                time.sleep(self.random.random() * 0.003)
        except Exception as error:  # the main thread reports it
            self.failure = error

    def covered(self):
        """Whether a checkpoint has everything that is written; waits for one."""
        # The stamp is that of the moment before the copy, so a later one than `reached` covers everything. A killed
        # exporter begins with an older checkpoint, though: what another process had reached counts for nothing.
        reached = process = None
        limit = time.time() + 1.5
        while time.time() < limit and not self.stopping.is_set():
            metrics = scrape()
            total = started = last = None
            if metrics is not None:
                total = self.expected.records(metrics)
                started = metrics.get(("process_start_time_seconds",))
                last = metrics.get(("pmta_exporter_checkpoint_last_write_timestamp_seconds",), 0)
            if total != self.expected.records():
                reached = None
            elif reached is None or started != process:
                reached, process = time.time(), started
            elif last > reached:
                return True
            time.sleep(0.005)
        return False


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
    def __init__(self, binary, folder, config):
        (folder / "config.yml").write_text(config)
        self.command = [binary, "--config.file", folder / "config.yml", "--state.file", folder / "state"]
        self.log = open(folder / "exporter.log", "ab")

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)

    def kill(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the exporter ended by itself with status {self.process.returncode}")
        self.process.kill()
        self.process.wait()


def settle(writer):
    """The exporter's metrics once they show every record, or whatever they show in the end."""
    limit = time.time() + 15
    metrics = None
    while time.time() < limit:
        metrics = scrape() or metrics
        if metrics and writer.expected.records(metrics) >= writer.expected.records():
            break
        time.sleep(0.02)
    time.sleep(0.1)  # a record counted twice would come now
    return scrape() or metrics or {}


def compare(metrics, expected, skipped):
    families = {key[0] for key in expected.counts}
    differences = []
    for key, count in sorted(expected.counts.items()):
        if metrics.get(key, 0) != count:
            differences.append(f"{key}: written {count}, counted {metrics.get(key, 0)}")
    for key, value in sorted(metrics.items()):
        if key[0] in families - skipped and value != 0 and key not in expected.counts:
            differences.append(f"{key}: never written, counted {value}")
    return differences


class KillTest:
    """`writer(folder, seed)` makes the Writer, `config(folder)` the exporter's configuration. `prepare` runs before the
    first kill, `finish` after the last; what they write is read, too. Of the families in `skipped` only what was
    written is compared."""

    def __init__(self, binary, writer, config, kills_per_seed, skipped=()):
        self.binary, self.writer, self.config = binary, writer, config
        self.kills, self.skipped = kills_per_seed, set(skipped)

    def run_seed(self, seed, folder):
        for name in ("log", "moved"):
            (folder / name).mkdir(parents=True)
        choose = random.Random(seed * 7919)
        exporter = Exporter(self.binary, folder, self.config(folder))
        writer = self.writer(folder, seed)
        exporter.start()
        try:
            writer.prepare()
            settle(writer)
            writer.start()
            for _ in range(self.kills):
                time.sleep(choose.random() ** 2 * 0.3)
                exporter.kill()
                exporter.start()
        finally:
            writer.stopping.set()
            if writer.ident:
                writer.join()
        if writer.failure:
            raise writer.failure
        writer.finish()
        differences = compare(settle(writer), writer.expected, self.skipped)
        exporter.kill()
        print(f"seed {seed}: {self.kills} kills, {writer.expected.records()} records, {dict(writer.operations)}, "
              f"{len(differences)} differences", flush=True)
        for difference in differences[:20]:
            print("   ", difference)
        if differences:
            print((folder / "exporter.log").read_text()[-3000:])
        return len(differences)

    def run(self, seeds):
        root = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-kill-"))
        begun = time.time()
        try:
            wrong = sum(1 for seed in seeds if self.run_seed(seed, root / str(seed)))
        finally:
            if os.environ.get("KEEP"):
                print("kept in", root)
            else:
                shutil.rmtree(root)
        print(f"{len(seeds) * self.kills} kills in {time.time() - begun:.0f} s, {wrong} seeds with differences")
        sys.exit(1 if wrong else 0)
