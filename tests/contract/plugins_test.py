"""Holds every built plugin to the contract that Nagios and Icinga rely on, from outside, as a process.

Every plugin that checks/CMakeLists.txt names is tested. One that is missing from plugin_targets.py fails with the line to add, so a new
plugin cannot stay untested.
"""
import fcntl
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from plugin_answer import STATES, answer_faults
from plugin_targets import Silence, arguments_of

FOLDER = pathlib.Path(sys.argv[2]) / "checks"
TABLES = {table["program"]: table for table in json.loads(subprocess.run(
    [FOLDER / "describe_checks"], capture_output=True, check=True).stdout)}
PLUGINS = [FOLDER / program for program in sorted(TABLES)]

# A value that no option of the kind takes. Text is anything.
BAD_VALUES = {"integer": "12abc", "number": "1,5", "range": "20:10", "thresholds": "80,90", "duration": "90", "choice": "nonsense",
              "endpoint": "not an address", "time": "yesterday", "timeout": "10:bad", "domain": "a..b", "name": "a..b",
              "host": "http://a.example/", "address": "192.0.2", "network": "192.0.2.0/99", "target": "http://a.example/",
              "url": "a b", "mailbox": "A <a@b.example>"}

SLOW = 5  # seconds that a busy machine may add to a run; the plugin's own -t decides the rest


def every_plugin(rule):
    def run(self):
        for plugin in PLUGINS:
            with self.subTest(plugin=plugin.name):
                rule(self, plugin)
    return run


