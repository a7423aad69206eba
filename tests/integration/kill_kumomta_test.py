"""Kills the exporter while KumoMTA's log segments (zstd, without a telling name) are written piece by piece, ended, moved
and packed anew, and compares every counter with a count that was kept beside the writing."""
import gzip
import json
import pathlib
import sys
import time

import zstandard

import kill_support

BINARY = pathlib.Path(sys.argv[2]) / "exporter" / "pmta_exporter"
SEEDS = [int(seed) for seed in sys.argv[3:]] or [401, 402, 403, 404]
KILLS_PER_SEED = 15

# domain -> provider and peer
DOMAINS = {"gmail.com": ("gmail", "gmail-smtp-in.l.google.com."), "yahoo.com": ("yahoo", "mta5.am0.yahoodns.net."),
           "example.org": ("other", "mx.example.org."), "hosted.example": ("gmail", "aspmx.l.google.com.")}
SENDERS = ["news.example.com", "shop.example.com"]
# address -> egress source and pool: complaints are attributed through it.
SOURCES = {"192.0.2.1": ("ip-1", "pool-a"), "192.0.2.2": ("ip-2", "pool-a"), "192.0.2.3": ("ip-3", "")}
# classification, category, bounce class, code, enhanced code, text, reason
BOUNCES = [("InvalidRecipient", "InvalidRecipient", "hard", 550, (5, 1, 1), "user unknown", "unknown-user"),
           ("Uncategorized", "other", "soft", 552, (5, 2, 2), "mailbox full, try later", "mailbox-full")]


