"""Every query of every panel returns figures: real exporter, real Prometheus, the shipped rules with shorter windows.

The accounting families come from an exporter that follows PowerMTA's files, a Postfix log and KumoMTA's segments, all
written while the test runs. What the collectors and KumoMTA publish is served from documents in their formats, with
counters that grow. A second exporter follows the Postfix log alone and a third the segments alone: picked as instance,
their hosts fill the boards on delivery too, but for the panels whose question their log cannot answer.
"""
import http.server
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import yaml

from sample_logs import PROVIDERS, KumomtaLog, PostfixLog

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
RUN_SECONDS = 75
# An hour becomes ten seconds, a week thirty: everything that looks back finds something to look at.
WINDOWS = {"5m": "6s", "10m": "6s", "15m": "6s", "30m": "8s", "1h": "10s", "2h": "12s", "3h": "12s", "6h": "15s", "1d": "20s",
           "2d": "30s", "3d": "30s", "1w": "30s"}
SECONDS = {"300": "6", "3600": "10", "7200": "12", "21600": "15", "86400": "20", "259200": "30", "1800": "8"}

EVERY_LOG, POSTFIX_ALONE, KUMOMTA_ALONE = "127.0.0.1:10925", "127.0.0.1:10926", "127.0.0.1:10927"
ON_DELIVERY = {f"mtawatch-{name}.json" for name in ("overview", "bounces", "providers", "senders", "vmtas")}
# What the board asks and the log of such a host does not say; blocklists are looked up elsewhere.
UNSAID = {
    "any": {"Queue-wide failures by reason", "Diagnostic records by reason", "Listings", "What the lists could say"},
    POSTFIX_ALONE: {"Complaint share", "Complaints", "Complaints by provider", "Complaints by job", "Deliveries by job", "Bounces by job",
                    "Deferrals by job", "Bounces reported later", "Source addresses", "Bounces by source address",
                    "Deferrals by source address", "Bounces against the pool", "Deferrals against the pool"},
    KUMOMTA_ALONE: set(),
}

UNION = ("type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,srcMta,dlvType,"
         "dlvSourceIp,dlvDestinationIp,dlvEsmtpAvailable,dlvSize,vmta,jobId,envId,queue,vmtaPool,dlvTlsProtocol,rcvSmtpUser,"
         "feedbackType,format,userAgent,reportingMta").split(",")
BOUNCES = [("5.1.1 (bad destination mailbox address)", "smtp;550 5.1.1 user unknown", "bad-mailbox"),
           ("5.7.1 (delivery not authorized)", "smtp;554 5.7.1 blocked using zen.spamhaus.org", "spam-related"),
           ("5.7.26 (unauthenticated)", "smtp;550 5.7.26 This mail is unauthenticated", "policy-related"),
           ("5.2.2 (mailbox full)", "smtp;552 5.2.2 mailbox full", "quota-issues")]
DEFERRALS = [("4.7.0 (other)", "smtp;421 4.7.0 try again later, rate limit exceeded"),
             ("4.7.1 (greylisted)", "smtp;451 4.7.1 greylisted, please try again")]


def row(**cells):
    return ",".join(f'"{value}"' if "," in (value := str(cells.get(name, ""))) else value for name in UNION)


def record(dice, now):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(now))
    queued = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(now - dice.choice([0, 1, 3, 8, 20])))
    kind = dice.choices(["d", "b", "t", "tq", "r", "rb", "f"], [70, 12, 10, 2, 4, 1, 3])[0]
    domain = dice.choice(PROVIDERS)
    vmta = dice.choice(["vmta1", "vmta2"])
    common = dict(type=kind, timeLogged=stamp, timeQueued=queued, orig=f"bounce@{dice.choice(['news.example.com', 'shop.example.net'])}",
                  rcpt=f"user{dice.randrange(1000)}@{domain}", srcType="smtp", dlvType="smtp", vmta=vmta, vmtaPool="pool1",
                  dlvSourceIp={"vmta1": "192.0.2.11", "vmta2": "192.0.2.12"}[vmta], jobId=f"job{dice.randrange(3)}",
                  queue=f"{domain}/{vmta}", dsnMta=f"mx.{domain} (198.51.100.1)")
    if kind == "d":
        return row(**common, dsnAction="relayed", dsnStatus="2.0.0 (success)", dsnDiag="smtp;250 2.0.0 OK", dlvSize=20000,
                   dlvTlsProtocol=dice.choice(["TLSv1.2", "TLSv1.3", ""]))
    if kind in ("b", "rb"):
        status, diag, category = dice.choice(BOUNCES)
        return row(**common, dsnAction="failed", dsnStatus=status, dsnDiag=diag, bounceCat=category)
    if kind in ("t", "tq"):
        status, diag = dice.choice(DEFERRALS)
        return row(**common, dsnAction="delayed", dsnStatus=status, dsnDiag=diag)
    if kind == "r":
        return row(**common, rcvSmtpUser="shop")
    return row(**common, feedbackType="abuse", format="arf", userAgent="Yahoo!-Mail-Feedback/2.0")


