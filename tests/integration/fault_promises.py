"""What the first line says of each fault, as regular expressions: the words that name the cause, not the sentences around them.

A table maps a fault to its words; where a fault is not in it, the row cannot be made. What was asked and where (host, port, page,
file, program, name) the rows put in front. Alternatives stand only where both ends are right, with the reason beside them.
"""
from fault_programs import PROGRAM_FAULTS

NO_ANSWER = "no answer in time"
# Whether a byte came at the very end is chance.
UNENDED = f"({NO_ANSWER}|still not at the end of its answer when the time was over)"
SILENCE = {"silent": NO_ANSWER, "late": NO_ANSWER, "slow-loris": UNENDED}
GARBAGE_SHOWN = r".{0,2}\[31m"  # how fault_servers.GARBAGE begins when its escape is a blank, in quotes or without
OTHER_GREETING, OTHER_PAGE = r"\* OK \[CAPABILITY IMAP4rev1\] ready", r"HTTP/1\.1 400 Bad Request"
TOO_MUCH, TOO_LONG = r"the server says more than \d+ bytes", r"the server says a line of more than \d+ bytes"
TLS_BOMB = "excessive message size"  # OpenSSL's word for a handshake message of 16 MiB



def behind(start, says):
    return {fault: f"{start}({words})" for fault, words in says.items()}


def or_cut_off(fault, doing):
    """What takes in so much may keep a busy machine beyond its deadline; then the plugin's last resort names what it was doing."""
    large = fault in ("endless chunks", "many nodes", "endless good lines", "one endless line", "one line of 64 MiB")
    return rf"|timed out \(-t 2 s\) while {doing}" if large else ""


def followed(says, end):
    return {fault: words + end for fault, words in says.items()}


RIGHT_ANSWERS = {
    "check_bounce_rate": r"last 1 h: 0\.00 % bounced \(0 of 150\)", "check_dkim": "RSA key of 2048 bits",
    "check_dmarc": "p=reject, reports to mailto:dmarc@example.net", "check_dnsbl": r"192\.0\.2\.1 is not on bl\.example\.net",
    "check_fcrdns": r"192\.0\.2\.1 is mail\.example\.net, which leads back", "check_mail_cert": r"the certificate expires in \d+ d",
    "check_mail_submit": r"takes mail from monitor@example\.net for monitor@example\.net: login with PLAIN over TLS",
    "check_mta_host": "healthy: 5 things looked at", "check_mta_queue": "20 messages queued: deferred 20",
    "check_mta_service": r"x is active \(running\) for \d+ d", "check_mta_sts": "mode enforce, 1 of 1 mail hosts covered",
    "check_mx": r"example\.net: 10 mail\.example\.net",
    "check_spf": r"ends in -all, 1 IPv4 address, 192\.0\.2\.1 passes", "check_tls_rpt": "reports go to mailto:tls@example.net",
}
POWERMTA_QUEUE = "805 recipients queued: smtp 805"
KUMOMTA_QUEUE = "48 messages queued: scheduled 40, ready 8"

# ------------------------------------------------------------------------------------------------------------ name servers

# Whatever does not fit the question is as good as silence: only a right answer behind it would count.
NO_ANSWER_OF_USE = ("silent", "late", "wrong id", "other question", "no question", "garbage", "garbage with the right id",
                    "flood of wrong ids")
UNREADABLE = ("own query sent back", "cut", "pointer loop", "counts that lie")
CODES = ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP")
NO_TCP = ("no server", "reset", "close", "cut")
NO_ANSWER_OVER_TCP = ("silent", "slow-loris", "wrong id", "garbage", "endless")
GARBLED_TEXT = {
    "check_dkim": "k= holds control characters", "check_dmarc": "p=re.*is no policy", "check_fcrdns": "reverse name .* is no name that the Internet knows",
    "check_mta_sts": "id= holds control characters", "check_mx": "the mail host .*has no address",
    "check_spf": "is no prefix length from 0 to 32", "check_tls_rpt": r"is no tag \(name=value\)",
}


