"""Looks over SSH, again and again through one exporter, leave nothing behind: no descriptor here, no login there.

Real OpenSSH servers: one for each of queue, service and host, one that refuses the key, and a jump host with one behind it. LOOKS of each (in ctest 40; a whole
night's proof is MTAWATCH_SSH_LOOKS=200 and more): the open descriptors of the exporter and the sshd processes are the same after the
20th and after the last.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fault_programs
from ssh_server import SshServer

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
KINDS = ("mta_queue", "mta_service", "mta_host", "refused", "jump", "behind")
LOOKS = int(os.environ.get("MTAWATCH_SSH_LOOKS", "40"))
FIRST = 20
TARGETS = 4  # addresses of one server, each looked at every second


class Looks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-looks-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        shutil.copy("/usr/sbin/sshd", cls.folder / "sshd")
        fault_programs.install(cls.folder, ROOT)
        shutil.copy(cls.folder / "sshd", cls.folder / "programs/sshd")  # which are /usr/sbin now
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        pathlib.Path("/run/sshd").mkdir()
        cls.servers = {kind: SshServer(cls.folder / kind, 2200 + number, listen="0.0.0.0")
                       for number, kind in enumerate(KINDS)}
        for server in cls.servers.values():
            cls.addClassCleanup(server.stop)
        jump, behind = cls.servers["jump"], cls.servers["behind"]
        shutil.copy(behind.folder / "key.pub", jump.folder / "key.pub")  # one key for both
        cls.known = cls.folder / "known_hosts"
        cls.known.write_text("".join(f"[127.0.0.*]:{server.port} {(server.folder / 'host.pub').read_text()}" for server in (jump, behind)))

    def configure(self, looking):
        lines = ["collectors:"] if looking else []
        for section, kinds, keys in (("mta_queue", ("mta_queue", "refused"), "mta: postfix, "), ("mta_host", ("mta_host",), ""),
                                     ("mta_service", ("mta_service", "behind"), "units: [x.service], ")) if looking else ():
            lines += [f"  {section}:", "    interval: 1s", "    timeout: 1s", "    targets:"]
            for kind in kinds:
                server = self.servers[kind]
                # Another server's key is one that this server does not know.
                key = self.servers["mta_queue" if kind == "refused" else kind].folder / "key"
                trust = f"ssh_host_key: \"{server.fingerprint()}\""
                if kind == "behind":
                    trust = f"ssh_known_hosts: {self.known}, ssh_jump: \"root@127.0.0.1:{self.servers['jump'].port}\""
                lines += [f"      - {{{keys}ssh: \"root@127.0.0.{n}:{server.port}\", ssh_key: {key}, {trust}}}"
                          for n in range(1, TARGETS + 1)]
        (self.folder / "exporter.yml").write_text("\n".join(lines) + "\n")

    def looks(self, kind):
        # A refused login ends without "Accepted"; each connection says so once.
        words = "Connection closed by authenticating user", "Received disconnect", "Disconnected from authenticating user"
        log = (self.servers[kind].folder / "log").read_text()
        return sum(log.count(word) for word in words[::2]) if kind == "refused" else log.count("Accepted publickey")

    def wait_for_looks(self, exporter, number):
        end = time.monotonic() + 120 + number * 2
        while min(self.looks(kind) for kind in KINDS) < number:
            self.assertIsNone(exporter.poll(), self.said())
            self.assertLess(time.monotonic(), end, f"{ {kind: self.looks(kind) for kind in KINDS} }\n{self.said()}")
            time.sleep(0.1)

    def said(self):
        return (self.folder / "exporter.log").read_text()[-3000:]

    def held(self, exporter):
        """The exporter's descriptors and the sshd processes, once nothing is looked at and nothing changes any more."""
        self.configure(looking=False)
        exporter.send_signal(signal.SIGHUP)
        seen, since, end = None, 0, time.monotonic() + 60
        while seen is None or time.monotonic() - since < 2:
            self.assertLess(time.monotonic(), end, f"still changing: {seen}")
            time.sleep(0.05)
            now = (len(os.listdir(f"/proc/{exporter.pid}/fd")),
                   sum(1 for process in pathlib.Path("/proc").glob("[0-9]*/stat") if self.is_sshd(process)))
            if now != seen:
                seen, since = now, time.monotonic()
        self.configure(looking=True)
        exporter.send_signal(signal.SIGHUP)
        return seen

    @staticmethod
    def is_sshd(stat):
        try:
            text = stat.read_text()
        except OSError:
            return False  # it ended just now
        # This test is PID 1 here and reaps no orphans, so what has ended stays as a zombie.
        return "(sshd) " in text and "(sshd) Z" not in text

    def test_as_many_descriptors_and_logins_after_the_last_look_as_after_the_twentieth(self):
        self.configure(looking=True)
        with open(self.folder / "exporter.log", "wb") as log:
            exporter = subprocess.Popen([BUILD / "exporter/pmta_exporter", "--config.file", self.folder / "exporter.yml", "--state.file", "none",
                                         "--web.listen-address", "127.0.0.1:10925"], stdout=log, stderr=log)
        try:
            self.wait_for_looks(exporter, FIRST)
            first = self.held(exporter)
            self.wait_for_looks(exporter, LOOKS)
            last = self.held(exporter)
            looks = {kind: self.looks(kind) for kind in KINDS}
        finally:
            exporter.terminate()
            exporter.wait(20)
        print(f"looks {looks}: descriptors {first[0]} then {last[0]}, sshd processes {first[1]} then {last[1]}")
        self.assertEqual(first, last, f"descriptors and sshd processes after {FIRST} looks of each kind and after {looks}")
        self.assertEqual(last[1], len(KINDS), "only the servers themselves")


if __name__ == "__main__":
    unittest.main(warnings="ignore")