LABEL_VALUES = {"direction": ["in", "out"], "queue_type": ["smtp", "pipe"], "verdict": ["clean", "unknown"],
                "list_severity": ["critical"], "policy": ["reject"], "reason": ["connect"], "mode": ["normal", "backoff"]}


def catalogue_document(minute):
    """What the collectors publish, one series or two a family, from the catalogue itself."""
    catalogue = json.loads(subprocess.run([BUILD / "exporter/pmta_exporter", "--catalog"], capture_output=True, check=True).stdout)
    lines = []
    for metric in catalogue["metrics"]:
        name = metric["name"]
        if name.startswith(("pmta_exporter", "postfix_", "kumomta_log_")) or metric["type"] == "histogram" or name in FROM_EXPORTER:
            continue
        counts = metric["type"] == "counter"
        value = minute * 60 if counts else (time.time() + 5e6 if "timestamp" in name else 1)
        if "ratio" in name:
            value = 0.5
        labels = [{}]
        for label in metric["labels"]:
            labels = [{**one, label: text} for one in labels for text in LABEL_VALUES.get(label, [f"{label}1.example.com"])]
        lines.append(f"# TYPE {name} {metric['type']}")
        for one in labels:
            inside = ",".join(f'{key}="{text}"' for key, text in one.items())
            lines.append(f"{name}{{{inside}}} {value:.3f}" if inside else f"{name} {value:.3f}")
    return "\n".join(lines) + "\n"


def kumomta_document(minute):
    lines = []
    for line in (ROOT / "tests/alert-rules/foreign_metrics.tsv").read_text().splitlines():
        if line.startswith(("#", "node_")):
            continue
        name, _, names = line.partition("\t")
        inside = ",".join(f'{label}="{label}1"' for label in names.split(",") if label)
        lines.append(f"{name}{{{inside}}} {minute * 10 + 1:.3f}")
    return "\n".join(lines) + "\n"


FROM_EXPORTER = set()