class Writer(kill_support.Writer):
    """KumoMTA and a job that clears up behind it."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed, "kumomta_log_")
        self.folder, self.segments, self.ended = folder, 0, []
        self.open_segment()

    # ---- segments
    def open_segment(self):
        self.segments += 1
        self.path = self.folder / "log" / time.strftime("%Y%m%d-%H%M%S", time.gmtime(self.clock + self.segments))
        self.file = open(self.path, "xb")
        self.packer = zstandard.ZstdCompressor(level=1, write_checksum=self.random.random() < 0.5).compressobj()

    def put(self, data):
        """Compressed bytes reach the disk in whatever pieces."""
        if data and self.random.random() < 0.2:
            cut = self.random.randrange(0, len(data))
            self.file.write(data[:cut])
            self.file.flush()
            time.sleep(self.random.random() * 0.004)
            data = data[cut:]
        self.file.write(data)
        self.file.flush()

    def write(self, record):
        self.put(self.packer.compress((json.dumps(record) + "\n").encode()))
        if self.random.random() < 0.1:
            self.put(self.packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))

    def end_segment(self):
        self.put(self.packer.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH))
        self.file.close()
        self.path.chmod(0o444)  # KumoMTA's way to say that a segment is done
        self.ended.append(self.path)

    def clear_up(self):
        """Ended segments are moved away, or packed anew with gzip."""
        if not self.ended:
            return
        path = self.ended.pop(self.random.randrange(len(self.ended)))
        if self.random.random() < 0.6:
            self.operations["move"] += 1
            path.rename(self.folder / "moved" / path.name)
            return
        self.operations["repack"] += 1
        text = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        with gzip.open(str(path) + ".gz", "wb", compresslevel=1) as target:
            target.write(text[:len(text) // 2])
            target.flush()
            time.sleep(self.random.random() * 0.01)
            target.write(text[len(text) // 2:])
        path.unlink()

    # ---- records
    def basic(self, kind, recipient=None):
        self.clock += self.random.choice([0, 0, 1])
        self.number += 1
        domain = self.random.choice(list(DOMAINS))
        sender = self.random.choice(SENDERS)
        address = self.random.choice(list(SOURCES))
        source, pool = SOURCES[address]
        waited = self.random.choice([0, 1, 2, 5, 6, 61, 4000, 500000])
        record = {"type": kind, "id": f"{self.number:032x}", "sender": f"b{self.number}@{sender}",
                  "recipient": recipient or f"user{self.number}@{domain}", "queue": f"spring:tenant@{domain}",
                  "site": f"{source}->x@smtp_client", "size": self.random.randrange(500, 90000),
                  "response": {"code": 250, "enhanced_code": {"class": 2, "subject": 0, "detail": 0}, "content": "OK",
                               "command": None},
                  "peer_address": {"name": DOMAINS[domain][1], "addr": "192.0.2.77"}, "timestamp": self.clock,
                  "created": self.clock - waited, "num_attempts": 0, "bounce_classification": "Uncategorized",
                  "egress_pool": pool, "egress_source": source, "source_address": {"address": f"{address}:4711"},
                  "feedback_report": None, "meta": {}, "headers": {}, "delivery_protocol": "ESMTP",
                  "reception_protocol": None, "nodeid": "4eb22880-dc03-44dc-a4d1-4d0e68ac7845"}
        return record, domain, DOMAINS[domain][0], sender, address, source, pool, waited

    def delivery(self):
        record, domain, provider, sender, address, source, pool, waited = self.basic("Delivery")
        protocol = self.random.choice(["TLSv1_2", "TLSv1_3", ""])
        if protocol:
            record.update(tls_protocol_version=protocol, tls_cipher="TLS_AES_256_GCM_SHA384")
        self.write(record)
        expect = self.expected
        expect.add("accounting_records_total", "d")
        expect.add("deliveries_total", source, pool, provider)
        expect.add("delivered_bytes_total", source, pool, provider, by=record["size"])
        expect.add("replies_total", provider, "250", "2.0.0")
        expect.add("sender_deliveries_total", sender, provider)
        expect.add("sender_lifetime_records_total", sender)
        expect.add("source_ip_deliveries_total", address)
        expect.add("job_deliveries_total", "spring")
        expect.add("recipient_domain_deliveries_total", domain)
        expect.delay(waited, provider, pool)
        if protocol:
            expect.add("tls_deliveries_total", provider, protocol)

    def maildir(self):
        record = self.basic("Delivery")[0]
        record["delivery_protocol"] = "Maildir"
        self.write(record)
        self.expected.add("accounting_records_total", "d")
        self.expected.add("local_deliveries_total", "maildir")

    def bounce(self):
        record, domain, provider, sender, address, source, pool, _ = self.basic("Bounce")
        given, category, verdict, code, enhanced, text, reason = self.random.choice(BOUNCES)
        record["bounce_classification"] = given
        record["response"].update(code=code, content=text, command="RCPT TO",
                                  enhanced_code=dict(zip(("class", "subject", "detail"), enhanced)))
        self.count_bounce(record, domain, provider, sender, address, source, pool, category, verdict, reason, str(code),
                          "{}.{}.{}".format(*enhanced))

    def expiration(self):
        record, domain, provider, sender, address, source, pool, _ = self.basic("Expiration")
        record["response"].update(code=551, content="Next delivery time would be at ... which exceeds the expiry time",
                                  enhanced_code={"class": 5, "subject": 4, "detail": 7})
        self.count_bounce(record, domain, provider, sender, address, source, pool, "message-expired", "soft", "expired",
                          "none", "5.4.7")  # KumoMTA's own words, no code of a receiver

    def count_bounce(self, record, domain, provider, sender, address, source, pool, category, verdict, reason, code, enhanced):
        self.write(record)
        expect = self.expected
        expect.add("accounting_records_total", "b")
        expect.add("bounces_total", source, pool, provider, category, verdict)
        expect.add("bounce_reasons_total", source, provider, reason)
        expect.add("replies_total", provider, code, enhanced)
        expect.add("sender_bounces_total", sender, verdict)
        expect.add("sender_lifetime_records_total", sender)
        expect.add("source_ip_bounces_total", address, verdict)
        expect.add("job_bounces_total", "spring", verdict)
        expect.add("recipient_domain_bounces_total", domain, verdict)

    def transient(self):
        record, domain, provider, sender, address, source, pool, _ = self.basic("TransientFailure")
        record["response"].update(code=421, content="Try again later, too many connections", command="MAIL FROM",
                                  enhanced_code={"class": 4, "subject": 7, "detail": 0})
        self.write(record)
        expect = self.expected
        expect.add("accounting_records_total", "t")
        expect.add("transient_failures_total", source, pool, provider, "rate-limit")
        expect.add("replies_total", provider, "421", "4.7.0")
        expect.add("sender_transient_failures_total", sender)
        expect.add("source_ip_transient_failures_total", address)
        expect.add("job_transient_failures_total", "spring")
        expect.add("recipient_domain_transient_failures_total", domain)

    def reception(self):
        record = self.basic("Reception", [f"a{self.number}@gmail.com", f"b{self.number}@yahoo.com"])[0]
        record.update(reception_protocol="ESMTP", delivery_protocol=None, egress_source=None, egress_pool=None)
        self.write(record)
        self.expected.add("accounting_records_total", "r", by=2)
        self.expected.add("receipts_total", "", "esmtp", by=2)

    def out_of_band(self):
        record, _, provider, *_ = self.basic("OOB")
        record["bounce_classification"] = "InvalidRecipient"
        record["response"].update(code=550, content="user unknown",
                                  enhanced_code={"class": 5, "subject": 1, "detail": 1})
        self.write(record)
        self.expected.add("accounting_records_total", "rb")
        self.expected.add("remote_bounces_total", provider, "InvalidRecipient", "hard")

    def feedback(self):
        record, domain, provider, sender, address, source, pool, _ = self.basic("Feedback", "fbl@feedback.example.com")
        record.update(egress_source=None, egress_pool=None, source_address=None, queue="feedback.example.com")
        record["feedback_report"] = {"feedback_type": "abuse", "user_agent": "ReturnPathFBL/1.0", "version": "1",
                                     "source_ip": address, "original_mail_from": f"b@{sender}",
                                     "original_rcpto_to": [f"u{self.number}@{domain}"], "reporting_mta": None,
                                     "reported_domain": []}
        self.write(record)
        # Only the recipient's domain says whose mailbox it is: there is no peer in a report.
        provider = "other" if domain == "hosted.example" else provider
        self.expected.add("accounting_records_total", "f")
        self.expected.add("complaints_total", provider, "abuse", source, pool)
        self.expected.add("sender_complaints_total", sender)
        self.expected.add("job_complaints_total", "")

    def rejection(self):
        self.write(self.basic("Rejection")[0])
        self.expected.add("accounting_records_total", "other")

    # ---- the thread
    def write_some(self):
        kinds = [self.delivery, self.bounce, self.transient, self.reception, self.expiration, self.maildir, self.out_of_band,
                 self.feedback, self.rejection]
        self.random.choices(kinds, [50, 12, 10, 8, 4, 3, 5, 5, 3])[0]()

    def prepare(self):
        """One delivery from every address before the first complaint, read before it: attribution is then the same."""
        while len({key for key in self.expected.counts if key[0] == "kumomta_log_source_ip_deliveries_total"}) < len(SOURCES):
            self.delivery()
        self.end_segment()
        self.open_segment()

    def step(self):
        choice = self.random.random()
        if choice < 0.04:
            self.operations["segment"] += 1
            self.end_segment()
            self.open_segment()
        elif choice < 0.07:
            self.clear_up()
        else:
            for _ in range(self.random.randrange(1, 30)):
                self.write_some()

    def finish(self):
        self.end_segment()


def config(folder):
    return f"""kumomta_log:
  files: ["{folder}/log/*"]
  moved_to: ["{folder}/moved"]
  groups: [job, recipient_domain]
  state_interval: 20ms
  rescan_interval: 1s
"""


kill_support.KillTest(BINARY, Writer, config, KILLS_PER_SEED).run(SEEDS)
