"""Builds the Debian packages and takes them through their life in a fresh Debian: install, run, upgrade, remove, purge.

The Debian comes from the mirror that this machine's apt uses, read from apt's own configuration.
usage: package_test.py SOURCE [PRESET], as root in a mount namespace of its own (the network is needed for the mirror)
PRESET is what is packaged: release, unless told.
"""
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

SOURCE = pathlib.Path(sys.argv[1])
PRESET = sys.argv[2] if len(sys.argv) > 2 else "release"
BUILD = SOURCE / "build" / PRESET
CODENAME = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines()
                if "=" in line)["VERSION_CODENAME"].strip('"')
PACKAGES = ["mtawatch-plugins", "pmta-exporter", "mtawatch-monitoring"]
HEADER = "type,timeLogged,orig,rcpt,dsnStatus,bounceCat,vmta\n"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def mirror():
    """The repository of this release's main component, as apt knows it."""
    listing = run("apt-get", "indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)")
    for line in listing.splitlines():
        kind, uri, release, component = line.split()
        if (kind, release, component) == ("Packages", CODENAME, "main"):
            return uri
    raise AssertionError(f"apt knows no repository of {CODENAME} main; is apt-get update done?")


def build_packages():
    run("cmake", "--preset", PRESET, cwd=SOURCE)
    run("cmake", "--build", "--preset", PRESET, cwd=SOURCE)
    shutil.rmtree(BUILD / "packages", ignore_errors=True)
    run("cpack", cwd=BUILD)
    files = sorted((BUILD / "packages").glob("*.deb"))
    assert len(files) == len(PACKAGES), files
    return files


class Chroot:
    def __init__(self, folder):
        self.root = folder / "debian"
        self.root.mkdir()
        run("debootstrap", "--variant=minbase", CODENAME, self.root, mirror())
        for path in ("/etc/apt", "/usr/share/keyrings"):
            shutil.rmtree(self.root / path[1:])
            shutil.copytree(path, self.root / path[1:])
        for path in ("/etc/resolv.conf", "/etc/hosts"):
            shutil.copy(path, self.root / path[1:])
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        run("mount", "-t", "proc", "proc", self.root / "proc")
        self("apt-get", "-qq", "update")

    def __call__(self, *command):
        return run("chroot", self.root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *command)

    def path(self, name):
        return self.root / name.lstrip("/")

    def write(self, name, text, mode=0o644):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)
        self.path(name).chmod(mode)

    def install(self, *files):
        names = []
        for file in files:
            shutil.copy(file, self.root / "tmp")
            names.append(f"/tmp/{file.name}")
        return self("apt-get", "-qq", "-y", "--no-install-recommends", "install", *names)

    def owner(self, name):
        """"root:pmta-exporter 640"."""
        return self("stat", "-c", "%U:%G %a", name).strip()


def next_version(package, folder):
    """The same package with a higher version."""
    tree = folder / "next"
    shutil.rmtree(tree, ignore_errors=True)
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+next", control.read_text()))
    run("dpkg-deb", "--root-owner-group", "-b", tree, folder)
    return next(folder.glob("*+next*.deb"))


