"""Icinga 2 and Nagios, the real ones, run every plugin and take state, text and performance data as they are meant.

usage: engines_test.py SOURCE BINARY, as root in network, mount and pid namespaces of its own with lo up
"""
import base64
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

SOURCE, BINARY = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(SOURCE / "tests/contract"))
from plugin_targets import TARGETS, Silence, arguments_of  # noqa: E402

CHECKS = BINARY / "checks"
GENERATED = BINARY / "packaging/generated"
TABLES = {t["program"]: t for t in json.loads(subprocess.run([CHECKS / "describe_checks"], capture_output=True,
                                                             check=True).stdout)}
STATES = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
WAIT = 90  # seconds for an engine to run everything; it is done in a few
HEADER = "type,timeLogged,orig,rcpt,dsnStatus,bounceCat,vmta\n"


def accounting(now):
    """Half of what went to two of three senders bounced in the last hour: critical, with a line for each."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(now - 600))
    text = HEADER
    for vmta, bounces in (("vmta1", 0), ("vmta2", 100), ("vmta3", 100)):
        text += f"d,{stamp},news@example.com,a@example.org,2.0.0 (success),,{vmta}\n" * 200
        text += f"b,{stamp},news@example.com,b@example.org,5.1.1 (bad address),bad-mailbox,{vmta}\n" * bounces
    return text


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


def given(table, arguments):
    """[(long name, value or None)] of a command line, by the plugin's own table."""
    by_name = {o["name"]: o for o in table["options"]} | {o["letter"]: o for o in table["options"] if o["letter"]}
    words = list(arguments)
    while words:
        option = by_name[words.pop(0).lstrip("-")]
        yield option["name"], None if option["kind"] == "flag" else words.pop(0)


