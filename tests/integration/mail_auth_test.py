"""The mail authentication plugins as programs, against nsd and a responder that can fail: UDP, TCP, SERVFAIL, silence.

Usage: mail_auth_test.py SOURCE_DIR BINARY_DIR (in a namespace of its own)
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import socket
import struct

import dkim
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone

BINARY_DIR = sys.argv[2]
NSD_PORT = 5300
RESPONDER_PORT = 5301

ZONE = """$ORIGIN .
$TTL 3600
. SOA ns.test. admin.test. 1 3600 600 86400 300
. NS ns.test.
ns.test. A 127.0.0.1
example.com. TXT "v=spf1 mx include:_spf.example.net exp=why.example.com -all"
example.com. MX 10 mail.example.com.
mail.example.com. A 192.0.2.10
mail.example.com. AAAA 2001:db8::10
why.example.com. TXT "%{i} is not one of the senders of %{d}"
_spf.example.net. TXT "v=spf1 ip4:203.0.113.0/24 ip6:2001:db8:1::/48 ?all"
_dmarc.example.com. TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=mailto:tls@example.com"
10.2.0.192.in-addr.arpa. PTR mail.example.com.
macro.example.com. TXT "v=spf1 exists:%{l1r-}.%{o2}.%{ir}.%{v}._s.example.com a:foo:bar/baz.example.com -all"
bad.name.7.2.0.192.in-addr._s.example.com. A 127.0.0.2
strong.example.com.7.2.0.192.in-addr._s.example.com. A 127.0.0.2
foo:bar/baz.example.com. A 192.0.2.8
two.example.com. TXT "v=spf1 -all"
two.example.com. TXT "v=spf1 ?all"
loop.example.com. TXT "v=spf1 include:loop.example.com -all"
helo.example.com. TXT "v=spf1 a:%{h} -all"
bad.example. TXT "v=spf1 include:nobody.example.org ip4:10.0.0.0/8 ptr ?all"
bad.example. MX 10 gone.bad.example.
_dmarc.bad.example. TXT "v=DMARC1; p=none; pct=50"
"""
# Filled up, so that the answer does not fit into 1232 bytes and comes over TCP.
LONG = "long.example.com. TXT \"v=spf1 ip4:192.0.2.77 -all\"\n" + "".join(
    f"long.example.com. TXT \"{'x' * 200}{i}\"\n" for i in range(10))


class Responder(threading.Thread):
    """Answers from the same zone; a name with servfail or silent in it fails that way. `truncate` forces TCP."""

    def __init__(self, zone_text, port, truncate):
        super().__init__(daemon=True)
        self.zone = dns.zone.from_text(zone_text, origin=".", relativize=False, check_origin=False)
        self.truncate = truncate
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", port))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(("127.0.0.1", port))
        self.tcp.listen(50)
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def answer(self, wire):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        text = question.name.to_text().lower()
        if "silent" in text:
            return None
        reply = dns.message.make_response(query)
        if "servfail" in text:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        name = question.name
        for _ in range(10):
            node = self.zone.get_node(name)
            if node is None:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                break
            alias = node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.CNAME)
            wanted = node.get_rdataset(dns.rdataclass.IN, question.rdtype) or alias
            if wanted:
                reply.find_rrset(reply.answer, name, dns.rdataclass.IN, wanted.rdtype, create=True).update(wanted)
            if not alias:
                break
            name = alias[0].target
        return reply

    def run(self):
        while True:
            wire, peer = self.udp.recvfrom(4096)
            reply = self.answer(wire)
            if reply is None:
                continue
            if self.truncate:
                reply.answer = []
                reply.flags |= dns.flags.TC
            self.udp.sendto(reply.to_wire(), peer)

    def serve_tcp(self):
        while True:
            connection, _ = self.tcp.accept()
            threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection):
        with connection:
            while True:
                head = connection.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                reply = self.answer(connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL))
                if reply is not None:
                    wire = reply.to_wire()
                    connection.sendall(struct.pack("!H", len(wire)) + wire)


def wait_for_dns(port):
    question = dns.message.make_query("example.com.", "TXT")
    for _ in range(100):
        try:
            return dns.query.udp(question, "127.0.0.1", port=port, timeout=0.2)
        except (dns.exception.Timeout, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"nothing answers on port {port}")


def plugin(name, *arguments, port=NSD_PORT, stdin=None):
    """Exit code and stdout of a plugin."""
    done = subprocess.run([f"{BINARY_DIR}/checks/check_{name}", "--dns-server", f"127.0.0.1:{port}", *arguments],
                          capture_output=True, input=stdin, timeout=30, check=False)
    if done.stderr:
        raise AssertionError(f"stderr: {done.stderr}")
    return done.returncode, done.stdout.decode()


def evaluate(domain, ip, sender, helo, port, *more):
    _, out = plugin("spf", "-d", domain, "-i", ip, "--sender", sender, "--helo", helo, "-o", "json", *more, port=port)
    return json.loads(out)["observation"]["evaluations"][0]


class MailAuth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="mail_auth_test")
        path = cls.folder.name
        with open(f"{path}/zone", "w", encoding="ascii") as file:
            file.write(ZONE + LONG)
        with open(f"{path}/nsd.conf", "w", encoding="ascii") as file:
            file.write(f"""server:
  ip-address: 127.0.0.1
  port: {NSD_PORT}
  username: ""
  chroot: ""
  zonesdir: "{path}"
  database: ""
  pidfile: "{path}/nsd.pid"
  xfrdfile: "{path}/xfrd.state"
  zonelistfile: "{path}/zone.list"
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "zone"
""")
        cls.nsd = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", f"{path}/nsd.conf"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_dns(NSD_PORT)
        cls.failing = ZONE + "".join(f"{name}.example.com. TXT \"{text}\"\n" for name, text in {
            "a-servfail-host": "v=spf1 a:servfail.example.com -all",
            "a-silent-host": "v=spf1 a:silent.example.com -all",
            "ptr-of": "v=spf1 ptr -all",
            "exp-of": "v=spf1 exp=servfail.example.com -all",
            "include-of": "v=spf1 include:silent.example.com -all",
            "before-silence": "v=spf1 ip4:192.0.2.1 include:silent.example.com a:silent2.example.com mx:silent3.example.com "
                              "exp=silent4.example.com -all",
        }.items())
        Responder(cls.failing, RESPONDER_PORT, truncate=False).start()
        Responder(cls.failing, RESPONDER_PORT + 1, truncate=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.nsd.terminate()
        cls.nsd.wait()
        cls.folder.cleanup()

    def test_spf_results_over_udp_and_tcp(self):
        cases = [
            ("example.com", "192.0.2.10", "a@example.com", "h.example.com", "pass", None),
            ("example.com", "2001:db8::10", "a@example.com", "h.example.com", "pass", None),
            ("example.com", "::ffff:203.0.113.9", "a@example.com", "h.example.com", "pass", None),
            ("example.com", "198.51.100.1", "a@example.com", "h.example.com", "fail",
             "198.51.100.1 is not one of the senders of example.com"),
            ("macro.example.com", "192.0.2.7", "strong-bad@x.example.com", "h", "pass", None),
            ("macro.example.com", "192.0.2.8", "a@x.example.com", "h", "pass", None),
            ("macro.example.com", "192.0.2.9", "a@x.example.com", "h", "fail", "DEFAULT"),
            ("helo.example.com", "192.0.2.10", "", "mail.example.com", "pass", None),
            ("helo.example.com", "192.0.2.10", "", "JUMPIN' JUPITER", "fail", "DEFAULT"),
            ("two.example.com", "192.0.2.10", "", "h", "permerror", None),
            ("loop.example.com", "192.0.2.10", "", "h", "permerror", None),
            ("nothere.example.com", "192.0.2.10", "", "h", "none", None),
            ("a..b", "192.0.2.10", "", "h", "none", None),
            ("", "192.0.2.10", "", "", "none", None),
            ("[192.0.2.1]", "192.0.2.10", "a@[192.0.2.1]", "h", "none", None),
        ]
        for port in (NSD_PORT, RESPONDER_PORT, RESPONDER_PORT + 1):
            for domain, ip, sender, helo, result, explanation in cases:
                with self.subTest(domain=domain, ip=ip, port=port):
                    got = evaluate(domain, ip, sender, helo, port)
                    self.assertEqual((got["result"], got["explanation"]), (result, explanation), got)

    def test_a_large_answer_comes_over_tcp(self):
        self.assertEqual(evaluate("long.example.com", "192.0.2.77", "", "h", NSD_PORT)["result"], "pass")

    def test_servfail_and_silence_are_temporary_errors(self):
        for domain, result in (("servfail.example.com", "temperror"), ("silent.example.com", "temperror"),
                               ("a-servfail-host.example.com", "temperror"),
                               ("a-silent-host.example.com", "temperror"),
                               ("include-of.example.com", "temperror"), ("exp-of.example.com", "fail")):
            with self.subTest(domain=domain):
                got = evaluate(domain, "192.0.2.1", "", "h", RESPONDER_PORT)
                self.assertEqual(got["result"], result, got)

    def test_silence_behind_the_match_costs_the_linter_and_not_the_result(self):
        code, out = plugin("spf", "-d", "before-silence.example.com", "-i", "192.0.2.1", "--helo", "silent5.example.com",
                           "-o", "json", port=RESPONDER_PORT)
        observation = json.loads(out)["observation"]
        self.assertEqual((code, observation["evaluations"][0]["result"]), (3, "pass"), out)
        self.assertEqual(observation["helo_evaluations"][0]["result"], "temperror", out)
        self.assertIn("lookup-failed", observation["problem_codes"])

    def test_the_helo_identity_over_udp(self):
        code, out = plugin("spf", "-d", "example.com", "-i", "192.0.2.10", "--helo", "helo.example.com", "-o", "json")
        helo = json.loads(out)["observation"]["helo_evaluations"]
        self.assertEqual((code, [(one["helo"], one["result"]) for one in helo]), (1, [("helo.example.com", "fail")]), out)

    def test_states_of_a_good_and_a_broken_domain(self):
        self.assertEqual(plugin("spf", "-d", "example.com", "-i", "192.0.2.10"), (
            0, "SPF OK - example.com: 2 of 10 lookups, ends in -all, 257 IPv4 addresses and 65537 x /64 of IPv6, "
            "192.0.2.10 passes | lookups=2;8;10;0 void_lookups=0;;2;0 ipv4_addresses=257;;;0 ipv6_networks=65537;;;0 "
            "record=59B;;;0\n"))
        code, out = plugin("spf", "-d", "bad.example")
        self.assertEqual(code, 2)
        for text in ("include:nobody.example.org", "ip4:10.0.0.0/8 is private (RFC 1918)", "ptr is slow"):
            self.assertIn(text, out)
        self.assertEqual(plugin("dmarc", "-d", "example.com")[0], 0)
        self.assertEqual(plugin("dmarc", "-d", "bad.example")[0], 1)
        self.assertEqual(plugin("tls_rpt", "-d", "example.com")[0], 0)
        self.assertEqual(plugin("fcrdns", "-i", "192.0.2.10", "--helo", "mail.example.com")[0], 0)
        self.assertEqual(plugin("mx", "-d", "example.com")[0], 0)
        self.assertEqual(plugin("mx", "-d", "bad.example")[0], 2)
        self.assertEqual(plugin("spf", "-d", "example.com", port=1)[0], 3)
        self.assertEqual(plugin("spf", "-d", "silent.example.com", port=RESPONDER_PORT)[0], 3)

    def test_messages_signed_by_another_program_verify(self):
        path = self.folder.name
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", f"{path}/rsa.pem", "2048"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", f"{path}/rsa.pem", "-pubout", "-outform", "DER"], check=True,
                                capture_output=True).stdout
        import base64
        from nacl.signing import SigningKey
        secret = SigningKey.generate()
        record = base64.b64encode(public).decode()
        zone = (f"rsa._domainkey.example.com. TXT \"v=DKIM1; k=rsa; p={record[:200]}\" \"{record[200:]}\"\n"
                f"ed._domainkey.example.com. TXT \"v=DKIM1; k=ed25519; "
                f"p={base64.b64encode(secret.verify_key.encode()).decode()}\"\n")
        Responder(ZONE + zone, RESPONDER_PORT + 2, truncate=False).start()
        with open(f"{path}/rsa.pem", "rb") as file:
            rsa = file.read()
        bodies = [b"", b"\r\n\r\n", b"One line\r\n", b" leading  and\ttabs \t\r\n\r\n x\r\n\r\n\r\n", b"no line end"]
        for body in bodies:
            message = (b"From: A <a@example.com>\r\nTo: b@example.org,\r\n\tc@example.org\r\nSubject:  two   blanks \r\n"
                       b"X-Mark: one\r\nX-Mark: two\r\nDate: Sat, 21 Nov 2026 00:00:00 +0000\r\n\r\n" + body)
            for canonicalize in ((b"relaxed", b"relaxed"), (b"simple", b"simple"), (b"relaxed", b"simple"),
                                 (b"simple", b"relaxed")):
                with self.subTest(body=body, canonicalize=canonicalize):
                    signed = dkim.sign(message, b"rsa", b"example.com", rsa, canonicalize=canonicalize,
                                       include_headers=[b"from", b"to", b"subject", b"x-mark", b"x-mark", b"date"]
                                       ) + message
                    signed = dkim.sign(signed, b"ed", b"example.com", base64.b64encode(secret.encode()),
                                       canonicalize=canonicalize, signature_algorithm=b"ed25519-sha256",
                                       include_headers=[b"from", b"from", b"subject"]) + signed
                    code, out = plugin("dkim", "--message", "-", "-o", "json", stdin=signed, port=RESPONDER_PORT + 2)
                    results = [one["result"] for one in json.loads(out)["observation"]["message"]["signatures"]]
                    self.assertEqual((code, results), (0, ["pass", "pass"]), out)
        code, out = plugin("dkim", "-d", "example.com", "-s", "rsa", "--private-key", f"{path}/rsa.pem",
                           port=RESPONDER_PORT + 2)
        self.assertEqual((code, "belongs to the private key" in out), (0, True), out)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