def of_lookup(question, server):
    """`question`: "TXT example.net"; `server`: address and port."""
    cut = f"{question}: the time of the whole run ended before an answer of use came from the resolver {server}"
    over_udp = {
        **dict.fromkeys(NO_ANSWER_OF_USE, cut + "(?! over TCP)"),
        **dict.fromkeys(UNREADABLE, f"{question}: the answer of the resolver {server} cannot be read"),
        **{code: f"{question}: the resolver {server} answered {code}" for code in CODES},
        "no server": f"{question}: the resolver {server} cannot be reached", "alias to itself": f"{question}: its CNAMEs lead in a circle",
        "referral": f"{question}: {server} names other servers instead of answering",
    }
    over_tcp = {**dict.fromkeys(NO_TCP, f"{question}: the resolver {server} says over UDP .* and gives none over TCP"),
                **dict.fromkeys(NO_ANSWER_OVER_TCP, cut + " over TCP"), "SERVFAIL": over_udp["SERVFAIL"]}
    return {"DNS": over_udp, "DNS over TCP": over_tcp}


def of_blocklist(server):
    """check_dnsbl: the resolver's fault in one sentence, a list's behind its name."""
    gone = f"the resolver {server} does not answer, so nothing is known"
    why = {**dict.fromkeys(UNREADABLE, "malformed"), **{code: code for code in CODES}, "cut": "its test entry .*: malformed",
           "referral": "referral", "alias to itself": "CNAME loop", "garbled text": r"it answers 127\.0\.0\.2 for .* it lists everything"}
    over_udp = {**{fault: rf"the list could not tell about 192\.0\.2\.1 .*: bl\.example\.net \({words}\)" for fault, words in why.items()},
                **dict.fromkeys((*NO_ANSWER_OF_USE, "no server"), gone), "REFUSED": f"every list refuses the resolver {server}"}
    return {"DNS": over_udp,
            "DNS over TCP": {**dict.fromkeys((*NO_TCP, *NO_ANSWER_OVER_TCP), gone), "SERVFAIL": over_udp["SERVFAIL"]}}


# ------------------------------------------------------------------------------------------------------------ mail servers


def of_mail_cert(protocol):
    """Before TLS, in the words of check_mail_cert; `protocol` as it calls it."""
    lines = protocol in ("SMTP", "LMTP")  # replies of several lines; what the others get of "endless" is no greeting at once
    wrong = {"garble": GARBAGE_SHOWN, "endless": TOO_MUCH if lines else r"\* and more|and: more", "huge": TOO_LONG,
             "other protocol": OTHER_GREETING if lines else OTHER_PAGE}
    return {**followed(SILENCE, ", before TLS"), "reset": "Connection reset by peer",
            **dict.fromkeys(("close", "truncate"), "the server closed the connection before TLS was up"),
            **behind(f"what answers does not speak {protocol}: ", wrong)}


def of_mail_cert_handshake(behind_starttls):
    plain = "plain text came behind the STARTTLS go-ahead; .*" if behind_starttls else "what answers does not speak TLS: "
    return {**followed(SILENCE, ", in the TLS handshake"),
            **dict.fromkeys(("reset", "close", "truncate"), "the server closed the connection before TLS was up"),
            "garble": plain + GARBAGE_SHOWN, "other protocol": plain + OTHER_PAGE,
            **dict.fromkeys(("endless", "huge"), "no TLS connection: " + TLS_BOMB)}


SUBMISSION_STEPS = {
    "greeting": "before its greeting", "EHLO": "after EHLO", "STARTTLS": "while going over to TLS",
    "handshake": "while going over to TLS", "EHLO in TLS": "after EHLO", "AUTH": "during the login",
    "MAIL": r"after the sender \(MAIL\)", "RCPT": r"after a recipient \(RCPT\)",
}


def of_submission(stage):
    when = SUBMISSION_STEPS[stage]
    # A reset may come before the kernel has told of the connection.
    reset = f"(closes the connection {when}|cannot be reached): .*" if stage == "greeting" else f"closes the connection {when}: .*"
    says = {**behind(f"does not answer {when}: .*", SILENCE), "reset": reset + "Connection reset by peer",
            **dict.fromkeys(("close", "truncate"), f"closes the connection {when}")}
    wrong = {"garble": GARBAGE_SHOWN, "endless": TOO_MUCH, "huge": TOO_LONG, "other protocol": OTHER_GREETING}
    if stage != "handshake":
        return says | behind(f"does not say what belongs there {when}: ", wrong)
    plain = "goes on in plain text behind the STARTTLS go-ahead; .*: what came is not TLS: "
    return says | {"garble": plain + GARBAGE_SHOWN, "other protocol": plain + OTHER_PAGE,
                   **dict.fromkeys(("endless", "huge"), "makes no TLS connection: " + TLS_BOMB)}


