"""Rules about the rules: generated files match their source, every alert is documented, every metric and label exists,
and the mistakes that rule linters look for are absent."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from rules_model import Rules

ROOT, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
RULES = Rules(ROOT)
problems = []


def same_as_generated():
    source = ROOT / "alert-rules" / "src"
    text = subprocess.run([sys.executable, "-B", source / "recording_rules.py"], capture_output=True, text=True, check=True)
    yield "recording.rules.yml", text.stdout
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-B", source / "alert_rules.py", folder], check=True)
        for path in sorted(pathlib.Path(folder).iterdir()):
            yield path.name, path.read_text()


for name, text in same_as_generated():
    if (ROOT / "alert-rules" / name).read_text() != text:
        problems.append(f"alert-rules/{name} differs from what alert-rules/src writes: run the script")

# Known metrics -> their labels: ours by the catalogue, KumoMTA's and node_exporter's by their published lists.
KNOWN = {"up": set(), "ALERTS": {"alertname", "alertstate"}}
catalogue = json.loads(subprocess.run([BUILD / "exporter" / "pmta_exporter", "--catalog"], capture_output=True, text=True,
                                      check=True).stdout)
for metric in catalogue["metrics"]:
    labels = set(metric["labels"])
    KNOWN[metric["name"]] = labels
    if metric["type"] == "histogram":
        KNOWN[metric["name"] + "_bucket"] = labels | {"le"}
        KNOWN[metric["name"] + "_sum"] = KNOWN[metric["name"] + "_count"] = labels
for line in (pathlib.Path(__file__).parent / "foreign_metrics.tsv").read_text().splitlines():
    if line and not line.startswith("#"):
        name, labels = line.split("\t")
        KNOWN[name] = set(filter(None, labels.split(",")))

TARGET = {"cluster", "job", "instance"}
WORDS = set("""and or unless on ignoring by without group_left group_right offset bool sum max min avg count rate increase
irate changes clamp clamp_max clamp_min histogram_quantile last_over_time time scalar vector round inf label_replace""".split())
RECORD_LABELS = {"quantile", "profile", "grade", "stage"}


def strip(expr):
    return re.sub(r"#.*", "", expr)


for rule in RULES.all:
    title = rule.get("alert") or rule["record"]
    expr = strip(rule["expr"])
    for name, matchers in re.findall(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\})?", re.sub(r'"[^"]*"', '""', expr)):
        inside = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", matchers))
        if name in RULES.records:
            continue
        if name in KNOWN:
            for label in inside - KNOWN[name] - TARGET:
                problems.append(f"{title}: {name} has no label {label}")
    bare = re.sub(r"\{[^}]*\}", "", re.sub(r'"[^"]*"', "", expr))
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", r"\1", bare)
    for name in set(re.findall(r"(?<![0-9.\[a-zA-Z_:])[a-zA-Z_:][a-zA-Z0-9_:]*", bare)) - WORDS - set(KNOWN) - set(RULES.records):
        problems.append(f"{title}: {name} is no metric of a known catalogue")

ALERTING = {name: rules for name, rules in RULES.alerts.items()}
runbook = (ROOT / "docs" / "alerts.md").read_text()
headings = set(re.findall(r"^### (\w+)$", runbook, re.M))
for name, rules in ALERTING.items():
    for rule in rules:
        annotations, labels = rule.get("annotations", {}), rule["labels"]
        if labels.get("severity") not in ("critical", "warning", "info", "none"):
            problems.append(f"{name}: severity is {labels.get('severity')}")
        if any("{{" in str(value) for value in labels.values()):
            problems.append(f"{name}: a label holds a template, so every new value is a new alert")
        for key in ("summary", "description", "runbook_url", "dashboard_url"):
            if not annotations.get(key):
                problems.append(f"{name}: no {key}")
        if "{{" in annotations.get("summary", "") or not annotations.get("summary", "").endswith("."):
            problems.append(f"{name}: the summary is a static sentence")
        if not annotations.get("runbook_url", "").endswith("#" + name.lower()):
            problems.append(f"{name}: runbook_url does not name its heading")
        expr = strip(rule["expr"])
        if name != "Watchdog" and not re.search(r"[<>]|==|!=", expr):
            problems.append(f"{name}: compares nothing, so it fires whenever the series exists")
        if re.search(r"\b(topk|bottomk)\b", expr):
            problems.append(f"{name}: topk in an alert changes its labels from minute to minute")
        if re.search(r"\brate\([a-z_]*(?:_seconds|_bytes|_recipients|_messages)\b(?!_total)(?!_bucket)", expr):
            problems.append(f"{name}: rate of a gauge")
    if name not in headings:
        problems.append(f"{name}: docs/alerts.md has no heading")
for heading in headings - set(ALERTING):
    problems.append(f"docs/alerts.md: {heading} is no alert")

for rule in RULES.all:
    title, expr = rule.get("alert") or rule["record"], strip(rule["expr"])
    for counter in re.findall(r"([a-z_]+_total)\b", expr):
        used = re.search(r"(rate|increase|irate|changes)\s*\(\s*" + counter, expr)
        if not used and not counter.endswith(("_accounting_records_total", "_sender_lifetime_records_total")):
            problems.append(f"{title}: {counter} outside rate or increase")

files = sorted(str(path) for path in (ROOT / "alert-rules").glob("*.rules.yml"))
result = subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", *files], capture_output=True, text=True)
if result.returncode:
    problems.append(result.stdout + result.stderr)

example = ROOT / "alert-rules" / "prometheus.example.yml"
result = subprocess.run(["promtool", "check", "config", "--syntax-only", str(example)], capture_output=True, text=True)
if result.returncode:
    problems.append(result.stdout + result.stderr)

print("\n".join(problems) or f"{len(RULES.all)} rules, {len(ALERTING)} alerts: nothing to complain about")
sys.exit(1 if problems else 0)