def accounting(now):
    """99 deliveries and one hard bounce in the last hour."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(now - 600))
    delivered = f"d,{stamp},news@example.com,a@example.org,2.0.0 (success),,vmta1\n"
    bounced = f"b,{stamp},news@example.com,b@example.org,5.1.1 (bad address),bad-mailbox,vmta1\n"
    return HEADER + delivered * 99 + bounced


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-package-"))
        run("mount", "-t", "tmpfs", "-o", "size=2G,mode=0755", "tmpfs", cls.folder)
        cls.addClassCleanup(lambda: (run("umount", "--recursive", cls.folder), cls.folder.rmdir()))
        cls.packages = build_packages()
        cls.chroot = Chroot(cls.folder)

    def test_1_lintian_finds_no_error_and_no_warning(self):
        done = subprocess.run(["lintian", "--allow-root", *map(str, self.packages)], capture_output=True, text=True)
        self.assertEqual(done.stdout, "")

    def test_2_the_unit_is_confined(self):
        unit = SOURCE / "packaging/exporter/pmta_exporter.service"
        text = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
        exposure = float(re.search(r"Overall exposure level.*?: ([0-9.]+)", text).group(1))
        self.assertLessEqual(exposure, 2.0)
        self.assertIn("\nCapabilityBoundingSet=\n", unit.read_text(), "no capability at all")

    def test_3_install(self):
        chroot = self.chroot
        chroot("groupadd", "pmta")  # PowerMTA and Postfix are there first on most hosts
        chroot("groupadd", "postdrop")
        chroot.install(*self.packages)
        self.assertEqual(set(chroot("id", "-Gn", "pmta-exporter").split()), {"pmta-exporter", "pmta", "postdrop", "adm"})
        self.assertEqual(chroot.owner("/etc/pmta_exporter"), "root:pmta-exporter 750")
        self.assertEqual(chroot.owner("/etc/pmta_exporter/config.yml"), "root:pmta-exporter 640")
        self.assertEqual(chroot.owner("/var/lib/pmta_exporter"), "pmta-exporter:pmta-exporter 750")
        self.assertTrue(chroot.path("/etc/systemd/system/multi-user.target.wants/pmta_exporter.service").is_symlink())
        for package in PACKAGES:
            self.assertIn("ok installed", chroot("dpkg-query", "-W", "-f", "${Status}", package))
            for name in chroot("dpkg-query", "-L", package).split("\n"):
                path = chroot.path(name)
                if not name or path.is_symlink() or not path.exists():
                    continue
                mode = path.lstat().st_mode
                self.assertFalse(mode & (stat.S_IWGRP | stat.S_IWOTH), f"{name} can be changed by others")
                self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID), f"{name} is set-id")

    def test_4_the_plugins_run(self):
        chroot = self.chroot
        plugins = [p.name for p in sorted(chroot.path("/usr/lib/nagios/plugins").glob("check_*"))]
        for plugin in plugins:
            done = subprocess.run(["chroot", chroot.root, f"/usr/lib/nagios/plugins/{plugin}", "-V"], capture_output=True,
                                  text=True)
            self.assertEqual((done.returncode, done.stderr), (3, ""), plugin)
            self.assertTrue(done.stdout.startswith(f"{plugin} "), done.stdout)
            self.assertTrue(chroot.path(f"/usr/share/man/man1/{plugin}.1.gz").exists(), f"{plugin} has no man page")
        chroot.write("/var/log/pmta/acct-1.csv", accounting(time.time()))
        answer = chroot("/usr/lib/nagios/plugins/check_bounce_rate", "-f", "/var/log/pmta/acct-*.csv")
        self.assertTrue(answer.startswith("BOUNCE_RATE OK - "), answer)
        self.assertRegex(answer, r"\b1(\.0+)? ?%")

    def test_5_the_exporter_runs_as_its_own_user(self):
        chroot = self.chroot
        chroot("chown", "-R", "root:pmta", "/var/log/pmta")
        chroot("chmod", "-R", "u=rwX,g=rX,o=", "/var/log/pmta")
        chroot("pmta_exporter", "--config.check", "--config.file", "/etc/pmta_exporter/config.yml")
        once = chroot("pmta_exporter", "--once", "--acct", "/var/log/pmta/acct-1.csv")
        self.assertIn("pmta_", once)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        log = open(self.folder / "exporter.log", "w+")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["chroot", chroot.root, "/usr/bin/setpriv", "--reuid", "pmta-exporter", "--regid", "pmta-exporter",
             "--init-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "/usr/bin/pmta_exporter",
             "--config.file", "/etc/pmta_exporter/config.yml", "--web.listen-address", f"127.0.0.1:{port}"],
            stdout=log, stderr=log)
        try:
            text = self.scraped(port, process, log)
        finally:
            process.terminate()
            self.assertEqual(process.wait(30), 0, "it ends in order")
        delivered = [line for line in text.splitlines() if line.startswith("pmta_") and line.endswith(" 99")]
        self.assertTrue(delivered, f"99 deliveries are nowhere in:\n{text[:3000]}")
        self.assertEqual(chroot.owner("/var/lib/pmta_exporter/state").split()[0], "pmta-exporter:pmta-exporter")

    def scraped(self, port, process, log):
        """The metrics, once the exporter has caught up."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5)
                return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
            except OSError:
                if process.poll() is not None:
                    break
                time.sleep(0.1)
        log.seek(0)
        raise AssertionError(f"the exporter never became ready:\n{log.read()}")

    def test_6_upgrade_keeps_what_the_administrator_wrote(self):
        chroot = self.chroot
        own = chroot.path("/etc/pmta_exporter/config.yml").read_text() + "# ours\n"
        chroot.path("/etc/pmta_exporter/config.yml").write_text(own)
        exporter = next(p for p in self.packages if p.name.startswith("pmta-exporter"))
        chroot.install(next_version(exporter, self.folder))
        self.assertTrue(chroot("dpkg-query", "-W", "-f", "${Version}", "pmta-exporter").endswith("+next"))
        self.assertEqual(chroot.path("/etc/pmta_exporter/config.yml").read_text(), own)
        self.assertEqual(chroot.owner("/etc/pmta_exporter/config.yml"), "root:pmta-exporter 640")
        self.assertTrue(chroot.path("/var/lib/pmta_exporter/state").exists(), "the counters go on")

    def test_7_remove_leaves_configuration_and_state_and_purge_neither(self):
        chroot = self.chroot
        chroot("apt-get", "-qq", "-y", "remove", *PACKAGES)
        self.assertFalse(chroot.path("/usr/bin/pmta_exporter").exists())
        self.assertFalse(list(chroot.path("/usr/lib").glob("nagios/plugins/check_*")))
        self.assertTrue(chroot.path("/etc/pmta_exporter/config.yml").exists())
        self.assertTrue(chroot.path("/var/lib/pmta_exporter/state").exists())
        chroot("apt-get", "-qq", "-y", "purge", *PACKAGES)
        for gone in ("/etc/pmta_exporter", "/etc/default/pmta_exporter", "/etc/nagios-plugins/config/mtawatch.cfg",
                     "/var/lib/pmta_exporter", "/usr/share/mtawatch"):
            self.assertFalse(chroot.path(gone).exists(), f"{gone} is left behind")
        left = [p for p in chroot.path("/etc/systemd/system").rglob("pmta_exporter*")]
        self.assertEqual(left, [])

    def test_8_install_again_after_purge(self):
        self.chroot.install(*self.packages)
        self.assertEqual(self.chroot.owner("/etc/pmta_exporter/config.yml"), "root:pmta-exporter 640")


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main(argv=[sys.argv[0]], verbosity=2, failfast=True)
