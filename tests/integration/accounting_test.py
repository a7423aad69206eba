"""The exporter against the real world around it: a full disk and a read-only one, files it may not read, a pipe that
outlives it, and history that a real Prometheus loads and answers from."""
import fcntl
import json
import os
import pathlib
import random
import re
import socket
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
        pipe = subprocess.Popen([PIPE, "--name", "main", "--spool", spool, "--file-size", "4096", "--wait", "0s"],
                                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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

    def full_disk(self, name, left):
        """A disk with `left` bytes of room."""
        disk = self.folder / name
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
        (disk / "filler").write_bytes(bytes((1 << 20) - left))
        return disk

    @staticmethod
    def records_in(spool):
        return [line for path in sorted(spool.glob("main/*.csv")) for line in path.read_text().splitlines(keepends=True)[1:]]

    def test_a_disk_that_is_full_for_a_while_costs_the_pipe_nothing(self):
        spool = self.full_disk("spool", 64 << 10)
        records = [record(number=number) for number in range(6000)]
        with open(self.folder / "records", "w", encoding="ascii") as file:
            file.write(HEADER + "".join(records))
        with open(self.folder / "records", "rb") as file:
            feeder = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        pipe = subprocess.Popen([PIPE, "--name", "main", "--spool", spool], stdin=feeder.stdout, stderr=subprocess.PIPE)
        feeder.stdout.close()
        self.processes += [feeder, pipe]
        said = pipe.stderr.readline().decode()
        self.assertIn("No space left on device; PowerMTA waits until this is mended, --wait at most", said)
        self.assertIsNone(feeder.poll())  # what PowerMTA has to say stays with it
        (spool / "filler").unlink()
        self.assertEqual(pipe.wait(60), 0)
        with pipe.stderr:
            self.assertEqual(pipe.stderr.read(), b"")
        self.assertEqual(self.records_in(spool), records)

    def test_the_pipe_survives_everything_that_happens_to_its_stderr(self):
        spool = self.full_disk("spool", 0)
        unread, unread_end = os.pipe()
        left, left_end = os.pipe()
        os.close(left)
        stuck, stuck_end = os.pipe()
        os.set_blocking(stuck_end, False)
        try:
            while True:
                os.write(stuck_end, bytes(4096))
        except BlockingIOError:
            os.set_blocking(stuck_end, True)
        peer, peer_end = socket.socketpair()
        peer.close()
        on_disk = os.open(spool / "pipe.log", os.O_WRONLY | os.O_CREAT)
        full = os.open("/dev/full", os.O_WRONLY)
        streams = {"a file on the full disk": on_disk, "/dev/full": full, "a pipe whose reader has left": left_end,
                   "a pipe that nobody reads": unread_end, "a pipe that is full": stuck_end, "a socket": peer_end.fileno()}
        for name, stream in streams.items():
            with self.subTest(stderr=name):
                pipe = subprocess.run([PIPE, "--name", "main", "--spool", spool, "--wait", "1s"], stderr=stream, timeout=20,
                                      input=(HEADER + record() * 2000).encode(), check=False)
                self.assertEqual(pipe.returncode, 0)
        with self.subTest(stderr="closed, and the disk has room"):
            (spool / "filler").unlink()
            records = [record(number=number) for number in range(100)]
            closed = subprocess.run(["/bin/sh", "-c", 'exec "$0" --name main --spool "$1" 2>&- 1>&-', PIPE, spool], timeout=20,
                                    input=(HEADER + "".join(records) + "d,cut off").encode(), check=False)
            self.assertEqual(closed.returncode, 0)
            self.assertEqual(self.records_in(spool)[:100], records)  # and no message among them
        for descriptor in (unread, unread_end, left_end, stuck, stuck_end, on_disk, full):
            os.close(descriptor)
        peer_end.close()

    def test_a_killed_pipe_costs_no_more_than_it_and_the_kernel_held_and_leaves_whole_records(self):
        spool = self.folder / "spool"
        spool.mkdir()
        written, sizes, kills, now = 0, [], 30, time.time()
        chance = random.Random(7)
        for _ in range(kills):
            pipe = subprocess.Popen([PIPE, "--name", "main", "--spool", spool], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    bufsize=0)
            os.write(pipe.stdin.fileno(), HEADER.encode())
            end, killed = time.monotonic() + chance.uniform(0.02, 0.06), False
            try:
                while True:
                    if not killed and time.monotonic() > end:
                        pipe.kill()
                        killed = True
                    text = record(now, written).encode()
                    os.write(pipe.stdin.fileno(), text)
                    sizes.append(len(text))
                    written += 1
            except BrokenPipeError:
                pipe.stdin.close()
                pipe.wait()
        # The last one ends in peace: what the others left has been cut to whole records.
        subprocess.run([PIPE, "--name", "main", "--spool", spool], input=HEADER.encode(), stderr=subprocess.DEVNULL, check=True)
        kept = self.records_in(spool)
        everything = {record(now, number) for number in range(written)}
        self.assertEqual(len(set(kept)), len(kept))
        self.assertLessEqual(set(kept), everything)
        lost = written - len(kept)
        print(f"{kills} kills, {written} records, {lost} lost: {lost * max(sizes) / kills / 1024:.0f} KiB a kill")
        self.assertLessEqual(lost * min(sizes), kills * (128 << 10))

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
