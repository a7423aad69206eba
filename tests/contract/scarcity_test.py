"""Every program where the system gives little of something: files, memory, threads. It does its work or ends with a sentence and a
status of its own, never by a signal and never with what the C++ library says of an exception that nobody caught.

    scarcity_test.py SOURCE BUILD
"""
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = map(pathlib.Path, sys.argv[1:3])
sys.argv[1:] = []
EXPORTER, PIPE = BUILD / "exporter/pmta_exporter", BUILD / "exporter/pmta_acct_pipe"
PLUGINS = {"check_mx": ["-d", "example.net", "--dns-server", "127.0.0.1:9", "-t", "2"],
           "check_mail_cert": ["-e", "smtps://127.0.0.1:9", "-t", "2"],
           "check_mta_queue": ["--mta", "kumomta", "--url", "http://127.0.0.1:9/", "-t", "2"]}
HEADER = "type,timeLogged,rcpt\n"
RECORD = "d,2026-11-29 05:00:00+0000,u@example.org\n"
MIB = 1 << 20


def limited(kind, value):
    return lambda: resource.setrlimit(kind, (value, value))


def run(command, kind, value, **more):
    return subprocess.run([str(word) for word in command], preexec_fn=limited(kind, value), capture_output=True, text=True, timeout=30,
                          check=False, **more)


class Scarcity(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mtawatch-scarcity-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.acct = self.folder / "acct-1.csv"
        self.acct.write_text(HEADER + RECORD * 100)

    def spaces(self, program):
        """Address spaces in which the loader itself works, from the smallest on."""
        sizes = [size for size in range(8, 400, 8) if run([program, "--version"], resource.RLIMIT_AS, size * MIB).stdout]
        self.assertTrue(sizes)
        return [size * MIB for size in range(sizes[0], sizes[0] + 120, 6)]

    def ended_well(self, done, statuses):
        self.assertIn(done.returncode, statuses, done.stderr + done.stdout)
        self.assertNotIn("terminate called", done.stderr)

    def serve(self, kind, value):
        command = [EXPORTER, "--acct", self.acct, "--state.file", self.folder / "state", "--web.listen-address", "127.0.0.1:0"]
        process = subprocess.Popen(command, preexec_fn=limited(kind, value), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            process.wait(0.7)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def test_plugins_in_little_memory(self):
        for plugin, arguments in PLUGINS.items():
            for space in self.spaces(BUILD / "checks" / plugin):
                with self.subTest(plugin=plugin, mib=space // MIB):
                    done = run([BUILD / "checks" / plugin, *arguments], resource.RLIMIT_AS, space)
                    self.ended_well(done, (2, 3))
                    self.assertRegex(done.stdout, r"^([A-Z_]+ )?(UNKNOWN|CRITICAL) - .")

    def test_the_exporter_in_little_memory(self):
        for space in self.spaces(EXPORTER):
            with self.subTest(mib=space // MIB):
                done = self.serve(resource.RLIMIT_AS, space)
                self.ended_well(done, (0, 1))
                if done.returncode:
                    self.assertRegex(done.stderr, r"(?m)^pmta_exporter: .")

    def test_the_pipe_in_little_memory(self):
        for space in self.spaces(PIPE):
            with self.subTest(mib=space // MIB):
                done = run([PIPE, "--name", "a", "--spool", self.folder], resource.RLIMIT_AS, space, input=HEADER + RECORD * 5000)
                self.ended_well(done, (0, 1))

    def test_the_exporter_with_few_descriptors(self):
        for number in range(200):
            (self.folder / f"acct-{number}.csv").write_text(HEADER + RECORD)
        self.acct = self.folder / "acct-*.csv"
        for count in (20, 64, 99):
            with self.subTest(descriptors=count):
                done = self.serve(resource.RLIMIT_NOFILE, count)
                self.ended_well(done, (1,))
                self.assertEqual(done.stderr, f"pmta_exporter: only {count} files may be open, and at least 100 are needed: raise the "
                                              "limit (ulimit -n, LimitNOFILE of the unit)\n")
        for count in (100, 128, 256):
            with self.subTest(descriptors=count):
                done = self.serve(resource.RLIMIT_NOFILE, count)
                self.ended_well(done, (0,))
                self.assertNotIn("Too many open files", done.stderr)
                once = run([EXPORTER, "--once", "--acct", self.acct], resource.RLIMIT_NOFILE, count)
                self.ended_well(once, (0,))
                self.assertIn('pmta_accounting_records_total{record_type="d"} 200', once.stdout)

    def test_a_pipe_with_few_descriptors_closed_streams_and_small_files(self):
        done = run(["/bin/sh", "-c", 'exec "$0" --name a --spool "$1" 2>&-', PIPE, self.folder], resource.RLIMIT_NOFILE, 16,
                   input=HEADER + RECORD)
        self.ended_well(done, (0,))
        self.assertEqual("".join(path.read_text() for path in self.folder.glob("a/*.csv")), HEADER + RECORD)
        done = run([PIPE, "--name", "b", "--spool", self.folder, "--wait", "0s"], resource.RLIMIT_FSIZE, 1000,
                   input=HEADER + RECORD * 100)
        self.ended_well(done, (0,))
        self.assertIn("File too large; records are lost until this is mended", done.stderr)

    def test_every_main_has_a_last_resort(self):
        mains = [path for folder in ("shared", "exporter", "checks") for path in sorted((SOURCE / folder).rglob("*.cc"))
                 if re.search(r"^int main\(", path.read_text(), re.M)]
        self.assertGreater(len(mains), 4)
        for path in mains:
            text = path.read_text()
            self.assertIn("base::run_main(", text[text.index("\nint main("):], path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
