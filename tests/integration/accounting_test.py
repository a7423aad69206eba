"""The exporter against the real world around it: a full disk and a read-only one, files it may not read, a pipe that
outlives it, and history that a real Prometheus loads and answers from."""
import fcntl
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import urllib.parse
import urllib.request

BINARY = pathlib.Path(sys.argv[2])
EXPORTER = BINARY / "exporter" / "pmta_exporter"
PIPE = BINARY / "exporter" / "pmta_acct_pipe"
HEADER = "type,timeLogged,timeQueued,orig,rcpt,dlvType,dlvSourceIp,dlvSize,vmta,vmtaPool\n"
NOBODY = 65534


def record(at=None, number=0):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(at or time.time()))
    return f"d,{stamp},{stamp},b{number}@news.example.com,u@gmail.com,smtp,192.0.2.1,1000,vmta1,pool1\n"


def scrape(port=10925):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {match[1]: float(match[2]) for match in re.finditer(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.M)}


DELIVERED = 'pmta_accounting_records_total{record_type="d"}'
FAILURES = "pmta_exporter_checkpoint_write_failures_total"


class AccountingTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-accounting-"))
        os.chmod(self.folder, 0o755)
        (self.folder / "log").mkdir()
        self.log = open(self.folder / "exporter.log", "w+b")
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.log.close()
        for mounted in ("state", "spool"):
            subprocess.run(["umount", self.folder / mounted], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["rm", "-rf", self.folder], check=True)

    def start(self, *arguments, prefix=(), config="  state_interval: 50ms\n"):
        path = self.folder / "config.yml"
        path.write_text(f"accounting:\n  files: ['{self.folder}/log/*.csv']\n{config}")
        process = subprocess.Popen([*prefix, EXPORTER, "--config.file", path, *arguments], stdout=self.log,
                                   stderr=self.log)
        self.processes.append(process)
        return process

    def wait_for(self, what, condition, seconds=30):
        limit = time.time() + seconds
        metrics = {}
        while time.time() < limit:
            metrics = scrape()
            if metrics and condition(metrics):
                return metrics
            time.sleep(0.02)
        shown = {name: value for name, value in metrics.items() if name.startswith("pmta_exporter_c") or name == DELIVERED}
        self.fail(f"{what}: not in {seconds} s: {shown}\n{self.said()}")
        return {}

    def said(self):
        return (self.folder / "exporter.log").read_text()

    def write(self, text, name="acct-1.csv"):
        with open(self.folder / "log" / name, "a", encoding="utf-8") as data:
            data.write(text)

    def test_a_full_disk_is_counted_retried_and_survived(self):
        state = self.folder / "state"
        state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state], check=True)
        self.write(HEADER + record())
        exporter = self.start("--state.file", state / "state")
        self.wait_for("first checkpoint", lambda m: "pmta_exporter_checkpoint_last_write_timestamp_seconds" in m)
        whole = (state / "state").read_bytes()
        filler = open(state / "filler", "wb", buffering=0)
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
        self.write(record(number=1))
        metrics = self.wait_for("a counted failure", lambda m: m.get(FAILURES, 0) >= 2 and m.get(DELIVERED) == 2)
        self.assertGreaterEqual(metrics[FAILURES], 2)
        self.assertIn("No space left on device; counting goes on", self.said())
        self.assertEqual((state / "state").read_bytes()[:8], whole[:8])
        filler.close()
        (state / "filler").unlink()
        last = metrics["pmta_exporter_checkpoint_last_write_timestamp_seconds"]
        self.wait_for("saved again", lambda m: m["pmta_exporter_checkpoint_last_write_timestamp_seconds"] > last)
        exporter.kill()
        exporter.wait()
        self.start("--state.file", state / "state")
        self.wait_for("the same after a restart", lambda m: m.get(DELIVERED) == 2)

    def test_a_pipe_on_a_full_disk_gives_up_old_files_and_begins_every_new_one_with_the_header(self):
        spool = self.folder / "spool"
        spool.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", spool], check=True)
        pipe = subprocess.Popen([PIPE, "--name", "main", "--spool", spool, "--file-size", "4096"], stdin=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        self.processes.append(pipe)
        records = [record(number=number) for number in range(600)]
        for begin in range(0, len(records), 10):  # no more at once than the disk holds
            pipe.stdin.write((HEADER if begin == 0 else "") + "".join(records[begin:begin + 10]))
            pipe.stdin.flush()
            while struct.unpack("i", fcntl.ioctl(pipe.stdin, termios.FIONREAD, b"\0" * 4))[0] > 0:
                time.sleep(0.001)
        _, said = pipe.communicate(timeout=60)
        self.assertEqual(pipe.returncode, 0)
        self.assertIn("spool files were deleted for want of room", said)
        texts = [path.read_text() for path in sorted((spool / "main").iterdir())]
        self.assertGreater(len(texts), 1)
        for text in texts:
            self.assertTrue(text.startswith(HEADER), text[:200])
        kept = [line for text in texts for line in text.removeprefix(HEADER).splitlines(keepends=True)]
        self.assertEqual(kept, records[-len(kept):])

    def test_a_disk_that_becomes_read_only_is_counted_and_survived(self):
        state = self.folder / "state"
        state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", state], check=True)
        self.write(HEADER + record())
        self.start("--state.file", state / "state")
        self.wait_for("first checkpoint", lambda m: "pmta_exporter_checkpoint_last_write_timestamp_seconds" in m)
        limit = time.time() + 10  # a file that is open for writing at that moment refuses the change
        while subprocess.run(["mount", "-o", "remount,ro", state], stderr=subprocess.DEVNULL, check=False).returncode:
            self.assertLess(time.time(), limit)
        self.wait_for("a counted failure", lambda m: m.get(FAILURES, 0) >= 1)
        self.write(record(number=1))
        self.wait_for("counting goes on", lambda m: m.get(DELIVERED) == 2)
        self.assertIn("Read-only file system", self.said())

    def test_a_file_it_may_not_read_is_a_metric_and_a_line(self):
        self.write(HEADER + record())
        self.write(HEADER + record(number=1), "secret.csv")
        os.chmod(self.folder / "log" / "secret.csv", 0o600)
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self.start("--state.file", "none", prefix=prefix, config="  rescan_interval: 100ms\n")
        unreadable = f'pmta_exporter_source_unreadable{{source="{self.folder}/log/*.csv"}}'
        self.wait_for("the other file is counted", lambda m: m.get(DELIVERED) == 1 and m.get(unreadable) == 1)
        self.assertEqual(self.said().count("secret.csv: permission denied; add the exporter's user"), 1)
        os.chmod(self.folder / "log" / "secret.csv", 0o644)
        self.wait_for("readable at last", lambda m: m.get(DELIVERED) == 2 and m.get(unreadable) == 0)

    def test_a_second_exporter_with_the_same_state_is_refused(self):
        self.write(HEADER + record())
        self.start("--state.file", self.folder / "state-file")
        self.wait_for("running", lambda m: m.get(DELIVERED) == 1)
        second = self.start("--state.file", self.folder / "state-file", "--web.listen-address", "127.0.0.1:10926")
        self.assertNotEqual(second.wait(timeout=20), 0)
        self.assertIn("another exporter is using it", self.said())

    def test_a_pipe_loses_nothing_while_the_exporter_restarts(self):
        spool = self.folder / "spool"
        spool.mkdir()
        config = "  state_interval: 50ms\n  rescan_interval: 100ms\n"
        (self.folder / "log").rmdir()
        (self.folder / "log").symlink_to(spool / "main")
        pipe = subprocess.Popen([PIPE, "--name", "main", "--spool", spool, "--file-size", "20000"],
                                stdin=subprocess.PIPE)
        self.processes.append(pipe)
        pipe.stdin.write(HEADER.encode())
        written = 0
        exporter = None
        for turn in range(6):
            if turn % 2 == 0:
                exporter = self.start("--state.file", self.folder / "state-file", config=config)
                time.sleep(0.3)
            else:
                exporter.kill()
                exporter.wait()
            for _ in range(200):
                pipe.stdin.write(record(number=written).encode())
                written += 1
            pipe.stdin.flush()
        # SIGTERM in the middle of a record: it is completed, and nothing else is kept.
        pipe.stdin.write(record(number=written).encode()[:30])
        pipe.stdin.flush()
        time.sleep(0.2)
        pipe.terminate()
        time.sleep(0.1)
        pipe.stdin.write(record(number=written).encode()[30:])
        pipe.stdin.flush()
        written += 1
        pipe.stdin.close()
        self.assertEqual(pipe.wait(timeout=20), 0)
        self.start("--state.file", self.folder / "state-file", config=config)
        self.wait_for("every record", lambda m: m.get(DELIVERED) == written)
        self.assertGreater(len(list((spool / "main").iterdir())), 3)

    def test_a_prometheus_answers_from_the_backfilled_history(self):
        # The oldest record is a day old: Prometheus refuses nothing of it.
        begin = int(time.time()) // 3600 * 3600 - 24 * 3600
        self.write(HEADER + "".join(record(begin + hour * 3600 + 60 * i + 30, i) for hour in range(6) for i in range(hour + 1)))
        history = self.folder / "history.om"
        with open(history, "wb") as out:
            subprocess.run([EXPORTER, "--backfill", "--step", "1h", "--acct", f"{self.folder}/log/*.csv"], stdout=out,
                           check=True)
        data = self.folder / "data"
        made = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", history, data], check=False,
                              capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        (self.folder / "prometheus.yml").write_text("scrape_configs: []\n")
        self.processes.append(subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={data}",
             "--web.listen-address=127.0.0.1:9090"], stdout=self.log, stderr=self.log))
        plain = urllib.parse.urlencode({"query": 'pmta_deliveries_total{provider="gmail"}', "time": begin + 6 * 3600})
        limit = time.time() + 30
        result = []
        while time.time() < limit and not result:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:9090/api/v1/query?{plain}", timeout=5) as answer:
                    result = json.load(answer)["data"]["result"]
            except OSError:
                pass
            time.sleep(0.2)
        self.assertEqual([float(r["value"][1]) for r in result], [21.0])


unittest.main(argv=sys.argv[:1], verbosity=2)