class Contract(unittest.TestCase):
    def run_plugin(self, plugin, arguments, timeout=60, stdin=subprocess.DEVNULL):
        done = subprocess.run([plugin, *arguments], stdin=stdin, capture_output=True, timeout=timeout)
        self.assertEqual(done.stderr, b"", f"{plugin.name} {arguments}: nothing belongs on stderr")
        return done.returncode, done.stdout.decode()

    def assert_answer(self, plugin, code, text):
        self.assertEqual(answer_faults(plugin.name, code, text), [], text)

    def test_there_are_plugins(self):
        self.assertTrue(PLUGINS, "describe_checks knows no plugin")
        for plugin in PLUGINS:
            self.assertTrue(os.access(plugin, os.X_OK), f"{plugin} is not built")

    @every_plugin
    def test_help_exits_3_and_names_every_option(self, plugin):
        code, text = self.run_plugin(plugin, ["-h"])
        self.assertEqual(code, 3)
        self.assertEqual((code, text), self.run_plugin(plugin, ["--nonsense", "--help"]))
        self.assertIn(f"Usage: {plugin.name}", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80, "help is read in 80 columns")
        for option in TABLES[plugin.name]["options"]:
            self.assertIn(f"--{option['name']}", text)

    @every_plugin
    def test_version_exits_3_with_one_line(self, plugin):
        code, text = self.run_plugin(plugin, ["-V"])
        self.assertEqual((code, text), self.run_plugin(plugin, ["--version"]))
        self.assertEqual(code, 3)
        self.assertRegex(text, rf"^{plugin.name} [0-9]+\.[0-9]+\.[0-9]+ \(mtawatch\)\n$")

    @every_plugin
    def test_option_tables_are_sound(self, plugin):
        table = TABLES[plugin.name]
        self.assertTrue(table["purpose"].startswith("Alerts when "), table["purpose"])
        names = [o["name"] for o in table["options"]]
        letters = [o["letter"] for o in table["options"] if o["letter"]]
        self.assertEqual(len(names), len(set(names)), "an option is in the table twice")
        self.assertEqual(len(letters), len(set(letters)), f"a letter has two meanings: {sorted(letters)}")
        for option in table["options"]:
            self.assertRegex(option["name"], r"^[a-z][a-z0-9-]+$")
            self.assertRegex(option["help"], r"^[A-Z0-9].*[^.;]$", option["name"])

    @every_plugin
    def test_a_bad_command_line_is_one_line_and_exit_3(self, plugin):
        for arguments, named in ((["--no-such-option"], "--no-such-option"), (["-~"], "-~"), (["stray"], "stray")):
            code, text = self.run_plugin(plugin, arguments)
            self.assertEqual(code, 3)
            self.assert_answer(plugin, code, text)
            self.assertEqual(text.count("\n"), 1, text)
            self.assertIn(named, text)

    @every_plugin
    def test_every_bad_value_is_refused_with_option_and_value(self, plugin):
        for option in TABLES[plugin.name]["options"]:
            bad = BAD_VALUES.get(option["kind"], "")
            if option["kind"] == "flag" or option["value_optional"] or option["may_be_empty"]:
                continue
            code, text = self.run_plugin(plugin, [f"--{option['name']}", bad])
            self.assertEqual(code, 3, text)
            self.assert_answer(plugin, code, text)
            self.assertEqual(text.count("\n"), 1, text)
            self.assertIn(f"--{option['name']}", text)
            self.assertIn(bad, text)

    @every_plugin
    def test_something_that_never_answers_ends_in_time(self, plugin):
        with Silence() as silence:
            read_end, write_end = os.pipe()
            start = time.monotonic()
            code, text = self.run_plugin(plugin, [*arguments_of(plugin.name, silence.port), "-t", "1.5"], stdin=read_end)
            took = time.monotonic() - start
            os.close(read_end)
            os.close(write_end)
        self.assert_answer(plugin, code, text)
        self.assertIn(code, (2, 3), f"what never answers is never well: {text}")
        self.assertLess(took, 1.5 + SLOW)

    @every_plugin
    def test_json_holds_the_same_answer(self, plugin):
        with Silence() as silence:
            read_end, write_end = os.pipe()
            arguments = [*arguments_of(plugin.name, silence.port), "-t", "1", "-o", "json"]
            code, text = self.run_plugin(plugin, arguments, stdin=read_end)
            os.close(read_end)
            os.close(write_end)
        self.assertEqual(text.count("\n"), 1)
        self.assertNotIn("|", text, "a bar would split the answer")
        answer = json.loads(text)
        self.assertEqual(list(answer), ["plugin", "version", "state", "summary", "details", "perfdata", "observation"])
        self.assertEqual(answer["plugin"], plugin.name)
        self.assertEqual(answer["state"], STATES[code])

    @every_plugin
    def test_sigterm_says_where_it_hung(self, plugin):
        with Silence() as silence:
            read_end, write_end = os.pipe()
            os.write(write_end, b"type,timeLogged\n")
            arguments = [*arguments_of(plugin.name, silence.port), "-t", "60:critical"]
            process = subprocess.Popen([plugin, *arguments], stdin=read_end, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            if "-" in arguments:
                self.wait_until_read(write_end)
            else:
                silence.wait_for_caller()
            process.send_signal(signal.SIGTERM)
            start = time.monotonic()
            out, err = process.communicate(timeout=30)
            os.close(read_end)
            os.close(write_end)
        self.assertEqual(err, b"")
        self.assertEqual(process.returncode, 2, out)
        self.assert_answer(plugin, process.returncode, out.decode())
        self.assertRegex(out.decode(), r"ended by SIGTERM \(-t 60 s\) while [a-z]+ing ", "it says where it hung")
        self.assertLess(time.monotonic() - start, SLOW)

    def wait_until_read(self, pipe):
        end = time.monotonic() + 20
        while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0] > 0:
            self.assertLess(time.monotonic(), end, "the plugin never read its input")
            time.sleep(0.01)

    @every_plugin
    def test_an_answer_that_cannot_be_written_is_not_ok(self, plugin):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([plugin, "-V"], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr, b"")

    @every_plugin
    def test_extra_opts_feed_the_same_table(self, plugin):
        with tempfile.TemporaryDirectory() as folder:
            ini = pathlib.Path(folder) / "own.ini"
            ini.write_text(f"[{plugin.name}]\ntimeout = nonsense\n")
            code, text = self.run_plugin(plugin, [f"--extra-opts=@{ini}"])
        self.assertEqual(code, 3)
        self.assertIn(f"{ini} line 2: --timeout: \"nonsense\" is no timeout", text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=1)
