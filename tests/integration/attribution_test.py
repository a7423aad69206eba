"""check_bounce_rate and pmta_exporter read the same files: every group of every --by key has the same numbers in the
check's answer as on the exporter's page. Files of PowerMTA (with and without a vmta column, complaints with and without
addresses, jobs named like addresses), Postfix and KumoMTA, generated with fixed seeds."""
import csv
import io
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
CHECK = BUILD / "checks" / "check_bounce_rate"
EXPORTER = BUILD / "exporter" / "pmta_exporter"
RECORDS = 1500
NOW = int(time.time())

CLASSES = """
classes:
  providers:
    intranet: {domains: ["*.corp.example"], mx: [mx.corp.example], rollup: [corp]}
  bounce_classes: {hard: [our-bad-address], local: [our-stop-list]}
  bounce_patterns: %s/patterns
"""
PATTERNS = "<bounce-category-patterns>\n/top secret/ our-bad-address\n</bounce-category-patterns>\n"

# --by key: the label that the exporter has it under, the start of its families, and whether complaints have it too.
FAMILIES = {"vmta": ("vmta", "", True), "pool": ("pool", "", True), "provider": ("provider", "", True),
            "category": ("category", "", False), "sender-domain": ("sender_domain", "sender_", True),
            "source-ip": ("source_ip", "source_ip_", False), "job": ("job_id", "job_", True),
            "recipient-domain": ("recipient_domain", "recipient_domain_", False)}
LABELS = {"kumomta_log": {"vmta": "egress_source", "pool": "egress_pool"}, "postfix": {"relay": "relay"}, "pmta": {}}
SECTIONS = {"pmta": "accounting", "postfix": "postfix", "kumomta_log": "kumomta_log"}
CLASSES_OF_BOUNCES = {"hard": "hard", "soft": "soft", "block": "block", "other": "other", "local_bounced": "local"}
COUNTS = ["delivered", "deferred", "complaints", *CLASSES_OF_BOUNCES]

DOMAINS = ["gmail.com", "GMX.de", "yahoo.com", "Example.ORG", "a.corp.example", "hosted.example"]
MX = ["", "mx.example.net (192.0.2.9)", "aspmx.l.google.com (192.0.2.10)", "in.mx.corp.example"]
REPLIES = ["smtp;550 5.1.1 user unknown", "smtp;552 mailbox full", "smtp;554 5.7.1 blocked using bl.example",
           "smtp;550 no", "smtp;550 top secret", "x-pmta;bounce-queue",
           'smtp;550 5.7.1 recipient is in suppression list "a1": <x>', ""]
CATEGORIES = ["", "other", "bad-mailbox", "spam-related", "quota-issues", "our-bad-address", "our-stop-list", "strange"]
JOBS = ["", "spring", "Autumn", 'the "big" one', "50 % off @ home", "anna@client.example", "for <bob@client.example>"]
SENDERS = ["x@news.example", "X@Shop.Example", "", "<>"]
# Source address to vmta and pool. The last has been given from one to the other in the middle.
SOURCES = {"192.0.2.1": ("vmta1", "pool-a"), "192.0.2.2": ("VMTA2", "Pool-B"), "2001:db8::3": ("vmta3", ""),
           "192.0.2.4": ("vmta4", "pool-a")}


def stamp(second):
    return time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(second))


