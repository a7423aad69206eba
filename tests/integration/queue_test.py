"""check_mta_queue, check_mta_host and the exporter against a real Postfix with queued mail and a stand-in PowerMTA.

PowerMTA cannot be had here, so its monitor (HTTP, HTTPS, redirect, key, refusal) and its program are played by
tests/support/fake_powermta.py; KumoMTA by a document in its published format.
"""
import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ssh_server import SshServer

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
FAKE = ROOT / "tests/support/fake_powermta.py"
KEY = "k" * 40
KUMO = {
    "scheduled_count": {"help": "number of messages in the scheduled queue.", "type": "gauge",
                        "value": {"queue": {"news@example.com": 40, "example.org": 2}}},
    "scheduled_by_domain": {"type": "gauge", "value": {"domain": {"example.com": 40, "example.org": 2}}},
    "ready_count": {"type": "gauge", "value": {"service": {"smtp_client": 8}}},
    "egress_source_health_suspended": {"type": "gauge", "value": [{"source": "ip1", "reason": "limit", "@": 1}]},
}


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60, **more)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} within {seconds} s")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Kumo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(KUMO).encode() if self.path == "/metrics.json" else b"OK"
        self.send_response(200 if self.path in ("/metrics.json", "/api/check-liveness/v1") else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Silent."""


class Case(unittest.TestCase):
    def check(self, program, *arguments, as_nobody=False):
        command = [BUILD / "checks" / program, *arguments]
        if as_nobody:
            # The build folder may lie where nobody may not go.
            shutil.copy(command[0], self.folder)
            command[:1] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", self.folder / program]
        result = run(*command)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout


class Postfix(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-queue-"))
        cls.folder.chmod(0o755)
        # Spool, data and configuration of our own over the machine's, inside this mount namespace only.
        config = cls.folder / "etc"
        shutil.copytree("/etc/postfix", config, symlinks=True)
        for place in ("/var/spool/postfix", "/var/lib/postfix"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place], check=True)
        shutil.chown("/var/lib/postfix", "postfix", "postfix")
        subprocess.run(["mount", "--bind", str(config), "/etc/postfix"], check=True)
        (config / "main.cf").write_text(
            "compatibility_level = 3.6\nmyhostname = mx1.example.net\nmydestination =\ninet_interfaces = 127.0.0.1\n"
            "mynetworks = 127.0.0.0/8\nmaillog_file = /dev/stdout\ndefault_transport = smtp:[127.0.0.1]:2525\n"
            "alias_maps =\nalias_database =\nlocal_recipient_maps =\nsmtpd_recipient_restrictions = permit_mynetworks,reject\n"
            "smtpd_peername_lookup = no\nsmtp_host_lookup = native\nqueue_directory = /var/spool/postfix\n"
            "data_directory = /var/lib/postfix\nauthorized_mailq_users = !nobody, static:all\n"
            "maillog_file_prefixes = /dev, /var\n")
        run("postfix", "set-permissions")
        cls.log = open(cls.folder / "log", "w", encoding="utf-8")
        cls.master = subprocess.Popen(["postfix", "start-fg"], stdout=cls.log, stderr=cls.log)
        wait_for(lambda: listens(25), 20, "Postfix listened")
        cls.inject(12, "example.com")
        cls.inject(3, "example.org")
        # At rest: a message on its way from queue to queue can be listed twice.
        wait_for(lambda: [json.loads(line)["queue_name"] for line in run("postqueue", "-j").stdout.splitlines()]
                 == ["deferred"] * 15, 60, "the mail was deferred")

    @classmethod
    def inject(cls, count, domain):
        with socket.create_connection(("127.0.0.1", 25), 10) as connection:
            file = connection.makefile("rw", newline="\r\n")

            def say(line, code):
                if line is not None:
                    file.write(line + "\n")
                    file.flush()
                while True:
                    answer = file.readline()
                    assert answer.startswith(code), answer
                    if answer[3:4] == " ":
                        return
            say(None, "220")
            say("EHLO client.example.net", "250")
            for number in range(count):
                say("MAIL FROM:<bounce@example.net>", "250")
                say(f"RCPT TO:<user{number}@{domain}>", "250")
                say("DATA", "354")
                say("Subject: test\n\nhello\n.", "250")
            say("QUIT", "221")

    @classmethod
    def tearDownClass(cls):
        run("postfix", "stop")
        cls.master.wait(20)
        cls.log.close()
        for place in ("/etc/postfix", "/var/lib/postfix", "/var/spool/postfix"):
            subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(cls.folder)

    def test_counts_ages_and_domains(self):
        code, text = self.check("check_mta_queue", "--mta", "postfix", "--by", "domain", "--critical-group", "11")
        self.assertEqual(code, 2, text)
        self.assertIn("MTA_QUEUE CRITICAL - domain example.com: 12 messages (above 11) |", text)
        self.assertIn("messages=15;100;500;0", text)
        answer = json.loads(self.check("check_mta_queue", "--mta", "postfix", "-o", "json")[1])
        self.assertEqual(answer["observation"]["groups"],
                         [{"name": "example.com", "count": 12}, {"name": "example.org", "count": 3}])
        self.assertLess(time.time() - answer["observation"]["oldest"]["arrival"], 60)

    def test_agrees_with_postqueue(self):
        listing = [json.loads(line) for line in run("postqueue", "-j").stdout.splitlines()]
        answer = json.loads(self.check("check_mta_queue", "--mta", "postfix", "-o", "json")[1])["observation"]
        self.assertEqual(answer["queued"], len(listing))
        self.assertEqual(answer["bytes"], sum(message["message_size"] for message in listing))

    def test_unknown_without_permission_names_the_setting(self):
        code, text = self.check("check_mta_queue", "--mta", "postfix", as_nobody=True)
        self.assertEqual(code, 3, text)
        self.assertIn("is not allowed to view the mail queue", text)
        self.assertIn("add this user to authorized_mailq_users in Postfix's main.cf", text)

    def test_the_instance_by_its_folder(self):
        code, text = self.check("check_mta_queue", "--mta", "postfix", "--config-dir", "/etc/postfix")
        self.assertEqual(code, 0, text)
        code, text = self.check("check_mta_queue", "--mta", "postfix", "--config-dir", "/etc/nosuch")
        self.assertEqual(code, 3, text)

    def test_the_host_names_what_it_cannot_see(self):
        code, text = self.check("check_mta_host", "--mta", "postfix", "-v")
        self.assertEqual(code, 3, text)
        self.assertIn("services could not be seen: systemctl on this machine exited with 1", text)
        self.assertRegex(text, "OK: 15 messages queued, oldest ")
        self.assertRegex(text, r"OK: /var/spool/postfix is [0-9.]+ % full")

    def test_over_ssh_the_same_queue(self):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)  # sshd's own folder, not the machine's
        try:
            pathlib.Path("/run/sshd").mkdir()
            server = SshServer(self.folder / "ssh", 2222)
            try:
                code, text = self.check("check_mta_queue", "--mta", "postfix", "--by", "domain", "--warning-group", "10",
                                        *server.options())
                self.assertEqual(code, 1, text)
                self.assertIn("MTA_QUEUE WARNING - domain example.com: 12 messages (above 10)", text)
                code, text = self.check("check_mta_host", "--mta", "postfix", "-v", *server.options())
                self.assertIn("OK: 15 messages queued, oldest ", text)
                self.assertRegex(text, r"OK: /var/spool/postfix is [0-9.]+ % full")
            finally:
                server.stop()
        finally:
            subprocess.run(["umount", "-l", "/run"], check=True)

    def test_the_banner_is_a_greeting(self):
        code, text = self.check("check_mta_service", "--banner", "127.0.0.1:25")
        self.assertEqual(code, 0, text)
        self.assertIn("127.0.0.1:25 greets: 220 mx1.example.net ESMTP Postfix", text)


class PowerMta(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-pmta-"))
        cls.state = cls.folder / "state.json"
        run(sys.executable, FAKE, cls.state, "init")
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=pmta.example.net",
            "-keyout", cls.folder / "key.pem", "-out", cls.folder / "cert.pem")
        (cls.folder / "api-key").write_text(KEY + "\n")
        (cls.folder / "basic").write_text("monitor:secret\n")
        tls = ["--tls", cls.folder / "cert.pem", cls.folder / "key.pem"]
        cls.servers = [cls.serve(8080), cls.serve(8081, "--api-key", KEY), cls.serve(8082, "--deny"),
                       cls.serve(8083, "--redirect-to", "8443"), cls.serve(8443, "--api-key", KEY, *tls),
                       cls.serve(8084, "--basic", "monitor:secret")]
        for port in (8080, 8081, 8082, 8083, 8443, 8084):
            wait_for(lambda port=port: listens(port), 20, f"port {port} listened")
        cls.kumo = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Kumo)
        threading.Thread(target=cls.kumo.serve_forever, daemon=True).start()
        program = cls.folder / "pmta"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} {cls.state} pmta "$@"\n')
        program.chmod(0o755)
        # /usr/sbin with one program more, inside this mount namespace only.
        over = cls.folder / "sbin"
        over.mkdir()
        shutil.copy(program, over / "pmta")
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={over}:/usr/sbin", "/usr/sbin"], check=True)

    @classmethod
    def serve(cls, port, *options):
        return subprocess.Popen([str(word) for word in (sys.executable, FAKE, cls.state, "serve", port, *options)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", "-l", "/usr/sbin"], check=False)
        for server in cls.servers:
            server.terminate()
            server.wait(10)
        cls.kumo.shutdown()
        cls.kumo.server_close()
        shutil.rmtree(cls.folder)

    def queue(self, *arguments):
        return self.check("check_mta_queue", "--mta", "pmta", *arguments)

    def change(self, **more):
        state = json.loads(self.state.read_text())
        kept = self.state.read_text()
        state.update(more)
        self.state.write_text(json.dumps(state))
        self.addCleanup(lambda: self.state.write_text(kept))

    def test_monitor_xml_and_json(self):
        for url in ("http://127.0.0.1:8080", "http://127.0.0.1:8080/?format=json"):
            code, text = self.queue("--url", url)
            self.assertEqual(code, 0, text)
            self.assertIn("805 recipients queued: smtp 805", text)

    def test_redirect_to_https_needs_a_decision_about_the_certificate(self):
        code, text = self.queue("--url", "http://127.0.0.1:8083")
        self.assertEqual(code, 3, text)
        self.assertIn("the certificate is not accepted", text)
        self.assertIn("--certificate-pin", text)
        self.assertEqual(self.queue("--url", "http://127.0.0.1:8083", "--insecure")[0], 0)
        pin = run("openssl", "x509", "-in", self.folder / "cert.pem", "-noout", "-fingerprint", "-sha256").stdout
        pin = pin.strip().partition("=")[2]
        self.assertEqual(self.queue("--url", "http://127.0.0.1:8083", "--certificate-pin", pin)[0], 0)
        wrong = pin[:-2] + ("00" if pin[-2:] != "00" else "11")
        self.assertEqual(self.queue("--url", "http://127.0.0.1:8083", "--certificate-pin", wrong)[0], 3)

    def test_key_shows_everything_the_pages_do_not(self):
        many = [{"domain": f"d{i}.example", "vmta": "v1", "rcp": 10, "kb": 1.0, "conn": 0, "mode": "backoff",
                 "paused": False, "errors": []} for i in range(25)]
        self.change(queues=many)
        code, text = self.queue("--url", "http://127.0.0.1:8081", "--api-key-file", self.folder / "api-key",
                                "--backoff", "100/500")
        self.assertEqual(code, 1, text)
        self.assertIn("250 recipients in backoff (above 100)", text)
        code, text = self.queue("--url", "http://127.0.0.1:8080", "--backoff", "1000/5000")
        self.assertEqual(code, 3, text)
        self.assertIn("100 recipients in backoff", text)
        self.assertIn("showed only a part", text)
        code, text = self.queue("--pmta-program", "--backoff", "100/500", "--by", "domain", "--warning-group", "9", "-v")
        self.assertEqual(code, 1, text)
        self.assertIn("250 recipients in backoff", text)

    def test_refusals_are_unknown_with_what_to_do(self):
        self.assertIn("http-access ADDRESS monitor", self.queue("--url", "http://127.0.0.1:8082")[1])
        self.assertIn("--basic-auth-file", self.queue("--url", "http://127.0.0.1:8084")[1])
        self.assertEqual(self.queue("--url", "http://127.0.0.1:8084", "--basic-auth-file", self.folder / "basic")[0], 0)
        (self.folder / "wrong-key").write_text("x" * 40)
        code, text = self.queue("--url", "http://127.0.0.1:8081", "--api-key-file", self.folder / "wrong-key", "--backoff",
                                "1/2")
        self.assertEqual(code, 3, text)
        self.assertIn("is not PowerMTA's http-api-key", text)
        self.assertNotIn("x" * 40, text)
        self.assertEqual(self.queue("--url", "http://127.0.0.1:9999")[0], 3)

    def test_age_licence_and_stall_by_key_and_by_program(self):
        for source in (("--url", "http://127.0.0.1:8081", "--api-key-file", self.folder / "api-key"), ("--pmta-program",)):
            code, text = self.queue(*source, "--warning-age", "24h", "--critical-age", "7d", "--license", "30:/7:",
                                    "--stalled", "1h", "-v")
            self.assertEqual(code, 1, text)
            self.assertIn("mail is older than 1 d, oldest 1 d 1 h in example.com/vmta2", text)
            self.assertIn("the licence ends in", text)
            self.assertIn("348704 recipients left in the last hour", text)
        self.change(lastMin={"in": [0, 0, 0], "out": [0, 0, 0]})
        self.assertEqual(self.queue("--pmta-program", "--stalled", "1m")[0], 2)

    def test_program_down_or_cut_short_is_unknown(self):
        self.change(down=True)
        code, text = self.queue("--pmta-program")
        self.assertEqual(code, 3, text)
        self.assertIn("unable to connect to the PowerMTA service", text)
        self.change(down=False, truncate=True)
        self.assertEqual(self.queue("--pmta-program")[0], 3)

    def test_kumomta(self):
        code, text = self.check("check_mta_queue", "--mta", "kumomta", "--by", "queue", "--warning-group", "39")
        self.assertEqual(code, 1, text)
        self.assertIn("queue news@example.com: 40 messages (above 39)", text)
        self.assertIn("source ip1 is suspended by KumoMTA: limit", text)
        code, text = self.check("check_mta_service", "--url", "http://127.0.0.1:8000/api/check-liveness/v1")
        self.assertEqual(code, 0, text)

    def test_exporter_totals_survive_reset_counters_and_values_vanish(self):
        (self.folder / "config.yml").write_text(
            "collectors:\n  pmta_monitor: {program: true, interval: 1s, timeout: 1s}\n"
            "  mta_queue: {interval: 1s, timeout: 1s, targets: [{mta: kumomta, host: kumo1}]}\n")
        log = open(self.folder / "exporter.log", "w", encoding="utf-8")
        exporter = subprocess.Popen(
            [str(BUILD / "exporter/pmta_exporter"), "--config.file", str(self.folder / "config.yml"),
             "--web.listen-address", "127.0.0.1:10925", "--state.file", "none"], stdout=log, stderr=log)

        def metric(name):
            page = run("curl", "-s", "http://127.0.0.1:10925/metrics").stdout
            found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.M)
            return float(found.group(1)) if found else None
        try:
            total = 'pmta_traffic_recipients_total{direction="out"}'
            wait_for(lambda: metric(total) == 2007007, 30, "the totals were published")
            wait_for(lambda: metric('mail_queue_messages{host="kumo1",mta="kumomta",queue="ready"}') == 8, 20, "KumoMTA")
            kept = self.state.read_text()
            self.addCleanup(lambda: self.state.write_text(kept))
            run("/usr/sbin/pmta", "reset", "counters")
            state = json.loads(self.state.read_text())
            state["total"]["out"] = [43, 43, 1.0]
            self.state.write_text(json.dumps(state))
            wait_for(lambda: metric(total) == 2007050, 20, "the totals went on")
            state["down"] = True
            self.state.write_text(json.dumps(state))
            wait_for(lambda: metric("pmta_up") == 0, 20, "PowerMTA was seen to be down")
            self.assertIsNone(metric(total))
            state["down"] = False
            self.state.write_text(json.dumps(state))
            wait_for(lambda: metric(total) == 2007050, 20, "the totals came back where they were")
        finally:
            exporter.terminate()
            exporter.wait(20)
            log.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
