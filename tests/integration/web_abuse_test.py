"""The exporter's web side against clients that mean harm, with the limits it ships with.

Each test prints a row of docs/reliability.md: what was tried, how often, what happened.
"""
import base64
import contextlib
import os
import pathlib
import re
import resource
import select
import socket
import ssl
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

from sanitized import sanitized

BUILD = pathlib.Path(sys.argv[2])
EXPORTER = str(BUILD / "exporter/pmta_exporter")
ROWS = []
VMTAS = 1000
# Of a page that does not fit into the buffers of both sockets: 10 000 series a family is the usual limit.
MANY, LONG_NAME = 10_000, "a-name-of-a-usual-length.for-a-customer-of-a-large-sender." * 2
FILES_OF_A_SERVICE = 1024  # the usual soft limit, which the exporter has to live with
CONNECTIONS = 512          # ServerLimits::connections
SLOW_SCRAPE = 3.0          # seconds; a quiet scrape takes milliseconds, a busy test machine is given time
GET = b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n"


def row(tried, often, happened):
    ROWS.append(f"| {tried} | {often} | {happened} |")


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_OF_A_SERVICE, FILES_OF_A_SERVICE))


class Exporter:
    def __init__(self, folder, *arguments):
        self.log = folder / f"log-{time.monotonic_ns()}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([EXPORTER, "--acct", str(folder / "acct-*.csv"), "--state.file", "none",
                                             "--web.listen-address", "127.0.0.1:0", *arguments], stderr=log,
                                            preexec_fn=few_files)
        self.folder = pathlib.Path("/proc") / str(self.process.pid)
        end = time.monotonic() + 30
        while not (found := re.search(r"msg=listening address=https?://127.0.0.1:(\d+)", self.log.read_text())):
            assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()
            time.sleep(0.01)
        self.port = int(found.group(1))

    def connect(self, receive_buffer=0):
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        return client

    def say(self, request, client=None):
        """Everything that comes back until the server closes, and whether it did within the time."""
        with client or self.connect() as stream:
            answer = b""
            try:
                with contextlib.suppress(ConnectionError):  # refused while it is sent: the answer is there all the same
                    stream.sendall(request)
                while piece := stream.recv(1 << 20):
                    answer += piece
            except TimeoutError:
                return answer, False
            except OSError:
                pass  # a reset is a close
            return answer, True

    def scrape(self, path=b"/metrics", wrap=lambda stream: stream):
        begin = time.monotonic()
        answer, _ = self.say(GET % (path, b"Connection: close\r\n"), wrap(self.connect()))
        took = time.monotonic() - begin
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
        return took, answer.partition(b"\r\n\r\n")[2]

    def files(self):
        return len(os.listdir(self.folder / "fd"))

    def memory(self):
        """Resident MiB."""
        return int(re.search(r"VmRSS:\s+(\d+)", (self.folder / "status").read_text()).group(1)) / 1024

    def cpu_time(self):
        """Seconds that its threads have run so far."""
        return sum(int(path.read_text().split()[0]) for path in (self.folder / "task").glob("*/schedstat")) / 1e9


def ends(clients, seconds, meanwhile=lambda: None):
    """When the server closed each of the connections, in seconds from now; those that it did not are missing."""
    begin = time.monotonic()
    closed = {}
    poll = select.poll()
    left = {client.fileno(): client for client in clients}
    for number in left:
        poll.register(number, select.POLLIN)
    while left and time.monotonic() < begin + seconds:
        for number, _ in poll.poll(100):
            try:
                if left[number].recv(4096):
                    continue
            except OSError:
                pass
            closed[left.pop(number)] = time.monotonic() - begin
            poll.unregister(number)
        meanwhile()
    return closed


