"""Kills the exporter while a Postfix log is written, rotated, renamed, compressed and copied-and-truncated, and compares
every counter with a count that was kept beside the writing. The lines of many messages are interleaved, so that what a
line means was said by lines that another process of the exporter had read."""
import gzip
import os
import pathlib
import sys
import time

import kill_support

BINARY = pathlib.Path(sys.argv[2]) / "exporter" / "pmta_exporter"
SEEDS = [int(seed) for seed in sys.argv[3:]] or [201, 202, 203, 204, 205, 206]
KILLS_PER_SEED = 20

# domain -> provider and relay as Postfix writes it; that of HOSTED is known by its relay alone
DOMAINS = {"gmail.com": ("gmail", "gmail-smtp-in.l.google.com[192.0.2.5]:25"),
           "yahoo.com": ("yahoo", "mta5.am0.yahoodns.net[192.0.2.6]:25"),
           "example.org": ("other", "MX.Example.org[198.51.100.7]:25"),
           "hosted.example": ("gmail", "aspmx.l.google.com[192.0.2.8]:25")}
HOSTED = "hosted.example"
SENDERS = ["news.example.com", "shop.example.com", "alerts.example.net"]
# dsn, reply, bounce class, reason, code
BOUNCES = [("5.1.1", "550 5.1.1 user unknown", "hard", "unknown-user", "550"),
           ("5.2.2", "552 5.2.2 mailbox full, try later", "soft", "mailbox-full", "552")]
NOISE = ["postfix/smtpd[77]: connect from unknown[203.0.113.9]",
         "postfix/smtpd[77]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <a@b.example>: Relay access denied;"
         " from=<x@y.example> to=<a@b.example> proto=ESMTP helo=<x>",
         "dovecot: imap-login: Login: user=<a>, method=PLAIN",
         "postfix/smtpd[77]: disconnect from unknown[203.0.113.9] ehlo=1 quit=1 commands=2"]
PROCESSES = ["4101", "4102", "4103"]


