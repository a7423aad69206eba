"""The rows of the fault matrix: which plugin meets which fault, the state that its documentation promises, and the words that say so.

The rule behind the states (docs/plugins.md): what is checked does not answer or answers wrongly is CRITICAL; what kept the plugin from
looking (a name server, a file, a program, a login) is UNKNOWN. OK is promised only where the right answer came in spite of the fault.
"""
import base64
import dataclasses
import gzip
import os
import ssl
import time

import dkim

import fault_programs
from fault_servers import (DNS_FAULTS, DNS_TCP_FAULTS, GARBAGE, HANDSHAKE, HEAD, HTTP_FAULTS, LINE, STREAM_FAULTS, ClosedPort, Dialogue,
                           Dropped, NameServer, http_fault, reply)
from mail_servers import Authority, openssl

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
SECONDS = 2  # of -t in every row
MIB = 64  # of memory at most; the largest small file or output that is read whole has 16 MiB, and is copied as it grows
DOCUMENT_MIB = 160  # where a document may have 64 MiB: it, and the same again while its room is doubled


@dataclasses.dataclass
class Row:
    plugin: str
    target: str  # what is faulty, in the words of the matrix
    fault: str
    arguments: list
    state: int
    says: str  # what the first line must hold, a regular expression
    environment: dict = dataclasses.field(default_factory=dict)
    prefix: list = dataclasses.field(default_factory=list)
    as_nobody: bool = False
    server: object = None  # what must live as long as the row
    mib: int = MIB
    family: str = ""


class World:
    """Everything that rows share: a folder, an authority, the zone."""

    def __init__(self, folder, root):
        self.folder, self.root = folder, root
        self.authority = Authority(folder / "ca")
        chain, key = self.authority.certificate("mail", "mail.example.net")
        self.chain, self.key = chain, key
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(chain, key)
        sts_chain, sts_key = self.authority.certificate("sts", "mta-sts.example.net")
        self.sts_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.sts_tls.load_cert_chain(sts_chain, sts_key)
        self.dkim_key = folder / "dkim.key"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.dkim_key)
        openssl("pkey", "-in", self.dkim_key, "-pubout", "-outform", "DER", "-out", folder / "dkim.der")
        self.public = base64.b64encode((folder / "dkim.der").read_bytes()).decode()
        self.password = folder / "password"
        self.password.write_text("secret word\n")
        os.chown(self.password, 65534, 65534)
        self.password.chmod(0o600)
        self.name_server = NameServer(self.zone())

    def zone(self, policy_host="127.0.0.1"):
        text = f"v=DKIM1; k=rsa; p={self.public}"
        pieces = " ".join(f'"{text[at:at + 200]}"' for at in range(0, len(text), 200))
        return f"""$ORIGIN .
$TTL 3600
. SOA ns.test. admin.test. 1 3600 600 86400 300
. NS ns.test.
example.net. TXT "v=spf1 ip4:192.0.2.1 -all"
example.net. MX 10 mail.example.net.
mx.example.net. TXT "v=spf1 mx -all"
mx.example.net. MX 10 mail.example.net.
mail.example.net. A 192.0.2.1
1.2.0.192.in-addr.arpa. PTR mail.example.net.
s1._domainkey.example.net. TXT {pieces}
_dmarc.example.net. TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.net"
_smtp._tls.example.net. TXT "v=TLSRPTv1; rua=mailto:tls@example.net"
_mta-sts.example.net. TXT "v=STSv1; id=20260101T000000;"
mta-sts.example.net. A {policy_host}
2.0.0.127.bl.example.net. A 127.0.0.2
"""


