"""Holds docs/metrics.md, an exposition and Prometheus' naming lint against the metric catalogue."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE, EXPORTER = pathlib.Path(sys.argv[1]), sys.argv[2]

# One record of each kind that has families of its own.
ACCOUNTING = """type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,dlvType,dlvSourceIp,dlvSize,vmta,jobId,vmtaPool,srcType,rcvSmtpUser,feedbackType,dlvTlsProtocol
d,2026-01-05 10:00:02+0000,2026-01-05 10:00:00+0000,a@sender.example,b@gmail.com,2.0.0,smtp;250 2.0.0 OK,mx.example (192.0.2.9),,smtp,192.0.2.1,4096,vmta1,job1,pool1,smtp,alice,,TLSv1.3
d,2026-01-05 10:00:03+0000,2026-01-05 10:00:00+0000,a@sender.example,b@local.example,2.0.0,,,,discard,,100,vmta1,job1,pool1,smtp,alice,,
b,2026-01-05 10:00:04+0000,2026-01-05 10:00:00+0000,a@sender.example,c@yahoo.com,5.1.1,smtp;550 5.1.1 User unknown,mx.example (192.0.2.9),bad-mailbox,smtp,192.0.2.1,4096,vmta1,job1,pool1,,,,
t,2026-01-05 10:00:05+0000,2026-01-05 10:00:00+0000,a@sender.example,d@gmail.com,4.7.28,smtp;421 4.7.28 rate limited,mx.example (192.0.2.9),,smtp,192.0.2.1,0,vmta1,job1,pool1,,,,
tq,2026-01-05 10:00:06+0000,,,,4.4.1,smtp;connection refused,,,,,,vmta1,,,,,,
r,2026-01-05 10:00:07+0000,2026-01-05 10:00:00+0000,a@sender.example,e@gmail.com,,,,,,,4096,vmta1,job1,pool1,smtp,alice,,
rb,2026-01-05 10:00:08+0000,,a@sender.example,f@gmail.com,5.2.2,smtp;552 5.2.2 mailbox full,,quota-issues,,,,,,,,,,
rs,2026-01-05 10:00:09+0000,,a@sender.example,g@gmail.com,2.0.0,,,,,,,,,,,,,
f,2026-01-05 10:00:10+0000,,a@sender.example,h@gmail.com,,,,,,192.0.2.1,,,job1,,,,abuse,
"""

POSTFIX = """2026-01-05T10:00:00+00:00 mx1 postfix/qmgr[3]: A1B2C3: from=<a@sender.example>, size=1047, nrcpt=2 (queue active)
2026-01-05T10:00:01+00:00 mx1 postfix/smtp[4]: Trusted TLS connection established to mx.example[192.0.2.9]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
2026-01-05T10:00:02+00:00 mx1 postfix/smtp[4]: A1B2C3: to=<b@gmail.com>, relay=mx.example[192.0.2.9]:25, delay=2, delays=0/0/1/1, dsn=2.0.0, status=sent (250 2.0.0 OK)
2026-01-05T10:00:03+00:00 mx1 postfix/local[5]: A1B2C3: to=<root@mx1.example>, relay=local, delay=2, delays=0/0/1/1, dsn=2.0.0, status=sent (delivered to mailbox)
2026-01-05T10:00:04+00:00 mx1 postfix/smtp[4]: A1B2C3: to=<c@yahoo.com>, relay=mx.example[192.0.2.9]:25, delay=2, delays=0/0/1/1, dsn=5.1.1, status=bounced (host mx.example[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command))
2026-01-05T10:00:05+00:00 mx1 postfix/smtp[4]: A1B2C3: to=<d@gmail.com>, relay=mx.example[192.0.2.9]:25, delay=2, delays=0/0/1/1, dsn=4.7.28, status=deferred (host mx.example[192.0.2.9] said: 421 4.7.28 rate limited (in reply to RCPT TO command))
"""


def kumomta_records():
    for kind, more in (("Delivery", {"tls_protocol_version": "TLSv1_3"}), ("Delivery", {"delivery_protocol": "Maildir"}),
                       ("Bounce", {}), ("TransientFailure", {}), ("OOB", {}), ("Rejection", {}),
                       ("Reception", {"reception_protocol": "ESMTP"}),
                       ("Feedback", {"feedback_report": {"feedback_type": "abuse", "source_ip": "192.0.2.1"}})):
        record = {"type": kind, "sender": "a@sender.example", "recipient": "b@gmail.com", "queue": "spring:t@gmail.com",
                  "size": 500, "response": {"code": 550, "enhanced_code": {"class": 5, "subject": 1, "detail": 1},
                                            "content": "User unknown"},
                  "peer_address": {"name": "mx.example", "addr": "192.0.2.9"}, "timestamp": 1767607202,
                  "created": 1767607200, "bounce_classification": "InvalidRecipient", "egress_pool": "pool1",
                  "egress_source": "ip1", "source_address": {"address": "192.0.2.1:4711"}, "delivery_protocol": "ESMTP"}
        yield json.dumps(record | more) + "\n"


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, check=True, text=True, timeout=60, **options)


def catalogue():
    return json.loads(run([EXPORTER, "--catalog"]).stdout)


def made_up_exposition(metrics):
    """One series of every metric, so that the lint sees them all."""
    for metric in metrics:
        labels = ",".join(f'{label}="x"' for label in metric["labels"])
        name = metric["name"]
        yield f"# HELP {name} {metric['help']}\n# TYPE {name} {metric['type']}"
        if metric["type"] == "histogram":
            before = labels + "," if labels else ""
            yield f'{name}_bucket{{{before}le="+Inf"}} 1\n{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 1'
        else:
            yield f"{name}{{{labels}}} 1"


def lint(text):
    return subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)


class Catalogue(unittest.TestCase):
    def test_the_document_is_the_catalogue(self):
        made = run([sys.executable, SOURCE / "packaging/metrics_page.py"], input=json.dumps(catalogue())).stdout
        written = (SOURCE / "docs/metrics.md").read_text()
        self.assertEqual(made, written, "make it anew: pmta_exporter --catalog | "
                                        "python3 packaging/metrics_page.py > docs/metrics.md")

    def test_every_name_keeps_the_rules_of_prometheus(self):
        result = lint("\n".join(made_up_exposition(catalogue()["metrics"])) + "\n")
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))


class Exposition(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        place = pathlib.Path(folder.name)
        (place / "mail.log").write_text(POSTFIX)
        (place / "20260105-100000").write_text("".join(kumomta_records()))
        (place / "config.yml").write_text(f"""
