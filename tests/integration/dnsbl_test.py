"""check_dnsbl and the exporter's collector against real name servers: nsd with good and bad lists, unbound before it."""
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
CHECK = BUILD / "checks/check_dnsbl"
EXPORTER = BUILD / "exporter/pmta_exporter"

TEST_V4 = "2.0.0.127 A 127.0.0.2"
TEST_V6 = "2.0.0.0.0.0.f.7.f.f.f.f" + ".0" * 20 + " A 127.0.0.2"
ZONES = {
    "good.test": [TEST_V4, TEST_V6],
    "hit.test": [TEST_V4, TEST_V6, "1.2.0.192 A 127.0.0.2", "1.2.0.192 A 127.0.0.9", '1.2.0.192 TXT "seen in a trap"',
                 "1" + ".0" * 23 + ".8.b.d.0.1.0.0.2 A 127.0.0.4"],
    "zen.spamhaus.org": [TEST_V4, "1.2.0.192 A 127.0.0.10"],
    "blocked.test": [TEST_V4, "1.2.0.192 A 127.255.255.254"],
    "refusing.test": ["* A 127.255.255.254"],
    "white.test": [TEST_V4, "1.2.0.192 A 127.0.0.1"],
    "odd.test": [TEST_V4, "1.2.0.192 A 93.184.216.34"],
    "world.test": ["* A 127.0.0.2"],
    "parked.test": ["* A 93.184.216.34"],
    "emptied.test": ["www A 192.0.2.80"],
    "chain.test": [TEST_V4, "1.2.0.192 CNAME a", "a CNAME b", "b A 127.0.0.3"],
    "loop.test": [TEST_V4, "1.2.0.192 CNAME a", "a CNAME b", "b CNAME a"],
    "long.test": [TEST_V4, "1.2.0.192 A 127.0.0.2",
                  *[f'1.2.0.192 TXT "reason {i:02} {"x" * 180}"' for i in range(20)]],
    "domains.test": ["test A 127.0.1.2", "spam.example.com A 127.0.1.2", "xn--bcher-kva.example A 127.0.1.2"],
    "nofile.test": None,  # a zone that cannot be loaded: SERVFAIL
    "names.test": ["mx A 192.0.2.1", "mx AAAA 2001:db8::1"],
    **{f"l{i}.test": [TEST_V4] for i in range(60)},
}


class Nsd:
    def __init__(self, folder, port):
        self.port = port
        parts = [f"server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n zonesdir: \"{folder}\"\n database: \"\"\n"
                 f" pidfile: \"{folder}/pid\"\n xfrdfile: \"{folder}/xfrd\"\n zonelistfile: \"{folder}/zones\"\n"
                 f" logfile: \"{folder}/nsd.log\"\n server-count: 1\n rrl-ratelimit: 0\n"
                 "remote-control:\n control-enable: no\n"]
        for name, records in ZONES.items():
            parts.append(f"zone:\n name: \"{name}\"\n zonefile: \"{folder}/{name}.zone\"\n")
            if records is not None:
                head = ["$TTL 60", "@ SOA ns hostmaster 1 3600 600 86400 60", "@ NS ns", "ns A 127.0.0.1"]
                (folder / f"{name}.zone").write_text("\n".join(head + records) + "\n")
        (folder / "nsd.conf").write_text("".join(parts))
        self.process = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", folder / "nsd.conf"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for_dns(port)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wait_for_dns(port, name=b"\x02ns\x04good\x04test\x00"):
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name + b"\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.2)
        for _ in range(100):
            asker.sendto(question, ("127.0.0.1", port))
            try:
                if asker.recv(4096)[3] & 0x0f == 0:
                    return
            except (TimeoutError, ConnectionRefusedError):
                pass
            time.sleep(0.05)
    raise RuntimeError(f"no name server on port {port}")


def check(*arguments, server="127.0.0.1:5300", timeout=30):
    servers = ["--dns-server", server] if server else []
    run = subprocess.run([CHECK, *servers, *arguments], capture_output=True, text=True, timeout=timeout)
    assert run.stderr == "", run.stderr
    return run.returncode, run.stdout


