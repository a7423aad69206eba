"""check_bounce_rate --ssh: the log of another host, through a real OpenSSH server, says what it says there, and of a large file little
more than the window travels. The network namespace is this test's own, so the counter of its loopback tells what travelled."""
import datetime
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ssh_server import SshServer

BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
CHECK = BUILD / "checks/check_bounce_rate"
GENERATE = BUILD / "tests/bench/generate_accounting"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
HEADER = "type,timeLogged,rcpt,bounceCat\n"
DD = pathlib.Path("/usr/bin/dd")


def rows(count, kind="d", category="", ago=60):
    stamp = (NOW - datetime.timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S+0000")
    return f"{kind},{stamp},user@example.com,{category}\n" * count


def travelled():
    """Bytes through loopback, each counted once."""
    line = next(line for line in pathlib.Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    return int(line.split(":")[1].split()[0])


class BounceRateSsh(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-bounce-ssh-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        pathlib.Path("/run/sshd").mkdir()
        cls.server = SshServer(cls.folder / "ssh", 2222)
        cls.addClassCleanup(cls.server.stop)
        # A dd that can be told to do something else before.
        shutil.copy(DD, cls.folder / "dd")
        cls.before_dd = cls.folder / "before_dd"
        (cls.folder / "dd.sh").write_text(f"#!/bin/sh\nif [ -f {cls.before_dd} ]; then . {cls.before_dd}; fi\nexec {cls.folder}/dd \"$@\"\n")
        (cls.folder / "dd.sh").chmod(0o755)
        subprocess.run(["mount", "--bind", cls.folder / "dd.sh", DD], check=True)
        cls.addClassCleanup(subprocess.run, ["umount", "-l", DD], check=True)  # what hung may still run

    def setUp(self):
        self.before_dd.unlink(missing_ok=True)
        # Blanks and quotes in a path are the shell's business there, not ours.
        self.logs = self.folder / "it's log"
        self.logs.mkdir()
        self.addCleanup(shutil.rmtree, self.logs)

    def run_check(self, *arguments, ssh=True, env=None):
        options = self.server.options() if ssh else []
        done = subprocess.run([CHECK, *map(str, arguments), *options], capture_output=True, text=True, timeout=90, check=False,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **(env or {})})
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def both(self, *arguments):
        """The observation of the host itself and ours, which must be the same, but for how it was reached."""
        seen = []
        for ssh in (False, True):
            code, text = self.run_check("-t", "50", *arguments, "-o", "json", "--idle", "ok", ssh=ssh)
            observation = json.loads(text)["observation"]
            self.assertIsNotNone(observation, text)
            sources = observation.pop("sources")
            seen.append((code, observation, {source["path"]: source["problem"] for source in sources if not source["skipped"]}))
            observation["sources"] = sources
        local, far = seen[0][1], seen[1][1]
        for key in local:
            if key not in ("sources", "took_seconds", "took"):
                self.assertEqual(local[key], far[key], key)
        self.assertEqual(seen[0][0], seen[1][0])
        return far

    def test_of_a_large_file_the_window_travels(self):
        file = self.logs / "acct-1.csv"
        with open(file, "wb") as out:
            subprocess.run([GENERATE, "--bytes", "64M", "--start", str(int((NOW - datetime.timedelta(hours=24)).timestamp()))],
                           stdout=out, check=True)
        at = (NOW - datetime.timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        before = travelled()
        seen = self.both("-f", self.logs / "acct-*.csv", "--at", at, "--by", "provider")
        bytes_travelled = travelled() - before
        self.assertGreater(seen["total"]["delivered"], 1000)
        self.assertLessEqual(seen["sources"][0]["search_reads"], 25)
        size = os.path.getsize(file)
        print(f"of {size >> 20} MB {bytes_travelled / 1e6:.1f} MB travelled, {seen['sources'][0]['search_reads']} reads to find the window")
        # The hour is a 24th; what is fetched ahead of it at its end is at most 4 MiB more.
        self.assertLess(bytes_travelled, size / 24 + (6 << 20))
        # The whole day, in pieces.
        self.both("-f", file, "--at", at, "--window", "24h")

    def test_compressed_and_old_files(self):
        (self.logs / "acct-1.csv").write_text(HEADER + rows(150) + rows(50, "b", "bad-mailbox"))
        with gzip.open(self.logs / "acct-2.csv.gz", "wt") as out:
            out.write(HEADER + rows(100, "b", "spam-related", ago=600))
        for number in range(3, 40):
            old = self.logs / f"acct-{number}.csv"
            old.write_text(HEADER + rows(1000, "b", "bad-mailbox", ago=86400 * number))
            os.utime(old, (time.time() - 86400 * number,) * 2)
        (self.logs / ".acct-hidden.csv").write_text(HEADER + rows(500, "b", "bad-mailbox"))
        at = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
        seen = self.both("-f", self.logs / "*acct-*.csv", "-f", self.logs / "acct-*.csv.gz", "--at", at)
        self.assertEqual((seen["total"]["delivered"], seen["total"]["hard"], seen["total"]["block"]), (150, 50, 100))
        read = [source["path"] for source in seen["sources"] if not source["skipped"]]
        self.assertEqual(read, [f"{self.logs}/acct-1.csv", f"{self.logs}/acct-2.csv.gz"])

    def test_the_newest_record_is_old(self):
        for days in (3, 4, 5):
            file = self.logs / f"acct-{days}.csv"
            file.write_text(HEADER + rows(200, ago=86400 * days))
            os.utime(file, (time.time() - 86400 * days,) * 2)
        code, text = self.run_check("-f", self.logs / "acct-*.csv")
        self.assertEqual(code, 2, text)
        self.assertIn("the newest record is 3 d", text)

    def test_a_postfix_log_is_read_in_the_zone_of_its_host(self):
        def lines(status, count, ago, first):
            stamp = (datetime.datetime.now() - datetime.timedelta(seconds=ago)).strftime("%b %e %H:%M:%S")
            return "".join(f"{stamp} mx1 postfix/smtp[9]: {first + n:06X}: to=<user{n}@example.net>, relay=mx.example.net[192.0.2.1]:25, "
                           f"delay=1, delays=0/0/0/1, dsn={'2.0.0' if status == 'sent' else '5.1.1'}, status={status} (250 ok)\n"
                           for n in range(count))
        (self.logs / "mail.log").write_text(lines("sent", 180, 1200, 0x100000) + lines("bounced", 20, 60, 0x200000))
        (self.logs / "mail.log.1").write_text(lines("sent", 100, 2400, 0x300000))
        with gzip.open(self.logs / "mail.log.2.gz", "wt") as out:
            out.write(lines("sent", 1000, 90000, 0x400000))
        os.utime(self.logs / "mail.log.1", (time.time() - 2400,) * 2)
        os.utime(self.logs / "mail.log.2.gz", (time.time() - 90000,) * 2)
        files = "--format", "postfix", "-f", self.logs / "mail.log", "-f", self.logs / "mail.log.*"
        for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
            code, text = self.run_check(*files, env={"TZ": zone})
            self.assertEqual(code, 1, text)
            self.assertIn("6.67 % bounced (20 of 300)", text)

    def test_the_journal_of_another_host(self):
        stamp = NOW.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00")
        line = (f"{stamp} mx1 postfix/smtp[9]: 4F3A00%04X: to=<user@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=1, "
                "delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)")
        program = self.logs / "journalctl"
        program.write_text("#!/bin/sh\n" + "".join(f"echo '{line % number}'\n" for number in range(120)))
        program.chmod(0o755)
        subprocess.run(["mount", "--bind", program, "/usr/bin/journalctl"], check=True)
        try:
            code, text = self.run_check("--format", "postfix", "--journal", "postfix@-.service")
        finally:
            subprocess.run(["umount", "/usr/bin/journalctl"], check=True)
        self.assertEqual(code, 0, text)
        self.assertIn("0.00 % bounced (0 of 120)", text)

    def test_unknown_when_the_file_is_rotated_while_it_is_read(self):
        file = self.logs / "acct-1.csv"
        file.write_text(HEADER + rows(4000, ago=3000) + rows(4000))
        self.before_dd.write_text(f"cd '{str(self.logs).replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}' && if [ ! -f rotated ]; then\n"
                                  "mv acct-1.csv rotated; printf 'type,timeLogged,rcpt,bounceCat\\n' >acct-1.csv\nfi\n")
        code, text = self.run_check("-f", file)
        self.assertEqual(code, 3, text)
        self.assertIn(f"{file}: was rotated while it was read; look again", text)
        code, text = self.run_check("-f", self.logs / "rotated")
        self.assertEqual(code, 0, text)

    def test_unknown_for_everything_that_cannot_be_seen(self):
        self.assertEqual(self.run_check("-f", self.logs / "acct-*.csv"),
                         (3, f"BOUNCE_RATE UNKNOWN - the log could not be read: no file matches {self.logs}/acct-*.csv on 127.0.0.1\n"))
        self.assertIn("no file matches /no/such/folder/acct-*.csv", self.run_check("-f", "/no/such/folder/acct-*.csv")[1])
        self.assertIn("over SSH write an absolute path with a pattern in its last part", self.run_check("-f", "acct-*.csv")[1])
        self.assertIn("over SSH write an absolute path", self.run_check("-f", "/var/*/acct.csv")[1])
        self.assertIn("standard input is not on the other host", self.run_check("-f", "-")[1])
        (self.logs / "acct-1.csv").write_text(HEADER + rows(200))
        self.before_dd.write_text("echo 'dd: failed to open: Permission denied' >&2; exit 1\n")
        code, text = self.run_check("-f", self.logs / "acct-*.csv")
        self.assertEqual(code, 3, text)
        self.assertIn("acct-1.csv: dd on 127.0.0.1 exited with 1: dd: failed to open: Permission denied; the user of the connection", text)
        self.before_dd.write_text("sleep 60\n")
        begin = time.monotonic()
        code, text = self.run_check("-f", self.logs / "acct-*.csv", "-t", "4")
        self.assertEqual(code, 3, text)
        self.assertLess(time.monotonic() - begin, 6)
        self.assertIn("acct-1.csv: no time left after 0 MB on 127.0.0.1; give a smaller --window or a longer --timeout", text)
        (self.logs / "acct-1.csv").write_bytes(b"\x1f\x8b" + b"x" * 1000)
        self.before_dd.unlink()
        self.assertEqual(self.run_check("-f", self.logs / "acct-*.csv")[0], 3)
        for number in range(101):
            (self.logs / f"acct-{number}.csv").write_text(HEADER)
        self.assertIn("101 files match", self.run_check("-f", self.logs / "acct-*.csv")[1])


if __name__ == "__main__":
    unittest.main(warnings="ignore")