OF_BANNER = {
    **behind("does not greet: .*", SILENCE),
    "reset": "does not greet: .*Connection reset by peer",
    **dict.fromkeys(("close", "truncate"), "does not greet: closed the connection without a greeting"),
    "garble": f"greets with .*{GARBAGE_SHOWN}.*, not with 220", "other protocol": f"greets with .*{OTHER_GREETING}.*, not with 220",
    **dict.fromkeys(("endless", "huge"), "does not greet: sends something that is no greeting"),
}

# ------------------------------------------------------------------------------------------------------------- SSH servers


def of_ssh(stage, port):
    """`stage`: "greeting" or "key exchange"."""
    none = f"no SSH with 127.0.0.1 port {port}: "
    # libssh tells of whichever fails first, reading or writing; a reset may come before the kernel has told of the connection.
    lost = f"({none}|cannot connect to 127.0.0.1 port {port}: ).*(Connection reset by peer|disconnected|Broken pipe)"
    silence = f"SSH {stage} with 127.0.0.1 port {port}: {NO_ANSWER}"
    says = {**dict.fromkeys(SILENCE, silence), **dict.fromkeys(("reset", "close", "truncate"), lost)}
    if stage == "greeting":  # what else is said before "SSH-2.0-…" is allowed (RFC 4253 section 4.2), a line of any length is not
        return says | {**dict.fromkeys(("endless", "other protocol"), silence),
                       **dict.fromkeys(("garble", "huge"), none + ".*too large banner")}
    return says | {**dict.fromkeys(("garble", "endless", "other protocol"), none + ".*Packet len too high"),
                   "huge": none + r".*no match for method kex algos: server \[\]"}


# ------------------------------------------------------------------------------------------------------------- web servers

OF_HTTP = {
    **behind(r"127[.\d]+:\d+: ", {**SILENCE, "slow body": UNENDED}),
    "reset": "the server closed the connection without an answer: .*Connection reset by peer",
    "close": "the server closed the connection without an answer", **dict.fromkeys(("truncate", "body cut"), "the answer is cut short"),
    "garble": "the answer is not HTTP: " + GARBAGE_SHOWN, "endless": "the answer is not HTTP: 'and: more'",
    "other protocol": f"the answer is not HTTP: '{OTHER_GREETING}'", "body of 1 TB": r"the answer's body is larger than \d+ bytes",
    **dict.fromkeys(("endless header lines", "huge header line"), r"the answer's header is larger than \d+ bytes"),
    **dict.fromkeys(("endless trailer", "endless chunk extension"), r"the answer's trailer or a chunk's extension is larger than \d+ bytes"),
}
OF_MONITOR = {
    **OF_HTTP, "status 500": "answered with status 500", "redirect to itself": r"redirects to / \(status 302\) instead of answering",
    # 24 MiB of them: which comes first, the limit or the end of the time, is the machine's speed.
    "endless chunks": f"{OF_HTTP['body of 1 TB']}|{OF_HTTP['slow body']}",
}
OF_POWERMTA = {
    **OF_MONITOR, "status 403": r"access denied \(403\): .*http-access", "another page": r'an HTML page came \("Welcome"\)',
    "empty body": "PowerMTA answered nothing at all", "garbled body": f"this is not PowerMTA's status: {GARBAGE_SHOWN}",
    "nested body": r"this is not PowerMTA's status: '\[\[", "many nodes": r"PowerMTA's XML has more than \d+ marks",
}
OF_POWERMTA_DOMAINS = {
    **OF_POWERMTA, "huge": "this is not PowerMTA's list of domains(?!,)",  # the page's last byte is another
    "garbled body": f"this is not PowerMTA's list of domains, or it is cut short: {GARBAGE_SHOWN}",
    "nested body": r"this is not PowerMTA's list of domains, or it is cut short: '\[\[",
}
OF_KUMOMTA = {
    **OF_MONITOR, "status 403": r"access denied \(403\): .*trusted_hosts", "another page": "a web page came instead of KumoMTA's metrics",
    "empty body": "KumoMTA answered nothing at all", "garbled body": f"what came is neither metrics nor JSON, .*{GARBAGE_SHOWN}",
    "nested body": r"what came is neither metrics nor JSON, .*\[\[", "many nodes": r"KumoMTA's JSON has more than \d+ values",
}
ANSWERED = r"answers 200\b"
OF_URL = {
    **behind("answers wrongly: ", OF_HTTP),
    **behind("does not answer: ", {fault: OF_HTTP[fault] for fault in (*SILENCE, "slow body", "reset", "close")}),
    "status 500": "answers 500, not 200", "status 403": "answers 403, not 200", "redirect to itself": "answers 302, not 200",
    **dict.fromkeys(("endless chunks", "many nodes"), r"answers wrongly: the answer's body is larger than \d+ bytes"),
    # --url asks for a status of 200, whatever the page says.
    **dict.fromkeys(("another page", "empty body", "garbled body", "nested body"), ANSWERED),
}

