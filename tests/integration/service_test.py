"""check_mta_service against a real systemd: PID 1 of a namespace of its own, with units that run, fail, flap and wait.

systemd sees only the unit folder of this test (no basic.target, no sysinit, no generators), because those would run
tmpfiles and sysctl on the machine. /run, /tmp, /var/tmp and /var/lib are private, /proc/sys is read-only.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ssh_server import SshServer

BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
CHECK = BUILD / "checks/check_mta_service"

BOOT = """#!/bin/sh
set -e
mount --make-rprivate /
units=$1
ready=$2
mount --bind "$units" /mnt
mount -t tmpfs tmpfs /run
mkdir -p /run/units /run/none
cp /mnt/* /run/units/
umount /mnt
mount -t tmpfs tmpfs /var/tmp
mount -t tmpfs tmpfs /var/lib
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd 2>/dev/null || {
    umount /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
}
export container=mtawatch SYSTEMD_UNIT_PATH=/run/units SYSTEMD_GENERATOR_PATH=/run/none \\
    SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none
exec /lib/systemd/systemd --system --unit=mtawatch.target --log-target=console --show-status=no --crash-reboot=no
"""

NO_DEFAULTS = "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n"
UNITS = {
    "mtawatch.target": "[Unit]\nDefaultDependencies=no\nWants=runs.service fails.service flaps.service once.service "
                       "postfix@-.service postfix.service pmta.service\n",
    "runs.service": NO_DEFAULTS + "[Service]\nExecStart=/bin/sleep 1000\n",
    "stopped.service": NO_DEFAULTS + "[Service]\nExecStart=/bin/sleep 1000\n",
    "fails.service": NO_DEFAULTS + "[Service]\nExecStart=/bin/sh -c 'exit 75'\n",
    "flaps.service": NO_DEFAULTS + "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1\n",
    "once.service": NO_DEFAULTS + "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "postfix.service": NO_DEFAULTS + "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
    "postfix@.service": NO_DEFAULTS + "[Service]\nExecStart=/bin/sleep 1000\n",
    "pmta.service": NO_DEFAULTS + "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=mtawatch.target\n",
    "broken.service": NO_DEFAULTS + "[Service]\nType=nonsense\n",
}


def children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} within {seconds} s")


class Service(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-service-"))
        units = cls.folder / "units"
        units.mkdir()
        for name, text in UNITS.items():
            (units / name).write_text(text)
        boot = cls.folder / "boot"
        boot.write_text(BOOT)
        boot.chmod(0o755)
        cls.log = open(cls.folder / "log", "w", encoding="utf-8")
        cls.outer = subprocess.Popen(
            ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--mount-proc", "--kill-child",
             str(boot), str(units), str(cls.folder)], stdout=cls.log, stderr=cls.log)
        cls.systemd = wait_for(lambda: children(cls.outer.pid), 10, "the namespace came up")[0]
        wait_for(lambda: cls.inside("systemctl", "is-active", "runs.service").stdout == "active\n", 20,
                 "systemd started its units")
        wait_for(lambda: cls.inside("systemctl", "is-failed", "fails.service").stdout == "failed\n", 20,
                 "the failing unit failed")
        wait_for(lambda: int(cls.inside("systemctl", "show", "--value", "--property=NRestarts", "flaps").stdout or 0) > 2,
                 30, "the flapping unit flapped")

    @classmethod
    def tearDownClass(cls):
        # The one PID 1 of our own namespace; --kill-child ends everything below it.
        subprocess.run(["kill", "-KILL", str(cls.systemd)], check=False)
        cls.outer.wait(10)
        cls.log.close()
        shutil.rmtree(cls.folder)

    @classmethod
    def inside(cls, *command):
        return subprocess.run(["nsenter", "-t", str(cls.systemd), "-m", "-p", "-u", "-i", *command],
                              capture_output=True, text=True, timeout=30, check=False)

    def check(self, *arguments):
        result = self.inside(str(CHECK), *arguments)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout

    def test_ok_running(self):
        code, text = self.check("-u", "runs")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"^MTA_SERVICE OK - runs is active \(running\) for \d+ s \| runs_restarts=0;;;0 "
                               r"runs_uptime=\d+s;;;0\n$")

    def test_crit_failed_with_its_exit_status(self):
        code, text = self.check("-u", "fails")
        self.assertEqual(code, 2, text)
        self.assertRegex(text, r"^MTA_SERVICE CRITICAL - fails failed \(exit-code 75\) for \d+ s \|")

    def test_crit_flapping(self):
        code, text = wait_for(lambda: (lambda got: got if "keeps failing" in got[1] else None)(
            self.check("-u", "flaps", "--restarts", "0/1")), 20, "the unit was between two starts")
        self.assertEqual(code, 2, text)
        self.assertRegex(text, r"flaps was restarted \d+ times by itself \(above 1\)")

    def test_crit_stopped_missing_and_broken(self):
        self.assertRegex(self.check("-u", "stopped")[1], "^MTA_SERVICE CRITICAL - stopped is not running \n|"
                                                         "^MTA_SERVICE CRITICAL - stopped is not running")
        self.assertIn("nosuch does not exist there", self.check("-u", "nosuch")[1])
        code, text = self.check("-u", "broken")
        self.assertEqual(code, 2, text)

    def test_ok_oneshot_that_ended_well(self):
        code, text = self.check("-u", "once")
        self.assertEqual(code, 0, text)
        self.assertIn("once ended well", text)

    def test_ok_wanted_inactive(self):
        self.assertEqual(self.check("-u", "stopped", "--state", "inactive")[0], 0)
        self.assertEqual(self.check("-u", "runs", "--state", "inactive")[0], 2)

    def test_the_postfix_preset_sees_the_instance_not_the_frame(self):
        code, text = self.check("--mta", "postfix")
        self.assertEqual(code, 0, text)
        self.assertIn("postfix@-.service is active (running)", text)
        self.inside("systemctl", "stop", "postfix@-.service")
        code, text = self.check("--mta", "postfix")
        self.assertEqual(code, 2, text)
        self.assertIn("postfix@-.service is not running", text)
        self.inside("systemctl", "start", "postfix@-.service")

    def test_warn_disabled_and_young(self):
        code, text = self.check("-u", "pmta", "--enabled")
        self.assertEqual(code, 1, text)
        self.assertIn("pmta is disabled: it will not start at boot", text)
        code, text = self.check("-u", "runs", "--min-uptime", "1h")
        self.assertEqual(code, 1, text)
        self.assertRegex(text, r"runs was started only \d+ s ago|runs was started only \d+ min")

    def test_several_units_worst_first_and_json(self):
        code, text = self.check("-u", "runs", "-u", "fails", "-u", "once", "-o", "json")
        self.assertEqual(code, 2, text)
        answer = json.loads(text)
        self.assertEqual([unit["active_state"] for unit in answer["observation"]["units"]],
                         ["active", "failed", "inactive"])
        self.assertEqual(answer["observation"]["units"][1]["exit_status"], 75)

    def test_over_ssh_the_same_systemd_says_the_same(self):
        self.inside("mkdir", "-p", "/run/sshd")
        enter = ["nsenter", "-t", str(self.systemd), "-m", "-p", "-u", "-i"]
        server = SshServer(self.folder / "ssh", 2222, enter)  # ends with the namespace
        units = [word for unit in ("runs", "fails", "stopped", "once", "nosuch", "postfix@-") for word in ("-u", unit)]

        def facts(text):
            answer = json.loads(text)["observation"]
            return answer["where"], answer["units"]
        here, local = facts(self.check(*units, "-o", "json")[1])
        remote = subprocess.run([str(CHECK), *units, *server.options(), "-o", "json"], capture_output=True, text=True,
                                timeout=30, check=False)
        self.assertEqual((remote.returncode, remote.stderr), (2, ""))
        there, seen = facts(remote.stdout)
        self.assertEqual((here, there), ("on this machine", "on 127.0.0.1"))
        self.assertEqual(seen, local)
        before = server.logins()
        host = subprocess.run([str(BUILD / "checks/check_mta_host"), "--services", "runs,fails", *server.options(), "-v"],
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertRegex(host.stdout, r"^MTA_HOST CRITICAL - 127.0.0.1 is unhealthy: fails failed \(exit-code 75\)")
        self.assertRegex(host.stdout, r"OK: runs is active \(running\) for \d+")
        self.assertRegex(host.stdout, r"/ is [0-9.]+ % full")
        wait_for(lambda: server.logins() == before + 1, 10, "one login was logged")

    def test_unknown_where_systemd_is_not_in_charge(self):
        result = subprocess.run([str(CHECK), "-u", "runs"], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(result.returncode, 3, result.stdout)
        self.assertRegex(result.stdout, "^MTA_SERVICE UNKNOWN - systemctl on this machine exited with 1: ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