def dns_rows(world):
    subjects = {
        "check_dkim": ["-d", "example.net", "-s", "s1"], "check_dmarc": ["-d", "example.net"],
        "check_dnsbl": ["-a", "192.0.2.1", "-l", "bl.example.net"], "check_fcrdns": ["-i", "192.0.2.1"],
        "check_mta_sts": ["-d", "example.net"], "check_mx": ["-d", "example.net"],
        "check_spf": ["-d", "example.net", "-i", "192.0.2.1"], "check_tls_rpt": ["-d", "example.net"],
    }
    # What check_dnsbl says of a list or of the resolver, what the others say of a lookup.
    no_use = "an answer of use|does not answer"
    said = {"no server": "cannot be reached|does not answer", "SERVFAIL": "SERVFAIL", "REFUSED": "REFUSED|every list refuses",
            "NOTIMP": "NOTIMP", "referral": "names other servers|referral", "FORMERR": "FORMERR|" + no_use,
            "alias to itself": "in a circle|CNAME loop",
            "garbled text": ".", **dict.fromkeys(("own query sent back", "cut", "pointer loop", "counts that lie"),
                                                 "cannot be read|malformed")}
    said_over_tcp = {"SERVFAIL": "SERVFAIL", **dict.fromkeys(("no server", "reset", "close", "cut"),
                                                             "cannot be reached|does not answer")}
    servers = [("DNS", fault, NameServer(world.zone(), fault), said.get(fault, no_use)) for fault in DNS_FAULTS]
    servers += [("DNS over TCP", fault, NameServer(world.zone(), None, fault), said_over_tcp.get(fault, no_use))
                for fault in DNS_TCP_FAULTS]
    for plugin, arguments in subjects.items():
        if plugin != "check_mta_sts":  # its own baseline is among policy_rows
            yield Row(plugin, "DNS", "none", [*arguments, "--dns-server", f"127.0.0.1:{world.name_server.port}"], OK, "")
        for family, fault, server, says in servers:
            # A record that nobody can use is a fact; a list that lists even its clean test entry lists everything.
            fact = fault == "garbled text" and plugin != "check_dnsbl"
            yield Row(plugin, family, fault, [*arguments, "--dns-server", f"127.0.0.1:{server.port}"],
                      CRITICAL if fact else UNKNOWN, says)
    # Without its own test a list that fails could look like one that lists nothing.
    for family, fault, server, says in servers:
        yield Row("check_dnsbl", f"{family}, --no-self-test", fault,
                  [*subjects["check_dnsbl"], "--no-self-test", "--dns-server", f"127.0.0.1:{server.port}"],
                  # The header of the cut answer is whole, and it says NXDOMAIN.
                  OK if (family, fault) == ("DNS", "cut") else CRITICAL if fault == "garbled text" else UNKNOWN,
                  "." if fault == "cut" else says)


def half_seen_rows(world):
    """The first thing asked is answered well, what has to be asked after it is not."""
    status, domains = fault_programs.pmta_pages(world.root)
    groups = ["--mta", "pmta", "--by", "domain", "--critical-group", "100000"]
    # The first connection asks for the status.
    steps = [(HEAD, reply(status, kind="text/xml"))] * 2
    for fault in (*STREAM_FAULTS, *HTTP_FAULTS):
        good = reply(domains, kind="text/xml")
        server = Dialogue(steps, fault if fault in STREAM_FAULTS else http_fault(fault, good), well=1)
        yield Row("check_mta_queue", "PowerMTA's monitor, second page", fault, [*groups, "--url", f"http://127.0.0.1:{server.port}"],
                  UNKNOWN, "domain", mib=DOCUMENT_MIB if fault == "endless chunks" else MIB)
    for fault in ("addresses: silent", "addresses: SERVFAIL"):
        server = ["--dns-server", f"127.0.0.1:{NameServer(world.zone(), fault).port}"]
        for plugin, arguments in (("check_fcrdns", ["-i", "192.0.2.1"]), ("check_mx", ["-d", "example.net"]),
                                  ("check_mta_sts", ["-d", "example.net"]), ("check_spf", ["-d", "mx.example.net", "-i", "192.0.2.1"])):
            yield Row(plugin, "DNS", fault, [*arguments, *server], UNKNOWN, "mail.example.net|mta-sts.example.net")
    good, bad = Dialogue(SMTP, tls=world.tls), Dialogue(SMTP, "silent", 0, world.tls)
    yield Row("check_mail_cert", "one of two endpoints", "silent",
              ["-e", f"smtp://127.0.0.1:{good.port}", "-e", f"smtp://127.0.0.1:{bad.port}", "--name", "mail.example.net", "--ca-file",
               str(world.authority.ca)], CRITICAL, f"{bad.port}: {SILENT}|{bad.port}.*{SILENT}")


SMTP = [(None, b"220 mail.example.net ESMTP\r\n"), (LINE, b"250-mail.example.net\r\n250-PIPELINING\r\n250 STARTTLS\r\n"),
        (LINE, b"220 2.0.0 go ahead\r\n"), (HANDSHAKE, b"")]