POLICY = r"https://mta-sts\.example\.net/\.well-known/mta-sts\.txt"
UNFETCHED = f"the policy cannot be fetched: {POLICY}: "
BROKEN_OFF = "the connection ended without a proper TLS close"
OF_POLICY_IN_TLS = {
    **behind(UNFETCHED, {fault: OF_HTTP[fault] for fault in (*SILENCE, "reset", "garble", "endless", "other protocol")}),
    "close": f"{UNFETCHED}{OF_HTTP['close']}: {BROKEN_OFF}", "truncate": UNFETCHED + "the answer is cut short: " + BROKEN_OFF,
    "huge": "the policy: .max_age: 604800x. is no number of seconds",  # the page's last byte is another
}
OF_POLICY_HANDSHAKE = behind(UNFETCHED + "no TLS connection: .*", {
    **SILENCE, **dict.fromkeys(("reset", "close", "truncate"), "Connection reset by peer"),
    **dict.fromkeys(("garble", "other protocol"), "what came is not TLS"), **dict.fromkeys(("endless", "huge"), TLS_BOMB),
})
OF_POLICY_PAGE = {
    **behind(UNFETCHED, {fault: OF_HTTP[fault] for fault in ("slow body", "body of 1 TB", "endless header lines", "huge header line",
                                                              "endless trailer", "endless chunk extension")}),
    **dict.fromkeys(("nested body", "endless chunks", "many nodes"), UNFETCHED + OF_HTTP["body of 1 TB"]),
    "body cut": OF_POLICY_IN_TLS["truncate"], "status 500": POLICY + " answers with status 500", "empty body": POLICY + " is empty",
    "status 403": POLICY + " answers with status 403",
    "redirect to itself": POLICY + r" redirects \(status 302\), which senders must not follow",
    "another page": "the policy: .<html>.* is no line of a policy",
    "garbled body": f"the policy: .*{GARBAGE_SHOWN}.* is no line of a policy",
}

# ---------------------------------------------------------------------------------------------------------------- programs

COMMANDS = {"postqueue": "postqueue -j", "pmta": "/usr/sbin/pmta --dom show status", "systemctl": "systemctl show .*",
            "journalctl": "journalctl .*", "df": "df -P -k -- /"}
GARBAGE_OF_PROGRAMS = {
    "postqueue": f"line 1 of postqueue -j is no message: .*{GARBAGE_SHOWN}", "df": f"df printed {GARBAGE_SHOWN}",
    "pmta": f"/usr/sbin/pmta --dom show status: this is not PowerMTA's status: {GARBAGE_SHOWN}",
    "systemctl": "systemctl show x: LoadState or ActiveState is missing", "journalctl": "20 errors in the mail log of the last hour",
}
HALVES = {"postqueue": "postqueue -j ended in the middle of line", "df": "df told of 0 file systems",
          "pmta": "/usr/sbin/pmta --dom show status: line .* damaged or cut short",
          "systemctl": "systemctl on this machine was cut off in the middle of a line",
          "journalctl": "journalctl on this machine was cut off in the middle of a line"}


def of_program(plugin, program):
    streamed = program in ("postqueue", "journalctl")  # read line by line, without an end to how many
    in_time = f"{COMMANDS[program]}: did not end in time"
    if plugin == "check_bounce_rate":
        in_time = r"timed out \(-t 2 s\) while running journalctl .*--unit=x\.service"
    too_much = rf"{COMMANDS[program]}: more than \d+ bytes of output"
    one_line = {"postqueue": r"line 1 of postqueue -j is longer than \d+ bytes", "journalctl": in_time}.get(program, too_much)
    bad_end = f"{program} on this machine "
    says = {
        **dict.fromkeys(("hangs", "ignores SIGTERM", "floods stderr", "closes stdout, then hangs", "good output, then hangs"), in_time),
        # Which of the two comes first is the machine's speed.
        "endless good lines": in_time if streamed else f"{in_time}|{too_much}", "one endless line": f"{one_line}|{in_time}",
        "killed by a signal": bad_end + "was ended by signal 11", "half of the output, then killed": bad_end + "was ended by signal 9",
        "good output, then exit 3": bad_end + "exited with 3",
        "says why and exits 1": f"{bad_end}exited with 1: {program}: fatal: .*the disk . is on fire",
        "half of the output, then exit 0": HALVES[program], "garbage": GARBAGE_OF_PROGRAMS[program],
        "not executable": f"/usr/sbin/{program}: Permission denied",
        "no such program": f"{program}: (no such program in /usr/sbin|No such file or directory)",
    }
    if plugin == "check_bounce_rate":
        says["garbage"] = r"journal of x\.service: no record of Postfix up to"
    assert set(says) == set(PROGRAM_FAULTS) - {"leaves a child with the pipe"}
    return says


