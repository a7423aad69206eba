"""Servers that do their work wrong in one stated way, on loopback: dialogues over TCP, with TLS or without, and name servers.

A dialogue is a list of steps; up to the step `at` the server behaves, there its fault happens. The same faults serve SMTP, IMAP, POP3,
Sieve, LMTP, HTTP, SSH and TLS itself, because they are faults of a stream.
"""
import random
import socket
import struct
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

LATE = 6  # seconds: longer than every row waits
HANDSHAKE = object()  # a step in which the client begins TLS
LINE, HEAD = b"\r\n", b"\r\n\r\n"
# The same bytes in every run: control characters, an escape sequence, a bar, NUL, invalid UTF-8 and C1 controls among them.
GARBAGE = b"\x1b[31m|\x00\x07\xff\xfe\xc2\x9b" + random.Random(12).randbytes(400).replace(b"\n", b"\r") + b"\r\n"
# A record of TLS that opens a handshake message of 16 MiB, and what fills it.
TLS_OPENING, TLS_FILLING = b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + bytes(16380), b"\x16\x03\x03\x40\x00" + bytes(16384)


def wait_for_end(connection):
    while connection.recv(65536):
        pass


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def trickle(connection, text, seconds=0.05):
    for byte in text:
        connection.sendall(bytes([byte]))
        time.sleep(seconds)
    while True:
        connection.sendall(b"x")
        time.sleep(seconds)


def repeat(connection, first, piece):
    connection.sendall(first)
    while True:
        connection.sendall(piece)


def continued(good):
    """A line that says that more lines follow, in the way of the protocol: "250-…" for replies with a code, "* …" for IMAP."""
    return good[:3] + b"-and more\r\n" if good[:3].isdigit() else b"* and more\r\n" if good[:1] in b"*" else b"and: more\r\n"