def times(count):
    """One for each record, in order, all within the last hour."""
    return [NOW - 3000 + 2900 * i // count for i in range(count)]


def accounting(seed, without=(), count=RECORDS):
    """A file of PowerMTA with d, b, t and f records, and some that count in no group."""
    choose = random.Random(seed)
    columns = [c for c in ["type", "timeLogged", "orig", "rcpt", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat", "dlvType",
                           "dlvSourceIp", "vmta", "vmtaPool", "jobId", "header_X-job", "queue", "feedbackType", "format",
                           "userAgent", "reportedDomain", "header_From", "header_Return-Path"] if c not in without]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    # Each source address has a delivery before any complaint: the exporter cannot give a complaint to a later one.
    first = list(SOURCES)
    for number, second in enumerate(times(count)):
        kind = "d" if first else choose.choices(["d", "b", "t", "f", "rb", "r", "tq"], [50, 20, 10, 14, 2, 2, 2])[0]
        source = first.pop() if first else choose.choice(list(SOURCES))
        vmta, pool = SOURCES[source]
        if source == "192.0.2.4" and number > count // 2:
            vmta, pool = "vmta9", "pool-c"
        domain = choose.choice(DOMAINS)
        row = {"type": kind, "timeLogged": stamp(second), "orig": choose.choice(SENDERS), "rcpt": f"u{number}@{domain}",
               "dsnMta": choose.choice(MX), "dlvSourceIp": source, "vmta": vmta, "vmtaPool": pool,
               "queue": choose.choices([f"{domain}/{vmta}", f"corp.rollup/{vmta}", ""], [8, 1, 1])[0],
               "dlvType": "smtp", "jobId": choose.choice(JOBS), "header_X-job": choose.choice(["", "", "batch7"])}
        if len(first) == 0 and number >= len(SOURCES):
            row["dlvType"] = choose.choices(["smtp", "", "pipe"], [8, 1, 1])[0]
            row["vmta"] = choose.choices([vmta, ""], [4, 1])[0]  # an empty cell: that of the queue
            row["dlvSourceIp"] = choose.choices([source, ""], [9, 1])[0]
        if kind in ("b", "t", "rb", "tq"):
            row.update(dsnStatus=choose.choice(["5.1.1 (x)", "4.4.1 (x)", "5.0.0"]), dsnDiag=choose.choice(REPLIES),
                       bounceCat=choose.choice(CATEGORIES))
        if kind == "f":
            row.update(complaint(choose, row["rcpt"]), queue="{feedbackLoop}/{default}", dlvType="")
            if choose.random() < 0.7:
                row.update(vmta="", vmtaPool=choose.choice(["", "", "own-pool"]))
        table.writerow(row)
    return text.getvalue()


def complaint(choose, recipient):
    """What a report says: each address may be there or not."""
    return {"orig": choose.choice(["", "", "b@orig.example"]), "rcpt": choose.choice([recipient, ""]),
            "header_Return-Path": choose.choice(["", "<>", "<b@Path.example>"]),
            "header_From": choose.choice(["", '"Shop, Inc" <c@from.example>', "c@from.example (Shop)"]),
            "reportedDomain": choose.choice(["", "Reported.example", "d@reported2.example"]), "feedbackType": "abuse",
            "format": choose.choice(["arf", "jmrp"]), "userAgent": choose.choice(["", "Yahoo!-Mail-Feedback/2.0"])}


def postfix(seed):
    choose = random.Random(seed)
    relays = ["mx.example.net[192.0.2.9]:25", "MX2.Example.net[192.0.2.10]:25", "none", "aspmx.l.google.com[192.0.2.11]:25"]
    texts = ["host mx.example.net[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
             "host mx.example.net[192.0.2.9] said: 552 5.2.2 mailbox full", "host mx[192.0.2.9] said: 550 no",
             "host mx[192.0.2.9] said: 554 5.7.1 blocked using bl.example"]
    lines = []
    for number, second in enumerate(times(RECORDS)):
        head, name = time.strftime("%Y-%m-%dT%H:%M:%S+00:00 mx1 ", time.gmtime(second)), f"4F3A{number:06X}"
        sender = choose.choice(["x@news.example", "X@Shop.Example", ""])
        lines.append(f"{head}postfix/qmgr[7]: {name}: from=<{sender}>, size=1047, nrcpt=1 (queue active)")
        status = choose.choices(["sent", "bounced", "deferred", "expired", "pipe"], [60, 20, 12, 4, 4])[0]
        if status == "expired":
            lines.append(f"{head}postfix/qmgr[7]: {name}: from=<{sender}>, status=expired, returned to sender")
            continue
        program, relay, text, dsn = "smtp", choose.choice(relays), choose.choice(texts), "5.0.0"
        if status == "pipe":
            program, relay, status = "pipe", "filter", choose.choice(["sent", "bounced"])
        if status == "sent":
            text, dsn = "250 2.0.0 Ok", "2.0.0"
        if status == "deferred":
            text, dsn = "connect to mx.example.net[192.0.2.9]:25: Connection timed out", "4.4.1"
        lines.append(f"{head}postfix/{program}[8]: {name}: to=<u{number}@{choose.choice(DOMAINS)}>, relay={relay}, "
                     f"delay=1, delays=0/0/0/1, dsn={dsn}, status={status} ({text})")
    return "\n".join(lines) + "\n"


def kumomta(seed):
    choose = random.Random(seed)
    lines = []
    first = list(SOURCES)
    for number, second in enumerate(times(RECORDS)):
        kind = "Delivery" if first else choose.choices(
            ["Delivery", "Bounce", "TransientFailure", "Feedback", "Expiration", "AdminBounce", "Reception", "OOB"],
            [50, 18, 10, 12, 2, 2, 3, 3])[0]
        source = first.pop() if first else choose.choice(list(SOURCES))
        vmta, pool = SOURCES[source]
        domain = choose.choice(DOMAINS)
        campaign = choose.choice(["spring:", "Autumn:", "", "anna@client.example:"])
        record = {"type": kind, "id": f"{number:032x}", "sender": choose.choice(["x@news.example", "X@Shop.Example", ""]),
                  "recipient": f"u{number}@{domain}", "queue": f"{campaign}tenant@{domain}", "size": 1047,
                  "response": {"code": 250, "content": "OK"}, "peer_address": {"name": choose.choice(MX).split(" ")[0]},
                  "timestamp": second, "created": second - 1, "bounce_classification": "Uncategorized",
                  "egress_pool": pool, "egress_source": vmta, "source_address": {"address": f"{source}:4711"},
                  "delivery_protocol": choose.choice(["ESMTP"] * 9 + ["Maildir"]) if number >= len(SOURCES) else "ESMTP"}
        if kind in ("Bounce", "TransientFailure", "OOB"):
            record["bounce_classification"] = choose.choice(["Uncategorized", "InvalidRecipient", "SpamBlock", "AutoReply"])
            record["response"] = {"code": 550, "content": choose.choice(REPLIES)[5:]}
        if kind == "Feedback":
            record.update(egress_source=None, egress_pool=None, source_address=None, queue="feedback.example",
                          recipient="fbl@feedback.example")
            record["feedback_report"] = {
                "feedback_type": "abuse", "user_agent": "x/1", "source_ip": choose.choice([source, None]),
                "original_mail_from": choose.choice(["b@orig.example", None]),
                "original_rcpto_to": choose.choice([[f"u{number}@{domain}"], []]),
                "reported_domain": choose.choice([["Reported.example"], []])}
        lines.append(json.dumps(record))
    return "\n".join(lines) + "\n"


SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Page:
    """The exporter's page: sums of samples by one label."""

    def __init__(self, text, prefix):
        self.prefix, self.samples = prefix, []
        for line in text.splitlines():
            if line.startswith(prefix + "_") and (found := SAMPLE.match(line)):
                labels = {name: re.sub(r"\\(.)", r"\1", value) for name, value in LABEL.findall(found[2] or "")}
                self.samples.append((found[1], labels, int(float(found[3]))))

    def total(self, family):
        return sum(count for name, _, count in self.samples if name == f"{self.prefix}_{family}")

    def groups(self, label, start, with_complaints):
        """Group to counts, by the check's names for them."""
        groups = {}
        for field, family in (("delivered", "deliveries"), ("deferred", "transient_failures"),
                              ("complaints", "complaints"), ("bounced", "bounces")):
            if (field == "complaints" and not with_complaints) or (label == "category" and field != "bounced"):
                continue
            for name, labels, count in self.samples:
                # What an administrator put off is in no ratio, and the check's deferrals are those of ratios.
                put_off = family == "transient_failures" and labels.get("reason") == "local"
                if name != f"{self.prefix}_{start}{family}_total" or count == 0 or put_off:
                    continue
                group = groups.setdefault(labels[label] or "none", dict.fromkeys(COUNTS, 0))
                own = field
                if field == "bounced":
                    own = "local_bounced" if labels["bounce_class"] == "local" else labels["bounce_class"]
                group[own] += count
        return groups


class Attribution(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mtawatch-attribution-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "patterns").write_text(PATTERNS)

    def write(self, texts, prefix, more=""):
        """The files of a log and the configuration that has them counted."""
        for name, text in texts.items():
            (self.folder / name).write_text(text)
        groups = "recipient_domain" if prefix == "postfix" else "job, recipient_domain"
        self.config = self.folder / "config.yml"
        self.config.write_text(f"{SECTIONS[prefix]}:\n  files: ['{self.folder}/log-*']\n  groups: [{groups}]\n{more}"
                               + CLASSES % self.folder)

    def page(self, prefix):
        done = subprocess.run([EXPORTER, "--once", "--config.file", self.config], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertIn(prefix + "_", done.stdout)
        return Page(done.stdout, prefix)

    def look(self, prefix, *arguments):
        done = subprocess.run([CHECK, "-f", f"{self.folder}/log-*", "--format", prefix.removesuffix("_log"), "--classes",
                               self.config, "--window", "1h", "--min-volume", "0", "-o", "json", *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "")
        answer = json.loads(done.stdout)
        self.assertIn("observation", answer, answer)
        return answer["observation"]

    def groups(self, prefix, key, *arguments):
        with_complaints = key == "relay" or FAMILIES[key][2]
        fields = [field for field in COUNTS if with_complaints or field != "complaints"]
        groups = {group["name"]: {field: group[field] if field in fields else 0 for field in COUNTS}
                  for group in self.look(prefix, "--by", key, *arguments)["groups"]}
        return {name: counts for name, counts in groups.items() if any(counts.values())}

    def same_in_both(self, prefix, keys):
        page = self.page(prefix)
        total = self.look(prefix)["total"]
        self.assertGreater(total["delivered"], RECORDS // 4)
        self.assertEqual(total["local_delivered"], page.total("local_deliveries_total"))
        for key in keys:
            label, start, with_complaints = FAMILIES.get(key, ("relay", "", False))
            wanted = page.groups(LABELS[prefix].get(key, label), start, with_complaints)
            self.assertGreater(len(wanted), 1, key)
            for metric in ("bounce",) if prefix == "postfix" else ("bounce", "complaint"):
                with self.subTest(key=key, metric=metric):
                    self.assertEqual(self.groups(prefix, key, "--metric", metric), wanted)
        return page

    def narrowed_like_grouped(self, prefix, key, group):
        """--only gives a group the numbers that --by gives it."""
        total = self.look(prefix, "--only", f"{key}={group}")["total"]
        wanted = self.groups(prefix, key)[group]
        fields = [field for field in COUNTS if field != "complaints" or FAMILIES[key][2]]
        self.assertEqual({field: total[field] for field in fields}, {field: wanted[field] for field in fields})

    # ---- PowerMTA
    def test_an_accounting_file(self):
        self.write({"log-1": accounting(1)}, "pmta")
        page = self.same_in_both("pmta", FAMILIES)
        self.assertNotIn("client.example", " ".join(labels.get("job_id", "") for _, labels, _ in page.samples))
        for key, group in (("vmta", "vmta1"), ("pool", "own-pool"), ("provider", "intranet"), ("job", "Autumn"),
                           ("sender-domain", "path.example"), ("source-ip", "192.0.2.2")):
            self.narrowed_like_grouped("pmta", key, group)

    def test_files_without_a_vmta_column(self):
        self.write({"log-1": accounting(2, without=["vmta"])}, "pmta")
        self.same_in_both("pmta", FAMILIES)
        self.assertGreater(self.groups("pmta", "vmta")["vmta9"]["delivered"], 0)

    def test_files_without_what_only_some_have(self):
        self.write({"log-1": accounting(3, without=["orig", "jobId", "vmtaPool", "header_From", "dsnMta", "dlvType"])},
                   "pmta")
        self.same_in_both("pmta", [key for key in FAMILIES if key != "pool"])

    def test_files_without_source_addresses(self):
        self.write({"log-1": accounting(4, without=["dlvSourceIp"])}, "pmta")
        self.same_in_both("pmta", ["vmta", "pool", "provider", "sender-domain"])

    def test_several_files_one_of_which_has_no_vmta_column(self):
        self.write({"log-1": accounting(5), "log-2": accounting(6, without=["vmta", "bounceCat"]),
                    "log-3": accounting(7, without=["queue"])}, "pmta")
        self.same_in_both("pmta", FAMILIES)

    def test_columns_that_the_configuration_names(self):
        self.write({"log-1": accounting(8)}, "pmta", "  job_columns: [header_X-job, jobId]\n")
        self.same_in_both("pmta", ["job"])
        self.assertGreater(self.groups("pmta", "job")["batch7"]["delivered"], RECORDS // 10)

    # ---- the others
    def test_a_postfix_log(self):
        self.write({"log-1": postfix(9)}, "postfix")
        self.same_in_both("postfix", ["relay", "provider", "sender-domain", "recipient-domain"])

    def test_a_segment_of_kumomtas_log(self):
        self.write({"log-1": kumomta(10)}, "kumomta_log")
        page = self.same_in_both("kumomta_log", FAMILIES)
        self.assertNotIn("client.example", " ".join(labels.get("job_id", "") for _, labels, _ in page.samples))

    # ---- what right is, where both could be wrong alike
    def pmta_groups(self, header, *rows, key, label, start=""):
        self.write({"log-1": "\n".join([header, *rows]) + "\n"}, "pmta")
        page = {name: sum(counts.values())
                for name, counts in self.page("pmta").groups(label, start, key != "recipient-domain").items()}
        check = {name: sum(counts.values()) for name, counts in self.groups("pmta", key).items()}
        self.assertEqual(check, page)
        return check

    def test_mail_of_a_file_without_vmta_belongs_to_the_vmta_of_its_queue(self):
        row = f"d,{stamp(NOW - 60)},a@news.example,b@gmail.com,,smtp,gmail.com/vmta7"
        self.assertEqual(self.pmta_groups("type,timeLogged,orig,rcpt,bounceCat,dlvType,queue", row, row,
                                          row.replace("d,", "b,", 1), key="vmta", label="vmta"), {"vmta7": 3})

    def test_a_complaint_belongs_to_the_return_path_before_the_reported_domain(self):
        begin = f"f,{stamp(NOW - 60)}"
        self.assertEqual(self.pmta_groups(
            "type,timeLogged,orig,rcpt,reportedDomain,header_Return-Path,header_From",
            f"{begin},a@orig.example,,reported.example,<b@path.example>,<c@from.example>",
            f"{begin},,,reported.example,<b@path.example>,<c@from.example>",
            f"{begin},,,reported.example,,<c@from.example>", f"{begin},,,reported.example,,", f"{begin},,,,,",
            key="sender-domain", label="sender_domain", start="sender_"),
            {"orig.example": 1, "path.example": 1, "from.example": 1, "reported.example": 1, "none": 1})

    def test_a_job_that_is_a_mail_address_is_no_job(self):
        begin = f"d,{stamp(NOW - 60)},b@gmail.com,smtp"
        self.assertEqual(self.pmta_groups(
            "type,timeLogged,rcpt,dlvType,jobId,header_X-job", f"{begin},anna@client.example,",
            f"{begin},anna@client.example,batch7", f"{begin},spring,batch7",
            key="job", label="job_id", start="job_"), {"none": 1, "batch7": 1, "spring": 1})


if __name__ == "__main__":
    unittest.main()
