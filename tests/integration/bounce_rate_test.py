"""check_bounce_rate as a program: standard input, permissions, a line of 100 MB, an hour of a large file."""
import datetime
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

BINARY = pathlib.Path(sys.argv[2])
CHECK = BINARY / "checks/check_bounce_rate"
GENERATE = BINARY / "tests/bench/generate_accounting"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
HEADER = "type,timeLogged,rcpt,bounceCat\n"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def rows(count, kind="d", category="", ago=60):
    time = (NOW - datetime.timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S+0000")
    return f"{kind},{time},user@example.com,{category}\n" * count


def run(*arguments, prefix=(), **options):
    done = subprocess.run([*prefix, CHECK, *arguments], capture_output=True, text=True, timeout=60, **options)
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout


class BounceRate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        self.path.chmod(0o755)

    def test_standard_input(self):
        code, text = run("-f", "-", input=HEADER + rows(190) + rows(10, "b", "bad-mailbox"))
        self.assertEqual(code, 0)
        self.assertIn("5.00 % bounced (10 of 200)", text)

    def test_a_file_that_may_not_be_read_is_unknown_and_named(self):
        file = self.path / "acct-1.csv"
        file.write_text(HEADER + rows(200))
        file.chmod(0o600)
        code, text = run("-f", file, prefix=NOBODY)
        self.assertEqual(code, 3)
        self.assertIn(f"{file}: ", text)
        self.assertIn("ermission denied", text)
        other = self.path / "acct-2.csv"
        other.write_text(HEADER + rows(200))
        code, text = run("-f", self.path / "acct-*.csv", prefix=NOBODY)
        self.assertEqual(code, 3)
        self.assertIn("not all of the mail was seen", text)

    def test_a_line_of_100_megabytes_costs_one_record_and_no_memory(self):
        file = self.path / "acct-1.csv"
        with open(file, "w") as out:
            out.write(HEADER + rows(100))
            for _ in range(100):
                out.write("x" * (1 << 20))
            out.write("\n" + rows(100))
        code, text = run("-f", file, "-o", "json")
        self.assertEqual(code, 0, text)
        seen = json.loads(text)["observation"]
        self.assertEqual(seen["total"]["delivered"], 200)
        self.assertEqual(seen["sources"][0]["malformed"], 1)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 90 << 10)

    def test_an_hour_of_a_large_file_is_what_reading_all_of_it_gives(self):
        file = self.path / "acct-1.csv"
        start = NOW - datetime.timedelta(hours=24)
        with open(file, "wb") as out:
            subprocess.run([GENERATE, "--bytes", "64M", "--start", str(int(start.timestamp()))], stdout=out, check=True)
        end = NOW - datetime.timedelta(hours=5)
        begin = end - datetime.timedelta(hours=1)
        wanted = {"d": 0, "b": 0, "t": 0, "f": 0}
        with open(file, encoding="ascii") as lines:
            next(lines)
            for line in lines:
                kind, time = line[:26].split(",", 1)
                time = datetime.datetime.strptime(time, "%Y-%m-%d %H:%M:%S%z")
                wanted[kind] += begin <= time < end
        code, text = run("-f", file, "--at", end.strftime("%Y-%m-%dT%H:%M:%SZ"), "-o", "json")
        seen = json.loads(text)["observation"]
        total = seen["total"]
        self.assertEqual(total["delivered"], wanted["d"])
        self.assertEqual(sum(total[key] for key in ("hard", "soft", "block", "other", "local_bounced")), wanted["b"])
        self.assertEqual((total["deferred"], total["complaints"]), (wanted["t"], wanted["f"]))
        self.assertLessEqual(seen["sources"][0]["search_reads"], 25)
        self.assertLess(seen["sources"][0]["bytes_read"], os.path.getsize(file) / 8)

    def test_the_demo_folder_has_all_record_types_and_a_fresh_hour(self):
        subprocess.run([GENERATE, "--folder", self.path, "--now", str(int(NOW.timestamp()))], check=True,
                       stdout=subprocess.DEVNULL)
        code, text = run("-f", self.path / "acct-*.csv")
        self.assertEqual(code, 0, text)
        kinds = {line.split(",", 1)[0] for file in self.path.glob("*.csv") for line in file.read_text("ascii").splitlines()}
        self.assertEqual(kinds, {"type", "d", "b", "t", "tq", "r", "rb", "rs", "f"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
