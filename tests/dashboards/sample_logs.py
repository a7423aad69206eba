"""A Postfix log and KumoMTA's segments that are written while the boards are looked at: some of everything they can hold."""
import json
import time

import zstandard

PROVIDERS = ["gmail.com", "outlook.com", "yahoo.com", "gmx.de", "example.org"]
SENDERS = ["news.example.com", "shop.example.net"]
# Reply text, its codes, KumoMTA's classification.
BOUNCES = [("550 5.1.1 user unknown", "InvalidRecipient"), ("554 5.7.1 blocked using zen.spamhaus.org", "SpamBlock"),
           ("550 5.7.26 This mail is unauthenticated", "AuthenticationFailed"), ("552 5.2.2 mailbox full", "QuotaIssues")]
DEFERRALS = ["421 4.7.0 try again later, rate limit exceeded", "451 4.7.1 greylisted, please try again"]


class PostfixLog:
    """Each message has one recipient, one process and one connection of its own, so that its lines stand together."""

    def __init__(self, path, dice):
        self.path, self.dice, self.number = path, dice, 0
        path.write_text("")

    def write(self, count):
        with self.path.open("a") as file:
            file.write("".join(self.message() for _ in range(count)))

    def message(self):
        self.number += 1
        now, number = time.time(), self.number
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}+00:00"
        queue_id, domain = f"{0xA0000 + number:X}", self.dice.choice(PROVIDERS)
        relay = f"mx.{domain}[198.51.100.1]:25"
        lines = [f"postfix/qmgr[9]: {queue_id}: from=<bounce@{self.dice.choice(SENDERS)}>, size=20000, nrcpt=1 (queue active)"]
        kind = self.dice.choices(["sent", "bounced", "deferred", "unreached"], [70, 14, 10, 6])[0]
        dsn, relay, text = self.fate(kind, relay, domain)
        if kind == "sent" and self.dice.random() < 0.8:
            lines.append(f"postfix/smtp[{number}]: Trusted TLS connection established to {relay}: "
                         f"{self.dice.choice(['TLSv1.2', 'TLSv1.3'])} with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)")
        lines.append(f"postfix/smtp[{number}]: {queue_id}: to=<user{number % 1000}@{domain}>, relay={relay}, "
                     f"delay={self.dice.choice([0.3, 1, 3, 8, 20])}, delays=0.1/0/0.1/0.1, dsn={dsn}, status={text}")
        if kind in ("sent", "bounced"):
            lines.append(f"postfix/qmgr[9]: {queue_id}: removed")
        return "".join(f"{stamp} mx1 {line}\n" for line in lines)

    def fate(self, kind, relay, domain):
        if kind == "sent":
            return "2.0.0", relay, "sent (250 2.0.0 OK queued)"
        if kind == "unreached":
            return "4.4.1", "none", f"deferred (connect to mx.{domain}[198.51.100.1]:25: Connection timed out)"
        reply = self.dice.choice(BOUNCES)[0] if kind == "bounced" else self.dice.choice(DEFERRALS)
        return reply.split()[1], relay, f"{kind} (host {relay[:-3]} said: {reply} (in reply to RCPT TO command))"


class KumomtaLog:
    """Every call writes a segment and ends it."""

    SOURCES = {"192.0.2.21": "ip1", "192.0.2.22": "ip2"}

    def __init__(self, folder, dice):
        self.folder, self.dice, self.number, self.segments = folder, dice, 0, 0
        (folder / "log").mkdir(parents=True)

    def write(self, count):
        self.segments += 1
        text = "".join(json.dumps(self.record()) + "\n" for _ in range(count))
        fresh = self.folder / "segment"
        fresh.write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
        fresh.chmod(0o444)  # KumoMTA's way to say that a segment is done
        fresh.rename(self.folder / "log" / f"20261121-{self.segments:06d}")

    def record(self):
        self.number += 1
        kinds = ["Delivery", "Bounce", "TransientFailure", "Reception", "OOB", "Feedback"]
        kind = self.dice.choices(kinds, [70, 12, 10, 4, 2, 2])[0]
        domain, sender = self.dice.choice(PROVIDERS), self.dice.choice(SENDERS)
        address, now = self.dice.choice(list(self.SOURCES)), int(time.time())
        record = {"type": kind, "id": f"{self.number:032x}", "sender": f"b@{sender}", "recipient": f"u{self.number % 1000}@{domain}",
                  "queue": f"job{self.number % 3}:tenant@{domain}", "site": "x@smtp_client", "size": 20000,
                  "response": self.response("250 2.0.0 OK"), "peer_address": {"name": f"mx.{domain}", "addr": "198.51.100.1"},
                  "timestamp": now, "created": now - self.dice.choice([0, 1, 3, 8, 20]), "num_attempts": 0,
                  "bounce_classification": "Uncategorized", "egress_pool": "pool1", "egress_source": self.SOURCES[address],
                  "source_address": {"address": f"{address}:4711"}, "feedback_report": None, "meta": {}, "headers": {},
                  "delivery_protocol": "ESMTP", "reception_protocol": None, "nodeid": "4eb22880-dc03-44dc-a4d1-4d0e68ac7845"}
        if kind == "Delivery" and self.dice.random() < 0.8:
            record.update(tls_protocol_version="TLSv1_3", tls_cipher="TLS_AES_256_GCM_SHA384")
        elif kind in ("Bounce", "OOB"):
            reply, record["bounce_classification"] = self.dice.choice(BOUNCES)
            record["response"] = self.response(reply)
        elif kind == "TransientFailure":
            record["response"] = self.response(self.dice.choice(DEFERRALS))
        elif kind == "Reception":
            record.update(reception_protocol="ESMTP", delivery_protocol=None, egress_source=None, egress_pool=None)
        elif kind == "Feedback":
            record.update(egress_source=None, egress_pool=None, source_address=None, queue="feedback.example.com")
            record["feedback_report"] = {
                "feedback_type": "abuse", "user_agent": "ReturnPathFBL/1.0", "version": "1", "source_ip": address,
                "original_mail_from": f"b@{sender}", "original_rcpto_to": [record["recipient"]], "reporting_mta": None,
                "reported_domain": []}
        return record

    @staticmethod
    def response(reply):
        code, enhanced, content = reply.split(" ", 2)
        return {"code": int(code), "content": content, "command": "RCPT TO",
                "enhanced_code": dict(zip(("class", "subject", "detail"), map(int, enhanced.split("."))))}
