"""check_mail_cert --dane with a signed zone on a real nsd, a validating unbound and a real Postfix."""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mail_servers import Authority, Postfix, remove, wait_for_port  # noqa: E402

PROGRAM = pathlib.Path(sys.argv[2]) / "checks" / "check_mail_cert"
REMOTE = "192.0.2.53"  # an address of ours that is not loopback's

ZONE = """$ORIGIN {origin}.
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 300
@ NS ns
ns A 127.0.0.1
mx1 A 127.0.0.1
_25._tcp.mx1 TLSA 3 1 1 {old}
_25._tcp.mx1 TLSA 3 1 1 {key}
issuer A 127.0.0.1
_25._tcp.issuer TLSA 2 0 1 {issuer}
wrong A 127.0.0.1
_25._tcp.wrong TLSA 3 1 1 {old}
pkix A 127.0.0.1
_25._tcp.pkix TLSA 1 1 1 {key}
none A 127.0.0.1
two A 127.0.0.1
two A 127.0.0.2
_25._tcp.two TLSA 3 1 1 {key}
alias CNAME mx1
"""

NSD = """
server:
  ip-address: 127.0.0.1@5300
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  logfile: "{folder}/nsd.log"
remote-control:
  control-enable: no
zone:
  name: example.net
  zonefile: example.net.signed
zone:
  name: example.org
  zonefile: example.org
"""

UNBOUND = """
server:
  interface: 127.0.0.1
  interface: {remote}
  access-control: 0.0.0.0/0 allow
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: "{folder}/unbound.log"
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "{anchor}"
remote-control:
  control-enable: no
stub-zone:
  name: example.net
  stub-addr: 127.0.0.1@5300
stub-zone:
  name: example.org
  stub-addr: 127.0.0.1@5300
"""


def sha256_of(command):
    return hashlib.sha256(subprocess.run(command, shell=True, check=True, capture_output=True).stdout).hexdigest()


class Dane(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mail_cert_dane_"))
        cls.folder.chmod(0o755)
        subprocess.run(["ip", "address", "add", f"{REMOTE}/32", "dev", "lo"], check=True)
        cls.authority = Authority(cls.folder / "ca")
        chain, key = cls.authority.certificate("good", "mx1.example.net")
        # The issuer's certificate is served along: usage 2 needs it.
        chain.write_text(chain.read_text() + cls.authority.ca.read_text())
        other, other_key = cls.authority.certificate("other", "two.example.net")
        cls.publish(chain)
        cls.processes = [subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", cls.folder / "nsd.conf"]),
                         subprocess.Popen(["/usr/sbin/unbound", "-d", "-c", cls.folder / "unbound.conf"])]
        cls.postfix = Postfix(cls.folder / "postfix", {"smtpd_tls_security_level": "may"},
                              f"127.0.0.1:25 inet n - n - - smtpd\n  -o smtpd_tls_chain_files={key},{chain}\n"
                              f"127.0.0.2:25 inet n - n - - smtpd\n  -o smtpd_tls_chain_files={other_key},{other}\n")
        for address, port in (("127.0.0.1", 5300), ("127.0.0.1", 53), ("127.0.0.1", 25), ("127.0.0.2", 25)):
            wait_for_port(port, address=address)

    @classmethod
    def publish(cls, chain):
        folder = cls.folder
        key = sha256_of(f"openssl x509 -in {chain} -pubkey -noout | openssl pkey -pubin -outform DER")
        issuer = sha256_of(f"openssl x509 -in {cls.authority.ca} -outform DER")
        for origin in ("example.net", "example.org"):
            (folder / origin).write_text(ZONE.format(origin=origin, key=key, issuer=issuer, old="ab" * 32))
        name = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "example.net"], cwd=folder, check=True,
                              capture_output=True, text=True).stdout.strip()
        subprocess.run(["ldns-signzone", "example.net", name], cwd=folder, check=True)
        (folder / "nsd.conf").write_text(NSD.format(folder=folder))
        (folder / "unbound.conf").write_text(UNBOUND.format(folder=folder, anchor=folder / f"{name}.key", remote=REMOTE))

    @classmethod
    def tearDownClass(cls):
        cls.postfix.stop()
        for process in cls.processes:
            process.terminate()
            process.wait(20)
        remove(cls.folder)

    def expect(self, host, code, text, *arguments, server="127.0.0.1"):
        done = subprocess.run([PROGRAM, "--dns-server", server, "-e", f"smtp://{host}", "--dane", *arguments],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        self.assertIn(text, done.stdout)
        self.assertEqual(done.returncode, code, done.stdout)

    def test_rollover_with_one_matching_record(self):
        self.expect("mx1.example.net", 0, "the certificate expires in 89 d")

    def test_alias_is_followed_to_the_name_it_leads_to(self):
        self.expect("alias.example.net", 0, "the certificate expires in 89 d")

    def test_issuer_record_wants_the_name(self):
        self.expect("issuer.example.net", 2, "DANE: hostname mismatch")
        self.expect("issuer.example.net", 0, "the certificate expires in 89 d", "--name", "mx1.example.net")

    def test_no_record_matches(self):
        self.expect("wrong.example.net", 2, "DANE: no TLSA record matches the certificate that is served")

    def test_usages_that_mail_does_not_use(self):
        self.expect("pkix.example.net", 2, "no TLSA record is usable for mail")

    def test_no_record(self):
        self.expect("none.example.net", 2, "DANE: there is no TLSA record (_25._tcp.none.example.net)")

    def test_every_address_must_match(self):
        self.expect("two.example.net", 2, "smtp://two.example.net (127.0.0.2): ")

    def test_unsigned_zone(self):
        self.expect("mx1.example.org", 2, "the host's addresses are not DNSSEC-authenticated")

    def test_remote_resolver_is_believed_only_when_told(self):
        self.expect("mx1.example.net", 2, "the host's addresses are not DNSSEC-authenticated", server=REMOTE)
        self.expect("mx1.example.net", 0, "the certificate expires in 89 d", "--trust-ad", server=REMOTE)

    def test_resolver_that_does_not_answer(self):
        self.expect("mx1.example.net", 3, "MAIL_CERT UNKNOWN", server="127.0.0.1:5399")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
