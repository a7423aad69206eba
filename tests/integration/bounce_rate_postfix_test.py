"""check_bounce_rate reads the log of a real Postfix while it delivers, bounces and defers, and counts what the receiving
server saw; also rotated, compressed and as a stream."""
import gzip
import json
import pathlib
import smtplib
import subprocess
import sys
import tempfile
import time
import unittest

from mail_servers import Postfix
from mail_sink import ADDRESS, Sink, start_sink

BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
CHECK = BUILD / "checks" / "check_bounce_rate"


class RealPostfix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="mtawatch-bounces-")
        cls.addClassCleanup(cls.folder.cleanup)
        folder = pathlib.Path(cls.folder.name)
        folder.chmod(0o755)
        cls.addClassCleanup(start_sink())
        # Mail to here.example goes nowhere, and counts in no share.
        (folder / "transport").write_text("/@here\\.example$/ discard:\n")
        cls.postfix = Postfix(folder / "postfix", {
            "relayhost": f"[{ADDRESS[0]}]:{ADDRESS[1]}", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1",
            "smtp_bind_address": ADDRESS[0], "smtpd_recipient_restrictions": "permit_mynetworks, reject",
            "transport_maps": f"regexp:{folder}/transport", "notify_classes": ""}, "127.0.0.1:25 inet n - n - - smtpd\n")
        cls.addClassCleanup(cls.postfix.stop)

    def look(self, *more, **options):
        arguments = more if "-f" in more else ("-f", self.postfix.log, *more)
        done = subprocess.run([CHECK, "--format", "postfix", "-o", "json", *arguments], capture_output=True, timeout=60,
                              check=False, **options)
        self.assertEqual(done.stderr, b"")
        return json.loads(done.stdout)["observation"]["total"]

    def send(self, messages):
        names = ["ann", "later", "full", "unknown", "bob"]
        with smtplib.SMTP("127.0.0.1", 25, timeout=30) as client:
            for number in range(messages):
                to = [f"{name}{number}@{domain}" for name in names[:2 + number % 4]
                      for domain in ("gmail.com", "example.org")]
                # The null sender: no notice of a bounce follows, so that nothing but this mail is counted.
                client.sendmail("", to + [f"nobody{number}@here.example"], "Subject: test\r\n\r\nHello\r\n")

    def wait_for(self, condition, what):
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(f"{what}: the sink saw {dict(Sink.seen)}, the check says {self.look()}\n"
                             + self.postfix.log.read_text()[-3000:])

    def agrees(self, total, expired=0):
        seen = Sink.seen
        return (total["delivered"], total["hard"], total["soft"], total["deferred"], total["block"], total["other"]) == (
            seen["accepted"], seen["unknown"], seen["full"] + expired, seen["later"], 0, 0)

    def test_counts_are_those_of_the_receiving_server(self):
        self.send(20)
        self.wait_for(lambda: Sink.seen["later"] >= 40 and self.agrees(self.look()), "the first messages")
        self.wait_for(lambda: self.look()["local_delivered"] == 20, "mail that this host keeps")
        # Read while it is written: never more than was sent, and right in the end.
        self.send(20)
        self.wait_for(lambda: Sink.seen["later"] >= 80 and self.agrees(self.look()), "more of them")
        before = Sink.seen["later"]
        subprocess.run(["postqueue", "-c", self.postfix.configuration, "-f"], check=True)
        self.wait_for(lambda: Sink.seen["later"] >= before + 80 and self.agrees(self.look()), "deferred mail, tried again")
        # Mail that expires bounces for those who are still waiting, and only for them.
        subprocess.run(["postsuper", "-c", self.postfix.configuration, "-e", "ALL"], check=True, capture_output=True)
        subprocess.run(["postqueue", "-c", self.postfix.configuration, "-f"], check=True)
        self.wait_for(lambda: self.agrees(self.look(), expired=80), "expired mail")
        whole = self.look()
        log = self.postfix.log.read_bytes()
        self.assertEqual(self.look("-f", "-", input=log), whole)
        middle = log.index(b"\n", len(log) // 2) + 1
        folder = pathlib.Path(self.folder.name)
        (folder / "mail.log.1.gz").write_bytes(gzip.compress(log[:middle]))
        (folder / "mail.log").write_bytes(log[middle:])
        self.assertEqual(self.look("-f", folder / "mail.log*"), whole)


unittest.main(argv=sys.argv[:1])
