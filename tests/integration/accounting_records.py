"""PowerMTA's accounting records of every type, with a count kept beside them by rules of its own: what the tests write that
compare each counter with what was written."""

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


class Records:
    """Records as lines; every one is added to `expected`. `stamp(seconds)` is the time so many seconds before the record."""

    def __init__(self, random, expected, stamp, providers=None, senders=None, sources=None):
        self.random, self.expected, self.stamp = random, expected, stamp
        self.providers = providers or PROVIDERS
        self.senders = senders or SENDERS
        self.sources = sources or SOURCES
        self.domains, self.addresses = list(self.providers), list(self.sources)
        self.number = 0

    def acct(self):
        kind = self.random.choices("dbt", [80, 12, 8])[0]
        domain = self.random.choice(self.domains)
        provider = self.providers[domain]
        sender = self.random.choice(self.senders)
        source = self.random.choice(self.addresses)
        vmta, pool = self.sources[source]
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
        cells = [kind, self.stamp(0), self.stamp(waited), f"bounce-{self.number}@{sender}",
                 f"user{self.number}@{domain}", "", "relayed", status, diag, "mx.example.net (198.51.100.7)", category,
                 "smtp", "feeder (127.0.0.1)", "smtp", source, "198.51.100.7", "PIPELINING,SIZE,STARTTLS", str(size),
                 vmta, f"job{self.number}", "", f"{domain}/{vmta}", pool]
        return ",".join(map(quoted, cells)) + "\n"

    def other(self):
        kind = self.random.choices(["r", "rb", "f", "tq", "rs", "x"], [40, 20, 20, 15, 3, 2])[0]
        domain = self.random.choice(self.domains)
        provider = self.providers[domain]
        source = self.random.choice(self.addresses)
        vmta, pool = self.sources[source]
        sender = self.random.choice(self.senders)
        expect = self.expected
        expect.add("accounting_records_total", "other" if kind == "x" else kind)
        row = dict.fromkeys(OTHER.split(","), "")
        self.number += 1
        row.update(type=kind, timeLogged=self.stamp(0), orig=f"b{self.number}@{sender}")
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
