"""Two real Prometheis at one second, and bursts of records of jobs, users and providers that were never met before: what each
of them counts between its first and its last sample is what was written, over a stop, a kill and a reload of the exporter."""
import collections
import datetime
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import yaml

BUILD = pathlib.Path(sys.argv[2]).resolve()
SEED = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else 20261129
SECONDS = 28  # of bursts
HEADER = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,srcType,dlvType,rcvSmtpUser,vmta,vmtaPool,jobId\n"
# Each has an address of its own, so the exporter tells them apart.
SCRAPERS = {"192.0.2.1": 9091, "192.0.2.2": 9092}
PROVIDERS = {"gmail.com": "gmail", "yahoo.com": "yahoo", "outlook.com": "microsoft", "web.de": "web.de", "gmx.net": "gmx",
             "icloud.com": "apple", "mail.ru": "mail.ru", "orange.fr": "orange", "comcast.net": "comcast", "aol.com": "aol"}


class Mail:
    """Writes bursts, and keeps by series what they hold."""

    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.path = folder / "acct-1.csv"
        self.expected = collections.Counter()
        self.numbers = collections.Counter()
        self.path.write_text(HEADER)
        self.domains = list(PROVIDERS)

    def new(self, kind):
        self.numbers[kind] += 1
        return f"{kind}-{self.numbers[kind]}"

    def burst(self):
        """1 to 5 000 records, small ones as often as large ones, of one job or one user or both."""
        count = int(5000 ** self.random.random())
        job = self.new("job") if self.random.random() < 0.7 or not self.numbers["job"] else f"job-{self.numbers['job']}"
        user = self.new("user") if self.random.random() < 0.5 else "user-0"
        domain = self.domains.pop() if self.domains and self.random.random() < 0.5 else self.random.choice(list(PROVIDERS))
        provider = PROVIDERS[domain]
        pool = f"pool-{self.random.randrange(4)}"
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S+0000")
        lines = []
        for number in range(count):
            kind = self.random.choices("dbr", [5, 3, 2])[0]
            start = f"{kind},{stamp},{stamp},a@{user}.example,u{number}@{domain},"
            if kind == "d":
                lines.append(start + f"2.0.0 (ok),smtp;250 ok,,,smtp,,v1,{pool},{job}\n")
                self.add("pmta_job_deliveries_total", job_id=job)
                self.add("pmta_deliveries_total", vmta="v1", pool=pool, provider=provider)
                self.add("pmta_sender_deliveries_total", sender_domain=f"{user}.example", provider=provider)
                self.add("pmta_delivery_delay_seconds_count", provider=provider, pool=pool)
                self.add("pmta_delivery_delay_seconds_bucket", provider=provider, pool=pool, le="+Inf")
            elif kind == "b":
                lines.append(start + f"5.7.1 (blocked),smtp;550 5.7.1 blocked,spam-related,,smtp,,v1,{pool},{job}\n")
                self.add("pmta_job_bounces_total", job_id=job, bounce_class="block")
                self.add("pmta_bounces_total", vmta="v1", pool=pool, provider=provider, category="spam-related",
                         bounce_class="block")
            else:
                lines.append(f"r,{stamp},,a@{user}.example,u{number}@{domain},,,,smtp,,{user},v1,,\n")
                self.add("pmta_smtp_user_receipts_total", smtp_user=user)
                self.add("pmta_receipts_total", vmta="v1", source_type="smtp")
        with self.path.open("a") as file:
            file.write("".join(lines))
        return count

    def add(self, metric, **labels):
        self.expected[(metric, *sorted(labels.items()))] += 1


class Exporter:
    def __init__(self, folder, children):
        self.folder, self.children, self.process = folder, children, None
        self.config = folder / "config.yml"
        # A page is seen once that is saved, so the state is saved more often than pages are asked for.
        self.config.write_text(f"accounting:\n  files: ['{folder}/acct-*.csv']\n  groups: [job]\n  state_interval: 300ms\n")

    def start(self):
        with (self.folder / "exporter.log").open("a") as log:
            self.process = subprocess.Popen([BUILD / "exporter/pmta_exporter", "--config.file", self.config, "--state.file",
                                             self.folder / "state", "--web.listen-address", ":10925"],
                                            stdout=log, stderr=log)
        self.children.append(self.process)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(20)


