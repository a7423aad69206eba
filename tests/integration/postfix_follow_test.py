"""pmta_exporter follows the log of a real Postfix that delivers, bounces and defers, through a rotation by Postfix itself and
a kill, and counts what the receiving server saw."""
import pathlib
import re
import smtplib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

from mail_servers import Postfix
from mail_sink import ADDRESS, REPLIES, Sink, start_sink

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
URL = "http://127.0.0.1:10925/metrics"


def figures():
    """The sums that the sink can confirm."""
    try:
        text = urllib.request.urlopen(URL, timeout=5).read().decode()
    except OSError:
        return None

    def total(pattern):
        return sum(int(value) for value in re.findall(rf"(?m)^{pattern} (\d+)$", text))
    return {"accepted": total(r"postfix_deliveries_total\{.*\}"),
            "later": total(r'postfix_transient_failures_total\{.*reason="greylist"\}'),
            "full": total(r'postfix_bounce_reasons_total\{.*reason="mailbox-full"\}'),
            "unknown": total(r'postfix_bounce_reasons_total\{.*reason="unknown-user"\}'),
            "hard": total(r'postfix_bounces_total\{.*bounce_class="hard"\}'),
            "delays": total(r"postfix_delivery_delay_seconds_count\{.*\}"),
            "replies": total(r'postfix_replies_total\{.*code="(?:250|451|550|552)".*\}'),
            "news": total(r'postfix_sender_deliveries_total\{sender_domain="news.example.com",.*\}')}


class Exporter:
    def __init__(self, folder, log):
        self.log = open(folder / "exporter.log", "ab")
        self.command = [BUILD / "exporter" / "pmta_exporter", "--postfix-log", log, "--state.file", folder / "state"]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.kill()
        self.log.close()


class RealPostfix(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mtawatch-postfix-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.addCleanup(start_sink())
        self.postfix = Postfix(self.folder / "postfix", {
            "relayhost": f"[{ADDRESS[0]}]:{ADDRESS[1]}", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1",
            "smtp_bind_address": ADDRESS[0], "smtpd_recipient_restrictions": "permit_mynetworks, reject"},
            "127.0.0.1:25 inet n - n - - smtpd\n")
        self.addCleanup(self.postfix.stop)
        self.exporter = Exporter(self.folder, self.postfix.log)
        self.addCleanup(self.exporter.end)
        self.sent = 0

    def send(self, messages):
        names = ["ann", "later", "full", "unknown", "bob"]
        with smtplib.SMTP("127.0.0.1", 25, timeout=30) as client:
            for number in range(messages):
                to = [f"{name}{number}@{domain}" for name in names[:2 + number % 4]
                      for domain in ("gmail.com", "example.org")]
                client.sendmail("bounces@news.example.com", to, "Subject: test\r\n\r\nHello\r\n")
                self.sent += sum(1 for one in to if not one.startswith(("later", "full", "unknown")))

    def wait_for(self, condition, what):
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"{what}: the sink saw {dict(Sink.seen)}, the exporter says {figures()}\n"
                             + self.postfix.log.read_text()[-3000:])

    def agree(self):
        """What the sink saw and the exporter shows, once that is the same: Postfix may still be trying again."""
        seen, shown = dict(Sink.seen), figures()
        return (seen, shown) if shown and all(shown[key] == seen.get(key, 0) for key in ("accepted", *REPLIES)) else None

    def flush(self):
        before = Sink.seen["later"]
        subprocess.run(["postqueue", "-c", self.postfix.configuration, "-f"], check=True)
        self.wait_for(lambda: Sink.seen["later"] > before, "deferred mail is tried again")

    def test_counts_are_those_of_the_receiving_server(self):
        self.send(20)
        self.wait_for(lambda: Sink.seen["later"] >= 40 and self.agree(), "the first messages")
        self.flush()
        # Postfix renames and packs its log while mail is on its way, and the exporter dies in the middle of it.
        self.send(20)
        subprocess.run(["postfix", "-c", self.postfix.configuration, "logrotate"], check=True, capture_output=True)
        self.exporter.kill()
        self.send(20)
        self.exporter.start()
        self.flush()
        self.wait_for(lambda: Sink.seen["later"] >= 160 and self.agree(), "after the rotation and the kill")
        time.sleep(0.5)
        seen, shown = self.wait_for(self.agree, "at rest")
        self.assertGreater(len(list(self.postfix.log.parent.glob("maillog.*.gz"))), 0)
        self.assertEqual(shown["hard"], seen["unknown"])
        self.assertEqual(shown["delays"], seen["accepted"])
        self.assertEqual(shown["news"], self.sent)
        self.assertEqual(shown["replies"], sum(seen.values()))


unittest.main(argv=sys.argv[:1])