accounting: {{groups: [job, recipient_domain]}}
postfix: {{files: "{place}/mail.log", groups: [recipient_domain]}}
kumomta_log: {{files: "{place}/2*", groups: [job, recipient_domain]}}
""")
        cls.command = [EXPORTER, "--once", "--acct", "-", "--config.file", place / "config.yml"]
        cls.text = run(cls.command, input=ACCOUNTING).stdout
        cls.metrics = {metric["name"]: metric for metric in catalogue()["metrics"]}

    def test_promtool_finds_nothing_wrong(self):
        result = lint(self.text)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    def test_types_and_help_are_those_of_the_catalogue(self):
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", self.text, re.M))
        helps = dict(re.findall(r"^# HELP (\S+) (.*)$", self.text, re.M))
        self.assertGreater(len(types), 70)
        for name, kind in types.items():
            self.assertIn(name, self.metrics)
            self.assertEqual(kind, self.metrics[name]["type"], name)
            self.assertEqual(helps[name], self.metrics[name]["help"], name)

    def test_every_family_of_a_mail_log_can_be_fed(self):
        for name in self.metrics:
            if name.startswith(("postfix_", "kumomta_log_")):
                self.assertRegex(self.text, rf"(?m)^# TYPE {name} ", name)

    def test_labels_are_those_of_the_catalogue(self):
        for name, labels in re.findall(r'^([a-z_]+)(?:\{(.*)\})? ', self.text, re.M):
            family = name if name in self.metrics else re.sub(r"_(bucket|sum|count)$", "", name)
            given = [label for label in re.findall(r'([a-z_]+)="', labels) if label != "le"]
            self.assertEqual(given, self.metrics[family]["labels"], name)

    def test_openmetrics_says_the_same(self):
        openmetrics = run([*self.command, "--format", "openmetrics"], input=ACCOUNTING).stdout
        self.assertTrue(openmetrics.endswith("\n# EOF\n"))

        def samples(text):
            # Time and process move between the two runs.
            return [line for line in text.splitlines()
                    if not re.match(r"#|process_|pmta_exporter_.*timestamp", line)]
        self.assertEqual(samples(openmetrics), samples(self.text))
        for line in openmetrics.splitlines():
            match = re.match(r"# TYPE (\S+) counter", line)
            self.assertFalse(match and match.group(1).endswith("_total"), line)


unittest.main(argv=sys.argv[:1])
