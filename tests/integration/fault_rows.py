"""The rows of the fault matrix: which plugin meets which fault, the state that its documentation promises, and the words that say so.

The rule behind the states (docs/plugins.md): what is checked does not answer or answers wrongly is CRITICAL; what kept the plugin from
looking (a name server, a file, a program, a login) is UNKNOWN. OK is promised only where the right answer came in spite of the fault.
"""
import base64
import dataclasses
import functools
import gzip
import os
import random
import ssl
import time

import dkim

import fault_programs
import fault_promises as promises
from fault_servers import (DNS_FAULTS, DNS_TCP_FAULTS, GARBAGE, HANDSHAKE, HEAD, HTTP_FAULTS, LINE, STREAM_FAULTS, ClosedPort, Dialogue,
                           Dropped, NameServer, http_fault, reply)
from mail_servers import Authority, openssl

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
SECONDS = 2  # of -t in every row
MIB = 64  # of memory at most, whatever a peer sends; a document has at most 24 MiB, and is copied as it grows
MESSAGE_MIB = 160  # a mail of the operator's own may have 64 MiB: it, and the same again while its room is doubled


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
    subjects = {  # arguments, and what is asked first
        "check_dkim": (["-d", "example.net", "-s", "s1"], "TXT s1._domainkey.example.net"),
        "check_dmarc": (["-d", "example.net"], "TXT _dmarc.example.net"),
        "check_dnsbl": (["-a", "192.0.2.1", "-l", "bl.example.net"], None),
        "check_fcrdns": (["-i", "192.0.2.1"], "PTR 1.2.0.192.in-addr.arpa"),
        "check_mta_sts": (["-d", "example.net"], "TXT _mta-sts.example.net"),
        "check_mx": (["-d", "example.net"], "MX example.net"),
        "check_spf": (["-d", "example.net", "-i", "192.0.2.1"], "TXT example.net"),
        "check_tls_rpt": (["-d", "example.net"], "TXT _smtp._tls.example.net"),
    }
    servers = [("DNS", fault, NameServer(world.zone(), fault)) for fault in DNS_FAULTS]
    servers += [("DNS over TCP", fault, NameServer(world.zone(), None, fault)) for fault in DNS_TCP_FAULTS]
    for plugin, (arguments, question) in subjects.items():
        if plugin != "check_mta_sts":  # its own baseline is among policy_rows
            yield Row(plugin, "DNS", "none", [*arguments, "--dns-server", f"127.0.0.1:{world.name_server.port}"], OK,
                      promises.RIGHT_ANSWERS[plugin])
        for family, fault, server in servers:
            where = f"127.0.0.1:{server.port}"
            # A record that nobody can use is a fact; a list that lists even its clean test entry lists everything.
            fact = fault == "garbled text" and plugin != "check_dnsbl"
            says = promises.GARBLED_TEXT[plugin] if fact else (
                promises.of_lookup(question, where) if question else promises.of_blocklist(where))[family][fault]
            yield Row(plugin, family, fault, [*arguments, "--dns-server", where], CRITICAL if fact else UNKNOWN, says)
    # Without its own test a list that fails could look like one that lists nothing.
    for family, fault, server in servers:
        where = f"127.0.0.1:{server.port}"
        state, says = UNKNOWN, promises.of_blocklist(where)[family][fault]
        if (family, fault) == ("DNS", "cut"):  # the header of the cut answer is whole, and it says NXDOMAIN
            state, says = OK, promises.RIGHT_ANSWERS["check_dnsbl"]
        elif fault == "garbled text":
            state, says = CRITICAL, r"192\.0\.2\.1 is listed by bl\.example\.net \(127\.0\.0\.2\)"
        yield Row("check_dnsbl", f"{family}, --no-self-test", fault,
                  [*subjects["check_dnsbl"][0], "--no-self-test", "--dns-server", where], state, says)


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
                  UNKNOWN, page_says(server.port, r"domains\?format=xml", fault, promises.OF_POWERMTA_DOMAINS[fault],
                                     "the queue by domain could not be seen: "))
    for fault, words in (("addresses: silent", "silent"), ("addresses: SERVFAIL", "SERVFAIL")):
        where = f"127.0.0.1:{NameServer(world.zone(), fault).port}"
        for plugin, arguments, host in (("check_fcrdns", ["-i", "192.0.2.1"], "mail"), ("check_mx", ["-d", "example.net"], "mail"),
                                        ("check_mta_sts", ["-d", "example.net"], "mta-sts"),
                                        ("check_spf", ["-d", "mx.example.net", "-i", "192.0.2.1"], "mail")):
            yield Row(plugin, "DNS", fault, [*arguments, "--dns-server", where], UNKNOWN,
                      promises.of_lookup(f"A {host}.example.net", where)["DNS"][words])
    good, bad = Dialogue(SMTP, tls=world.tls), Dialogue(SMTP, "silent", 0, world.tls)
    yield Row("check_mail_cert", "one of two endpoints", "silent",
              ["-e", f"smtp://127.0.0.1:{good.port}", "-e", f"smtp://127.0.0.1:{bad.port}", "--name", "mail.example.net", "--ca-file",
               str(world.authority.ca)], CRITICAL, f"smtp://127.0.0.1:{bad.port}: .*{promises.of_mail_cert('SMTP')['silent']}")


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


