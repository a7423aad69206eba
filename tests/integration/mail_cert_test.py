"""check_mail_cert against a real Postfix and a real Dovecot: every protocol, every way to TLS."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mail_servers import Authority, Dovecot, Postfix, remove, wait_for_port  # noqa: E402

PROGRAM = pathlib.Path(sys.argv[2]) / "checks" / "check_mail_cert"
NAME = "mx1.example.net"

LISTENERS = """
25    inet n - n - - smtpd
587   inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
465   inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
2526  inet n - n - - smtpd
  -o smtpd_tls_security_level=none
2527  inet n - n - - smtpd
  -o smtpd_tls_chain_files={short_key},{short}
2528  inet n - n - - smtpd
  -o smtpd_tls_protocols=TLSv1.2
2529  inet n - n - - smtpd
  -o smtpd_tls_chain_files={weak_key},{weak}
2530  inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_tls_ask_ccert=yes
2531  inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_tls_security_level=encrypt -o smtpd_tls_req_ccert=yes
"""


class MailCert(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mail_cert_"))
        cls.folder.chmod(0o755)
        cls.authority = Authority(cls.folder / "ca")
        chain, key = cls.authority.certificate("good", NAME)
        short, short_key = cls.authority.certificate("short", NAME, days=20)
        weak, weak_key = cls.authority.certificate("weak", NAME, key="rsa:1024")
        cls.chain, cls.key, cls.short, cls.short_key = chain, key, short, short_key
        listeners = LISTENERS.format(short=short, short_key=short_key, weak=weak, weak_key=weak_key)
        cls.postfix = Postfix(cls.folder / "postfix", {"smtpd_tls_chain_files": f"{key}, {chain}",
                                                       "smtpd_tls_security_level": "may"}, listeners)
        cls.dovecot = Dovecot(cls.folder / "dovecot", chain, key)
        for port in (25, 587, 465, 2526, 2527, 2528, 2529, 2530, 2531, 24, 110, 143, 993, 995, 4190):
            wait_for_port(port)

    @classmethod
    def tearDownClass(cls):
        cls.dovecot.stop()
        cls.postfix.stop()
        remove(cls.folder)

    def run_check(self, *arguments):
        named = [] if "--name" in arguments else ["--name", NAME]
        done = subprocess.run([PROGRAM, "--ca-file", self.authority.ca, *named, *arguments],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def expect(self, arguments, code, text):
        got, output = self.run_check(*arguments)
        self.assertIn(text, output)
        self.assertEqual(got, code, output)

    def test_every_protocol_shows_the_same_certificate(self):
        schemes = ["smtp", "submission", "smtps", "lmtp", "imap", "imaps", "pop3", "pop3s", "sieve"]
        arguments = [piece for scheme in schemes for piece in ("-e", f"{scheme}://127.0.0.1")]
        code, output = self.run_check(*arguments, "-o", "json", "--same-as", str(self.chain), "--key", str(self.key))
        self.assertEqual(code, 0, output)
        endpoints = json.loads(output)["observation"]["endpoints"]
        self.assertEqual([one["scheme"] for one in endpoints], schemes)
        for one in endpoints:
            self.assertEqual(one["outcome"], "shown")
            self.assertEqual(one["protocol"], "TLSv1.3")
            self.assertTrue(one["verified"] and one["name_matches"] and one["same_as_file"] and one["key_matches"])
            self.assertEqual(one["served"][0]["dns_names"], [NAME])

    def test_each_protocol_alone_is_fine(self):
        for scheme in ("smtp", "submission", "smtps", "lmtp", "imap", "imaps", "pop3", "pop3s", "sieve"):
            self.expect(["-e", f"{scheme}://127.0.0.1"], 0, "the certificate expires in 89 d")

    def test_no_starttls(self):
        self.expect(["-e", "smtp://127.0.0.1:2526"], 2, "STARTTLS is not offered, so mail and passwords go in plain text")

    def test_about_to_expire(self):
        self.expect(["-e", "smtp://127.0.0.1:2527"], 1, "expires in 19 d")
        self.expect(["-e", "smtp://127.0.0.1:2527", "-w", "10:", "-c", "5:"], 0, "expires in 19 d")

    def test_served_certificate_is_not_the_renewed_one(self):
        self.expect(["-e", "smtp://127.0.0.1:2527", "--same-as", str(self.chain), "-w", "1:"], 1, "reload the service")
        self.expect(["-e", "smtp://127.0.0.1", "--key", str(self.short_key)], 2, "does not belong to the certificate")

    def test_tls_version(self):
        self.expect(["-e", "smtp://127.0.0.1:2528", "--min-tls", "1.3"], 2, "the server speaks TLSv1.2 at best")
        self.expect(["-e", "smtp://127.0.0.1:2528"], 0, "expires in 89 d")

    def test_weak_key(self):
        self.expect(["-e", "smtp://127.0.0.1:2529"], 1, "RSA with 1024 bits")

    def test_client_certificate_wanted(self):
        for port in (2530, 2531):
            self.expect(["-e", f"smtps://127.0.0.1:{port}", "-vv"], 0, "wants a client certificate")

    def test_wrong_name_and_unknown_authority(self):
        self.expect(["-e", "imaps://127.0.0.1", "--name", "other.example.net"], 2, "is not for other.example.net but for mx1")
        done = subprocess.run([PROGRAM, "-e", "imaps://127.0.0.1", "--name", NAME], capture_output=True, text=True)
        self.assertIn("no trusted authority is known", done.stdout)
        self.assertEqual(done.returncode, 2)

    def test_wrong_scheme_for_the_port(self):
        self.expect(["-e", "smtps://127.0.0.1:25"], 2, "what answers does not speak TLS: 220 mx1.example.net")
        self.expect(["-e", "imap://127.0.0.1:25"], 2, "what answers does not speak IMAP: 220 mx1.example.net")

    def test_refused_port(self):
        self.expect(["-e", "smtp://127.0.0.1:2599"], 2, "127.0.0.1:2599: ")

    def test_postfix_saw_a_polite_client(self):
        self.run_check("-e", "smtp://127.0.0.1")
        log = self.postfix.log.read_text()
        self.assertIn("ehlo=1 starttls=1 quit=1", log)
        self.assertNotIn("improper command pipelining", log)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