# ------------------------------------------------------------------------------------------------------------------- files

SMALL_FILE = {
    "missing": "No such file or directory", "not readable": "Permission denied; let the user that runs this read it",
    "directory": "is a directory, a file is needed", "FIFO": "is a pipe, a file is needed",
    **dict.fromkeys(("endless device", "one line of 64 MiB"), r"larger than \d+ bytes"),
}
NO_FILE = "no file matches"
LOG_FILE = {
    **SMALL_FILE, "missing": NO_FILE, "directory": "is a directory; write a pattern for the files in it",
    "cut gzip": "is cut off, or still being written",
    **dict.fromkeys(("FIFO", "endless device"), "is no regular file"),
}


def no_content(words, empty=None):
    return {"garbage": words, "cut gzip": words, "empty": empty or words}


NO_HEADER, NO_KUMOMTA = "no header line; is it an accounting file", "holds no record of KumoMTA"
NO_KEY, NO_CERTIFICATE = "no readable PEM private key in it", "no certificate in it"
SECRET = {**SMALL_FILE, **no_content("holds more than one line", "is empty: write the secret into it")}
AUTHORITIES = {**SMALL_FILE, **no_content(NO_CERTIFICATE, "the file is empty")}
NO_FIELD = r"header line 1 is no field \(Name: value\)"
OF_FILES = {
    ("check_bounce_rate", "accounting file"): LOG_FILE | {"garbage": NO_HEADER, "one line of 64 MiB": NO_HEADER,
                                                          "empty": "no record of PowerMTA up to"},
    ("check_bounce_rate", "Postfix log"): LOG_FILE | dict.fromkeys(("garbage", "empty", "one line of 64 MiB"),
                                                                   "no record of Postfix up to"),
    # KumoMTA compresses as it writes, so the end of a segment is missing by right.
    ("check_bounce_rate", "KumoMTA log"): LOG_FILE | {"garbage": NO_KUMOMTA, "one line of 64 MiB": NO_KUMOMTA,
                                                      **dict.fromkeys(("empty", "cut gzip"), "no record of KumoMTA up to")},
    ("check_bounce_rate", "--classes"): SMALL_FILE | no_content("line 1: ", "the file is empty"),
    ("check_mta_host", "accounting file"): LOG_FILE | {"garbage": NO_HEADER, "one line of 64 MiB": NO_HEADER,
                                                       "empty": "no record in it; PowerMTA has not written any"},
    ("check_dkim", "--private-key"): SMALL_FILE | no_content(NO_KEY),
    ("check_dkim", "--message"): SMALL_FILE | no_content(NO_FIELD, "no mail message: it has no header fields")
    | {"one line of 64 MiB": NO_FIELD},
    ("check_dnsbl", "--list-file"): SMALL_FILE | no_content("line 1: ", "no list in it"),
    ("check_mail_cert", "certificate file"): SMALL_FILE | no_content(NO_CERTIFICATE),
    ("check_mail_cert", "--ca-file"): AUTHORITIES,
    ("check_mail_cert", "--key"): SMALL_FILE | no_content(NO_KEY),
    ("check_mail_cert", "--same-as"): SMALL_FILE | no_content(NO_CERTIFICATE),
    ("check_mail_submit", "--password-file"): SECRET,
    ("check_mail_submit", "--ca-file"): AUTHORITIES,
    ("check_mta_queue", "--api-key-file"): SECRET,
    ("check_mta_queue", "--basic-auth-file"): SECRET,
    ("check_mta_sts", "--ca-file"): AUTHORITIES,
    ("check_mx", "--extra-opts"): SMALL_FILE | no_content("line 1: a NUL byte", r"has no section \[check_mx\]"),
}


def of_file(plugin, target, fault, path):
    words = OF_FILES[plugin, target][fault]
    if words == NO_FILE:
        return f"{words} {path}"
    return f"{path}.*{words}{or_cut_off(fault, f'reading {path}')}"