def stream_rows(plugin, target, steps, at, arguments, says, tls=None, state=CRITICAL, seen=()):
    """One row for each fault of the step `at`; `arguments` of a port. `says`: words by fault, behind the port, or a function of the
    port that makes them. In `seen` the whole answer came before the fault."""
    for fault in STREAM_FAULTS:
        port = Dialogue(steps, fault, at, tls).port
        words = says(port)[fault] if callable(says) else f":{port}\\b.*({says[fault]})"
        yield Row(plugin, target, fault, arguments(port), OK if fault in seen else state, words)


def unreachable_rows(plugin, target, arguments, state=CRITICAL):
    closed, dropped = ClosedPort(), Dropped()
    where = "127.0.0.1(:| port )"
    yield Row(plugin, target, "closed port", arguments(closed.port), state, f"{where}{closed.port}: Connection refused", server=closed)
    yield Row(plugin, target, "SYN dropped", arguments(dropped.port), state,
              f"{where}{dropped.port}: no answer to the connection attempt in time|no answer from {where}{dropped.port} in time",
              server=dropped)


def mail_rows(world):
    def cert(scheme):
        return lambda port: ["-e", f"{scheme}://127.0.0.1:{port}", "--name", "mail.example.net", "--ca-file", str(world.authority.ca)]

    def submit(port):
        return ["-H", "127.0.0.1", "-p", str(port), "--user", "monitor@example.net", "--password-file", str(world.password), "--name",
                "mail.example.net", "--ca-file", str(world.authority.ca)]

    protocols = {"smtp": "SMTP", "lmtp": "LMTP", "imap": "IMAP", "pop3": "POP3", "sieve": "ManageSieve"}
    for scheme, steps in {"smtp": SMTP, **GREETINGS}.items():
        server = Dialogue(steps, tls=world.tls)
        yield Row("check_mail_cert", scheme, "none", cert(scheme)(server.port), OK,
                  f"{scheme}://127.0.0.1:{server.port}: " + promises.RIGHT_ANSWERS["check_mail_cert"])
    yield from unreachable_rows("check_mail_cert", "smtp", cert("smtp"))
    for at, stage in enumerate(("greeting", "EHLO", "STARTTLS", "handshake")):
        says = promises.of_mail_cert_handshake(True) if stage == "handshake" else promises.of_mail_cert("SMTP")
        yield from stream_rows("check_mail_cert", f"smtp, {stage}", SMTP, at, cert("smtp"), says, world.tls)
    for scheme in ("imap", "pop3", "sieve", "lmtp", "smtps", "https"):
        says = promises.of_mail_cert(protocols[scheme]) if scheme in protocols else promises.of_mail_cert_handshake(False)
        yield from stream_rows("check_mail_cert", scheme, GREETINGS[scheme], 0, cert(scheme), says, world.tls)
    server = Dialogue(SUBMISSION, tls=world.tls)
    yield Row("check_mail_submit", "submission", "none", submit(server.port), OK,
              f"127.0.0.1:{server.port} " + promises.RIGHT_ANSWERS["check_mail_submit"])
    yield from unreachable_rows("check_mail_submit", "submission", submit)
    for at, stage in enumerate(promises.SUBMISSION_STEPS):
        yield from stream_rows("check_mail_submit", f"submission, {stage}", SUBMISSION, at, submit, promises.of_submission(stage),
                               world.tls)