def stream_fault(fault, connection, good, tls):
    """What the fault does in place of sending `good`; with `tls` the client waits for a ServerHello."""
    if fault == "silent":
        wait_for_end(connection)
    elif fault == "late":
        time.sleep(LATE)
        connection.sendall(good)
    elif fault == "reset":
        reset(connection)
    elif fault == "truncate":
        connection.sendall(TLS_OPENING[:60] if tls else good[:len(good) // 2])
    elif fault == "garble":
        connection.sendall(GARBAGE)
        wait_for_end(connection)
    elif fault == "slow-loris":
        trickle(connection, TLS_OPENING[:9] if tls else good.rstrip(b"\r\n"))
    elif fault == "endless":
        repeat(connection, TLS_OPENING if tls else b"", TLS_FILLING if tls else continued(good) * 2000)
    elif fault == "huge":
        repeat(connection, TLS_OPENING if tls else good.rstrip(b"\r\n"), TLS_FILLING if tls else b"x" * 65536)
    elif fault == "other protocol":
        connection.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n" if good.startswith((b"2", b"HTTP", b"SSH"))
                           else b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        wait_for_end(connection)
    else:
        assert fault == "close", fault


# In place of any reply.
STREAM_FAULTS = ("silent", "late", "reset", "close", "truncate", "garble", "slow-loris", "endless", "huge", "other protocol")


class Dialogue(threading.Thread):
    """`steps`: (what to wait for, what to say). `fault`: one of STREAM_FAULTS or a function of the connection; the first `well`
    connections are served without it."""

    def __init__(self, steps, fault=None, at=0, tls=None, address=("127.0.0.1", 0), well=0):
        super().__init__(daemon=True)
        self.steps, self.fault, self.at, self.tls, self.well = steps, fault, at, tls, well
        self.served = 0  # connections that ended
        self.listener = socket.create_server(address, backlog=64)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            connection.settimeout(30)
            fault, self.well = None if self.well > 0 else self.fault, self.well - 1
            threading.Thread(target=self.serve, args=(connection, fault), daemon=True).start()

    def serve(self, connection, fault):
        try:
            for number, (wait, good) in enumerate(self.steps):
                tls = wait is HANDSHAKE
                if tls and not connection.recv(1, socket.MSG_PEEK):
                    return
                if wait is not None and not tls and not self.heard(connection, wait):
                    return
                if fault and number == self.at:
                    if callable(fault):
                        fault(connection)
                    else:
                        stream_fault(fault, connection, good, tls)
                    return
                if tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                else:
                    connection.sendall(good)
            wait_for_end(connection)
        except OSError:
            pass  # the plugin has left
        finally:
            connection.close()
            self.served += 1

    @staticmethod
    def heard(connection, end):
        text = b""
        while not text.endswith(end):
            byte = connection.recv(1)
            if not byte:
                return False
            text += byte
        return True


class Dropped:
    """A port whose queue is full: the kernel drops every further SYN."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)


class ClosedPort:
    """A port that refuses connections: taken, so that nobody else gets it, and not listened to."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]


def reply(body, status="200 OK", kind="application/json", more=""):
    text = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return text.encode() + body


def http_fault(fault, good):
    """A function of the connection: faults of a web server in which HTTP itself is well-formed as far as it goes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    body = good.split(HEAD, 1)[1]
    plain = {
        "status 500": reply(b"<html>broken</html>", "500 Internal Server Error", "text/html"),
        "status 403": reply(b"<html>Access denied.</html>", "403 Forbidden", "text/html"),
        "redirect to itself": reply(b"", "302 Found", more="Location: /\r\n"),
        "another page": reply(b"<html><head><title>Welcome</title></head></html>", kind="text/html"),
        "empty body": reply(b""),
        "body cut": good[:-(len(body) // 2 + 1)],
        "garbled body": reply(GARBAGE),
        "nested body": reply(b"[" * 200000),
        # Within what a document may have in bytes, far beyond what it may have in values.
        "many nodes": (reply(b"<rsp>" + b"<a/>" * 1_800_000 + b"</rsp>", kind="text/xml") if b"text/xml" in good
                       else reply(b'{"scheduled_count": [' + b"0," * 6_000_000 + b"0]}")) if fault == "many nodes" else b"",
    }
    loops = {
        "body of 1 TB": (head + b"Content-Length: 1000000000000\r\n\r\n", b"x" * 65536),
        "endless chunks": (head + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        "endless trailer": (head + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n", (b"X-More: " + b"a" * 8000 + b"\r\n") * 100),
        "endless chunk extension": (head + b"Transfer-Encoding: chunked\r\n\r\n1;x=", b"a" * 1_000_000),
        "endless header lines": (head, b"X-More: and more\r\n" * 3000),
        "huge header line": (head + b"X-More: ", b"x" * 65536),
    }

    def say(connection):
        if fault in plain:
            connection.sendall(plain[fault])
        elif fault == "slow body":
            connection.sendall(good[:-len(body)])
            trickle(connection, body, 0.1)
        else:
            repeat(connection, *loops[fault])
    return say


HTTP_FAULTS = ("status 500", "status 403", "redirect to itself", "another page", "empty body", "body cut", "garbled body", "nested body",
               "body of 1 TB", "endless chunks", "endless trailer", "endless chunk extension", "many nodes", "endless header lines",
               "huge header line", "slow body")

# What a name server answers over UDP …
DNS_FAULTS = ("silent", "late", "no server", "wrong id", "other question", "no question", "own query sent back", "garbage",
              "garbage with the right id", "cut", "pointer loop", "counts that lie", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP",
              "referral", "alias to itself", "flood of wrong ids", "garbled text")
# … and what it does over TCP after a truncated answer over UDP.
DNS_TCP_FAULTS = ("no server", "silent", "reset", "close", "cut", "slow-loris", "wrong id", "garbage", "endless", "SERVFAIL")


class NameServer:
    """Answers from `zone`, wrong in the way of `fault`; with `tcp_fault` every answer over UDP is truncated first."""

    def __init__(self, zone, fault=None, tcp_fault=None):
        self.zone = dns.zone.from_text(zone, origin=".", relativize=False, check_origin=False)
        self.fault, self.tcp_fault = fault, tcp_fault
        while True:
            self.tcp = socket.socket()  # stays taken where nobody listens, or another server would get its port
            self.tcp.bind(("127.0.0.1", 0))
            self.port = self.tcp.getsockname()[1]
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.tcp.close()
                self.udp.close()
        if fault == "no server":
            self.udp.close()
            return
        threading.Thread(target=self.serve_udp, daemon=True).start()
        if tcp_fault != "no server":
            self.tcp.listen(64)
            threading.Thread(target=self.serve_tcp, daemon=True).start()

    def good(self, wire):
        query = dns.message.from_wire(wire)
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        node = self.zone.get_node(question.name)
        found = node.get_rdataset(dns.rdataclass.IN, question.rdtype) if node else None
        if found:
            answer.find_rrset(answer.answer, question.name, dns.rdataclass.IN, question.rdtype, create=True).update(found)
        elif node is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    def answers(self, wire):
        """The datagrams that the fault makes of the right one."""
        fault = self.fault or ""
        answer = self.good(wire)
        question = answer.question[0]
        if fault.startswith("addresses: ") and question.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            if fault == "addresses: silent":
                return []
            answer.answer = []
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif fault in ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"):
            answer.answer = []
            answer.set_rcode(dns.rcode.from_text(fault))
        elif fault == "referral":
            answer.answer = []
            answer.set_rcode(dns.rcode.NOERROR)
            answer.flags &= ~dns.flags.RA
            answer.authority = [dns.rrset.from_text("example.", 3600, "IN", "NS", "ns.example.")]
        elif fault == "alias to itself":
            name = question.name.to_text()
            answer.set_rcode(dns.rcode.NOERROR)
            answer.answer = [dns.rrset.from_text(name, 60, "IN", "CNAME", name)]
        elif fault == "other question":
            question.name = dns.name.from_text("other.example.")
        elif fault == "no question":
            answer.question = []
        elif fault == "garbled text" and question.rdtype == dns.rdatatype.TXT:
            answer.set_rcode(dns.rcode.NOERROR)
            start = self.text_start(question.name)
            text = "".join(f"\\{byte:03d}" for byte in start + GARBAGE[:200])
            answer.answer = [dns.rrset.from_text(question.name.to_text(), 60, "IN", "TXT", f'"{text}"')]
        elif fault == "garbled text":
            answer.set_rcode(dns.rcode.NOERROR)
            answer.answer = []
            if question.rdtype == dns.rdatatype.A and ".bl." in question.name.to_text():
                answer.answer = [dns.rrset.from_text(question.name.to_text(), 60, "IN", "A", "127.0.0.2")]
            elif question.rdtype in (dns.rdatatype.PTR, dns.rdatatype.MX):
                host = "".join(f"\\{byte:03d}" for byte in GARBAGE[:40]) + ".example.net."
                value = host if question.rdtype == dns.rdatatype.PTR else "10 " + host
                answer.answer = [dns.rrset.from_text(question.name.to_text(), 60, "IN", question.rdtype, value)]
        return self.wires(answer.to_wire(max_size=65535), wire)

    def text_start(self, name):
        """A record that a reader recognises as its own, so that the garbage behind is read too."""
        node = self.zone.get_node(name)
        found = node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.TXT) if node else None
        return found[0].strings[0][:14] if found else b""

    def wires(self, good, query):
        ident = good[:2]
        question = query[12:query.index(b"\0", 12) + 5]
        return {
            "silent": [], "wrong id": [bytes([good[0] ^ 0x5A]) + good[1:]], "own query sent back": [query],
            "garbage": [GARBAGE], "garbage with the right id": [ident + b"\x81\x80" + GARBAGE], "cut": [good[:len(good) - 8]],
            # The owner of the one record is a pointer to itself.
            "pointer loop": [ident + b"\x81\x80\0\1\0\1\0\0\0\0" + question + bytes([0xC0, 12 + len(question)])
                             + b"\0\x10\0\1\0\0\0\0\0\0"],
            "counts that lie": [good[:6] + b"\xff\xff" + good[8:]],
        }.get(self.fault, [good])

    def serve_udp(self):
        while True:
            wire, peer = self.udp.recvfrom(4096)
            try:
                self.answer_udp(wire, peer)
            except (dns.exception.DNSException, OSError):
                pass  # no question, or the plugin has left

    def answer_udp(self, wire, peer):
        if self.tcp_fault:
            answer = self.good(wire)
            answer.answer = []
            answer.flags |= dns.flags.TC
            self.udp.sendto(answer.to_wire(), peer)
        elif self.fault == "late":
            threading.Timer(LATE, self.udp.sendto, (self.good(wire).to_wire(), peer)).start()
        elif self.fault == "flood of wrong ids":
            threading.Thread(target=self.flood, args=(self.good(wire).to_wire(), peer), daemon=True).start()
        else:
            for datagram in self.answers(wire):
                self.udp.sendto(datagram, peer)

    def flood(self, good, peer):
        end = time.monotonic() + 3
        number = 0
        while time.monotonic() < end:
            for _ in range(50):
                number += 1
                ident = (int.from_bytes(good[:2], "big") + 1 + number % 16) % 65536
                try:
                    self.udp.sendto(ident.to_bytes(2, "big") + good[2:], peer)
                except OSError:
                    return
            time.sleep(0.005)

    def serve_tcp(self):
        while True:
            connection, _ = self.tcp.accept()
            connection.settimeout(30)
            threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection):
        try:
            while True:
                head = connection.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                wire = connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
                if self.tcp_fault is None:
                    for answer in self.answers(wire):
                        connection.sendall(len(answer).to_bytes(2, "big") + answer)
                    continue
                if not self.tcp_faulty(connection, wire):
                    return
        except OSError:
            pass  # the plugin has left
        finally:
            connection.close()

    def tcp_faulty(self, connection, wire):
        """Whether the connection goes on."""
        fault, good = self.tcp_fault, self.good(wire).to_wire()
        framed = len(good).to_bytes(2, "big") + good
        if fault == "silent":
            wait_for_end(connection)
        elif fault == "reset":
            reset(connection)
        elif fault == "cut":
            connection.sendall(framed[:len(framed) // 2])
        elif fault == "slow-loris":
            trickle(connection, b"\xff\xff" + good)
        elif fault == "wrong id":
            connection.sendall(framed[:2] + bytes([framed[2] ^ 0x5A]) + framed[3:])
            return True
        elif fault == "garbage":
            connection.sendall(len(GARBAGE).to_bytes(2, "big") + GARBAGE)
            return True
        elif fault == "endless":
            other = bytes([good[0] ^ 0x5A]) + good[1:] + bytes(65535 - len(good))
            repeat(connection, b"", b"\xff\xff" + other)
        elif fault == "SERVFAIL":
            answer = dns.message.make_response(dns.message.from_wire(wire))
            answer.set_rcode(dns.rcode.SERVFAIL)
            wired = answer.to_wire()
            connection.sendall(len(wired).to_bytes(2, "big") + wired)
            return True
        return False
