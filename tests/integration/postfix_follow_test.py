"""pmta_exporter follows the log of a real Postfix that delivers, bounces and defers, through a rotation by Postfix itself and
a kill, and counts what the receiving server saw."""
import collections
import pathlib
import re
import smtplib
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from mail_servers import Postfix

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
# Not on loopback: mail for a server there is a content filter's, and no outbound mail.
SINK = ("192.0.2.10", 2525)
URL = "http://127.0.0.1:10925/metrics"
# By the beginning of the recipient's name.
REPLIES = {"later": "451 4.7.1 Greylisted, please try again later", "full": "552 5.2.2 Mailbox full",
           "unknown": "550 5.1.1 User unknown"}


class Sink(socketserver.StreamRequestHandler):
    seen = collections.Counter()
    lock = threading.Lock()

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def count(self, what, number=1):
        with self.lock:
            self.seen[what] += number

    def handle(self):
        self.say("220 sink.example.org ESMTP")
        accepted = 0
        for line in self.rfile:
            word = line.strip().upper()
            if word.startswith(b"EHLO"):
                self.say("250 sink.example.org")
            elif word.startswith(b"RCPT"):
                name = re.search(rb"<([a-z]+)", line)[1].decode()
                reply = REPLIES.get(name, "250 2.1.5 Ok")
                accepted += reply.startswith("250")
                if not reply.startswith("250"):
                    self.count(name)
                self.say(reply)
            elif word == b"DATA":
                self.say("354 go on")
                for data in self.rfile:
                    if data == b".\r\n":
                        break
                self.count("accepted", accepted)
                self.say("250 2.0.0 Ok: taken")
                accepted = 0
            elif word == b"QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                accepted = 0 if word.startswith((b"MAIL", b"RSET")) else accepted
                self.say("250 2.0.0 Ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


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
        subprocess.run(["ip", "address", "add", SINK[0] + "/32", "dev", "lo"], check=True)
        Sink.seen.clear()
        server = Server(SINK, Sink)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.postfix = Postfix(self.folder / "postfix", {
            "relayhost": f"[{SINK[0]}]:{SINK[1]}", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1",
            "smtp_bind_address": SINK[0], "smtpd_recipient_restrictions": "permit_mynetworks, reject"},
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
        seen, shown = dict(Sink.seen), figures()
        return shown if shown and all(shown[key] == seen.get(key, 0) for key in ("accepted", *REPLIES)) else None

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
        shown = self.wait_for(self.agree, "at rest")
        self.assertGreater(len(list(self.postfix.log.parent.glob("maillog.*.gz"))), 0)
        self.assertEqual(shown["hard"], Sink.seen["unknown"])
        self.assertEqual(shown["delays"], Sink.seen["accepted"])
        self.assertEqual(shown["news"], self.sent)
        self.assertEqual(shown["replies"], sum(Sink.seen.values()))


unittest.main(argv=sys.argv[:1])
