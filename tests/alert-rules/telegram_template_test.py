"""Telegram messages: what they say, and that none can outgrow 4096 characters or break its HTML (amtool)."""
import html.parser
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
TEMPLATES = ROOT / "alert-rules" / "alertmanager" / "templates" / "*.tmpl"


class Balance(html.parser.HTMLParser):
    """Only tags that Telegram knows, every one closed."""

    def __init__(self):
        super().__init__()
        self.open, self.problems = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("b", "i", "a", "code"):
            self.problems.append(f"<{tag}> is no Telegram tag")
        self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")


def alert(status="firing", description="12.5% bounced to gmail on mx1 (pmta) in the last 1h.", **labels):
    return {"status": status, "labels": labels,
            "annotations": {"description": description, "summary": "A mailbox provider refuses a large share of our mail.",
                            "runbook_url": "https://mtawatch.example/docs/alerts.md#pmtabounceratecritical",
                            "dashboard_url": "https://grafana.example/d/mtawatch-bounces?var-job=pmta&var-instance=mx1"},
            "startsAt": "2026-01-02T03:04:05Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p/", "fingerprint": "1"}


def data(alerts, name="PmtaBounceRateCritical", **labels):
    common = {"alertname": name, "severity": "critical", **labels}
    firing = any(one["status"] == "firing" for one in alerts)
    notes = alerts[0]["annotations"]
    return {"receiver": "telegram-critical", "status": "firing" if firing else "resolved", "alerts": alerts,
            "groupLabels": {"alertname": name}, "commonLabels": common,
            "commonAnnotations": {key: notes[key] for key in ("summary", "runbook_url")},
            "externalURL": "http://alertmanager.example:9093"}


def render(document):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        result = subprocess.run(["amtool", "template", "render", f"--template.glob={TEMPLATES}", "--template.type=html",
                                 f"--template.data={file.name}",
                                 '--template.text={{ template "mtawatch.telegram.html" . }}'],
                                capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.rstrip("\n")


failures = []


def expect(what, condition, text):
    if not condition:
        failures.append(f"{what}:\n{text}")


def well_formed(what, text):
    expect(f"{what}: at most 4096 characters, has {len(text)}", len(text) <= 4096, text)
    parser = Balance()
    parser.feed(text)
    expect(f"{what}: tags balance {parser.problems} {parser.open}", not parser.problems and not parser.open, text)


one = render(data([alert()]))
expect("one alert", one == """🔥 <b>PmtaBounceRateCritical</b> (1 firing)
<i>A mailbox provider refuses a large share of our mail.</i>

• 12.5% bounced to gmail on mx1 (pmta) in the last 1h.

<a href="https://mtawatch.example/docs/alerts.md#pmtabounceratecritical">runbook</a> · <a href="https://grafana.example/d/mtawatch-bounces?var-job=pmta&amp;var-instance=mx1">dashboard</a> · <a href="http://alertmanager.example:9093/#/silences/new?filter=%7Balertname%3D%22PmtaBounceRateCritical%22%7D">silence</a>""", one)
well_formed("one alert", one)

mixed = render(data([alert(), alert(), alert("resolved", "0.5% bounced to yahoo on mx1 (pmta) in the last 1h.")]))
expect("counts", "(2 firing, 1 resolved)" in mixed and "yahoo" not in mixed, mixed)

resolved = render(data([alert("resolved")]))
expect("resolved says so and offers no silence", resolved.startswith("✅") and "silence" not in resolved, resolved)

security = render(data([alert()], name="PmtaSmtpUserSurge", **{"class": "security"}))
expect("security has its own sign", security.startswith("🔒"), security)

many = render(data([alert() for _ in range(60)]))
expect("sixty alerts", "(60 firing)" in many and many.count("•") == 4 and "and more" in many, many)
well_formed("sixty alerts", many)

for name, piece in {"quotes": '"' * 400, "tags": "</a><b>&\"'" * 60, "emoji": "🔥" * 300, "mixed": "<&\"🔥'>" * 80}.items():
    hostile = alert(description=piece)
    hostile["annotations"] = {key: piece for key in hostile["annotations"]}
    text = render(data([hostile] * 60, name=piece[:200], cluster=piece))
    well_formed(f"hostile {name}", text)

print("\n\n".join(failures) or "every message is short and well formed")
sys.exit(1 if failures else 0)
