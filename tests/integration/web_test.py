"""The exporter's web side with real clients: curl, Prometheus and hundreds of sockets that only sit there."""
import base64
import collections
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the module leaves Python with 3.13; Debian 12 has 3.11
    import crypt

SOURCE, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
EXPORTER = str(BUILD / "exporter/pmta_exporter")
ACCOUNTING = ("type,timeLogged,timeQueued,rcpt,vmta\n"
              "d,2026-01-05 10:00:02+0000,2026-01-05 10:00:00+0000,a@gmail.com,vmta1\n")


def run(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, **options)


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def make_certificate(folder, name, issuer=None):
    """A key and a certificate, signed by `issuer` or by itself, made for this run only."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-keyout", key, "-out", certificate, "-subj", f"/CN={name}", "-days", "2",
               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"]
    if issuer:
        command += ["-CA", folder / f"{issuer}.crt", "-CAkey", folder / f"{issuer}.key"]
    done = run(*[str(part) for part in command])
    assert done.returncode == 0, done.stderr


def bcrypt(password, cost=6):
    """A hash as htpasswd -B makes it."""
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << cost)).replace("$2b$", "$2y$", 1)


def ask(port, source, password):
    """The status of one request on a connection of its own from that address."""
    with socket.create_connection(("127.0.0.1", port), 60, source_address=(source, 0)) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic "
                       + base64.b64encode(b"alice:" + password) + b"\r\n\r\n")
        with client.makefile("rb") as answer:
            status = answer.readline().split()[1].decode()
            answer.read()
    return status


class Exporter:
    """The program with its log; ended by its own process id."""

    def __init__(self, folder, *arguments):
        self.log = folder / f"log-{time.monotonic_ns()}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([EXPORTER, "--acct", str(folder / "acct-*.csv"), "--state.file", "none",
                                             "--log.format", "json", *arguments], stderr=log)
        self.addresses = wait_for(self.started)

    def events(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]

    def started(self):
        if self.process.poll() is not None:
            raise AssertionError(self.log.read_text())
        found = [event["address"] for event in self.events() if event["msg"] == "listening"]
        # All addresses are logged in one go; the log is complete once the first is there and the file stands still.
        size = self.log.stat().st_size
        time.sleep(0.05)
        return found if found and size == self.log.stat().st_size else None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


class WebTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        (self.folder / "acct-1.csv").write_text(ACCOUNTING)
        self.exporters = []

    def tearDown(self):
        for exporter in self.exporters:
            if exporter.process.poll() is None:
                exporter.stop()
        self.temporary.cleanup()

    def start(self, *arguments):
        exporter = Exporter(self.folder, *arguments)
        self.exporters.append(exporter)
        return exporter

    def curl(self, *arguments):
        """(status, body, curl's exit code)"""
        done = run("curl", "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}", *arguments)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body, done.returncode

    def web_config(self, text):
        file = self.folder / "web.yml"
        file.write_text(text)
        return str(file)


class Plain(WebTest):
    def test_every_kind_of_address(self):
        path = str(self.folder / "web.socket")
        exporter = self.start("--web.listen-address", ":0", "--web.listen-address", "127.0.0.1:0",
                              "--web.listen-address", "[::1]:0", "--web.listen-address", "unix:" + path)
        everywhere, four, six, local = exporter.addresses
        port = everywhere.rpartition(":")[2]
        for url in (f"http://127.0.0.1:{port}", f"http://[::1]:{port}", four, six):
            status, body, _ = self.curl(url + "/metrics")
            self.assertEqual(status, 200, url)
            self.assertIn('pmta_deliveries_total{vmta="vmta1",pool="",provider="gmail"} 1', body)
        self.assertEqual(local, "unix:" + path)
        self.assertEqual(self.curl("--unix-socket", path, "http://x/-/ready")[0], 200)
        self.assertEqual(self.curl("--head", four + "/metrics")[0], 200)
        self.assertIn("pmta_deliveries_total", self.curl("--compressed", four + "/metrics")[1])
        self.assertEqual(exporter.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_a_second_exporter_on_the_same_address_says_why_it_ends(self):
        first = self.start("--web.listen-address", "127.0.0.1:0")
        taken = first.addresses[0].removeprefix("http://")
        done = run(EXPORTER, "--acct", "x", "--state.file", "none", "--web.listen-address", taken)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(f"--web.listen-address {taken}: cannot listen: Address already in use", done.stderr)

    def test_reload_by_signal_and_by_post(self):
        config = self.folder / "config.yml"
        config.write_text(f"accounting: {{files: '{self.folder}/acct-*.csv'}}\n")
        exporter = self.start("--config.file", str(config), "--web.listen-address", "127.0.0.1:0",
                              "--web.enable-lifecycle")
        url = exporter.addresses[0]
        self.assertEqual(self.curl("--request", "POST", url + "/-/reload")[0], 200)
        config.write_text("accounting:\n  flies: x\n")
        status, body, _ = self.curl("--request", "POST", url + "/-/reload")
        self.assertEqual(status, 500)
        self.assertIn(f"{config} line 2: accounting.flies", body)
        self.assertIn("pmta_exporter_config_last_reload_successful 0", self.curl(url + "/metrics")[1])
        config.write_text(f"accounting: {{files: '{self.folder}/acct-*.csv', groups: [job]}}\n")
        exporter.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "pmta_exporter_config_last_reload_successful 1" in self.curl(url + "/metrics")[1])

    def test_prometheus_scrapes_it(self):
        exporter = self.start("--web.listen-address", "127.0.0.1:0")
        target = exporter.addresses[0].removeprefix("http://")
        (self.folder / "prometheus.yml").write_text(
            "scrape_configs:\n  - job_name: pmta\n    scrape_interval: 1s\n"
            f"    static_configs: [{{targets: ['{target}']}}]\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(["prometheus", f"--config.file={self.folder}/prometheus.yml",
                                   f"--storage.tsdb.path={self.folder}/tsdb",
                                   f"--web.listen-address=127.0.0.1:{port}"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def value_of(query):
                status, body, _ = self.curl("--get", "--data-urlencode", "query=" + query,
                                            f"http://127.0.0.1:{port}/api/v1/query")
                result = json.loads(body)["data"]["result"] if status == 200 else []
                return result[0]["value"][1] if result else None
            self.assertEqual(wait_for(lambda: value_of('up{job="pmta"}'), 30), "1")
            self.assertEqual(value_of('pmta_deliveries_total{provider="gmail"}'), "1")
            self.assertEqual(value_of('pmta_delivery_delay_seconds_bucket{le="5.0"}'), "1")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)

    def test_idle_connections_do_not_slow_a_scrape(self):
        lines = "".join(f"d,2026-01-05 10:00:02+0000,2026-01-05 10:00:00+0000,a@gmail.com,vmta{i}\n"
                        for i in range(2000))
        (self.folder / "acct-2.csv").write_text(ACCOUNTING.split("\n")[0] + "\n" + lines)
        exporter = self.start("--web.listen-address", "127.0.0.1:0")
        url = exporter.addresses[0]
        wait_for(lambda: self.curl(url + "/-/ready")[0] == 200)
        host, port = url.removeprefix("http://").split(":")

        def scrape():
            begin = time.perf_counter()
            with socket.create_connection((host, int(port)), timeout=20) as client:
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while client.recv(1 << 20):
                    pass
            return time.perf_counter() - begin

        def median(count=25):
            return statistics.median(scrape() for _ in range(count))
        quiet = min(median(), median())
        # Half of them say nothing, half have begun a request and never end it.
        idle = [socket.create_connection((host, int(port))) for _ in range(500)]
        for client in idle[::2]:
            client.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        try:
            busy = min(median(), median())
        finally:
            for client in idle:
                client.close()
        self.assertLess(busy, 2 * quiet + 0.002, f"{quiet * 1000:.1f} ms alone, {busy * 1000:.1f} ms beside 500 idle")


class Secured(WebTest):
    def setUp(self):
        super().setUp()
        for name, issuer in (("ca", None), ("server", "ca"), ("client", "ca"), ("stranger", None)):
            make_certificate(self.folder, name, issuer)

    def url(self, text, *arguments):
        exporter = self.start("--web.listen-address", "127.0.0.1:0", "--web.config.file", self.web_config(text),
                              *arguments)
        self.assertTrue(exporter.addresses[0].startswith("https://"))
        return exporter.addresses[0] + "/metrics"

    def trusting(self, *arguments):
        return self.curl("--cacert", str(self.folder / "ca.crt"), *arguments)

    def client(self, name):
        return ["--cert", str(self.folder / f"{name}.crt"), "--key", str(self.folder / f"{name}.key")]

    def test_client_certificates(self):
        text = ("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n"
                "  client_auth_type: RequireAndVerifyClientCert\n")
        url = self.url(text)
        self.assertEqual(self.trusting(url)[0], 0)
        self.assertEqual(self.trusting(url, *self.client("stranger"))[0], 0)
        self.assertEqual(self.trusting(url, *self.client("client"))[0], 200)
        self.assertEqual(self.curl(url)[2], 60, "curl does not know the CA")
        self.assertEqual(run("promtool", "check", "web-config", str(self.folder / "web.yml")).returncode, 0)

    def test_a_client_needs_one_of_the_names_that_are_allowed(self):
        text = ("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n"
                "  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [%s]\n")
        for names, status in (("localhost", 200), ("'::1'", 200), ("192.0.2.9, 127.0.0.1", 200), ("", 0), ("other.example", 0),
                              ("LOCALHOST", 0)):
            with self.subTest(names=names):
                url = self.url(text % names)
                self.assertEqual(self.trusting(url, *self.client("client"))[0], status)
                self.assertEqual(self.trusting(url, *self.client("stranger"))[0], 0)
                self.assertEqual(self.trusting(url)[0], 0)
        # Without asking who signed it the name is asked for all the same.
        url = self.url(text.replace("RequireAndVerify", "RequireAny") % "localhost")
        self.assertEqual(self.trusting(url, *self.client("stranger"))[0], 200)
        url = self.url(text.replace("RequireAndVerify", "RequireAny") % "other")
        self.assertEqual(self.trusting(url, *self.client("stranger"))[0], 0)

    def test_certificate_key_and_authority_may_stand_in_the_configuration(self):
        cert, key, ca = ((self.folder / name).read_text().replace("\n", "\n    ") for name in ("server.crt", "server.key", "ca.crt"))
        url = self.url(f"tls_server_config:\n  cert: |\n    {cert}\n  key: |\n    {key}\n  client_ca: |\n    {ca}\n"
                       "  client_auth_type: RequireAndVerifyClientCert\n")
        self.assertEqual(self.trusting(url)[0], 0)
        self.assertEqual(self.trusting(url, *self.client("stranger"))[0], 0)
        self.assertEqual(self.trusting(url, *self.client("client"))[0], 200)

    def test_a_rate_limit_lets_a_burst_through(self):
        exporter = self.start("--web.listen-address", "127.0.0.1:0", "--web.config.file",
                              self.web_config("rate_limit: {interval: 1h, burst: 3}\n"))
        self.assertEqual([self.curl(exporter.addresses[0] + "/metrics")[0] for _ in range(5)], [200, 200, 200, 429, 429])

    def test_a_scraper_gets_its_page_while_a_flood_of_wrong_passwords_lasts(self):
        """The first time that its password is seen; 64 attackers, each with one request at a time, as fast as they are answered."""
        for addresses in (["127.0.0.1"], [f"127.0.1.{number}" for number in range(1, 65)]):
            with self.subTest(addresses=len(addresses)):
                exporter = self.start("--web.listen-address", "127.0.0.1:0", "--web.config.file",
                                      self.web_config(f"basic_auth_users: {{alice: {bcrypt('right', 10)}}}\n"))
                port = int(exporter.addresses[0].rsplit(":", 1)[1])
                begin = time.monotonic()
                self.assertEqual(ask(port, "127.0.2.1", b"wrong"), "401")
                alone = time.monotonic() - begin  # of one check, on this machine as busy as it is
                stop, answers = threading.Event(), collections.Counter()

                def attack(source, port=port, stop=stop, answers=answers):
                    while not stop.is_set():
                        answers[ask(port, source, b"wrong%d" % random.randrange(1 << 30))] += 1
                attackers = [threading.Thread(target=attack, args=(addresses[number % len(addresses)],), daemon=True)
                             for number in range(64)]
                for attacker in attackers:
                    attacker.start()
                wait_for(lambda answers=answers: answers["401"] >= 70, 60)
                begin = time.monotonic()
                status = ask(port, "127.0.0.1", b"right")
                took = time.monotonic() - begin
                stop.set()
                for attacker in attackers:
                    attacker.join(60)
                print(f"{len(addresses)} addresses: {status} after {took:.1f} s (one check alone {alone:.2f} s) beside {dict(answers)}")
                self.assertEqual(status, "200")
                self.assertLess(took, max(10, 100 * alone) if len(addresses) == 1 else max(2, 10 * alone))
                self.assertEqual(set(answers), {"401"})

    def test_tls_versions(self):
        url = self.url("tls_server_config: {cert_file: server.crt, key_file: server.key, min_version: TLS13}\n")
        self.assertEqual(self.trusting(url, "--tls-max", "1.2")[0], 0)
        self.assertEqual(self.trusting(url)[0], 200)

    def test_users(self):
        text = ("tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
                "http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=63072000}}\n"
                f"basic_auth_users:\n  alice: {bcrypt('right')}\n  bob: {bcrypt('b:o:b')}\n")
        url = self.url(text)
        self.assertEqual(self.trusting(url)[0], 401)
        for credentials, status in (("alice:right", 200), ("alice:wrong", 401), ("alice:right", 200),
                                    ("nobody:right", 401), ("bob:b:o:b", 200), (":", 401), ("alice:", 401)):
            self.assertEqual(self.trusting("--user", credentials, url)[0], status, credentials)
        for header in ("Basic", "Basic !!!", "Bearer x", "Basic " + "A" * 9000):
            self.assertEqual(self.trusting("--header", "Authorization: " + header, url)[0], 401, header[:20])
        done = run("curl", "--silent", "--include", "--cacert", str(self.folder / "ca.crt"), url)
        self.assertIn("X-Frame-Options: deny", done.stdout)
        self.assertIn("WWW-Authenticate: Basic realm=", done.stdout)
        self.assertEqual(run("promtool", "check", "web-config", str(self.folder / "web.yml")).returncode, 0)
        log = self.exporters[0].log.read_text()
        self.assertNotIn("right", log)

    def test_a_password_is_checked_once_and_a_flood_of_wrong_ones_delays_nobody(self):
        text = ("tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
                f"basic_auth_users: {{alice: {bcrypt('right', 12)}}}\n")
        url = self.url(text)
        begin = time.perf_counter()
        self.assertEqual(self.trusting("--user", "alice:right", url)[0], 200)
        first = time.perf_counter() - begin
        flood = [subprocess.Popen(["curl", "--silent", "--insecure", "--user", f"alice:{i}", "--output", "/dev/null", url])
                 for i in range(12)]
        begin = time.perf_counter()
        self.assertEqual(self.trusting("--user", "alice:right", url)[0], 200)
        again = time.perf_counter() - begin
        for client in flood:
            client.wait(60)
        self.assertLess(again, first, "a known password waits for no other")

    def test_changes_take_hold_without_a_restart(self):
        url = self.url("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
        self.assertEqual(self.trusting(url)[0], 200)
        self.web_config("tls_server_config: {cert_file: server.crt, key_file: gone.key}\n")
        time.sleep(1.1)
        self.assertEqual(self.trusting(url)[0], 200, "a broken file changes nothing")
        make_certificate(self.folder, "other", "ca")
        self.web_config("tls_server_config: {cert_file: other.crt, key_file: other.key}\n"
                        f"basic_auth_users: {{alice: {bcrypt('right')}}}\n")
        wait_for(lambda: self.trusting(url)[0] == 401)
        done = run("curl", "--verbose", "--silent", "--cacert", str(self.folder / "ca.crt"), "--user", "alice:right", url)
        self.assertIn("subject: CN=other", done.stderr)
        messages = [event["msg"] for event in self.exporters[0].events()]
        self.assertIn("the web configuration changed and cannot be used, the old one stays in force", messages)
        self.assertIn("the web configuration changed and was read again", messages)

    def test_client_certificates_are_never_checked_against_the_whole_world(self):
        """Without client_ca_file Go falls back on the system's CAs: anybody with a public certificate would be in."""
        file = self.web_config("tls_server_config: {cert_file: server.crt, key_file: server.key, "
                               "client_auth_type: RequireAndVerifyClientCert}\n")
        done = run(EXPORTER, "--acct", "x", "--state.file", "none", "--web.config.file", file)
        self.assertIn("client_ca_file must name the CA", done.stderr)
        self.assertEqual(done.returncode, 1)

    def test_what_promtool_refuses_is_refused_here(self):
        right = "tls_server_config: {cert_file: server.crt, key_file: server.key"
        table = {
            right + "}\n": True,
            right + ", min_version: TLS12, max_version: TLS13, cipher_suites: "
                    "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP256, X25519], "
                    "prefer_server_cipher_suites: true}\nhttp_server_config: {http2: false}\n": True,
            "basic_auth_users: {alice: " + bcrypt("x") + "}\n": True,
            "": True,
            right + ", min_version: TLS9}\n": False,
            right + ", cipher_suites: [NONSENSE]}\n": False,
            right + ", client_auth_type: Maybe}\n": False,
            "tls_server_config: {cert_file: server.crt}\n": False,
            "tls_server_config: {cert_file: gone.crt, key_file: server.key}\n": False,
            "http_server_config: {headers: {X-Own: x}}\n": False,
            "basic_auth_users: {alice: secret}\n": False,
            "nonsense: 1\n": False,
        }
        # Known to exporter-toolkit 0.20, and not to every promtool.
        cert, key, ca = ((self.folder / name).read_text().replace("\n", "\n    ") for name in ("server.crt", "server.key", "ca.crt"))
        inline = f"tls_server_config:\n  cert: |\n    {cert}\n  key: |\n    {key}\n"
        verified = right + ", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert"
        newer = {
            inline: True,
            inline + f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca: |\n    {ca}\n": True,
            "tls_server_config: {cert_file: server.crt, cert: x, key_file: server.key}\n": True,  # the file counts
            "tls_server_config: {cert: x, key_file: server.key}\n": False,
            "tls_server_config: {cert_file: server.crt, key: secret}\n": False,
            verified + ", client_allowed_sans: [a.example, 192.0.2.1]}\n": True,
            right + ", client_allowed_sans: [a.example]}\n": False,
            verified + ", client_ca: x}\n": True,
            "rate_limit: {interval: 1s, burst: 20}\n": True,
            "rate_limit: {}\n": True,
            "rate_limit: {interval: soon}\n": False,
            "rate_limit: {pace: 1s}\n": False,
        }
        for text, good in (table | newer).items():
            file = self.web_config(text)
            if text in table:
                self.assertEqual(run("promtool", "check", "web-config", file).returncode == 0, good, text)
            # A wrong listen address ends the program either way; the reason tells how far it came.
            done = run(EXPORTER, "--acct", "x", "--state.file", "none", "--web.config.file", file,
                       "--web.listen-address", "192.0.2.1:1")
            self.assertEqual("--web.listen-address" in done.stderr, good, text + done.stderr)
            self.assertNotIn("secret", done.stderr)


unittest.main(argv=sys.argv[:1], verbosity=2)