class Scenario:
    """One service: a plugin with arguments, and what it answers when it is run by hand."""

    def __init__(self, name, program, arguments, engine_timeout=30):
        self.name, self.program, self.arguments, self.engine_timeout = name, program, arguments, engine_timeout
        self.expected = None

    def run_by_hand(self):
        done = subprocess.run([CHECKS / self.program, *self.arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        first, *rest = done.stdout.splitlines()
        text, _, perfdata = first.partition(" | ")
        self.expected = (done.returncode, text, rest, perfdata.split())


class Engines(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-engines-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        cls.user = pwd.getpwnam("nagios")
        log = cls.folder / "acct.csv"
        log.write_text(accounting(time.time()))
        cls.silence = cls.enterClassContext(Silence())
        cls.scenarios = [Scenario(f"silent_{program}", program, [*arguments_of(program, cls.silence.port), "-t", "1.5"])
                         for program in sorted(TABLES) if "-" not in TARGETS[program]]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if "check_bounce_rate" in TABLES:
            cls.scenarios.append(Scenario("bounces", "check_bounce_rate",
                                          ["--file", str(log), "--at", now, "--by", "vmta", "-v"]))
        # The engine's own time ends before the plugin's: SIGTERM from Icinga, death from Nagios. Icinga looks every half
        # second and kills after a tenth of the time more, so less than 10 seconds would leave no time to answer.
        cls.slow = Scenario("slow", "check_mail_cert",
                            [*arguments_of("check_mail_cert", cls.silence.port), "-t", "40"], engine_timeout=15)
        for scenario in cls.scenarios:
            scenario.run_by_hand()

    def own(self, path):
        os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def background(self, *command, **options):
        log = open(self.folder / f"{self._testMethodName}.log", "w+")
        process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True, **options)
        self.addCleanup(log.close)
        self.addCleanup(process.wait, 30)
        self.addCleanup(os.killpg, process.pid, signal.SIGKILL)  # it has nothing to keep
        return process, log

    def wait_for(self, ready, process, log):
        end = time.monotonic() + WAIT
        while time.monotonic() < end and process.poll() is None:
            if ready():
                return
            time.sleep(0.2)
        log.seek(0)
        self.fail(f"no result after {WAIT} s, or the engine ended ({process.poll()}):\n{log.read()[-6000:]}")

    def assert_same(self, scenario, state, text, long_text, perfdata):
        code, first, rest, figures = scenario.expected
        with self.subTest(engine=self._testMethodName, scenario=scenario.name):
            self.assertEqual(STATES[state], STATES[code])
            self.assertEqual(comparable(text), comparable(first))
            self.assertEqual([comparable(line) for line in long_text], [comparable(line) for line in rest])
            self.assertEqual([item.split("=")[0] for item in perfdata], [item.split("=")[0] for item in figures])

    # --- Icinga 2 -------------------------------------------------------------------------------------------------------

    def mount_icinga_folders(self):
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        pathlib.Path("/run/icinga2").mkdir()
        self.own("/run/icinga2")
        for path in ("/var/lib/icinga2", "/var/log/icinga2", "/var/cache/icinga2", "/var/spool/icinga2"):
            run("mount", "-t", "tmpfs", "tmpfs", path)
            self.own(path)
        certificates = pathlib.Path("/var/lib/icinga2/certs")
        certificates.mkdir()
        self.own(certificates)
        request, certificate = certificates / "monitor.csr", certificates / "monitor.crt"
        run("icinga2", "pki", "new-ca")
        run("icinga2", "pki", "new-cert", "--cn", "monitor", "--key", certificates / "monitor.key", "--csr", request)
        run("icinga2", "pki", "sign-csr", "--csr", request, "--cert", certificate)
        shutil.copy("/var/lib/icinga2/ca/ca.crt", certificates / "ca.crt")
        self.own(certificates / "ca.crt")

    def icinga_service(self, scenario):
        table = TABLES[scenario.program]
        command = table["program"].removeprefix("check_")
        values = {}
        for name, value in given(table, scenario.arguments):
            repeatable = next(o["repeatable"] for o in table["options"] if o["name"] == name)
            key = f"{command}_{name.replace('-', '_')}"
            if value is None:
                values[key] = True
            elif repeatable:
                values.setdefault(key, []).append(value)
            else:
                values[key] = value
        lines = "".join(f"  vars.{key} = {json.dumps(value)}\n" for key, value in values.items())
        return (f'object Service "{scenario.name}" {{\n  host_name = "mx1"\n  check_command = "{command}"\n'
                f"  check_interval = 1h\n  max_check_attempts = 1\n  check_timeout = {scenario.engine_timeout}\n{lines}}}\n")

    def icinga_configuration(self):
        text = (f'const PluginDir = "/usr/lib/nagios/plugins"\nconst ManubulonPluginDir = PluginDir\n'
                f'const PluginContribDir = "{CHECKS}"\nconst NodeName = "monitor"\nconst ZoneName = NodeName\n'
                "include <itl>\ninclude <plugins>\n"
                f'include "{GENERATED}/icinga2.conf"\n'
                'object Endpoint NodeName {}\nobject Zone ZoneName { endpoints = [ NodeName ] }\n'
                'object CheckerComponent "checker" {}\n'
                'object ApiListener "api" { bind_host = "127.0.0.1" }\n'
                'object ApiUser "reader" { password = "reader"; permissions = [ "objects/query/Service" ] }\n'
                'object Host "mx1" { check_command = "dummy"; address = "127.0.0.1" }\n')
        text += "".join(self.icinga_service(scenario) for scenario in [*self.scenarios, self.slow])
        path = self.folder / "icinga2.conf"
        path.write_text(text)
        return path

    def icinga_results(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        request = urllib.request.Request("https://127.0.0.1:5665/v1/objects/services")
        request.add_header("Authorization", "Basic " + base64.b64encode(b"reader:reader").decode())
        try:
            with urllib.request.urlopen(request, context=context, timeout=10) as answer:
                services = json.load(answer)["results"]
        except OSError:
            return {}
        return {s["attrs"]["name"]: s["attrs"]["last_check_result"] for s in services if s["attrs"]["last_check_result"]}

    def test_icinga(self):
        self.mount_icinga_folders()
        configuration = self.icinga_configuration()
        run("icinga2", "daemon", "-C", "-c", configuration)
        process, log = self.background("icinga2", "daemon", "-c", configuration, "-x", "warning")
        self.wait_for(lambda: len(self.icinga_results()) == len(self.scenarios) + 1, process, log)
        results = self.icinga_results()
        for scenario in self.scenarios:
            result = results[scenario.name]
            first, *rest = result["output"].split("\n")
            self.assert_same(scenario, int(result["state"]), first.rstrip(), rest, result["performance_data"])
        with self.subTest(scenario="slow"):
            result = results["slow"]
            self.assertEqual(int(result["state"]), 3)
            self.assertRegex(result["output"], r"^<Timeout exceeded.>MAIL_CERT UNKNOWN - ended by SIGTERM \(-t 40 s\) while ")

    def test_icinga_reads_every_figure(self):
        items = sorted({item for scenario in self.scenarios for item in scenario.expected[3]})
        self.assertTrue(items, "no scenario has performance data")
        for item in items:
            with self.subTest(item=item):
                text = run("icinga2", "console", "--eval", f"parse_performance_data({json.dumps(item)})")
                parsed = json.loads(text)
                label, value = item.split("=")
                self.assertEqual(parsed["label"], label)
                number = float(re.match(r"-?[0-9.]+", value).group(0))
                self.assertAlmostEqual(parsed["value"], number, places=6)

    def test_the_definitions_stand_beside_the_whole_template_library(self):
        path = self.folder / "library.conf"
        path.write_text('const PluginDir = "/usr/lib/nagios/plugins"\nconst ManubulonPluginDir = PluginDir\n'
                        'const PluginContribDir = PluginDir\nconst NodeName = "monitor"\nconst ZoneName = NodeName\n'
                        "include <itl>\ninclude <plugins>\ninclude <plugins-contrib>\n"
                        f'include "{GENERATED}/icinga2.conf"\n')
        run("icinga2", "daemon", "-C", "-c", path)

    # --- Nagios ---------------------------------------------------------------------------------------------------------

    def nagios_configuration(self):
        spool = self.folder / "nagios"
        (spool / "results").mkdir(parents=True)
        for path in (spool, spool / "results"):
            self.own(path)
        objects = [
            "define command {\n  command_name alive\n  command_line /bin/true\n}\n",
            "define timeperiod {\n  timeperiod_name always\n  alias always\n" +
            "".join(f"  {day} 00:00-24:00\n" for day in
                    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")) + "}\n",
            "define contact {\n  contact_name nobody\n  host_notifications_enabled 0\n  service_notifications_enabled 0\n"
            "  host_notification_period always\n  service_notification_period always\n"
            "  host_notification_commands alive\n  service_notification_commands alive\n}\n",
            "define host {\n  host_name mx1\n  address 127.0.0.1\n  check_command alive\n  max_check_attempts 1\n"
            "  check_period always\n  contacts nobody\n  notification_interval 60\n  notification_period always\n}\n"]
        for scenario in [*self.scenarios, self.slow]:
            objects.append(self.nagios_service(scenario))
        definitions = (GENERATED / "nagios.cfg").read_text().replace("/usr/lib/nagios/plugins/check_", f"{CHECKS}/check_")
        (spool / "commands.cfg").write_text(definitions)
        (spool / "objects.cfg").write_text("".join(objects))
        main = {"log_file": spool / "nagios.log", "status_file": spool / "status.dat", "object_cache_file": spool / "cache",
                "precached_object_file": spool / "precached", "temp_file": spool / "temp", "temp_path": spool,
                "check_result_path": spool / "results", "state_retention_file": spool / "retention",
                "lock_file": spool / "lock", "command_file": spool / "commands", "query_socket": spool / "query",
                "nagios_user": "nagios", "nagios_group": "nagios", "interval_length": 1, "status_update_interval": 1,
                "service_inter_check_delay_method": "n", "service_check_timeout": 8, "execute_host_checks": 0,
                "enable_notifications": 0, "check_for_updates": 0, "max_check_result_file_age": 3600}
        path = spool / "nagios.cfg"
        path.write_text(f"cfg_file={spool}/commands.cfg\ncfg_file={spool}/objects.cfg\n" +
                        "".join(f"{key}={value}\n" for key, value in main.items()))
        return path

    def nagios_service(self, scenario):
        # Required options are arguments of their own, in the order of the table; everything else is the last one.
        table = TABLES[scenario.program]
        options = list(given(table, scenario.arguments))
        required = [o["name"] for o in table["options"] if o["required"] and o["name"] != "hostname"]
        hosts = [o["name"] for o in table["options"] if o["required"] and o["name"] == "hostname"]
        first = {name: next(value for other, value in options if other == name) for name in required}
        rest = []
        for name, value in options:
            if name in hosts or (name in first and first[name] == value):
                continue
            rest += [f"--{name}"] + ([] if value is None else [f"'{value}'"])
        words = [scenario.program, *first.values(), " ".join(rest)]
        return (f"define service {{\n  host_name mx1\n  service_description {scenario.name}\n"
                f"  check_command {'!'.join(words)}\n  max_check_attempts 1\n  check_interval 3600\n  retry_interval 3600\n"
                "  check_period always\n  contacts nobody\n  notification_interval 60\n  notification_period always\n}\n")

    def nagios_results(self):
        path = self.folder / "nagios/status.dat"
        if not path.exists():
            return {}
        results = {}
        for block in re.findall(r"servicestatus \{(.*?)\n\t\}", path.read_text(), re.S):
            fields = dict(line.strip().split("=", 1) for line in block.strip().splitlines() if "=" in line)
            if fields["has_been_checked"] == "1":
                results[fields["service_description"]] = fields
        return results

    def test_nagios(self):
        configuration = self.nagios_configuration()
        run("nagios4", "-v", configuration)
        process, log = self.background("nagios4", configuration)
        self.wait_for(lambda: len(self.nagios_results()) == len(self.scenarios) + 1, process, log)
        results = self.nagios_results()
        for scenario in self.scenarios:
            fields = results[scenario.name]
            rest = [line for line in fields["long_plugin_output"].split("\\n") if line]
            self.assert_same(scenario, int(fields["current_state"]), fields["plugin_output"], rest,
                             fields["performance_data"].split())
        with self.subTest(scenario="slow"):
            self.assertEqual(results["slow"]["current_state"], "2", "Nagios calls its own timeout critical")
            self.assertIn("timed out", results["slow"]["plugin_output"])


def comparable(text):
    """A line without what differs between two runs (durations) or two engines (Nagios shows ';' as ':')."""
    return re.sub(r"[0-9]+(\.[0-9]+)? ?(ms|s|min)\b", "TIME", text).replace(";", ":")


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main(argv=[sys.argv[0]], verbosity=2)