def wait_for(what, ready, seconds=30):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"waited {seconds} s for {what}")
        time.sleep(0.1)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()
    except OSError:
        return b""


def start_prometheus(folder, children, address, port):
    """Its scrapes come from the address that it asks: both are this machine's."""
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    home = folder / address
    home.mkdir()
    (home / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "pmta", "static_configs": [{"targets": [f"{address}:10925"]}]}]}))
    with (home / "log").open("w") as log:
        children.append(subprocess.Popen(["prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb",
                                          f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log))


def samples(port):
    """Series -> values in order of time, of every pmta_ series without staleness marks."""
    query = urllib.parse.urlencode({"query": '{__name__=~"pmta_.*"}[5m]'})
    answer = get(f"http://127.0.0.1:{port}/api/v1/query?{query}")
    result = json.loads(answer)["data"]["result"] if answer else []  # it has only begun
    values = {}
    for row in result:
        labels = {k: v for k, v in row["metric"].items() if k not in ("__name__", "instance", "job")}
        values[(row["metric"]["__name__"], *sorted(labels.items()))] = [float(value) for _, value in row["values"]]
    return values


def differences(address, seen, expected):
    """A series that was there before the first scrape begins where it was then; every other one begins at 0."""
    found = []
    for key, written in sorted(expected.items()):
        values = seen.get(key, [])
        first = BASELINE[key]
        if values[:1] != [first] or values[-1:] != [written]:
            found.append(f"{address}: {key}: {values[:3]} to {values[-1:]}, written {written}")
        found += [f"{address}: {key}: falls from {a} to {b}" for a, b in zip(values, values[1:]) if b < a]
    return found


def complete(seen, expected):
    return all(key in seen and seen[key][-1] >= count for key, count in expected.items())


def play(folder, children):
    mail = Mail(folder, SEED)
    mail.burst()
    BASELINE.update(mail.expected)
    exporter = Exporter(folder, children)
    exporter.start()
    wait_for("the baseline", lambda: b"is ready" in get("http://127.0.0.1:10925/-/ready"))
    for address, port in SCRAPERS.items():
        start_prometheus(folder, children, address, port)
    for port in SCRAPERS.values():
        wait_for("a first scrape", lambda at=port: BASELINE.keys() <= samples(at).keys())
    begin, ends = time.monotonic(), [("stop", SECONDS * 0.3), ("reload", SECONDS * 0.5), ("kill", SECONDS * 0.7)]
    written = 0
    while time.monotonic() - begin < SECONDS:
        written += mail.burst()
        if ends and time.monotonic() - begin > ends[0][1]:
            how = ends.pop(0)[0]
            mail.burst()
            if how == "reload":
                exporter.process.send_signal(signal.SIGHUP)
            else:
                exporter.end(signal.SIGTERM if how == "stop" else signal.SIGKILL)
                mail.burst()
                exporter.start()
        # Anywhere in the scrapers' second.
        time.sleep(mail.random.random() * 0.8)
    for port in SCRAPERS.values():
        wait_for("the last samples", lambda at=port: complete(samples(at), mail.expected), 15)
    return mail


def main():
    children = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            mail = play(folder, children)
            seen = {address: samples(port) for address, port in SCRAPERS.items()}
            failures = [line for address in SCRAPERS for line in differences(address, seen[address], mail.expected)]
        finally:
            for child in children:
                child.kill()
                child.wait()
            if os.environ.get("SHOW"):
                print((folder / "exporter.log").read_text())
    new = len(mail.expected) - len(BASELINE)
    assert new > 60 and mail.numbers["job"] > 15, "too little happened"
    print(f"seed {SEED}: {mail.numbers['job']} jobs, {mail.numbers['user']} users; {new} new series, "
          f"{sum(mail.expected.values())} counts, compared in {len(SCRAPERS)} Prometheis: {len(failures)} differences")
    if failures:
        raise SystemExit("\n".join(failures[:20]))


BASELINE = collections.Counter()
main()