SUBMISSION = [*SMTP, (LINE, b"250-mail.example.net\r\n250 AUTH PLAIN\r\n"), (LINE, b"235 2.7.0 welcome\r\n"),
              (LINE, b"250 2.1.0 sender taken\r\n"), (LINE, b"250 2.1.5 recipient taken\r\n"), (LINE, b"250 2.0.0 reset\r\n"),
              (LINE, b"221 2.0.0 bye\r\n")]
GREETINGS = {
    "lmtp": [SMTP[0], *SMTP[1:]],
    "imap": [(None, b"* OK ready\r\n"), (LINE, b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n"), (LINE, b"a2 OK go ahead\r\n"),
             (HANDSHAKE, b"")],
    "pop3": [(None, b"+OK ready\r\n"), (LINE, b"+OK\r\nSTLS\r\n.\r\n"), (LINE, b"+OK go ahead\r\n"), (HANDSHAKE, b"")],
    "sieve": [(None, b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "ready"\r\n'), (LINE, b'OK "go ahead"\r\n'), (HANDSHAKE, b"")],
    "smtps": [(HANDSHAKE, b"")], "https": [(HANDSHAKE, b"")],
}
SILENT = "no answer|in time|when the time was over"


def stream_rows(plugin, target, steps, at, arguments, tls=None, state=CRITICAL, seen=()):
    """One row for each fault of the step `at`; `arguments` of a port. In `seen` the whole answer came before the fault."""
    for fault in STREAM_FAULTS:
        port = Dialogue(steps, fault, at, tls).port
        says = "."
        if fault in ("silent", "late", "slow-loris"):
            says = SILENT
        elif fault in ("reset", "close", "truncate"):
            says = "close[ds]|reset|disconnected|cut short|Broken pipe"
        yield Row(plugin, target, fault, arguments(port), OK if fault in seen else state, says)


def unreachable_rows(plugin, target, arguments, state=CRITICAL):
    closed, dropped = ClosedPort(), Dropped()
    yield Row(plugin, target, "closed port", arguments(closed.port), state, "refused", server=closed)
    yield Row(plugin, target, "SYN dropped", arguments(dropped.port), state, SILENT, server=dropped)


def mail_rows(world):
    def cert(scheme):
        return lambda port: ["-e", f"{scheme}://127.0.0.1:{port}", "--name", "mail.example.net", "--ca-file", str(world.authority.ca)]

    def submit(port):
        return ["-H", "127.0.0.1", "-p", str(port), "--user", "monitor@example.net", "--password-file", str(world.password), "--name",
                "mail.example.net", "--ca-file", str(world.authority.ca)]

    for scheme, steps in {"smtp": SMTP, **GREETINGS}.items():
        yield Row("check_mail_cert", scheme, "none", cert(scheme)(Dialogue(steps, tls=world.tls).port), OK, "")
    yield from unreachable_rows("check_mail_cert", "smtp", cert("smtp"))
    for at, stage in enumerate(("greeting", "EHLO", "STARTTLS", "handshake")):
        yield from stream_rows("check_mail_cert", f"smtp, {stage}", SMTP, at, cert("smtp"), world.tls)
    for scheme in ("imap", "pop3", "sieve", "lmtp", "smtps", "https"):
        yield from stream_rows("check_mail_cert", scheme, GREETINGS[scheme], 0, cert(scheme), world.tls)
    yield Row("check_mail_submit", "submission", "none", submit(Dialogue(SUBMISSION, tls=world.tls).port), OK, "")
    yield from unreachable_rows("check_mail_submit", "submission", submit)
    for at, stage in enumerate(("greeting", "EHLO", "STARTTLS", "handshake", "EHLO in TLS", "AUTH", "MAIL", "RCPT")):
        yield from stream_rows("check_mail_submit", f"submission, {stage}", SUBMISSION, at, submit, world.tls)


KUMO = (b'{"scheduled_count": {"type": "gauge", "value": {"queue": {"news@example.com": 40}}}, '
        b'"ready_count": {"type": "gauge", "value": {"service": {"smtp_client": 8}}}}')
POLICY = b"version: STSv1\nmode: enforce\nmx: mail.example.net\nmax_age: 604800\n"


def http_rows(world):
    status = fault_programs.pmta_status(world.root, "xml").encode()
    subjects = {
        ("check_mta_queue", "PowerMTA's monitor"): (reply(status, kind="text/xml"), UNKNOWN,
                                                    lambda port: ["--mta", "pmta", "--url", f"http://127.0.0.1:{port}"]),
        ("check_mta_queue", "KumoMTA's metrics"): (reply(KUMO), UNKNOWN,
                                                   lambda port: ["--mta", "kumomta", "--url", f"http://127.0.0.1:{port}"]),
        ("check_mta_service", "--url"): (reply(b"x" * 100, kind="text/plain"), CRITICAL,
                                         lambda port: ["--url", f"http://127.0.0.1:{port}/alive"]),
        ("check_mta_host", "KumoMTA's metrics"): (reply(KUMO), UNKNOWN,
                                                  lambda port: ["--mta", "kumomta", "--services", "x", "--url",
                                                                f"http://127.0.0.1:{port}"]),
    }
    for (plugin, target), (good, state, arguments) in subjects.items():
        steps = [(HEAD, good)] * 20
        yield Row(plugin, target, "none", arguments(Dialogue(steps).port), OK, "")
        yield from unreachable_rows(plugin, target, arguments, state)
        # What follows an answer of the announced length is not read.
        yield from stream_rows(plugin, target, steps, 0, arguments, state=state, seen=("huge",))
        for fault in HTTP_FAULTS:
            # --url asks for a status of 200, whatever the page says.
            seen = target == "--url" and fault in ("another page", "empty body", "garbled body", "nested body")
            yield Row(plugin, target, fault, arguments(Dialogue(steps, http_fault(fault, good)).port), OK if seen else state,
                      ".", mib=DOCUMENT_MIB if fault == "endless chunks" else MIB)


def policy_rows(world):
    """check_mta_sts: the record is well, the policy's web server is not. Each server has an address of its own, for the port is 443."""
    good = reply(POLICY, kind="text/plain")
    steps = [(HANDSHAKE, b""), (HEAD, good)]
    faults = [("none", None, 0)] + [(f"{fault} in TLS", fault, 1) for fault in STREAM_FAULTS]
    faults += [(f"{fault}, handshake", fault, 0) for fault in STREAM_FAULTS]
    faults += [(fault, http_fault(fault, good), 1) for fault in HTTP_FAULTS]
    for number, (name, fault, at) in enumerate(faults, 1):
        address = f"127.0.2.{number}"
        Dialogue(steps, fault, at, world.sts_tls, (address, 443))
        server = NameServer(world.zone(address))
        yield Row("check_mta_sts", "policy over HTTPS", name,
                  ["-d", "example.net", "--dns-server", f"127.0.0.1:{server.port}", "--ca-file", str(world.authority.ca)],
                  CRITICAL if fault else OK, ".")


def ssh_rows():
    pin = ["--ssh-host-key", "SHA256:" + "A" * 43]
    subjects = {"check_mta_host": ["--mta", "postfix"], "check_mta_queue": ["--mta", "postfix"], "check_mta_service": ["-u", "x"]}
    steps = [(None, b"SSH-2.0-OpenSSH_9.2\r\n"), (LINE, b"\x00\x00\x7f\xf0\x0a\x14" + bytes(600))]
    for plugin, arguments in subjects.items():
        def over(port, arguments=arguments):
            return [*arguments, "--ssh", f"127.0.0.1:{port}", *pin]
        yield from unreachable_rows(plugin, "SSH", over, UNKNOWN)
        yield from stream_rows(plugin, "SSH, version", steps, 0, over, state=UNKNOWN)
        yield from stream_rows(plugin, "SSH, key exchange", steps, 1, over, state=UNKNOWN)


def banner_rows():
    steps = [(None, b"220 mail.example.net ESMTP\r\n"), (LINE, b"221 bye\r\n")]

    def banner(port):
        return ["--banner", f"127.0.0.1:{port}"]
    yield Row("check_mta_service", "--banner", "none", banner(Dialogue(steps).port), OK, "")
    yield from unreachable_rows("check_mta_service", "--banner", banner)
    yield from stream_rows("check_mta_service", "--banner", steps, 0, banner)


def program_rows(world):
    subjects = {
        ("check_mta_queue", "postqueue"): ["--mta", "postfix"],
        ("check_mta_queue", "pmta"): ["--mta", "pmta", "--pmta-program"],
        ("check_mta_service", "systemctl"): ["-u", "x"],
        ("check_bounce_rate", "journalctl"): ["--format", "postfix", "--journal", "x.service"],
    }
    for program in ("systemctl", "postqueue", "journalctl", "df"):
        subjects["check_mta_host", program] = ["--mta", "postfix", "--services", "x"]
    for (plugin, program), arguments in subjects.items():
        yield Row(plugin, program, "none", arguments, OK, "")
        for fault in fault_programs.PROGRAM_FAULTS:
            if fault in ("not executable", "no such program") and program not in ("postqueue", "pmta"):
                continue  # the machine's own would be found instead
            if fault == "no such program" and plugin == "check_mta_host":
                continue  # the same for all its other programs
            state = OK if fault == "leaves a child with the pipe" else UNKNOWN
            if (plugin, program, fault) == ("check_mta_host", "journalctl", "garbage"):
                state = WARNING  # whatever the journal shows under --priority=err is an error
            large = (program, fault) in (("pmta", "endless good lines"), ("pmta", "one endless line"), ("postqueue", "one endless line"))
            says = f"{program}|journal|PowerMTA|holds no record" if state == UNKNOWN else "."
            yield Row(plugin, program, fault, arguments, state, says,
                      {"FAULT": f"{program}:{fault}"}, fault_programs.surroundings(world.folder, program, fault),
                      mib=DOCUMENT_MIB if large else MIB)


FILE_FAULTS = ("missing", "not readable", "directory", "FIFO", "garbage", "empty", "endless device", "one line of 64 MiB", "cut gzip")


def bad_files(folder):
    """path of each fault"""
    paths = {fault: folder / fault.replace(" ", "_") for fault in FILE_FAULTS}
    paths["not readable"].write_text("x\n")
    paths["not readable"].chmod(0)
    paths["directory"].mkdir()
    os.mkfifo(paths["FIFO"])
    paths["garbage"].write_bytes(GARBAGE * 20)
    paths["empty"].write_bytes(b"")
    paths["endless device"] = "/dev/zero"
    paths["one line of 64 MiB"].write_bytes(b"x" * (64 << 20))
    paths["cut gzip"] = folder / "cut.gz"
    packed = gzip.compress(os.urandom(4000).hex().encode())
    paths["cut gzip"].write_bytes(packed[:len(packed) // 2])
    return paths


def accounting(count):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(time.time() - 60))
    return "type,timeLogged,orig,rcpt,vmta\n" + f"d,{stamp},bounce@example.net,user@example.com,v1\n" * count


def kumo_log(count):
    now = int(time.time()) - 60
    return (f'{{"type":"Delivery","id":"x","sender":"bounce@example.net","recipient":"user@example.com","queue":"example.com",'
            f'"site":"s","size":100,"response":{{"code":250,"enhanced_code":null,"content":"ok","command":null}},'
            f'"timestamp":{now},"created":{now - 5},"num_attempts":0,'
            '"bounce_classification":"Uncategorized","meta":{},"headers":{}}\n') * count


def file_rows(world):
    folder = world.folder / "files"
    folder.mkdir()
    name_server = ["--dns-server", f"127.0.0.1:{world.name_server.port}"]
    port = Dialogue(SUBMISSION, tls=world.tls).port
    submit = ["-H", "127.0.0.1", "-p", str(port), "--user", "monitor@example.net", "--name", "mail.example.net"]
    endpoint = ["-e", f"smtp://127.0.0.1:{Dialogue(SMTP, tls=world.tls).port}", "--name", "mail.example.net"]
    trust = ["--ca-file", str(world.authority.ca)]
    password = ["--password-file", str(world.password)]
    status = reply(fault_programs.pmta_status(world.root, "xml").encode())
    monitor = ["--mta", "pmta", "--url", f"http://127.0.0.1:{Dialogue([(HEAD, status)] * 20).port}"]
    good = {name: folder / f"good {name}" for name in ("acct", "postfix", "kumomta", "message", "lists", "ini", "classes")}
    good["acct"].write_text(accounting(150))
    good["postfix"].write_text(fault_programs.log_lines(150))
    good["kumomta"].write_text(kumo_log(150))
    good["lists"].write_text("lists:\n  - name: bl.example.net\n    zone: bl.example.net\n    kind: ip\n    codes:\n"
                             "      - {match: 127.0.0.2, meaning: listed, severity: critical}\n")
    good["ini"].write_text("[check_mx]\ndomain = example.net\n")
    good["classes"].write_text("{}\n")
    message = b"From: a@example.net\r\nTo: b@example.com\r\nSubject: test\r\n\r\nhello\r\n"
    good["message"].write_bytes(dkim.sign(message, b"s1", b"example.net", world.dkim_key.read_bytes()) + message)
    for path in good.values():
        path.chmod(0o644)
    subjects = {
        ("check_bounce_rate", "accounting file"): (good["acct"], lambda f: ["-f", f]),
        ("check_bounce_rate", "Postfix log"): (good["postfix"], lambda f: ["--format", "postfix", "-f", f]),
        ("check_bounce_rate", "KumoMTA log"): (good["kumomta"], lambda f: ["--format", "kumomta", "-f", f]),
        ("check_bounce_rate", "--classes"): (good["classes"], lambda f: ["-f", str(good["acct"]), "--classes", f]),
        ("check_mta_host", "accounting file"): (good["acct"], lambda f: ["--mta", "pmta", "--services", "x", "--acct", f]),
        ("check_dkim", "--private-key"): (world.dkim_key, lambda f: ["-d", "example.net", "-s", "s1", "--private-key", f, *name_server]),
        ("check_dkim", "--message"): (good["message"], lambda f: ["--message", f, *name_server]),
        ("check_dnsbl", "--list-file"): (good["lists"], lambda f: ["-a", "192.0.2.1", "--list-file", f, *name_server]),
        ("check_mail_cert", "certificate file"): (world.chain, lambda f: ["-e", f"file://{f}", *trust]),
        ("check_mail_cert", "--ca-file"): (world.authority.ca, lambda f: [*endpoint, "--ca-file", f]),
        ("check_mail_cert", "--key"): (world.key, lambda f: [*endpoint, *trust, "--key", f]),
        ("check_mail_cert", "--same-as"): (world.chain, lambda f: [*endpoint, *trust, "--same-as", f]),
        ("check_mail_submit", "--password-file"): (world.password, lambda f: [*submit, *trust, "--password-file", f]),
        ("check_mail_submit", "--ca-file"): (world.authority.ca, lambda f: [*submit, *password, "--ca-file", f]),
        ("check_mta_queue", "--api-key-file"): (None, lambda f: [*monitor, "--api-key-file", f]),
        ("check_mta_queue", "--basic-auth-file"): (None, lambda f: [*monitor, "--basic-auth-file", f]),
        ("check_mta_sts", "--ca-file"): (None, lambda f: ["-d", "example.net", *name_server, "--ca-file", f]),
        ("check_mx", "--extra-opts"): (good["ini"], lambda f: [f"--extra-opts=@{f}", *name_server]),
    }
    bad = bad_files(folder)
    for (plugin, target), (well, arguments) in subjects.items():
        if well is not None:
            yield Row(plugin, target, "none", arguments(str(well)), OK, "")
        for fault in FILE_FAULTS:
            # A message without a signature is a fact, whatever else it holds.
            fact = target == "--message" and fault == "garbage"
            yield Row(plugin, target, fault, arguments(str(bad[fault])), CRITICAL if fact else UNKNOWN,
                      # To read a message of 64 MiB may take a busy machine all of its time.
                      "not signed" if fact else f"{bad[fault]}|holds? no record|does not log d records|timed out",
                      as_nobody=fault == "not readable", mib=DOCUMENT_MIB if target == "--message" else MIB)


def all_rows(folder, root):
    world = World(folder, root)
    families = {"name server": dns_rows(world), "mail server": mail_rows(world), "web server": http_rows(world),
                "policy over HTTPS": policy_rows(world), "SSH server": ssh_rows(), "greeting": banner_rows(),
                "program": program_rows(world), "file": file_rows(world),
                "the second thing asked": half_seen_rows(world)}
    for family, rows in families.items():
        for row in rows:
            row.family = family
            yield row