KUMO = (b'{"scheduled_count": {"type": "gauge", "value": {"queue": {"news@example.com": 40}}}, '
        b'"ready_count": {"type": "gauge", "value": {"service": {"smtp_client": 8}}}}')
POLICY = b"version: STSv1\nmode: enforce\nmx: mail.example.net\nmax_age: 604800\n"


def page_says(port, path, fault, words, start=""):
    """With the page that was asked in front; who follows a redirect to / ends there."""
    page = f"http://127.0.0.1:{port}/{'' if fault == 'redirect to itself' else path}"
    return f"{start}{page}: ({words})" + promises.or_cut_off(fault, f".*127.0.0.1:{port}")


def http_rows(world):
    status = fault_programs.pmta_status(world.root, "xml").encode()
    powermta, kumomta = reply(status, kind="text/xml"), reply(KUMO)
    subjects = {
        ("check_mta_queue", "PowerMTA's monitor"): (powermta, ["--mta", "pmta"], r"status\?format=xml", promises.OF_POWERMTA),
        ("check_mta_queue", "KumoMTA's metrics"): (kumomta, ["--mta", "kumomta"], "metrics.json", promises.OF_KUMOMTA),
        ("check_mta_host", "KumoMTA's metrics"): (kumomta, ["--mta", "kumomta", "--services", "x"], "metrics.json", promises.OF_KUMOMTA),
        ("check_mta_service", "--url"): (reply(b"x" * 100, kind="text/plain"), [], None, promises.OF_URL),
    }
    right = {"PowerMTA's monitor": promises.POWERMTA_QUEUE, "KumoMTA's metrics": promises.KUMOMTA_QUEUE, "--url": "/alive answers 200"}
    for (plugin, target), (good, options, path, says) in subjects.items():
        state = UNKNOWN if path else CRITICAL
        fine = "healthy: 4 things looked at" if plugin == "check_mta_host" else right[target]
        steps = [(HEAD, good)] * 20

        def arguments(port, options=options, path=path):
            return [*options, "--url", f"http://127.0.0.1:{port}{'' if path else '/alive'}"]

        def words(port, fault, path=path, says=says, fine=fine):
            if fault == "huge":  # what follows an answer of the announced length is not read
                return fine
            return page_says(port, path, fault, says[fault]) if path else f"http://127.0.0.1:{port}/alive ({says[fault]})"
        yield Row(plugin, target, "none", arguments(Dialogue(steps).port), OK, fine)
        yield from unreachable_rows(plugin, target, arguments, state)
        for fault in (*STREAM_FAULTS, *HTTP_FAULTS):
            port = Dialogue(steps, fault if fault in STREAM_FAULTS else http_fault(fault, good)).port
            seen = fault == "huge" or (not path and says[fault] == promises.ANSWERED)
            yield Row(plugin, target, fault, arguments(port), OK if seen else state, words(port, fault))


def policy_rows(world):
    """check_mta_sts: the record is well, the policy's web server is not. Each server has an address of its own, for the port is 443."""
    good = reply(POLICY, kind="text/plain")
    steps = [(HANDSHAKE, b""), (HEAD, good)]
    faults = [("none", None, 0, promises.RIGHT_ANSWERS["check_mta_sts"])]
    faults += [(f"{fault} in TLS", fault, 1, promises.OF_POLICY_IN_TLS[fault]) for fault in STREAM_FAULTS]
    faults += [(f"{fault}, handshake", fault, 0, promises.OF_POLICY_HANDSHAKE[fault]) for fault in STREAM_FAULTS]
    faults += [(fault, http_fault(fault, good), 1, promises.OF_POLICY_PAGE[fault]) for fault in HTTP_FAULTS]
    for number, (name, fault, at, says) in enumerate(faults, 1):
        address = f"127.0.2.{number}"
        Dialogue(steps, fault, at, world.sts_tls, (address, 443))
        server = NameServer(world.zone(address))
        yield Row("check_mta_sts", "policy over HTTPS", name,
                  ["-d", "example.net", "--dns-server", f"127.0.0.1:{server.port}", "--ca-file", str(world.authority.ca)],
                  CRITICAL if fault else OK, "example.net: " + says)


