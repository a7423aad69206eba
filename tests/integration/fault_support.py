"""What the tests share in which things around the exporter break: every record is counted once, or its loss is counted;
what could not be seen shows in the metrics and in words in the log; nothing needs a restart.

Each test prints a row of docs/reliability.md: what was tried, how often, what happened."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

EXPORTER = pathlib.Path(sys.argv[2]) / "exporter" / "pmta_exporter"
HEADER = "type,timeLogged,timeQueued,orig,rcpt,dlvType,dlvSourceIp,dlvSize,vmta,vmtaPool\n"
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
RESCAN = "  rescan_interval: 200ms\n"
DELIVERED = 'pmta_accounting_records_total{record_type="d"}'
FAILURES = "pmta_exporter_checkpoint_write_failures_total"
SAVED = "pmta_exporter_checkpoint_last_write_timestamp_seconds"
TRUNCATIONS = "pmta_exporter_file_truncations_total"
# What a failure shows.
SHOWN = "pmta_exporter_(source|read|file|checkpoint|unwatched|lines|catching)"
UNWATCHED = "pmta_exporter_unwatched_folders"
ROWS = []


def row(tried, often, happened):
    ROWS.append(f"| {tried} | {often} | {happened} |")


def record(number=0, name="u"):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime())
    return f"d,{stamp},{stamp},b{number}@news.example.com,{name}@gmail.com,smtp,192.0.2.1,1000,vmta1,pool1\n"


def scrape():
    try:
        with urllib.request.urlopen("http://127.0.0.1:10925/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {match[1]: float(match[2]) for match in re.finditer(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.M)}


def ready():
    try:
        with urllib.request.urlopen("http://127.0.0.1:10925/-/ready", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def cpu(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class ExporterFaults(unittest.TestCase):
    """A folder of logs, the exporter on it, and what it has to have counted."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-faults-"))
        os.chmod(self.folder, 0o755)
        self.logs = self.folder / "log"
        self.logs.mkdir()
        self.said_path = self.folder / "exporter.log"
        self.processes, self.mounts = [], []
        self.written = 0
        self.seen = 0
        self.truncations = 0

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for mount in reversed(self.mounts):
            subprocess.run(["umount", mount], check=True)
        subprocess.run(["rm", "-rf", self.folder], check=True)

    # ---- the exporter
    def start(self, *arguments, prefix=(), config=RESCAN, files=None, environment=None):
        path = self.folder / "config.yml"
        files = files or [f"{self.logs}/*.csv"]
        path.write_text(f"accounting:\n  files: {files}\n  state_interval: 50ms\n{config}")
        arguments = arguments or ("--state.file", "none")
        with open(self.said_path, "ab") as log:
            process = subprocess.Popen([*prefix, EXPORTER, "--config.file", path, *arguments], stdout=log, stderr=log,
                                       env={**os.environ, **(environment or {})})
        self.processes.append(process)
        return process

    def said(self):
        return self.said_path.read_text() if self.said_path.exists() else ""

    def scrape(self):
        """No scrape, at whatever moment, shows more records than were written or fewer than an earlier one."""
        metrics = scrape()
        if DELIVERED in metrics:
            self.assertLessEqual(metrics[DELIVERED], self.written, self.said())
            self.assertGreaterEqual(metrics[DELIVERED], self.seen, self.said())
            self.seen = metrics[DELIVERED]
        return metrics

    def wait_for(self, what, condition, seconds=30):
        limit = time.monotonic() + seconds
        metrics = {}
        while time.monotonic() < limit:
            metrics = self.scrape()
            if metrics and condition(metrics):
                return metrics
            time.sleep(0.02)
        shown = {name: value for name, value in metrics.items() if name == DELIVERED or re.match(SHOWN, name)}
        self.fail(f"{what}: not in {seconds} s; {self.written} written: {shown}\n{self.said()}")
        return {}

    def all_counted(self, what, more=lambda metrics: True):
        # What happened to files is published when a round of reading ends, the records while it lasts.
        metrics = self.wait_for(what, lambda m: m.get(DELIVERED) == self.written
                                and m.get(TRUNCATIONS, 0) >= self.truncations and more(m))
        self.assertEqual(metrics[TRUNCATIONS], self.truncations, self.said())
        return metrics

    def stays(self, seconds=1.0):
        """What would be counted twice, or be lost, shows within a few rescans."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.assertEqual(self.scrape().get(DELIVERED), self.written, self.said())
            time.sleep(0.05)

    def metric(self, name, source="*.csv"):
        return f'pmta_exporter_{name}{{source="{self.logs}/{source}"}}'

    # ---- the files
    def write(self, records, name="acct-1.csv", folder=None):
        """Appends so many records, after the header where the file is new."""
        path = (folder or self.logs) / name
        text = "".join(record(self.written + i) for i in range(records))
        if not path.exists() or path.stat().st_size == 0:
            text = HEADER + text
        self.written += records
        with open(path, "a", encoding="utf-8") as data:
            data.write(text)
        return path

    def tmpfs(self, path, size):
        path.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", path], check=True)
        self.mounts.append(path)

    def fill(self, folder):
        filler = open(folder / "filler", "wb", buffering=0)
        for size in (4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                pass
        filler.close()
        return folder / "filler"


def run():
    result = unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2, exit=False).result
    print("\n| what was tried | how often | what happened |\n|---|---|---|\n" + "\n".join(ROWS))
    sys.exit(not result.wasSuccessful())