def observation(*arguments, **options):
    code, text = check(*arguments, "-o", "json", "--min-answers", "0", **options)
    return code, json.loads(text)["observation"]


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.nsd = Nsd(pathlib.Path(cls.folder.name), 5300)

    @classmethod
    def tearDownClass(cls):
        cls.nsd.stop()
        cls.folder.cleanup()

    def verdict(self, zone, target="192.0.2.1", kind="-a"):
        _, seen = observation(kind, target, "-l", zone)
        self.assertEqual(len(seen["results"]), 1)
        return seen["results"][0]["verdict"], seen["lists"][0]["health"], seen["results"][0]["why"] or ""

    def test_three_verdicts(self):
        self.assertEqual(self.verdict("good.test")[:2], ("clean", "ok"))
        self.assertEqual(self.verdict("hit.test")[:2], ("listed", "ok"))
        self.assertEqual(self.verdict("chain.test")[:2], ("listed", "ok"))
        self.assertEqual(self.verdict("hit.test", "2001:db8::1")[:2], ("listed", "ok"))
        self.assertEqual(self.verdict("good.test", "2001:db8::1")[:2], ("clean", "ok"))
        self.assertEqual(self.verdict("domains.test", "spam.example.com", "-d")[:2], ("listed", "ok"))
        self.assertEqual(self.verdict("domains.test", "b\u00fccher.example", "-d")[:2], ("listed", "ok"))
        self.assertEqual(self.verdict("domains.test", "example.com", "-d")[:2], ("clean", "ok"))

    def test_lists_that_cannot_be_believed(self):
        for zone, health in {"blocked.test": "ok", "white.test": "ok", "odd.test": "ok", "loop.test": "ok",
                             "refusing.test": "refused", "world.test": "dead", "parked.test": "dead",
                             "emptied.test": "dead", "nofile.test": "untested", "unknown.example": "refused"}.items():
            with self.subTest(zone):
                self.assertEqual(self.verdict(zone)[:2], ("unknown", health))
        self.assertIn("SERVFAIL", self.verdict("nofile.test")[2])
        self.assertIn("REFUSED", self.verdict("unknown.example")[2])

    def test_every_record_the_reason_and_the_exit_code(self):
        code, text = check("-a", "192.0.2.1", "-l", "hit.test")
        self.assertEqual(code, 2)
        self.assertIn("192.0.2.1 is listed by hit.test (127.0.0.2, 127.0.0.9), \"seen in a trap\"",
                      text.replace("127.0.0.9, 127.0.0.2", "127.0.0.2, 127.0.0.9"))
        self.assertEqual(check("-a", "192.0.2.1", "-l", "zen.spamhaus.org")[0], 1)
        self.assertEqual(check("-a", "192.0.2.9", "-l", "hit.test", "-l", "good.test")[0], 0)
        self.assertEqual(check("-a", "mx.names.test", "-l", "hit.test")[0], 2)

    def test_a_long_reason_comes_over_tcp(self):
        code, text = check("-a", "192.0.2.1", "-l", "long.test")
        self.assertEqual(code, 2)
        self.assertIn("reason ", text)

    def test_one_dead_list_of_sixty(self):
        asked = [part for i in range(59) for part in ("-l", f"l{i}.test")]
        forwarder = Forwarder(5398, 5300, silent_zone=b"\x04dead\x04test")
        start = time.monotonic()
        code, text = check("-a", "192.0.2.1", *asked, "-l", "dead.test", server="127.0.0.1:5398")
        took = time.monotonic() - start
        forwarder.stop()
        self.assertEqual(code, 0, text)
        self.assertIn("on none of 59 lists; one list could not tell: dead.test (no answer in time)", text)
        self.assertLess(took, 3.5)

    def test_resolver_gone(self):
        code, text = check("-a", "192.0.2.1", "-l", "good.test", "-l", "hit.test", server="127.0.0.1:5397")
        self.assertEqual(code, 3)
        self.assertIn("the resolver 127.0.0.1:5397 does not answer", text)

    def test_the_second_server_is_asked(self):
        code, _ = check("-a", "192.0.2.1", "-l", "hit.test", "--dns-server", "127.0.0.1:5300", server="127.0.0.1:5397")
        self.assertEqual(code, 2)

    def test_resolvers_of_the_system(self):
        conf = pathlib.Path(self.folder.name, "resolv.conf")
        conf.write_text("nameserver 127.0.0.1\n")
        subprocess.run(["mount", "--bind", conf, "/etc/resolv.conf"], check=True)
        try:
            forwarder = Forwarder(53, 5300)
            self.assertEqual(check("-a", "192.0.2.1", "-l", "hit.test", server=None)[0], 2)
            forwarder.stop()
        finally:
            subprocess.run(["umount", "/etc/resolv.conf"], check=True)

    def test_through_unbound_at_the_default_window(self):
        folder = pathlib.Path(self.folder.name)
        zones = "".join(f"stub-zone:\n name: \"l{i}.test\"\n stub-addr: 127.0.0.1@5300\n" for i in range(60))
        (folder / "unbound.conf").write_text(
            f"server:\n interface: 127.0.0.1@5353\n do-daemonize: no\n username: \"\"\n chroot: \"\"\n pidfile: \"\"\n"
            f" directory: \"{folder}\"\n use-syslog: no\n logfile: \"\"\n do-not-query-localhost: no\n"
            f" module-config: \"iterator\"\n num-threads: 1\n local-zone: \"test.\" nodefault\n"
            f"remote-control:\n control-enable: no\n{zones}")
        unbound = subprocess.Popen(["/usr/sbin/unbound", "-d", "-c", folder / "unbound.conf"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            wait_for_dns(5353, b"\x02ns\x02l0\x04test\x00")
            asked = [part for i in range(60) for part in ("-l", f"l{i}.test")]
            code, seen = observation("-a", "198.51.100.0/24", *asked, server="127.0.0.1:5353")
            self.assertEqual(code, 0)
            self.assertEqual(len(seen["results"]), 256 * 60)
            self.assertEqual({result["verdict"] for result in seen["results"]}, {"clean"})
            self.assertLess(seen["seconds"], 8)
        finally:
            unbound.terminate()
            unbound.wait()

    def test_the_exporter_looks_too(self):
        folder = pathlib.Path(self.folder.name)
        (folder / "acct.csv").write_text(
            "type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,bounceCat,dlvSourceIp,vmta\n"
            "d,2026-11-20 10:00:00+0000,2026-11-20 09:59:59+0000,a@example.com,b@example.net,relayed,2.0.0,ok,,10.1.2.3,v\n"
            "d,2026-11-20 10:00:01+0000,2026-11-20 09:59:59+0000,a@example.com,b@example.net,relayed,2.0.0,ok,,10.9.9.9,v\n")
        (folder / "config.yml").write_text(
            f"accounting:\n  files: [{folder}/acct.csv]\ncollectors:\n  dnsbl:\n    nat: {{10.1.2.3: 192.0.2.1}}\n"
            "    lists: [good.test, hit.test, world.test]\n    dns_servers: [\"127.0.0.1:5300\"]\n    interval: 1s\n")
        exporter = subprocess.Popen([EXPORTER, "--config.file", folder / "config.yml", "--web.listen-address",
                                     "127.0.0.1:10925", "--state.file", "none"], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        try:
            text = ""
            for _ in range(200):
                try:
                    text = urllib.request.urlopen("http://127.0.0.1:10925/metrics", timeout=2).read().decode()
                except OSError:
                    pass
                if "mail_dnsbl_listed{" in text:
                    break
                time.sleep(0.1)
            self.assertIn('mail_dnsbl_listed{target="192.0.2.1",list="hit.test",list_severity="critical"} 1', text)
            self.assertIn('mail_dnsbl_listed{target="192.0.2.1",list="good.test",list_severity="critical"} 0', text)
            self.assertNotIn('list="world.test"', text)
            self.assertIn('mail_dnsbl_lists{target="192.0.2.1",verdict="unknown"} 1', text)
            self.assertIn('mail_probe_success{probe="dnsbl",target="accounting"} 1', text)
        finally:
            exporter.send_signal(signal.SIGTERM)
            exporter.wait()


class Forwarder:
    """Passes packets to a name server and drops those for one zone, as a resolver before a dead list would."""

    def __init__(self, port, upstream, silent_zone=None):
        self.upstream, self.silent_zone = ("127.0.0.1", upstream), silent_zone
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(0.1)
        self.running = True
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as up:
            up.settimeout(1)
            while self.running:
                try:
                    packet, peer = self.socket.recvfrom(4096)
                except TimeoutError:
                    continue
                if self.silent_zone and self.silent_zone in packet:
                    continue
                up.sendto(packet, self.upstream)
                self.socket.sendto(up.recv(65535), peer)

    def stop(self):
        self.running = False
        self.thread.join()
        self.socket.close()


unittest.main()
