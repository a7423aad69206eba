"""check_mail_submit against a real submission service: Postfix, with Dovecot for the logins and an authority for tokens."""
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mail_servers import Authority, Dovecot, Postfix, remove, wait_for_port  # noqa: E402

PROGRAM = pathlib.Path(sys.argv[2]) / "checks" / "check_mail_submit"
NAME = "mail.example.net"
USER = "monitor@example.net"
PASSWORD = "correct horse battery"
TOKEN = "ya29.an-access-token-that-is-good"
TOKEN_PORT = 8080

LISTENERS = """
587   inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
465   inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
2525  inet n - n - - smtpd
  -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no
2526  inet n - n - - smtpd
  -o smtpd_tls_security_level=may -o smtpd_sasl_auth_enable=no
2527  inet n - n - - smtpd
  -o smtpd_tls_security_level=may -o smtpd_tls_chain_files={other_key},{other}
2528  inet n - n - - smtpd
  -o smtpd_tls_security_level=may -o smtpd_tls_auth_only=no -o smtpd_sasl_security_options=noanonymous,noplaintext
2529  inet n - n - - smtpd
  -o smtpd_tls_security_level=may -o smtpd_sasl_path={folder}/nobody-listens-here
"""

PASSDB = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-256
  args = scheme=PLAIN username_format=%u {folder}/users
}}
"""

DOVECOT = """
auth_mechanisms = plain login cram-md5 scram-sha-256 xoauth2
auth_failure_delay = 0 s
auth_verbose = yes
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {folder}/login {{
    mode = 0666
  }}
}}
"""


class TokenAuthority(http.server.BaseHTTPRequestHandler):
    """Tells whose token it is, as an OAuth 2.0 token-info service does."""

    def do_GET(self):
        token = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query).get("access_token", [""])[0]
        body = json.dumps({"email": USER} if token == TOKEN else {"error": "invalid_token"}).encode()
        self.send_response(200 if token == TOKEN else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class MailSubmit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mail_submit_"))
        cls.folder.chmod(0o755)
        cls.authority = Authority(cls.folder / "ca")
        chain, key = cls.authority.certificate("good", NAME)
        other, other_key = cls.authority.certificate("other", "other.example.net")
        cls.write("users", f"{USER}:{PASSWORD}\nblocked@example.net:{PASSWORD}\n", 0o644)
        cls.write("oauth2.conf", f"tokeninfo_url = http://127.0.0.1:{TOKEN_PORT}/?access_token=\n"
                                 "username_attribute = email\n", 0o644)
        cls.password = cls.write("password", PASSWORD + "\n")
        cls.wrong = cls.write("wrong", "not the password at all\n")
        cls.token = cls.write("token", TOKEN + "\n")
        cls.stale = cls.write("stale", TOKEN + "-no-more\n")
        cls.write("senders", f"{USER} {USER}\nboss@example.net boss@example.net\n", 0o644)
        cls.write("mailboxes", f"{USER} monitor/\nops@example.net ops/\nlater@example.net later/\nfull@example.net full/\n",
                  0o644)
        cls.write("verdicts", "later@example.net 450 4.2.0 Greylisted, come back later\n"
                              "full@example.net 552 5.2.2 Mailbox full\n", 0o644)
        cls.tokens = http.server.ThreadingHTTPServer(("127.0.0.1", TOKEN_PORT), TokenAuthority)
        threading.Thread(target=cls.tokens.serve_forever, daemon=True).start()
        cls.dovecot = Dovecot(cls.folder / "dovecot", chain, key, DOVECOT.format(folder=cls.folder),
                              PASSDB.format(folder=cls.folder))
        cls.postfix = Postfix(cls.folder / "postfix", {
            "smtpd_tls_chain_files": f"{key}, {chain}", "smtpd_tls_auth_only": "yes", "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": f"{cls.folder}/login",
            "smtpd_sender_login_maps": f"texthash:{cls.folder}/senders",
            "smtpd_sender_restrictions": "reject_sender_login_mismatch",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "smtpd_recipient_restrictions": f"check_recipient_access texthash:{cls.folder}/verdicts",
            "virtual_mailbox_domains": "example.net", "virtual_mailbox_maps": f"texthash:{cls.folder}/mailboxes",
            "mynetworks": "", "smtpd_delay_reject": "no",
        }, LISTENERS.format(other=other, other_key=other_key, folder=cls.folder))
        for port in (587, 465, 2525, 2526, 2527, 2528, 2529):
            wait_for_port(port)
        end = time.monotonic() + 20
        while not (cls.folder / "login").exists():
            assert time.monotonic() < end, cls.dovecot.log.read_text()
            time.sleep(0.02)

    @classmethod
    def tearDownClass(cls):
        cls.dovecot.stop()
        cls.postfix.stop()
        cls.tokens.shutdown()
        remove(cls.folder)

    @classmethod
    def write(cls, name, text, mode=0o600):
        path = cls.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def run_check(self, *arguments):
        done = subprocess.run([PROGRAM, "-H", "127.0.0.1", *map(str, arguments)], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.stderr, "")
        for secret in (PASSWORD, TOKEN, "not the password at all"):
            self.assertNotIn(secret, done.stdout)
        return done.returncode, done.stdout

    def expect(self, code, text, *arguments, secret=None):
        given = secret or ("--password-file", self.password)
        verified = () if {"--no-verify", "none"} & set(arguments) else ("--ca-file", self.authority.ca)
        named = () if {"--name", "none"} & set(arguments) else ("--name", NAME)
        user = () if "--user" in arguments else ("--user", USER)
        got, output = self.run_check(*verified, *named, *user, *given, *arguments)
        self.assertIn(text, output)
        self.assertEqual(got, code, output)
        return output

    def wait_for(self, text, path):
        """What the log says once it says that: it is written after the client has its answer."""
        end = time.monotonic() + 20
        while text not in path.read_text():
            self.assertLess(time.monotonic(), end, path.read_text())
            time.sleep(0.02)
        return path.read_text()

    def test_every_mechanism_by_both_ways_to_tls(self):
        for port in ("587", "465"):
            for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
                with self.subTest(port=port, mechanism=mechanism):
                    self.expect(0, f"login with {mechanism} over TLSv1.3", "-p", port, "--mechanism", mechanism)
            with self.subTest(port=port, mechanism="XOAUTH2"):
                self.expect(0, "login with XOAUTH2 over TLSv1.3", "-p", port, secret=("--token-file", self.token))

    def test_the_strongest_is_chosen(self):
        self.expect(0, "login with SCRAM-SHA-256")
        self.expect(0, "login with SCRAM-SHA-256", "-p", "2528")

    def test_wrong_password(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
            with self.subTest(mechanism=mechanism):
                self.expect(2, "refuses the login: 535 5.7.8 Error: authentication failed", "--mechanism", mechanism,
                            secret=("--password-file", self.wrong))

    def test_a_token_that_has_expired(self):
        self.expect(2, "refuses the login: 535 5.7.8 Error: authentication failed", secret=("--token-file", self.stale))

    def test_one_failed_login_a_run(self):
        self.expect(2, "refuses the login", "--user", "blocked@example.net", secret=("--password-file", self.wrong))
        log = self.wait_for("blocked@example.net", self.dovecot.log)
        self.assertEqual(log.count("blocked@example.net"), 1, log)

    def test_a_sender_that_the_login_does_not_own(self):
        self.expect(2, "refuses the sender boss@example.net: 553 5.7.1 <boss@example.net>: Sender address rejected: not "
                       "owned by user monitor@example.net; is this login allowed to send as this --from?",
                    "--from", "boss@example.net")

    def test_recipients(self):
        self.expect(0, "takes mail from monitor@example.net for someone@example.org", "--to", "someone@example.org")
        self.expect(0, "for 2 recipients", "--to", "someone@example.org", "--to", "ops@example.net")
        self.expect(2, "refuses the recipient nobody@example.net: 550 5.1.1 <nobody@example.net>: Recipient address "
                       "rejected: User unknown in virtual mailbox table", "--to", "nobody@example.net")
        self.expect(2, "refuses the recipient full@example.net: 552 5.2.2", "--to", "full@example.net")
        self.expect(2, "refuses the recipient later@example.net: 450 4.2.0", "--to", "later@example.net")
        self.expect(1, "refuses the recipient later@example.net: 450 4.2.0", "--to", "later@example.net", "--temporary",
                    "warning")

    def test_without_a_login(self):
        tls = ("--ca-file", self.authority.ca, "--name", NAME)
        code, output = self.run_check(*tls, "--from", "someone@example.org", "--to", "ops@example.net")
        self.assertEqual(code, 0, output)
        self.assertIn("without a login, over TLSv1.3", output)
        code, output = self.run_check(*tls, "--from", "someone@example.org", "--to", "someone@example.com")
        self.assertEqual(code, 2, output)
        self.assertIn("refuses the recipient someone@example.com: 554 5.7.1", output)
        code, output = self.run_check(*tls)
        self.assertEqual(code, 3, output)
        self.assertIn("and no mail was tried", output)

    def test_plain_text(self):
        self.expect(2, "does not offer STARTTLS", "-p", "2525")
        self.expect(3, "without TLS anybody on the way can read the login", "-p", "2525", "--tls", "none")
        self.expect(0, "login with PLAIN in plain text", "-p", "2525", "--tls", "none", "--allow-plaintext",
                    "--mechanism", "PLAIN")

    def test_no_login_offered(self):
        self.expect(2, "it offers no login at all", "-p", "2526")

    def test_certificates(self):
        self.expect(2, f"it is not for {NAME} but for other.example.net", "-p", "2527")
        self.expect(2, "it is not for 127.0.0.1", "--name", "127.0.0.1")
        self.expect(0, "takes mail", "-p", "2527", "--name", "other.example.net")
        self.expect(0, "takes mail", "-p", "2527", "--no-verify")

    def test_wrong_way_to_tls(self):
        self.expect(2, "makes no TLS connection: what came is not TLS: 220 mx1.example.net", "-p", "587", "--tls",
                    "implicit")
        self.expect(2, "does not answer before its greeting", "-p", "465", "--tls", "starttls", "-t", "2")

    def test_an_authentication_service_that_is_gone(self):
        output = self.expect(2, "MAIL_SUBMIT CRITICAL", "-p", "2529")
        self.assertRegex(output, "454 4.7.0|421 4|closes the connection|no login at all")

    def test_times_in_the_figures(self):
        output = self.expect(0, "takes mail", "-w", "20", "-c", "30", "-o", "json")
        answer = json.loads(output)
        labels = [figure["label"] for figure in answer["perfdata"]]
        self.assertEqual(labels, ["time"] + [f"time_{step}" for step in
                                             ("resolve", "connect", "tls", "greeting", "hello", "auth", "mail", "rcpt")])
        figures = {figure["label"]: figure["value"] for figure in answer["perfdata"]}
        parts = sum(value for label, value in figures.items() if label != "time")
        self.assertAlmostEqual(figures["time"], parts, delta=0.5)
        self.assertEqual(answer["observation"]["end"], "accepted")
        self.assertIn("SCRAM-SHA-256", answer["observation"]["mechanisms"])

    def test_nothing_is_sent(self):
        self.expect(0, "takes mail", "--to", "ops@example.net")
        queue = subprocess.run(["/usr/sbin/postqueue", "-c", self.postfix.configuration, "-j"], capture_output=True,
                               text=True, check=True)
        self.assertEqual(queue.stdout, "")
        log = self.wait_for("ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 rset=1 quit=1 commands=8", self.postfix.log)
        self.assertNotIn("status=", log)
        self.assertNotIn("message-id=", log)
        self.assertNotIn("improper command pipelining", log)
        for secret in (PASSWORD, TOKEN):
            self.assertNotIn(secret, log)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