class Documents(http.server.BaseHTTPRequestHandler):
    began = time.time()

    def do_GET(self):
        minute = (time.time() - self.began) / 60
        text = (kumomta_document(minute) if "kumo" in self.path else catalogue_document(minute)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Silent."""


def shortened(text):
    text = re.sub(r"\[(\d+[mhdw])\]", lambda m: f"[{WINDOWS[m.group(1)]}]", text)
    text = re.sub(r"offset (\d+[hdw])", lambda m: f"offset {WINDOWS[m.group(1)]}", text)
    text = re.sub(r"(\* |< )(300|1800|3600|7200|21600|86400|259200)\b", lambda m: m.group(1) + SECONDS[m.group(2)], text)
    text = re.sub(r"(for|keep_firing_for): \w+", r"\1: 0s", text)
    return re.sub(r"interval: \w+", "interval: 1s", text)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def query(expr):
    text = get("http://127.0.0.1:9090/api/v1/query?" + urllib.parse.urlencode({"query": expr}))
    return json.loads(text)["data"]["result"]


def concrete(expr, instance=".+"):
    expr = expr.replace("$__rate_interval", "10s").replace("$instance", instance)
    expr = re.sub(r"\$\{?\w+\}?", ".+", expr)
    return re.sub(r"offset 1w", f"offset {WINDOWS['1w']}", expr)


def panels():
    for path in sorted((ROOT / "dashboards").glob("mtawatch-*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield path.name, panel["title"], target["expr"]


def start(folder, children, *command):
    with (folder / f"{len(children)}.log").open("w") as log:
        children.append(subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, cwd=folder))


def set_up(folder, children):
    pmta = {"files": [str(folder / "acct-*.csv")], "groups": ["job", "recipient_domain"]}
    postfix = {"files": [str(folder / "mail.log")], "groups": ["recipient_domain"]}
    kumomta = {"files": [str(folder / "kumomta/log/*")], "groups": ["job", "recipient_domain"]}
    log = folder / "acct-1.csv"
    log.write_text(",".join(UNION) + "\n")
    logs = [PostfixLog(folder / "mail.log", random.Random(8)), KumomtaLog(folder / "kumomta", random.Random(9))]
    for address, sections in ((EVERY_LOG, {"accounting": pmta, "postfix": postfix, "kumomta_log": kumomta}),
                              (POSTFIX_ALONE, {"postfix": postfix}), (KUMOMTA_ALONE, {"kumomta_log": kumomta})):
        home = folder / address
        home.mkdir()
        (home / "exporter.yml").write_text(yaml.safe_dump(sections))
        start(folder, children, BUILD / "exporter/pmta_exporter", "--config.file", home / "exporter.yml", "--state.file",
              home / "state", "--web.listen-address", address)
    rules = folder / "rules"
    rules.mkdir()
    for path in (ROOT / "alert-rules").glob("*.rules.yml"):
        (rules / path.name).write_text(shortened(path.read_text()))
    jobs = [{"job_name": "pmta", "honor_labels": True, "static_configs": [{"targets": [EVERY_LOG]}]},
            {"job_name": "mail", "static_configs": [{"targets": [POSTFIX_ALONE, KUMOMTA_ALONE]}]},
            {"job_name": "probes", "static_configs": [{"targets": ["127.0.0.1:8081"], "labels": {"instance": EVERY_LOG, "job": "pmta"}}]},
            {"job_name": "kumomta", "metrics_path": "/kumo", "static_configs": [{"targets": ["127.0.0.1:8081"]}]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(rules / "*.yml")],
        "scrape_configs": jobs}))
    return log, logs


def write_records(log, others):
    """A hundred records a second in each log, with real times."""
    dice = random.Random(7)
    end = time.monotonic() + RUN_SECONDS
    while time.monotonic() < end:
        with log.open("a") as file:
            file.write("".join(record(dice, time.time()) + "\n" for _ in range(50)))
        for other in others:
            other.write(50)
        time.sleep(0.5)


def judge():
    failures, checked = [], 0
    for board, title, expr in panels():
        for instance in (".+", POSTFIX_ALONE, KUMOMTA_ALONE):
            if instance != ".+" and board not in ON_DELIVERY:
                continue
            checked += 1
            unsaid = instance != ".+" and title in UNSAID["any"] | UNSAID[instance]
            where = f"{board} \"{title}\" of {instance}"
            result = query(concrete(expr, instance))
            if unsaid and result:
                failures.append(f"{where}: the log does not say it, yet there is data for {expr}")
            elif not result and not unsaid:
                failures.append(f"{where}: no data for {expr}")
            elif result and all(math.isnan(float(one["value"][1])) for one in result):
                failures.append(f"{where}: only NaN for {expr}")
    return checked, failures


def judge_labels():
    """Each MTA's figures stand beside the others', and no relay that was never reached is lost."""
    expected = {f'count by (mta) (vmta:mail_deliveries:rate5m{{instance="{EVERY_LOG}"}})': {"pmta", "postfix", "kumomta"},
                f'count by (mta) (provider:mail_bounce_per_attempt:ratio_rate1h{{instance="{EVERY_LOG}"}})':
                    {"pmta", "postfix", "kumomta"},
                f'count by (mta) (sender_domain:mail_complaints:rate1d{{instance="{EVERY_LOG}"}})': {"pmta", "kumomta"},
                'count by (mta) (vmta_reason:mail_deferrals:rate5m{vmta="none", reason="connection"})': {"postfix"}}
    return [f"{expr}: {found}" for expr, wanted in expected.items()
            if (found := {one["metric"].get("mta") for one in query(expr)}) != wanted]


def main():
    children = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Documents)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            log, others = set_up(folder, children)
            writer = threading.Thread(target=write_records, args=(log, others))
            writer.start()
            time.sleep(3)
            for line in get(f"http://{EVERY_LOG}/metrics").splitlines():
                if line.startswith("# TYPE "):
                    FROM_EXPORTER.add(line.split()[2])
            start(folder, children, "prometheus", f"--config.file={folder}/prometheus.yml",
                  f"--storage.tsdb.path={folder}/tsdb", "--web.listen-address=127.0.0.1:9090")
            # The boards look a week back: let that week pass, then ask while mail still flows.
            time.sleep(RUN_SECONDS - 15)
            checked, failures = judge()
            failures += judge_labels()
            writer.join()
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(20)
            server.shutdown()
    print("\n".join(failures))
    print(f"{checked - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
