"""The rendered Alertmanager configurations: accepted by amtool, routed as meant, refused with a reason."""
import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(sys.argv.pop(1))
sys.argv[1:] = []
RENDER = ROOT / "alert-rules" / "alertmanager" / "render"
ROUTES = [
    ("alertname=PmtaDown severity=critical", "telegram-critical"),
    ("alertname=PmtaBounceRateHigh severity=warning", "telegram-warning"),
    ("alertname=MailCertificateExpiresSoon severity=warning class=business", "telegram-warning"),
    ("alertname=PmtaSmtpUserSurge severity=critical class=security", "telegram-security"),
    ("alertname=PmtaPlaintextShareHigh severity=warning class=security", "telegram-security"),
    ("alertname=PmtaCriticalUnresolved severity=critical escalation=true", "telegram-escalation"),
    ("alertname=PmtaRecordTypeNeverSeen severity=info", "nobody"),
    ("alertname=Watchdog severity=none", "heartbeat"),
]


class Rendered(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.token = self.folder / "token"
        self.token.write_text("1:test-token\n")
        self.values = yaml.safe_load((RENDER.parent / "values.example.yml").read_text())
        self.values.update(token_file=str(self.token), templates=str(RENDER.parent / "templates" / "*.tmpl"))

    def render(self, version):
        path = self.folder / "values.yml"
        path.write_text(yaml.safe_dump(self.values))
        self.out = self.folder / "alertmanager.yml"
        return subprocess.run(["/usr/bin/python3", "-B", RENDER, "--values", path, "--alertmanager-version", version,
                               "--out", self.out], capture_output=True, text=True)

    def refused(self, version, words):
        result = self.render(version)
        self.assertEqual(result.returncode, 1)
        self.assertIn(words, result.stderr)

    def test_debian_12_accepts_it(self):
        self.assertEqual(self.render("0.25").returncode, 0)
        check = subprocess.run(["amtool", "check-config", self.out], capture_output=True, text=True)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_the_inline_token_is_for_the_group_only(self):
        self.render("0.25")
        self.assertEqual(stat.S_IMODE(os.stat(self.out).st_mode), 0o640)

    def test_routes(self):
        self.render("0.25")
        for labels, receiver in ROUTES:
            result = subprocess.run(["amtool", "config", "routes", "test", f"--config.file={self.out}",
                                     f"--verify.receivers={receiver}", *labels.split()], capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, f"{labels}: {result.stdout}")

    def test_only_business_warnings_wait_for_the_morning(self):
        self.render("0.25")
        waiting = [route for route in yaml.safe_load(self.out.read_text())["route"]["routes"]
                   if "active_time_intervals" in route]
        self.assertEqual([route["matchers"] for route in waiting], [['class="business"']])

    def test_newer_versions_keep_the_token_in_its_file(self):
        self.assertEqual(self.render("0.26").returncode, 0)
        text = self.out.read_text()
        self.assertNotIn("test-token", text)
        self.assertIn(f"bot_token_file: {self.token}", text)

    def test_topics_of_a_chat(self):
        self.values["threads"] = {"critical": 7}
        self.refused("0.25", "topics need Alertmanager 0.28")
        self.assertEqual(self.render("0.31").returncode, 0)
        self.assertIn("message_thread_id: 7", self.out.read_text())

    def test_a_missing_token_file_is_named(self):
        self.values["token_file"] = "/nonexistent/token"
        self.refused("0.25", "/nonexistent/token")

    def test_a_quoted_chat_is_refused(self):
        self.values["chats"]["critical"] = "-100"
        self.refused("0.25", "chats.critical")

    def test_a_misspelt_key_is_refused(self):
        self.values["busines_hours"] = {}
        self.refused("0.25", "unknown key 'busines_hours'")

    def test_an_old_version_is_refused(self):
        self.refused("0.24", "older than 0.25")

    def inhibited(self, source, target):
        """Whether the rendered rules keep `target` quiet while `source` fires; Alertmanager takes a missing label for empty."""
        def fits(matchers, labels):
            for matcher in matchers:
                name, sign, value = re.fullmatch(r'(\w+)(=~|!=|=)"(.*)"', matcher).groups()
                have = labels.get(name, "")
                if not {"=~": re.fullmatch(value, have), "=": have == value, "!=": have != value}[sign]:
                    return False
            return True
        return any(fits(rule["source_matchers"], source) and fits(rule["target_matchers"], target)
                   and all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
                   for rule in yaml.safe_load(self.out.read_text())["inhibit_rules"])

    def test_one_mta_keeps_no_other_of_the_host_quiet(self):
        self.render("0.25")
        host = {"job": "pmta", "instance": "mx1"}
        gmail = {**host, "provider": "gmail"}
        critical = {**gmail, "alertname": "PmtaBounceRateCritical", "mta": "pmta"}
        burning = {**gmail, "alertname": "PmtaDeliveryErrorBudgetBurn", "severity": "critical", "mta": "pmta"}
        down = {**host, "alertname": "PmtaDown"}
        for mta, quiet in (("pmta", True), ("postfix", False), ("kumomta", False)):
            self.assertEqual(self.inhibited(critical, {**gmail, "alertname": "PmtaBounceRateHigh", "mta": mta}), quiet, mta)
            self.assertEqual(self.inhibited(burning, {**burning, "severity": "warning", "mta": mta}), quiet, mta)
            self.assertEqual(self.inhibited(down, {**host, "alertname": "PmtaLogStalled", "mta": mta}), quiet, mta)
            self.assertTrue(self.inhibited({**host, "alertname": "PmtaExporterDown"}, {**critical, "mta": mta}), mta)
        self.assertTrue(self.inhibited(down, {**host, "alertname": "PmtaStalled"}))

    def test_every_inhibition_names_alerts_that_exist(self):
        self.render("0.25")
        names = {rule["alert"] for path in (ROOT / "alert-rules").glob("*.rules.yml")
                 for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"] if "alert" in rule}

        for rule in yaml.safe_load(self.out.read_text())["inhibit_rules"]:
            for matcher in rule["source_matchers"] + rule["target_matchers"]:
                name = re.fullmatch(r'alertname=~?"(.*)"', matcher)
                if name:
                    self.assertTrue(any(re.fullmatch(name.group(1), one) for one in names), matcher)


unittest.main(verbosity=1)
