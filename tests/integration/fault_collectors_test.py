"""The exporter's collectors when what they look at goes wrong: no value falls to a false 0, each one disappears, and the probe says so.

Every target is well first, so that it has values; then all of them go wrong, each in its own way, while the exporter runs.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fault_programs
from fault_rows import KUMO, SMTP, World
from fault_servers import HEAD, Dialogue, NameServer, http_fault, reply
from sanitized import sanitized

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
SANITIZED = sanitized(BUILD / "exporter/pmta_exporter")
LOOKED_UP = 3  # probes: the blocklists, the domain, the address
MIB = 64  # of the exporter without accounting, whatever the targets send
LOADED_MIB = 160  # with 1000 files, 75 000 series and two hostile targets at once
AT_REST = 40  # MiB: a document that was refused leaves nothing behind
METRICS = "silent reset close truncate garble slow-loris endless".split()  # of the stream to KumoMTA's metrics
PAGES = ["status 500", "another page", "empty body", "body cut", "garbled body", "nested body", "body of 1 TB", "endless chunks", "endless trailer",
         "endless chunk extension", "many nodes"]
# Of a name server. A record that cannot be read by anybody is a fact, so garbled text is none of them.
LOOKUPS = ["silent", "wrong id", "cut", "SERVFAIL", "REFUSED", "NOTIMP", "referral", "alias to itself", "counts that lie"]
SAMPLE = re.compile(r"^(\w+\{[^}]*\}|\w+) (\S+)$", re.MULTILINE)


def values(samples):
    """What was seen, without how the looking went."""
    return {name: value for name, value in samples.items()
            if name.startswith("mail_") and not name.startswith(("mail_probe_", "mail_dnsbl_lists"))}


class Exporter:
    ports = iter(range(10925, 11000))  # nobody else is in this network namespace

    def __init__(self, folder, name, config):
        self.name, self.port = name, next(self.ports)
        path = folder / f"{self.port}.yml"
        path.write_text(config)
        self.log = folder / f"{self.port}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([BUILD / "exporter/pmta_exporter", "--config.file", path, "--state.file", "none",
                                             "--web.listen-address", f"127.0.0.1:{self.port}"], stdout=log, stderr=log)
        self.samples, self.before = {}, {}

    def scrape(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=20) as page:
                self.samples = dict(SAMPLE.findall(page.read().decode()))
        except urllib.error.URLError:
            self.samples = {}  # not listening yet
        return self

    def probe_results(self):
        return [value for name, value in self.samples.items() if name.startswith("mail_probe_success{")]

    def memory(self, kind):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{kind}:\s+(\d+)", status).group(1)) / 1024

    def said(self):
        return self.log.read_text()[-2000:]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Collectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-collectors-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        fault_programs.install(cls.folder, ROOT)
        cls.world = World(cls.folder, ROOT)
        good = reply(KUMO)
        cls.servers = {f"stream {fault}": (Dialogue([(HEAD, good)] * 20), fault) for fault in METRICS}
        cls.servers |= {f"page {fault}": (Dialogue([(HEAD, good)] * 20), http_fault(fault, good)) for fault in PAGES}
        cls.smtp = Dialogue(SMTP, tls=cls.world.tls)
        cls.lookups = {fault: NameServer(cls.world.zone()) for fault in LOOKUPS}
        config = "collectors:\n  mta_queue:\n    interval: 1s\n    timeout: 1s\n    targets:\n      - {mta: postfix, host: programs}\n"
        for name, (server, _) in cls.servers.items():
            config += f'      - {{mta: kumomta, url: "http://127.0.0.1:{server.port}", host: "{name}"}}\n'
        config += (f"  certificate:\n    interval: 1s\n    timeout: 1s\n    targets:\n      - endpoint: smtp://127.0.0.1:{cls.smtp.port}\n"
                   f"        name: mail.example.net\n        ca_file: {cls.world.authority.ca}\n")
        cls.config = config

    def start(self, name, config):
        exporter = Exporter(self.folder, name, config)
        self.addCleanup(exporter.stop)
        return exporter

    def wait_until(self, exporters, done, seconds=60):
        """Scrapes them in turn until `done` holds for each."""
        left = list(exporters)
        end = time.monotonic() + seconds
        while left:
            left = [exporter for exporter in left if not done(exporter)]
            self.assertLess(time.monotonic(), end, "\n".join(f"{one.name}: {one.samples}\n{one.said()}" for one in left))
            time.sleep(0.2)

    def break_and_watch(self, exporters, probes, break_all):
        def all_well(exporter):
            results = exporter.scrape().probe_results()
            return len(results) == probes and set(results) == {"1"}

        def all_gone(exporter):
            now = values(exporter.scrape().samples)
            # Times of messages move; everything else is what it was, or is absent.
            wrong = {name: (exporter.before.get(name), value) for name, value in now.items()
                     if value != exporter.before.get(name) and not name.startswith("mail_queue_oldest")}
            self.assertFalse(wrong, f"{exporter.name}: values that nobody saw")
            return not now
        self.wait_until(exporters, all_well)
        for exporter in exporters:
            exporter.before = values(exporter.samples)
            self.assertGreaterEqual(len(exporter.before), probes)
        break_all()
        self.wait_until(exporters, all_gone)
        for exporter in exporters:
            self.assertEqual(exporter.probe_results(), ["0"] * probes)
            print(f"{exporter.name}: {probes} probes, {len(exporter.before)} values: all absent, mail_probe_success 0; "
                  f"{exporter.memory('VmHWM'):.0f} MiB at most, {exporter.memory('VmRSS'):.0f} MiB now")
            if not SANITIZED:
                self.assertLess(exporter.memory("VmHWM"), MIB)

    def test_queues_and_certificates_disappear(self):
        def break_all():
            (self.folder / "outputs/fault").write_text("postqueue:good output, then exit 3")
            for server, fault in self.servers.values():
                server.fault = fault
            self.smtp.fault = "silent"
        exporter = self.start("queues and certificates", self.config)
        self.break_and_watch([exporter], len(self.servers) + 2, break_all)
        # Each of the exporter's threads kept the room of the endless documents that it had read.
        self.wait_until([exporter], lambda exporter: SANITIZED or exporter.memory("VmRSS") < AT_REST)

    def test_two_hostile_targets_cost_the_accounting_neither_memory_nor_a_record(self):
        logs = self.folder / "logs"
        logs.mkdir()
        columns = "type,timeLogged,orig,rcpt,vmta,jobId,dlvSourceIp,bounceCat,dsnStatus,dsnDiag\n"
        kinds = [("d", "2.0.0 (ok)", ""), ("b", "5.1.1 (no)", "smtp;550 5.1.1 no such user"), ("t", "4.7.0 (wait)", "smtp;421 4.7.0 later")]

        def record(n):
            kind, status, said = kinds[n * 7919 // 11 % 3]
            return (f"{kind},2026-11-29 05:00:00+0000,s@s{n % 3000}.example,u@d{n % 5000}.example,v{n % 1500},j{n % 8000},"
                    f"10.{n % 7}.{n % 200}.{n % 250},{('bad-mailbox', 'spam-related', 'policy-related', 'other')[n * 31 // 7 % 4]},{status},{said}\n")
        for number in range(1000):
            (logs / f"acct-{number}.csv").write_text(columns + "".join(record(number * 200 + n) for n in range(200)))
        written = 200 * 1000

        def counted(exporter):
            return sum(float(value) for name, value in exporter.samples.items()
                       if re.match(r"pmta_(deliveries|bounces|transient_failures)_total\{", name))

        good = reply(KUMO)
        groups = b",".join(b'"%s%d": 1' % (b"q" * 1000, n) for n in range(20_000))
        widest = reply(b'{"scheduled_count": {"value": {"queue": {%s}}}}' % groups)  # all of it is kept until the end
        faults = [http_fault(name, good) for name in ("endless trailer", "endless chunk extension", "endless chunks", "many nodes")]
        faults += [http_fault("many nodes", reply(b"", kind="text/xml")), lambda connection: connection.sendall(widest)]
        targets = [Dialogue([(HEAD, good)] * 200) for _ in range(2)]
        config = f"accounting:\n  files: ['{logs}/*.csv']\n  groups: [job, recipient_domain]\ncollectors:\n  mta_queue:\n"
        config += "    interval: 1s\n    timeout: 1s\n    targets:\n"
        for number, (target, mta) in enumerate(zip(targets, ("kumomta", "pmta"))):
            config += f'      - {{mta: {mta}, url: "http://127.0.0.1:{target.port}", host: "h{number}"}}\n'
        exporter = self.start("two hostile targets", config)
        self.wait_until([exporter], lambda exporter: counted(exporter.scrape()) == written)
        for fault in faults:
            for target in targets:
                target.fault = fault
            for number in range(0, 1000, 20):
                with open(logs / f"acct-{number}.csv", "a") as file:
                    file.write(record(number))
            written += 50
            served = [target.served for target in targets]
            self.wait_until([exporter], lambda exporter: counted(exporter.scrape()) == written and all(
                target.served >= before + 2 for target, before in zip(targets, served)))
        series = sum(not name.startswith(("pmta_exporter_", "process_")) for name in exporter.samples)
        print(f"two hostile targets: {series} series, {written} records, {exporter.memory('VmHWM'):.0f} MiB at most, "
              f"{exporter.memory('VmRSS'):.0f} MiB now")
        self.assertGreater(series, 65_000)
        if not SANITIZED:
            self.assertLess(exporter.memory("VmHWM"), LOADED_MIB)

    def test_what_lookups_told_disappears(self):
        def config(server):
            common = f"    interval: 1s\n    timeout: 1s\n    dns_servers: ['127.0.0.1:{server.port}']\n"
            return ("collectors:\n  mail_auth:\n" + common + "    domains:\n      - {domain: example.net, selectors: [s1], "
                    "addresses: [192.0.2.1], tls_rpt: true}\n    addresses: [192.0.2.1]\n  dnsbl:\n" + common +
                    "    addresses: [192.0.2.1]\n    lists: [bl.example.net]\n")

        def break_all():
            for fault, server in self.lookups.items():
                server.fault = fault
        exporters = [self.start(f"lookups, {fault}", config(server)) for fault, server in self.lookups.items()]
        self.break_and_watch(exporters, LOOKED_UP, break_all)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
