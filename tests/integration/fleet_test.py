"""A fleet: two exporters scraped by one Prometheus, written on to VictoriaMetrics, and the recording rules ask the same
question in both places and get the same answer."""
import datetime
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import yaml

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
HEADER = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType,dlvSourceIp,dlvSize,vmta,jobId,queue,vmtaPool\n"
HOSTS = {"mx1": 10925, "mx2": 10926}
RULES = ["provider:mail_bounce_per_attempt:ratio_rate5m", "pool:mail_delivery_per_attempt:ratio_rate5m",
         "vmta:mail_hard_bounce_per_attempt:ratio_rate5m", "sender_domain:mail_bounce_per_attempt:ratio_rate5m"]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def ask(base, expr, at):
    query = urllib.parse.urlencode({"query": expr, "time": at, "nocache": 1})
    rows = get(f"{base}/api/v1/query?{query}")["data"]["result"]
    return {tuple(sorted((k, v) for k, v in row["metric"].items() if k not in ("__name__", "by"))): float(row["value"][1])
            for row in rows}


def shortened(text):
    """The shipped rules with five minutes as twenty seconds, evaluated every second."""
    text = re.sub(r"\[5m\]", "[20s]", re.sub(r"interval: \w+", "interval: 1s", text))
    return re.sub(r"< 300\b", "< 5", text)


def lines(host, count):
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S+0000")
    share = 4 if host == "mx1" else 8
    for n in range(count):
        bad = n % share == 0
        yield (f"{'b' if bad else 'd'},{stamp},{stamp},a@news.example.com,u{n}@gmail.com,{'5.1.1 (x)' if bad else '2.0.0 (ok)'},"
               f"smtp;{'550 5.1.1 unknown' if bad else '250 ok'},{'bad-mailbox' if bad else ''},smtp,192.0.2.1,500,v1,j,gmail.com/v1,p\n")


def start(folder, children, *command):
    with (folder / f"{pathlib.Path(command[0]).name}-{len(children)}.log").open("w") as log:
        children.append(subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, cwd=folder))


def begin(folder, children):
    targets = []
    for host, port in HOSTS.items():
        (folder / host).mkdir()
        (folder / host / "acct-1.csv").write_text(HEADER + "".join(lines(host, 40)))
        start(folder, children, BUILD / "exporter/pmta_exporter", "--acct", folder / host / "acct-*.csv", "--state.file",
              folder / host / "state", "--web.listen-address", f"127.0.0.1:{port}")
        targets.append({"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": "eu", "instance": host}})
    # The targets come from a file, as docs/fleet.md shows.
    (folder / "targets.json").write_text(json.dumps(targets))
    (folder / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(folder / "recording.yml")],
        "scrape_configs": [{"job_name": "pmta", "file_sd_configs": [{"files": [str(folder / "targets.json")]}]}],
        "remote_write": [{"url": "http://127.0.0.1:8428/api/v1/write", "queue_config": {"batch_send_deadline": "1s"}}]}))
    (folder / "recording.yml").write_text(shortened((ROOT / "alert-rules/recording.rules.yml").read_text()))
    start(folder, children, "victoria-metrics", f"-storageDataPath={folder}/vm", "-httpListenAddr=127.0.0.1:8428",
          "-retentionPeriod=1", "-search.latencyOffset=1s")
    store = "http://127.0.0.1:8428"
    wait_until_it_answers(store + "/health")
    # Its rules are told apart from what Prometheus sends along by a label of their own.
    start(folder, children, "vmalert", f"-rule={folder}/recording.yml", f"-datasource.url={store}", f"-remoteWrite.url={store}",
          f"-notifier.url={store}", "-external.label=by=vmalert", "-httpListenAddr=127.0.0.1:8880")
    start(folder, children, "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
          "--web.listen-address=127.0.0.1:9090")


def wait_until_it_answers(url):
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def compare(at):
    failures = []
    for name in RULES:
        here = ask("http://127.0.0.1:9090", name, at)
        there = ask("http://127.0.0.1:8428", f'{name}{{by="vmalert"}}', at)
        if {dict(key).get("instance") for key in here} != set(HOSTS):
            failures.append(f"{name}: Prometheus has {sorted(here)}")
        if here.keys() != there.keys():
            failures.append(f"{name}: series differ: {sorted(here)} and {sorted(there)}")
        failures += [f"{name} {key}: {here[key]} in Prometheus, {there[key]} in VictoriaMetrics"
                     for key in here.keys() & there.keys() if not math.isclose(here[key], there[key], rel_tol=0.03)]
        failures += [f"{name} {key}: no cluster label" for key in here if ("cluster", "eu") not in key]
    return failures


def main():
    children = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            begin(folder, children)
            for _ in range(30):
                for host in HOSTS:
                    with (folder / host / "acct-1.csv").open("a") as file:
                        file.write("".join(lines(host, 40)))
                time.sleep(1)
            # VictoriaMetrics shows what it took some seconds later: ask about a moment that both have.
            at = time.time() - 5
            end = time.monotonic() + 60
            while failures := compare(at):
                if time.monotonic() > end:
                    break
                time.sleep(2)
        finally:
            # Writers before what they write to: Prometheus would wait a minute for a store that is gone.
            for child in reversed(children):
                child.terminate()
                child.wait(30)
    print("\n".join(failures) or f"{len(RULES)} rules agree for {len(HOSTS)} hosts")
    return 1 if failures else 0


sys.exit(main())