class Writer(kill_support.Writer):
    """Postfix, syslog and logrotate."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed, "postfix_")
        self.clock -= 86400
        self.yearless, self.dated = seed % 2 == 0, seed % 3 == 0
        self.rotations = 0
        self.alive = []
        self.tls = {}
        self.path = folder / "log" / "mail.log"
        self.file = open(self.path, "ab")

    # ---- lines
    def stamp(self):
        when = time.localtime(self.clock)
        if self.yearless:
            return time.strftime("%b ", when) + f"{when.tm_mday:2}" + time.strftime(" %H:%M:%S", when)
        return time.strftime("%Y-%m-%dT%H:%M:%S", when) + ".123456" + time.strftime("%z", when)

    def line(self, text):
        self.clock += self.random.choice([0, 0, 0, 1])
        data = f"{self.stamp()} mx1 {text}\n".encode()
        if self.random.random() < 0.1:
            cut = self.random.randrange(1, len(data))
            self.file.write(data[:cut])
            self.file.flush()
            time.sleep(self.random.random() * 0.004)
            data = data[cut:]
        self.file.write(data)
        self.file.flush()

    def new_message(self):
        self.number += 1
        message = {"id": f"{0xA0000 + self.number:X}", "sender": self.random.choice(SENDERS), "domains": {},
                   "size": self.random.randrange(500, 90000), "waiting": []}
        for number in range(self.random.randrange(1, 4)):
            recipient = f"user{number}@{self.random.choice(list(DOMAINS))}"
            message["waiting"].append(recipient)
        self.line(f"postfix/smtpd[77]: {message['id']}: client=app.example.com[192.0.2.99]")
        self.line(f"postfix/qmgr[9]: {message['id']}: from=<bounce+{self.number}@{message['sender']}>, "
                  f"size={message['size']}, nrcpt={len(message['waiting'])} (queue active)")
        self.alive.append(message)

    def attempt(self, message):
        """One recipient's next status; the message goes when none is waiting."""
        recipient = self.random.choice(message["waiting"])
        kind = self.random.choices(["sent", "bounced", "deferred", "timeout", "local", "expired"], [60, 12, 15, 4, 4, 5])[0]
        if kind == "expired":
            return self.expire(message)
        delay = self.random.choice([0, 0.3, 1, 1.2, 5, 5.1, 59, 61.5, 4000, 500000])
        status = getattr(self, kind)(message, recipient, delay)
        if kind in ("deferred", "timeout"):
            message.setdefault("deferred", {})[recipient] = status
            return None
        message["waiting"].remove(recipient)
        message.get("deferred", {}).pop(recipient, None)
        if not message["waiting"]:
            self.remove(message)
        return None

    def remove(self, message):
        self.line(f"postfix/qmgr[9]: {message['id']}: removed")
        self.alive.remove(message)

    def status(self, message, recipient, relay, delay, dsn, text, daemon="smtp", process="4101"):
        self.line(f"postfix/{daemon}[{process}]: {message['id']}: to=<{recipient}>, relay={relay}, delay={delay}, "
                  f"delays=0.1/0/0.1/0.1, dsn={dsn}, {text}")

    def tls_of(self, relay):
        """The process that talks to the relay, and the protocol it spoke of."""
        process = self.random.choice(PROCESSES)
        if self.random.random() < 0.3:
            protocol = self.random.choice(["TLSv1.2", "TLSv1.3"])
            self.tls[process] = (relay, protocol)
            self.line(f"postfix/smtp[{process}]: Trusted TLS connection established to {relay}: {protocol} with cipher "
                      "TLS_AES_256_GCM_SHA384 (256/256 bits)")
        known, protocol = self.tls.get(process, (None, None))
        return process, protocol if known == relay else None

    def facts(self, recipient):
        domain = recipient.split("@")[1]
        provider, relay = DOMAINS[domain]
        return domain, provider, relay, relay.split("[")[0].lower()

    # ---- what becomes of a recipient
    def sent(self, message, recipient, delay):
        domain, provider, relay, host = self.facts(recipient)
        process, protocol = self.tls_of(relay)
        text = "status=sent (250 2.0.0 OK queued)"
        self.status(message, recipient, relay, delay, "2.0.0", text, process=process)
        if self.random.random() < 0.05:
            self.operations["said twice"] += 1
            self.status(message, recipient, relay, delay, "2.0.0", text, process=process)
        expect = self.expected
        expect.add("accounting_records_total", "d")
        expect.add("deliveries_total", host, provider)
        expect.add("delivered_bytes_total", host, provider, by=message["size"])
        expect.add("replies_total", provider, "250", "2.0.0")
        expect.add("sender_deliveries_total", message["sender"], provider)
        expect.add("sender_lifetime_records_total", message["sender"])
        expect.add("recipient_domain_deliveries_total", domain)
        expect.delay(delay, provider)
        if protocol:
            expect.add("tls_deliveries_total", provider, protocol)

    def local(self, message, recipient, delay):
        self.status(message, recipient, "local", delay, "2.0.0", "status=sent (delivered to mailbox)", daemon="local")
        self.expected.add("accounting_records_total", "d")
        self.expected.add("local_deliveries_total", "local")

    def judged_by(self, recipient, host):
        domain, provider = self.facts(recipient)[:2]
        return domain, "other" if domain == HOSTED and not host else provider

    def bounce(self, message, recipient, host, category, verdict, reason, code, enhanced):
        domain, provider = self.judged_by(recipient, host)
        expect = self.expected
        expect.add("accounting_records_total", "b")
        expect.add("bounces_total", host, provider, category, verdict)
        expect.add("bounce_reasons_total", host, provider, reason)
        expect.add("replies_total", provider, code, enhanced)
        expect.add("sender_bounces_total", message["sender"], verdict)
        expect.add("sender_lifetime_records_total", message["sender"])
        expect.add("recipient_domain_bounces_total", domain, verdict)

    def bounced(self, message, recipient, delay):
        _, _, relay, host = self.facts(recipient)
        dsn, reply, verdict, reason, code = self.random.choice(BOUNCES)
        self.status(message, recipient, relay, delay, dsn,
                    f"status=bounced (host {relay[:-3]} said: {reply} (in reply to RCPT TO command))")
        self.bounce(message, recipient, host, "other", verdict, reason, code, dsn)

    def transient(self, message, recipient, host, reason, code, enhanced):
        domain, provider = self.judged_by(recipient, host)
        expect = self.expected
        expect.add("accounting_records_total", "t")
        expect.add("transient_failures_total", host, provider, reason)
        expect.add("replies_total", provider, code, enhanced)
        expect.add("sender_transient_failures_total", message["sender"])
        expect.add("recipient_domain_transient_failures_total", domain)
        return host

    def deferred(self, message, recipient, delay):
        _, _, relay, host = self.facts(recipient)
        self.status(message, recipient, relay, delay, "4.7.0",
                    f"status=deferred (host {relay[:-3]} said: 421 4.7.0 Try again later, too many connections (in reply to "
                    "MAIL FROM command))")
        return self.transient(message, recipient, host, "rate-limit", "421", "4.7.0")

    def timeout(self, message, recipient, delay):
        _, _, relay, _ = self.facts(recipient)
        self.status(message, recipient, "none", delay, "4.4.1",
                    f"status=deferred (connect to {relay}: Connection timed out)")
        return self.transient(message, recipient, "", "connection", "none", "4.4.1")

    def expire(self, message):
        """The queue manager gives up on all that were deferred, in one line."""
        waiting = message.get("deferred", {})
        if set(waiting) != set(message["waiting"]):
            return
        self.operations["expired"] += 1
        self.line(f"postfix/qmgr[9]: {message['id']}: from=<b@{message['sender']}>, status=expired, returned to sender")
        for recipient, host in waiting.items():
            self.bounce(message, recipient, host, "message-expired", "soft", "expired", "none", "4.4.7")
        self.remove(message)

    # ---- logrotate
    def rotate(self):
        self.operations["rotate"] += 1
        folder, self.rotations = self.path.parent, self.rotations + 1
        if self.dated:
            rotated = folder / f"mail.log-{20200101 + self.rotations}"
            self.path.rename(rotated)
            before = folder / f"mail.log-{20200101 + self.rotations - 1}"
        else:
            numbers = sorted(int(path.suffixes[1][1:]) for path in folder.glob("mail.log.*.gz"))
            for number in reversed(numbers):
                (folder / f"mail.log.{number}.gz").rename(folder / f"mail.log.{number + 1}.gz")
            before = folder / "mail.log.1"
            if before.exists():
                before = before.rename(folder / "mail.log.2")
            rotated = self.path.rename(folder / "mail.log.1")
        for _ in range(self.random.randrange(0, 8)):  # until syslog is told, it writes to the old file
            self.write_some()
        self.file.close()
        self.file = open(self.path, "ab")
        for _ in range(self.random.randrange(0, 4)):
            self.write_some()
        if before.exists():
            self.compress(before)
        return rotated

    def compress(self, path):
        self.operations["gzip"] += 1
        with open(path, "rb") as source, gzip.open(str(path) + ".gz", "wb", compresslevel=1) as target:
            data = source.read()
            target.write(data[:len(data) // 2])
            target.flush()
            time.sleep(self.random.random() * 0.01)
            target.write(data[len(data) // 2:])
        path.unlink()

    def copy_and_truncate(self):
        """logrotate's copytruncate. Between the two nothing is written here: that would be lost without an exporter too.
        What is read but in no checkpoint can be read again from the copy."""
        self.operations["copytruncate"] += 1
        self.rotations += 1
        target = self.path.parent / f"mail.log-{20200101 + self.rotations}"
        with open(self.path, "rb") as source, open(target, "wb") as copy:
            data = source.read()
            # No program copies less than a block at once; what a file is known by is always in the first one.
            half = max(len(data) // 2, 4096)
            copy.write(data[:half])
            copy.flush()
            time.sleep(self.random.random() * 0.005)
            copy.write(data[half:])
        self.file.close()
        os.truncate(self.path, 0)
        self.file = open(self.path, "ab")

    # ---- the thread
    def write_some(self):
        choice = self.random.random()
        if choice < 0.15:
            self.line(self.random.choice(NOISE))
        elif choice < 0.4 or not self.alive:
            self.new_message()
        else:
            self.attempt(self.random.choice(self.alive))

    def prepare(self):
        for _ in range(50):
            self.write_some()

    def step(self):
        choice = self.random.random()
        if choice < 0.04:
            self.rotate()
        elif choice < 0.05 and self.dated:
            self.copy_and_truncate()
        else:
            for _ in range(self.random.randrange(1, 30)):
                self.write_some()

    def finish(self):
        self.file.close()


def config(folder):
    return f"""postfix:
  files: ["{folder}/log/mail.log"]
  groups: [recipient_domain]
  state_interval: 20ms
  rescan_interval: 1s
"""


kill_support.KillTest(BINARY, Writer, config, KILLS_PER_SEED).run(SEEDS)
