"""check_bounce_rate --journal against a real systemd-journald, as root and as somebody who may not read it."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
UNIT = "postfix@-.service"
SOCKET = "/run/systemd/journal/socket"
# What journalctl takes for lines about a unit although no systemd runs here: the report of a core dump that root sent.
ABOUT_UNIT = {"MESSAGE_ID": "fc2e22bc6ee647b6b90729ab34a250b1", "COREDUMP_UNIT": UNIT}
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class Journal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # In this mount namespace only.
        for place in ("/run", "/var/log"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place], check=True)
        os.makedirs(os.path.dirname(SOCKET))
        cls.journald = subprocess.Popen(["/lib/systemd/systemd-journald"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.journald.wait)
        cls.addClassCleanup(cls.journald.kill)
        limit = time.monotonic() + 20
        while not os.path.exists(SOCKET):
            assert time.monotonic() < limit, "journald did not listen"
            time.sleep(0.05)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.connect(SOCKET)
            for number in range(150):
                status, text = ("sent", "250 2.0.0 Ok") if number < 142 else (
                    "bounced", "host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)")
                cls.send(journal, f"4F3A{number:06X}: to=<user@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=0.5, "
                                  f"delays=0.1/0/0.2/0.2, dsn=2.0.0, status={status} ({text})", ABOUT_UNIT)
            # Of another unit.
            cls.send(journal, "4F3AFFFFFF: to=<a@example.net>, relay=mx[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (ok)", {})
        # The end of the window is exclusive and in whole seconds.
        time.sleep(2)

    @staticmethod
    def send(journal, message, more):
        fields = {"MESSAGE": message, "SYSLOG_IDENTIFIER": "postfix/smtp", "SYSLOG_PID": "4711", "PRIORITY": "6", **more}
        journal.send("".join(f"{key}={value}\n" for key, value in fields.items()).encode())

    def check(self, program, *arguments, prefix=(), **options):
        done = subprocess.run([*prefix, program, "--format", "postfix", *arguments], capture_output=True, text=True, timeout=60,
                              check=False, **options)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_the_unit_is_read_and_no_other(self):
        code, text = self.check(BUILD / "checks/check_bounce_rate", "--journal", UNIT, "--metric", "hard")
        self.assertEqual((code, text.split(" | ")[0]),
                         (2, "BOUNCE_RATE CRITICAL - last 1 h: 5.33 % bounced hard (8 of 150), above 5"))
        code, text = self.check(BUILD / "checks/check_bounce_rate", "--journal", "other.service")
        self.assertEqual(code, 3)
        self.assertIn("no record of Postfix up to", text)

    def test_both_forms_on_standard_input(self):
        for form in ("short-iso-precise", "json", "short"):
            lines = subprocess.run(["journalctl", "--no-pager", "--output", form], capture_output=True, check=True, timeout=60)
            code, text = self.check(BUILD / "checks/check_bounce_rate", "-f", "-", input=lines.stdout.decode())
            self.assertEqual((code, text.split(" | ")[0]),
                             (1, "BOUNCE_RATE WARNING - last 1 h: 5.30 % bounced (8 of 151), above 5"), form)

    def test_whoever_may_not_read_it_is_told_the_group(self):
        with tempfile.TemporaryDirectory() as folder:
            # The build folder may lie where nobody may not go.
            os.chmod(folder, 0o755)
            program = shutil.copy(BUILD / "checks/check_bounce_rate", folder)
            code, text = self.check(program, "--journal", UNIT, prefix=NOBODY)
        self.assertEqual(code, 3)
        self.assertIn("add this user to the group systemd-journal", text)


unittest.main(argv=sys.argv[:1])
