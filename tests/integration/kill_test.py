"""Kills the exporter with SIGKILL at random moments while its files are written, rotated, renamed, moved, compressed and
truncated, and compares every counter with a count that was kept beside the writing. Fixed seeds; no difference allowed."""
import gzip
import os
import pathlib
import sys
import time

import kill_support

BINARY = pathlib.Path(sys.argv[2]) / "exporter" / "pmta_exporter"
SEEDS = [int(seed) for seed in sys.argv[3:]] or [101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112]
KILLS_PER_SEED = 20

ACCT = ("type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,srcMta,dlvType,"
        "dlvSourceIp,dlvDestinationIp,dlvEsmtpAvailable,dlvSize,vmta,jobId,envId,queue,vmtaPool")
OTHER = ("type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,dlvSourceIp,vmta,queue,feedbackType,format,"
         "userAgent,rcvSmtpUser")
PROVIDERS = {"gmail.com": "gmail", "yahoo.com": "yahoo", "outlook.com": "microsoft", "example.org": "other",
             "b\u00fccher.example": "other"}
SENDERS = ["news.example.com", "shop.example.com", "alerts.example.net"]
# address -> VirtualMTA and pool: complaints are attributed through it.
SOURCES = {"192.0.2.1": ("vmta1", "pool-a"), "192.0.2.2": ("vmta2", "pool-a"), "192.0.2.3": ("vmta3", "")}
# dsnStatus, dsnDiag, category, bounce class, reason, code, enhanced code
BOUNCES = [
    ("5.1.1 (bad destination mailbox address)", "smtp;550 5.1.1 user unknown", "bad-mailbox", "hard", "unknown-user",
     "550", "5.1.1"),
    ("5.2.2 (mailbox full)", "smtp;552 5.2.2 mailbox full, try later", "quota-issues", "soft", "mailbox-full", "552",
     "5.2.2"),
    ("5.7.1 (delivery not authorized)", 'smtp;550 5.7.1 recipient is in suppression list "a1": <x>', "other", "local",
     None, "550", "5.7.1"),
]


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n') else cell


def stamp(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(seconds))


