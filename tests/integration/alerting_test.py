"""From a log line to the message on the phone: exporter -> Prometheus -> rule -> Alertmanager -> a Telegram double.

The rules are the shipped ones with their windows shortened (an hour becomes twenty seconds); everything else is real.
"""
import datetime
import http.server
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import yaml

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []

TOKEN = "42:integration-test"
CHATS = {"critical": -1001, "warning": -1002, "security": -1003, "escalation": -1004}
SHORT = {"1h": "20s", "5m": "10s", "6h": "40s", "1d": "60s", "10m": "10s", "15m": "10s", "30m": "20s", "2h": "60s", "3h": "60s"}
SECONDS = {"3600": "20", "21600": "40", "86400": "60"}
HEADER = ("type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,srcMta,dlvType,"
          "dlvSourceIp,dlvDestinationIp,dlvEsmtpAvailable,dlvSize,vmta,jobId,envId,queue,vmtaPool\n")


class Telegram(http.server.BaseHTTPRequestHandler):
    """Answers like the Bot API; `answers` holds status codes to give before the good ones begin."""
    messages, answers, lock = [], [], threading.Lock()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            status = self.answers.pop(0) if self.answers else 200
            if status == 200:
                self.messages.append(body)
        text = (b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"group"}}}' if status == 200 else
                b'{"ok":false,"error_code":%d,"description":"try later","parameters":{"retry_after":1}}' % status)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Silent: the test prints what matters."""


def shortened(text):
    text = re.sub(r"\[(\d+[mhd])\]", lambda m: f"[{SHORT.get(m.group(1), m.group(1))}]", text)
    text = re.sub(r"(\* |< )(3600|21600|86400)\b", lambda m: m.group(1) + SECONDS[m.group(2)], text)
    text = re.sub(r"(for|keep_firing_for): \w+", r"\1: 0s", text)
    return re.sub(r"interval: \w+", "interval: 1s", text)


def get(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


def wait_for(what, condition, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s; messages: {[m['text'] for m in Telegram.messages][-5:]}")


def record(kind, number):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S+0000")
    good = kind == "d"
    return (f"{kind},{now},{now},news@example.com,user{number}@gmail.com,,{'relayed' if good else 'failed'},"
            f"{'2.0.0 (success)' if good else '5.7.1 (delivery not authorized)'},"
            f"{'smtp;250 2.0.0 OK' if good else 'smtp;550 5.7.1 blocked'},gmail-smtp-in.l.google.com (192.0.2.1),"
            f"{'' if good else 'spam-related'},smtp,relay.example.com (192.0.2.9),smtp,192.0.2.7,192.0.2.1,,1000,v1,job1,,"
            f"gmail.com/v1,p1\n")


class Alerting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        cls.children = []
        cls.addClassCleanup(cls.stop)
        cls.log = cls.path / "acct-2026-01-01-0000.csv"
        cls.log.write_text(HEADER + "".join(record("d", n) for n in range(100)))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), Telegram)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.powermta()
        cls.exporter()
        cls.alertmanager()
        cls.prometheus()
        wait_for("Prometheus scrapes", lambda: '"1"' in get("http://127.0.0.1:9090/api/v1/query?query=up"))

    @classmethod
    def start(cls, *command):
        with (cls.path / f"{pathlib.Path(command[0]).name}.log").open("w") as log:
            child = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, cwd=cls.path)
        cls.children.append(child)
        return child

    @classmethod
    def stop(cls):
        for child in cls.children:
            child.terminate()
        for child in cls.children:
            child.wait(20)
        cls.folder.cleanup()

    @classmethod
    def powermta(cls):
        """A stand-in for PowerMTA's monitor; its state file comes with it."""
        double = ROOT / "tests" / "support" / "fake_powermta.py"
        state = cls.path / "powermta.json"
        subprocess.run(["/usr/bin/python3", "-B", double, state, "init"], check=True)
        cls.powermta_child = cls.start("/usr/bin/python3", "-B", double, state, "serve", "8080")
        wait_for("PowerMTA's monitor", lambda: get("http://127.0.0.1:8080/status?format=json"))

    @classmethod
    def exporter(cls):
        (cls.path / "exporter.yml").write_text(yaml.safe_dump({
            "accounting": {"files": [str(cls.path / "acct-*.csv")]},
            "collectors": {"pmta_monitor": {"url": "http://127.0.0.1:8080", "interval": "1s", "timeout": "1s"}}}))
        cls.exporter_child = cls.start(BUILD / "exporter" / "pmta_exporter", "--config.file", cls.path / "exporter.yml",
                                       "--state.file", cls.path / "state", "--web.listen-address", "127.0.0.1:10925")

    @classmethod
    def prometheus(cls):
        rules = cls.path / "rules"
        rules.mkdir()
        for path in (ROOT / "alert-rules").glob("*.rules.yml"):
            (rules / path.name).write_text(shortened(path.read_text()))
        (cls.path / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules / "*.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]},
            "scrape_configs": [{"job_name": "pmta", "static_configs": [{"targets": ["127.0.0.1:10925"]}]}]}))
        cls.start("prometheus", f"--config.file={cls.path}/prometheus.yml", f"--storage.tsdb.path={cls.path}/tsdb",
                  "--web.listen-address=127.0.0.1:9090")

    @classmethod
    def alertmanager(cls):
        (cls.path / "token").write_text(TOKEN)
        # Business hours on another day than today: what waits for them must not come.
        days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        other = days[(datetime.datetime.now(datetime.timezone.utc).weekday() + 3) % 7]
        (cls.path / "values.yml").write_text(yaml.safe_dump({
            "token_file": str(cls.path / "token"), "chats": CHATS, "api_url": "http://127.0.0.1:8443",
            "templates": str(ROOT / "alert-rules/alertmanager/templates/*.tmpl"),
            "business_hours": {"days": [other], "from": "08:00", "to": "18:00", "time_zone": "UTC"}}))
        subprocess.run(["/usr/bin/python3", "-B", ROOT / "alert-rules/alertmanager/render", "--values", cls.path / "values.yml",
                        "--alertmanager-version", "0.25", "--out", cls.path / "alertmanager.yml"], check=True)
        text = (cls.path / "alertmanager.yml").read_text()
        text = text.replace("group_wait: 30s", "group_wait: 5s").replace("group_wait: 10s", "group_wait: 1s")
        (cls.path / "alertmanager.yml").write_text(text.replace("group_interval: 5m", "group_interval: 2s"))
        cls.start("prometheus-alertmanager", f"--config.file={cls.path}/alertmanager.yml", f"--storage.path={cls.path}/am",
                  "--web.listen-address=127.0.0.1:9093", "--cluster.listen-address=")
        wait_for("Alertmanager is ready", lambda: get("http://127.0.0.1:9093/-/ready"))

    def append(self, text):
        with self.log.open("a") as file:
            file.write(text)

    def messages(self, alert, chat=None):
        with Telegram.lock:
            return [one for one in Telegram.messages if f"<b>{alert}</b>" in one["text"]
                    and (chat is None or str(one["chat_id"]) == str(CHATS[chat]))]

    @staticmethod
    def post(*alerts):
        request = urllib.request.Request("http://127.0.0.1:9093/api/v2/alerts", json.dumps(alerts).encode(),
                                         {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).read()

    @staticmethod
    def made(name, description="d", **labels):
        return {"labels": {"alertname": name, **labels}, "annotations": {
            "summary": "A made alert.", "description": description, "runbook_url": "https://mtawatch.example/x"}}

    def test_1_a_burst_of_bounces_reaches_the_critical_chat_and_is_resolved(self):
        """Bounces in the log arrive as one critical message; the milder alert is inhibited; good mail resolves it."""
        end = time.monotonic() + 60
        number = 0
        while not self.messages("PmtaBounceRateCritical") and time.monotonic() < end:
            self.append("".join(record("d" if n % 2 else "b", n) for n in range(number, number + 60)))
            number += 60
            time.sleep(1)
        found = self.messages("PmtaBounceRateCritical", "critical")
        self.assertTrue(found, "no message within 60 s")
        text = found[0]["text"]
        self.assertRegex(text, r"^🔥 <b>PmtaBounceRateCritical</b> \(1 firing\)")
        self.assertRegex(text, r"• \d+(\.\d+)?% bounced to gmail on 127\.0\.0\.1:10925 \(pmta\) in the last 1h\.")
        self.assertIn("#pmtabounceratecritical\">runbook</a>", text)
        self.assertEqual(found[0]["parse_mode"], "HTML")
        self.assertFalse(self.messages("PmtaBounceRateHigh"), "the milder alert is inhibited")
        while not any("resolved" in one["text"] for one in self.messages("PmtaBounceRateCritical")):
            self.assertLess(time.monotonic(), end + 60, "no resolved message")
            self.append("".join(record("d", n) for n in range(number, number + 200)))
            number += 200
            time.sleep(1)
        self.assertTrue(self.messages("PmtaBounceRateCritical")[-1]["text"].startswith("✅"))

    def test_2_sixty_hostile_alerts_are_one_short_message(self):
        self.post(*(self.made("Sixty", description="</b><a href='x'>&\"🔥" * 40, severity="warning", n=str(n))
                    for n in range(60)))
        text = wait_for("the message", lambda: self.messages("Sixty", "warning"))[0]["text"]
        self.assertLessEqual(len(text), 4096)
        self.assertIn("(60 firing)", text)
        self.assertNotIn("<a href='x'>", text)

    def test_3_business_warnings_wait_for_business_hours(self):
        self.post(self.made("Later", severity="warning", **{"class": "business"}), self.made("Now", severity="warning"))
        wait_for("the other warning", lambda: self.messages("Now", "warning"))
        self.assertFalse(self.messages("Later"))

    def test_4_security_goes_at_once_and_escalation_to_its_own_chat(self):
        self.post(self.made("Stolen", severity="critical", **{"class": "security"}),
                  self.made("PmtaCriticalUnresolved", severity="critical", escalation="true"))
        wait_for("security", lambda: self.messages("Stolen", "security"))
        wait_for("escalation", lambda: self.messages("PmtaCriticalUnresolved", "escalation"))

    def test_5_info_goes_to_nobody(self):
        self.post(self.made("Quiet", severity="info"), self.made("Loud", severity="critical"))
        wait_for("the critical one", lambda: self.messages("Loud", "critical"))
        self.assertFalse(self.messages("Quiet"))

    def test_6_a_bot_that_answers_429_and_500_gets_the_message_later(self):
        with Telegram.lock:
            Telegram.answers[:] = [429, 500]
        self.post(self.made("Retried", severity="critical"))
        wait_for("the message", lambda: self.messages("Retried", "critical"))
        self.assertFalse(Telegram.answers)

    def test_6b_powermta_stops_and_comes_back(self):
        """Stopping PowerMTA puts PmtaDown into the critical chat; its return resolves it."""
        self.assertFalse(self.messages("PmtaDown"), "PowerMTA ran until now")
        self.powermta_child.terminate()
        self.powermta_child.wait(20)
        text = wait_for("the message", lambda: self.messages("PmtaDown", "critical"))[0]["text"]
        self.assertIn("PowerMTA on 127.0.0.1:10925 is down: no mail leaves.", text)
        self.powermta()
        wait_for("resolved", lambda: any("resolved" in one["text"] for one in self.messages("PmtaDown")))

    def test_7_an_exporter_that_is_gone_is_one_message_not_many(self):
        # On a busy machine what waited for its time before may be due now; the outage is not its cause.
        earlier = set(re.findall(r'"alertname":"(\w+)"', get("http://127.0.0.1:9090/api/v1/query?query=ALERTS")))
        self.exporter_child.terminate()
        self.exporter_child.wait(20)
        with Telegram.lock:
            before = len(Telegram.messages)
        wait_for("the message", lambda: self.messages("PmtaExporterDown", "critical"))
        # A message that was made after it has come: whatever else the outage would have caused would be here too.
        self.post(self.made("Marker", severity="warning"))
        wait_for("the marker", lambda: self.messages("Marker", "warning"))
        with Telegram.lock:
            others = [one["text"] for one in Telegram.messages[before:] if "(1 firing)" in one["text"]
                      and re.search(r"<b>(\w+)</b>", one["text"])[1] not in {"PmtaExporterDown", "Marker"} | earlier]
        self.assertEqual(others, [])
        self.exporter()
        wait_for("resolved", lambda: any("resolved" in one["text"] for one in self.messages("PmtaExporterDown")))


unittest.main(verbosity=2)