class Abuse(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        resource.setrlimit(resource.RLIMIT_NOFILE, (20000, max(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "acct-1.csv").write_text("type,timeLogged,timeQueued,rcpt,vmta\n" + "".join(
            f"d,2026-01-05 10:00:02+0000,2026-01-05 10:00:00+0000,a@gmail.com,vmta{i}\n" for i in range(VMTAS)))
        large = cls.folder / "large"
        large.mkdir()
        (large / "acct-1.csv").write_text("type,timeLogged,timeQueued,orig,rcpt,vmta,dlvSize\n" + "".join(
            f"d,2026-01-05 10:00:02+0000,2026-01-05 10:00:00+0000,b@{i}.{LONG_NAME}example,a@gmail.com,{i}{LONG_NAME},1000\n"
            for i in range(MANY)))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", cls.folder / "server.key", "-out", cls.folder / "server.crt", "-subj", "/CN=localhost",
                        "-days", "2"], check=True, capture_output=True)
        password = crypt.crypt("right", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 9)).replace("$2b$", "$2y$", 1)
        other = crypt.crypt("left", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 9)).replace("$2b$", "$2y$", 1)
        (cls.folder / "tls.yml").write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
        (cls.folder / "users.yml").write_text(f"basic_auth_users: {{alice: {password}, bob: {other}}}\n")
        cls.plain = Exporter(cls.folder)
        cls.large = Exporter(large)
        cls.tls = Exporter(cls.folder, "--web.config.file", str(cls.folder / "tls.yml"))
        cls.users = Exporter(cls.folder, "--web.config.file", str(cls.folder / "users.yml"))
        end = time.monotonic() + 30
        for exporter in (cls.plain, cls.large):
            while b" 200 " not in exporter.say(GET % (b"/-/ready", b"Connection: close\r\n"))[0]:
                assert time.monotonic() < end, "the exporter never became ready"
                time.sleep(0.05)
        for _ in range(3):
            _, cls.page = cls.plain.scrape()
        cls.files_at_rest = cls.plain.files()

    def assert_grown(self, mib, limit):
        if not sanitized(EXPORTER):
            self.assertLess(mib, limit)

    @classmethod
    def tearDownClass(cls):
        for exporter in (cls.plain, cls.large, cls.tls, cls.users):
            exporter.process.terminate()
            code = exporter.process.wait(20)
            assert code == 0, f"exit code {code}: {exporter.log.read_text()}"
            assert "level=error" not in exporter.log.read_text(), exporter.log.read_text()
        cls.temporary.cleanup()
        print("\n".join(ROWS))

    def tearDown(self):
        """Whatever was done to it: it runs, serves the whole page in time and has given everything back."""
        took, page = self.plain.scrape()
        self.assertLess(took, SLOW_SCRAPE)
        self.assertEqual(page.count(b"pmta_deliveries_total{"), self.page.count(b"pmta_deliveries_total{"))
        end = time.monotonic() + 20
        while self.plain.files() > self.files_at_rest + 2:
            self.assertLess(time.monotonic(), end, "connections are not given back")
            time.sleep(0.05)

    def test_slow_loris(self):
        silent = [self.plain.connect() for _ in range(150)]
        dribbling = [self.plain.connect() for _ in range(150)]
        stalling = [self.tls.connect() for _ in range(150)]
        for client in dribbling:
            client.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        for client in stalling:
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a ClientHello
        scrapes, last = [], time.monotonic()

        def dribble():
            nonlocal last
            if time.monotonic() - last < 0.5:
                return
            last = time.monotonic()
            for client in dribbling:
                try:
                    client.send(b"x")
                except OSError:
                    pass
            scrapes.append(self.plain.scrape()[0])
        clients = silent + dribbling + stalling
        closed = ends(clients, 30, dribble)
        for client in clients:
            client.close()
        self.assertEqual(len(closed), len(clients), "some are never cut off")
        self.assertGreater(min(closed.values()), 8)
        self.assertLess(max(scrapes), SLOW_SCRAPE)
        row("slow-loris: silent, one byte of the header every half second, half a TLS handshake",
            f"150 connections each, {len(scrapes)} scrapes beside them",
            f"all cut off after {min(closed.values()):.1f} to {max(closed.values()):.1f} s; slowest scrape "
            f"{max(scrapes) * 1000:.0f} ms")

    def test_ten_thousand_connections(self):
        before, most, clients, scrapes = self.plain.memory(), 0, [], []
        try:
            for i in range(10_000):
                clients.append(self.plain.connect())
                if i % 3 == 1:
                    clients[-1].sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
                if i % 1000 == 999:
                    scrapes.append(self.plain.scrape()[0])
                    most = max(most, self.plain.files())
            grown = self.plain.memory() - before
        finally:
            for client in clients:
                client.close()
        self.assertLess(most, CONNECTIONS + self.files_at_rest + 10)
        self.assertLess(max(scrapes), SLOW_SCRAPE)
        self.assert_grown(grown, 64)
        row("10 000 connections held open, a third with a request begun", "1 run, a scrape after every thousand",
            f"at most {most} descriptors, {max(grown, 0):.1f} MiB more memory, slowest scrape {max(scrapes) * 1000:.0f} ms")

    def test_slow_readers(self):
        size = len(self.large.scrape()[1]) / 2**20
        self.assertGreater(size, 5, "it would fit into the buffers of the sockets")
        before = self.large.memory()
        clients = [self.large.connect(receive_buffer=4096) for _ in range(50)]
        scrapes, most = [], 0
        for client in clients:
            client.sendall(GET % (b"/metrics", b""))
            scrapes.append(self.large.scrape()[0])
            most = max(most, self.large.memory())
        grown = most - before
        for client in clients:
            client.close()
        self.assertLess(max(scrapes), SLOW_SCRAPE)
        self.assert_grown(grown, 20 * size + 64)  # 16 answers at a time, and one being made
        row(f"clients that ask for a page of {size:.1f} MiB and never read it", "50, a scrape after each",
            f"all scrapes answered, slowest {max(scrapes) * 1000:.0f} ms; {max(grown, 0):.0f} MiB more memory")

    def test_many_scrapes_at_once(self):
        statuses, lock = [], threading.Lock()
        request = GET % (b"/metrics", b"Accept-Encoding: gzip\r\nConnection: close\r\n")
        before = self.large.cpu_time()
        self.large.say(request)
        alone = self.large.cpu_time() - before

        def ask():
            for _ in range(3):
                answer, _ = self.large.say(request)
                with lock:
                    statuses.append(answer[9:12].decode() or "none")
        threads = [threading.Thread(target=ask) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = self.large.cpu_time() - before - alone
        self.assertLess(spent, len(statuses) * alone / 2)
        self.assertEqual(set(statuses), {"200"}, "a crowd shares the pages that are made; nobody is sent away")
        row("scrapes of a page of 6 MiB with gzip, 40 at a time", f"{len(statuses)}", f"{len(statuses)} answered with 200; "
            f"{spent:.1f} s of CPU time for all, {alone:.2f} s for one alone")

    # Request -> status; the connection ends after a refusal.
    MALFORMED = {
        "header line of 1 MiB": (GET % (b"/metrics", b"X: " + b"a" * (1 << 20) + b"\r\n"), 431),
        "10 000 header lines": (GET % (b"/metrics", b"".join(b"X-%d: y\r\n" % i for i in range(10_000))), 431),
        "target of 100 000 bytes": (GET % (b"/" + b"a" * 100_000, b""), 431),
        "method of 100 000 bytes": (b"G" * 100_000 + b" / HTTP/1.1\r\n\r\n", 431),
        "HTTP/0.9": (b"GET /metrics\r\n\r\n", 400),
        "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        "HTTP/9.9": (b"GET /metrics HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        "line without a colon": (GET % (b"/metrics", b"nonsense\r\n"), 400),
        "NUL in a value": (GET % (b"/metrics", b"X: a\0b\r\n"), 400),
        "NUL in a name": (GET % (b"/metrics", b"X\0: a\r\n"), 400),
        "blank before the colon": (GET % (b"/metrics", b"X : a\r\n"), 400),
        "bare LF": (b"GET /metrics HTTP/1.1\nHost: x\n\n", 400),
        "bare CR": (b"GET /metrics HTTP/1.1\rHost: x\r\r", 400),
        "no host": (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        "two hosts": (GET % (b"/metrics", b"Host: y\r\n"), 400),
        "two lengths": (GET % (b"/metrics", b"Content-Length: 0\r\nContent-Length: 5\r\n"), 400),
        "list of lengths": (GET % (b"/metrics", b"Content-Length: 0, 5\r\n"), 400),
        "negative length": (GET % (b"/metrics", b"Content-Length: -1\r\n"), 400),
        "length beyond 64 bits": (GET % (b"/metrics", b"Content-Length: 99999999999999999999999\r\n"), 400),
        "body of 1 GB announced": (GET % (b"/metrics", b"Content-Length: 1000000000\r\n"), 413),
        "body of 100 000 bytes": (GET % (b"/metrics", b"Content-Length: 100000\r\n") + b"x" * 100_000, 413),
        "chunks": (GET % (b"/metrics", b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n", 411),
        "length and chunks": (GET % (b"/metrics", b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400),
        "unknown transfer coding": (GET % (b"/metrics", b"Transfer-Encoding: xchunked\r\n") + GET % (b"/-/healthy", b""), 411),
        "TLS to a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100, 400),
        "zeros": (b"\0" * 5000, 400),
    }

    def test_malformed_requests(self):
        for name, (request, status) in self.MALFORMED.items():
            with self.subTest(name):
                answer, closed = self.plain.say(request)
                self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", answer), [b"%d" % status])
                self.assertTrue(closed)
        row("malformed and oversized requests: " + ", ".join(self.MALFORMED), f"{len(self.MALFORMED)} kinds, once each",
            "each refused with 400, 411, 413 or 431 and one answer; the connection ends")

    def test_pipelining(self):
        count = 20_000
        requests = b"".join(GET % (b"/-/healthy" if i % 2 else b"/nothing", b"") for i in range(count - 1))
        client = self.plain.connect()
        sender = threading.Thread(target=client.sendall, args=(requests + GET % (b"/-/healthy", b"Connection: close\r\n"),))
        sender.start()
        answer, _ = self.plain.say(b"", client)
        sender.join()
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", answer), [b"200" if i % 2 else b"404" for i in range(count)])

        self.large.scrape()
        before = self.large.memory()
        greedy = self.large.connect(receive_buffer=4096)
        greedy.setblocking(False)
        sent = 0
        end = time.monotonic() + 3
        while time.monotonic() < end and sent < 10_000:
            try:
                sent += greedy.send(GET % (b"/metrics", b"") * 100) // len(GET % (b"/metrics", b""))
            except BlockingIOError:
                time.sleep(0.05)
        grown = self.large.memory() - before
        greedy.close()
        self.assert_grown(grown, 64)
        row("requests pipelined on one connection", f"{count} in one go; {sent} for a large page whose answers nobody reads",
            f"{count} right answers in order; {max(grown, 0):.0f} MiB more memory")

    def test_gzip(self):
        bodies = {b"\x1f\x8b\x08\x00 garbage": b"gzip", b"\x78\x9c\x03\x00": b"deflate", b"\xff" * 4096: b"br"}
        for body, coding in bodies.items():
            answer, _ = self.plain.say(GET % (b"/-/healthy", b"Connection: close\r\nContent-Encoding: %s\r\n"
                                              b"Content-Length: %d\r\n" % (coding, len(body))) + body)
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        accepts = [b"gzip;q=nan", b"gzip;q=1e999", b"gzip;q=-1", b"gzip;q=", b";;;,,,=", b"gzip;q=1;" * 1000, b"gzip," * 3000]
        for accept in accepts:
            answer, _ = self.plain.say(GET % (b"/metrics", b"Connection: close\r\nAccept-Encoding: %s\r\n" % accept))
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:200])
        row("bodies that claim to be compressed, nonsense in Accept-Encoding", f"{len(bodies)} and {len(accepts)}",
            "bodies are never unpacked; the page comes, packed or plain")

    def test_paths(self):
        strange = [b"/../metrics", b"//metrics", b"/metrics/", b"/metrics%00", b"/%2e%2e/etc/passwd", b"/..%2f..%2fetc/passwd",
                   b"/METRICS", b"/metrics;x", b"metrics", b"/./metrics", b"/metrics\\", b"/%6detrics", b"*", b"/-/quit",
                   b"/debug/pprof/", b"ftp://x/metrics", b"/\xff\xfe", b"/" + b"../" * 1000 + b"etc/passwd"]
        for path in strange:
            with self.subTest(path):
                answer, _ = self.plain.say(GET % (path, b"Connection: close\r\n"))
                self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), answer[:100])
                self.assertNotIn(path, answer, "nothing that was asked is quoted")
        for method, path, status in ((b"POST", b"/-/reload", 403), (b"PUT", b"/metrics", 405), (b"TRACE", b"/metrics", 405),
                                     (b"DELETE", b"/", 405), (b"CONNECT", b"x:443", 404), (b"FROB", b"/metrics", 405)):
            answer, _ = self.plain.say(method + (GET % (path, b"Connection: close\r\n"))[3:])
            self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), (method, path, answer[:100]))
        row("path tricks (.., %2e, //, case, NUL, another scheme), other methods", f"{len(strange)} paths, 6 methods",
            "404, 403 or 405; nothing is decoded, no file is reachable, nothing that was asked is quoted")

    def s_client(self, *arguments, say=""):
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.tls.port}", *arguments],
                              input=say, capture_output=True, text=True, timeout=30)

    def test_tls_downgrade(self):
        weak = "ALL:eNULL:aNULL:@SECLEVEL=0"
        attempts = {"TLS 1.0": ["-tls1", "-cipher", weak], "TLS 1.1": ["-tls1_1", "-cipher", weak],
                    "no encryption": ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
                    "no certificate": ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
                    "RC4, 3DES": ["-tls1_2", "-cipher", "RC4:3DES:@SECLEVEL=0"],
                    "fallback from TLS 1.3": ["-tls1_2", "-fallback_scsv"]}
        for name, arguments in attempts.items():
            with self.subTest(name):
                done = self.s_client(*arguments)
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assertRegex(done.stderr, "alert|no ciphers|no cipher match|handshake failure")
        for version in ("-tls1_2", "-tls1_3"):
            self.assertEqual(self.s_client(version).returncode, 0)
        renegotiation = self.s_client("-tls1_2", say="R\n")
        self.assertIn("no renegotiation", renegotiation.stderr)
        answer, closed = self.tls.say(GET % (b"/metrics", b""))
        self.assertNotIn(b"pmta_", answer)
        self.assertTrue(closed)
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.load_verify_locations(self.folder / "server.crt")
        took, page = self.tls.scrape(wrap=trusting.wrap_socket)
        self.assertIn(b"pmta_deliveries_total", page)
        row("TLS downgrade: " + ", ".join(attempts) + ", renegotiation, plain HTTP to the TLS port",
            f"{len(attempts) + 2} kinds, once each", "all refused; TLS 1.2 and 1.3 answered")

    def test_timing_of_basic_auth(self):
        kinds = {"unknown user": "mallory:%d", "wrong password": "alice:%d", "another user's": "bob:right%d",
                 "no password": "bob:"}
        spent = {kind: [] for kind in kinds}
        rounds = 15
        for i in range(rounds):
            for kind, credentials in kinds.items():
                text = credentials % i if "%" in credentials else credentials
                before = self.users.cpu_time()
                answer, _ = self.users.say(GET % (b"/metrics", b"Connection: close\r\nAuthorization: Basic %s\r\n" %
                                                  base64.b64encode(text.encode())))
                spent[kind].append(self.users.cpu_time() - before)
                self.assertTrue(answer.startswith(b"HTTP/1.1 401 "), answer[:100])
        middle = {kind: statistics.median(times) * 1000 for kind, times in spent.items()}
        self.assertLess(max(middle.values()), 1.25 * min(middle.values()), middle)
        row("basic auth: CPU time of a refusal, bcrypt of cost 9", f"{rounds} of each kind, in turn",
            ", ".join(f"{kind} {value:.1f} ms" for kind, value in middle.items()))

    def test_flood_of_wrong_passwords(self):
        header = b"Connection: close\r\nAuthorization: Basic %s\r\n"
        right = GET % (b"/metrics", header % base64.b64encode(b"alice:right"))
        self.assertTrue(self.users.say(right)[0].startswith(b"HTTP/1.1 200 "))
        clients = [self.users.connect() for _ in range(300)]
        for i, client in enumerate(clients):
            client.sendall(GET % (b"/metrics", header % base64.b64encode(b"alice:%d" % i)))
        begin = time.monotonic()
        self.assertTrue(self.users.say(right)[0].startswith(b"HTTP/1.1 200 "))
        took = time.monotonic() - begin
        statuses = [self.users.say(b"", client)[0][9:12] for client in clients]
        self.assertEqual(statuses.count(b"401"), 256 + 1)  # the places, and the one that is checked already
        self.assertEqual(statuses.count(b"503"), len(clients) - 257)
        self.assertLess(took, SLOW_SCRAPE)
        row("wrong passwords at once, a scrape with the right one beside them", f"{len(clients)}",
            f"{statuses.count(b'401')} checked and refused, {statuses.count(b'503')} turned away unchecked; the scrape took "
            f"{took * 1000:.0f} ms")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