def ssh_rows():
    pin = ["--ssh-host-key", "SHA256:" + "A" * 43]
    subjects = {"check_mta_host": ["--mta", "postfix"], "check_mta_queue": ["--mta", "postfix"], "check_mta_service": ["-u", "x"],
                "check_bounce_rate": ["-f", "/var/log/acct-*.csv"]}
    steps = [(None, b"SSH-2.0-OpenSSH_9.2\r\n"), (LINE, b"\x00\x00\x7f\xf0\x0a\x14" + bytes(600))]
    for plugin, arguments in subjects.items():
        def over(port, arguments=arguments):
            return [*arguments, "--ssh", f"127.0.0.1:{port}", *pin]
        yield from unreachable_rows(plugin, "SSH", over, UNKNOWN)
        for at, stage in enumerate(("greeting", "key exchange")):
            yield from stream_rows(plugin, f"SSH, {stage}", steps, at, over, functools.partial(promises.of_ssh, stage), state=UNKNOWN)


def banner_rows():
    steps = [(None, b"220 mail.example.net ESMTP\r\n"), (LINE, b"221 bye\r\n")]

    def banner(port):
        return ["--banner", f"127.0.0.1:{port}"]
    yield Row("check_mta_service", "--banner", "none", banner(Dialogue(steps).port), OK, "greets: 220 mail.example.net ESMTP")
    yield from unreachable_rows("check_mta_service", "--banner", banner)
    yield from stream_rows("check_mta_service", "--banner", steps, 0, banner, promises.OF_BANNER)


def program_rows(world):
    subjects = {  # arguments, and the right answer
        ("check_mta_queue", "postqueue"): (["--mta", "postfix"], promises.RIGHT_ANSWERS["check_mta_queue"]),
        ("check_mta_queue", "pmta"): (["--mta", "pmta", "--pmta-program"], promises.POWERMTA_QUEUE),
        ("check_mta_service", "systemctl"): (["-u", "x"], promises.RIGHT_ANSWERS["check_mta_service"]),
        ("check_bounce_rate", "journalctl"): (["--format", "postfix", "--journal", "x.service"],
                                              promises.RIGHT_ANSWERS["check_bounce_rate"]),
    }
    parts = {"systemctl": "services", "postqueue": "queue", "journalctl": "mail log", "df": "disk /"}
    for program in parts:
        subjects["check_mta_host", program] = (["--mta", "postfix", "--services", "x"], promises.RIGHT_ANSWERS["check_mta_host"])
    for (plugin, program), (arguments, right) in subjects.items():
        yield Row(plugin, program, "none", arguments, OK, right)
        says = promises.of_program(plugin, program)
        for fault in fault_programs.PROGRAM_FAULTS:
            if fault in ("not executable", "no such program") and program not in ("postqueue", "pmta"):
                continue  # the machine's own would be found instead
            if fault == "no such program" and plugin == "check_mta_host":
                continue  # the same for all its other programs
            state, words = (OK, right) if fault == "leaves a child with the pipe" else (UNKNOWN, f"({says[fault]})")
            if (plugin, program, fault) == ("check_mta_host", "journalctl", "garbage"):
                state = WARNING  # whatever the journal shows under --priority=err is an error
            elif plugin == "check_mta_host" and state == UNKNOWN:
                words = f"{parts[program]} could not be seen: .*{words}"
            words += promises.or_cut_off(fault, f"running .*{program}")
            yield Row(plugin, program, fault, arguments, state, words, {"FAULT": f"{program}:{fault}"},
                      fault_programs.surroundings(world.folder, program, fault))


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
    packed = gzip.compress(random.Random(12).randbytes(4000).hex().encode(), mtime=0)  # the same bytes in every run
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
    right = {"--private-key": "RSA key of 2048 bits, belongs to the private key", "--message": "signature 1 of 1, .*: pass"}
    bad = bad_files(folder)
    for (plugin, target), (well, arguments) in subjects.items():
        if well is not None:
            yield Row(plugin, target, "none", arguments(str(well)), OK,
                      right.get(target, promises.RIGHT_ANSWERS[plugin]))
        for fault in FILE_FAULTS:
            yield Row(plugin, target, fault, arguments(str(bad[fault])), UNKNOWN, promises.of_file(plugin, target, fault, bad[fault]),
                      as_nobody=fault == "not readable", mib=MESSAGE_MIB if target == "--message" else MIB)


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