class Writer(kill_support.Writer):
    """PowerMTA and its log rotation."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed, "pmta_")
        self.files = {}
        for name in ("acct", "other"):
            self.open_new(name)

    # ---- files
    def open_new(self, name):
        self.number += 1
        path = self.folder / "log" / f"{name}-2026-11-21-{self.number:04}.csv"
        self.files[name] = open(path, "a", encoding="utf-8")
        self.put(name, (ACCT if name == "acct" else OTHER) + "\n")

    def put(self, name, text):
        data = self.files[name]
        if len(text) > 40 and self.random.random() < 0.1:
            cut = self.random.randrange(1, len(text) - 1)
            data.write(text[:cut])
            data.flush()
            time.sleep(self.random.random() * 0.004)
            text = text[cut:]
        data.write(text)
        data.flush()

    def rotate(self, name):
        """A new file by name; the old one stays, is renamed in place, or moved to the other folder."""
        old = self.files[name]
        path = pathlib.Path(old.name)
        way = self.random.choice(["stay", "move", "rename", "rename-then-write"])
        self.operations["rotate-" + way] += 1
        if way == "rename-then-write":
            path = self.renamed(path)
            self.record(name)
        elif way == "rename":
            path = self.renamed(path)
        elif way == "move":
            path = path.rename(self.folder / "moved" / path.name)
        if self.random.random() < 0.5:
            self.record_into(old, name)  # PowerMTA's last words to the old file
        old.close()
        self.open_new(name)
        if self.random.random() < 0.6:
            self.compress(path)

    def renamed(self, path):
        self.number += 1
        return path.rename(path.with_name(f"{path.name.split('-')[0]}-done-{self.number:04}.csv"))

    def compress(self, path):
        self.operations["gzip"] += 1
        packed = path.with_name(path.name + ".gz")
        with open(path, "rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
            data = source.read()
            half = len(data) // 2
            target.write(data[:half])
            target.flush()
            time.sleep(self.random.random() * 0.01)
            target.write(data[half:])
        path.unlink()

    def truncate(self, name):
        """Only what a checkpoint covers may go: waits for one that does, or does without."""
        if not self.covered():
            self.operations["truncate-skipped"] += 1
            return
        self.operations["truncate"] += 1
        path = self.files[name].name
        self.files[name].close()
        os.truncate(path, 0)
        self.files[name] = open(path, "a", encoding="utf-8")
        self.put(name, (ACCT if name == "acct" else OTHER) + "\n")
        self.record(name)

    # ---- records
    def record(self, name):
        self.record_into(self.files[name], name)

    def record_into(self, data, name):
        self.clock += self.random.choice([0, 0, 1, 2])
        line = self.acct_record() if name == "acct" else self.other_record()
        if data is self.files[name]:
            self.put(name, line)
        else:
            data.write(line)
            data.flush()

    def acct_record(self):
        kind = self.random.choices("dbt", [80, 12, 8])[0]
        domain = self.random.choice(list(PROVIDERS))
        provider = PROVIDERS[domain]
        sender = self.random.choice(SENDERS)
        source = self.random.choice(list(SOURCES))
        vmta, pool = SOURCES[source]
        waited = self.random.choice([0, 1, 2, 5, 6, 59, 61, 4000, 500000])
        size = self.random.randrange(500, 90000)
        expect = self.expected
        expect.add("accounting_records_total", kind)
        status, diag, category = "2.0.0 (success)", "smtp;250 2.0.0 OK", ""
        if kind == "d":
            expect.add("deliveries_total", vmta, pool, provider)
            expect.add("delivered_bytes_total", vmta, pool, provider, by=size)
            expect.add("replies_total", provider, "250", "2.0.0")
            expect.add("sender_deliveries_total", sender, provider)
            expect.add("sender_lifetime_records_total", sender)
            expect.add("source_ip_deliveries_total", source)
            expect.delay(waited, provider, pool)
        elif kind == "b":
            status, diag, category, verdict, reason, code, enhanced = self.random.choice(BOUNCES)
            expect.add("bounces_total", vmta, pool, provider, category, verdict)
            if reason is not None:
                expect.add("bounce_reasons_total", vmta, provider, reason)
            expect.add("replies_total", provider, code, enhanced)
            expect.add("sender_bounces_total", sender, verdict)
            expect.add("sender_lifetime_records_total", sender)
            expect.add("source_ip_bounces_total", source, verdict)
        else:
            status, diag = "4.2.1 (mailbox busy)", "smtp;421 4.7.0 Try again later, too many connections, closing"
            expect.add("transient_failures_total", vmta, pool, provider, "rate-limit")
            expect.add("replies_total", provider, "421", "4.7.0")
            expect.add("sender_transient_failures_total", sender)
            expect.add("source_ip_transient_failures_total", source)
        self.number += 1
        cells = [kind, stamp(self.clock), stamp(self.clock - waited), f"bounce-{self.number}@{sender}",
                 f"user{self.number}@{domain}", "", "relayed", status, diag, "mx.example.net (198.51.100.7)", category,
                 "smtp", "feeder (127.0.0.1)", "smtp", source, "198.51.100.7", "PIPELINING,SIZE,STARTTLS", str(size),
                 vmta, f"job{self.number}", "", f"{domain}/{vmta}", pool]
        return ",".join(map(quoted, cells)) + "\n"

    def other_record(self):
        kind = self.random.choices(["r", "rb", "f", "tq", "rs", "x"], [40, 20, 20, 15, 3, 2])[0]
        domain = self.random.choice(list(PROVIDERS))
        provider = PROVIDERS[domain]
        source = self.random.choice(list(SOURCES))
        vmta, pool = SOURCES[source]
        sender = self.random.choice(SENDERS)
        expect = self.expected
        expect.add("accounting_records_total", "other" if kind == "x" else kind)
        row = dict.fromkeys(OTHER.split(","), "")
        self.number += 1
        row.update(type=kind, timeLogged=stamp(self.clock), orig=f"b{self.number}@{sender}")
        if kind == "r":
            row.update(rcpt=f"u{self.number}@{domain}", srcType="smtp", vmta=vmta, rcvSmtpUser="feeder1")
            expect.add("receipts_total", vmta, "smtp")
            expect.add("smtp_user_receipts_total", "feeder1")
        elif kind == "rb":
            row.update(rcpt=f"u{self.number}@{domain}", dsnStatus="5.1.1 (bad)", dsnDiag="smtp;550 5.1.1 user unknown",
                       bounceCat="bad-mailbox")
            expect.add("remote_bounces_total", provider, "bad-mailbox", "hard")
        elif kind == "f":
            row.update(rcpt=f"u{self.number}@{domain}", feedbackType="abuse", format="arf", dlvSourceIp=source)
            expect.add("complaints_total", provider, "abuse", vmta, pool)
            expect.add("sender_complaints_total", sender)
        elif kind == "tq":
            row.update(vmta=vmta, queue=f"{domain}/{vmta}", dsnStatus="4.4.1 (no answer from host)")
            expect.add("queue_transient_failures_total", vmta, provider, "connection")
        return ",".join(map(quoted, row.values())) + "\n"

    # ---- the thread
    def prepare(self):
        """One delivery of every address before the first complaint, read before it: attribution is then the same."""
        wanted = set(SOURCES)
        while wanted:
            before = dict(self.expected.counts)
            self.record("acct")
            for key, count in self.expected.counts.items():
                if key[0] == "pmta_source_ip_deliveries_total" and before.get(key) != count:
                    wanted.discard(key[1])

    def step(self):
        name = self.random.choices(["acct", "other"], [70, 30])[0]
        choice = self.random.random()
        if choice < 0.02:
            self.rotate(name)
        elif choice < 0.03:
            self.truncate(name)
        else:
            for _ in range(self.random.randrange(1, 30)):
                self.record(name)

    def finish(self):
        for data in self.files.values():
            data.close()


def config(folder):
    return f"""accounting:
  files: ["{folder}/log/*.csv", "{folder}/log/*.csv.gz"]
  moved_to: ["{folder}/moved"]
  state_interval: 20ms
  rescan_interval: 1s
"""


# The reason of a local bounce is the reply table's business; everything else must be as it was written.
kill_support.KillTest(BINARY, Writer, config, KILLS_PER_SEED, ["pmta_bounce_reasons_total"]).run(SEEDS)
