"""check_mta_service and check_mta_queue over a real OpenSSH server: good and bad keys, hosts, connections and programs.

The remote programs are stand-ins bound over the real ones, so that they can be slow, chatty, endless or cut off.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import socket
import unittest

BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.argv[1:] = []
PORT = 2222

UNIT = "LoadState=loaded\\nActiveState=active\\nSubState=running\\nType=simple\\nNRestarts=0\\n"


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60, **more)


class Ssh(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-ssh-"))
        # A home of our own, so that neither keys nor known hosts of the machine count.
        cls.home = cls.folder / "home"
        (cls.home / ".ssh").mkdir(parents=True)
        for name in ("host", "host2", "key", "other"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.folder / name)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", cls.folder / "locked")
        authorized = "".join((cls.folder / f"{name}.pub").read_text() for name in ("key", "locked"))
        (cls.home / ".ssh/authorized_keys").write_text(authorized)
        (cls.home / ".ssh/config").write_text(f"Host *\n  ProxyCommand touch {cls.folder}/proxy-command-ran\n")
        for path in (cls.home, cls.home / ".ssh"):
            path.chmod(0o700)
        subprocess.run(["mount", "--bind", str(cls.home), "/root"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        pathlib.Path("/run/sshd").mkdir()
        cls.program = cls.folder / "program"
        cls.say("true")
        for real in ("/usr/bin/systemctl", "/usr/sbin/postqueue"):
            subprocess.run(["mount", "--bind", str(cls.program), real], check=True)
        cls.server = cls.start_server("host")
        cls.know_host("host")

    @classmethod
    def start_server(cls, key, port=PORT, authorized="/root/.ssh/authorized_keys", **settings):
        config = cls.folder / f"sshd_config_{port}"
        config.write_text(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {cls.folder}/{key}\nPidFile none\n"
                          f"AuthorizedKeysFile {authorized}\nPermitRootLogin prohibit-password\n"
                          "UsePAM no\nStrictModes no\nMaxSessions 20\n"
                          + "".join(f"{name} {value}\n" for name, value in settings.items()))
        server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-E", str(cls.folder / "sshd.log"), "-f", str(config)])
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return server
            except OSError:
                time.sleep(0.05)
        raise AssertionError("sshd did not come up")

    @classmethod
    def know_host(cls, name, port=PORT):
        key = (cls.folder / f"{name}.pub").read_text().split()
        (cls.home / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {key[0]} {key[1]}\n")

    @classmethod
    def say(cls, script):
        """What the remote systemctl and postqueue do. The file keeps its inode, because it is bound."""
        with open(cls.program, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script + "\n")
        cls.program.chmod(0o755)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(10)
        for path in ("/usr/bin/systemctl", "/usr/sbin/postqueue", "/root"):
            subprocess.run(["umount", "-l", path], check=False)
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.know_host("host")
        self.say(f"printf '{UNIT}'")

    def check(self, *arguments, program="check_mta_service", key="key", target=f"root@127.0.0.1:{PORT}", env=None):
        what = ("-u", "x") if program == "check_mta_service" else ("--mta", "postfix")
        key_option = ("--ssh-key", self.folder / key) if key else ()
        result = run(BUILD / "checks" / program, *what, "--ssh", target, *key_option, *arguments,
                     env=env or {"PATH": "/usr/bin:/bin", "HOME": str(self.home)})
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout

    def fingerprint(self, name):
        return run("ssh-keygen", "-lf", self.folder / f"{name}.pub").stdout.split()[1]

    def test_ok_with_key_and_known_host(self):
        self.assertEqual(self.check(), (0, "MTA_SERVICE OK - x is active (running) | x_restarts=0;;;0\n"))

    def test_the_users_ssh_configuration_is_not_read(self):
        self.assertEqual(self.check()[0], 0)
        self.assertFalse((self.folder / "proxy-command-ran").exists())

    def test_ok_with_a_default_key_and_with_an_agent(self):
        shutil.copy(self.folder / "key", self.home / ".ssh/id_ed25519")
        self.assertEqual(self.check(key=None)[0], 0)
        (self.home / ".ssh/id_ed25519").unlink()
        code, text = self.check(key=None)
        self.assertEqual(code, 3, text)
        self.assertIn("accepted no key of the agent and none of ~/.ssh", text)
        sock = str(self.folder / "agent")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 10
            while not os.path.exists(sock) and time.monotonic() < end:
                time.sleep(0.05)
            env = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "SSH_AUTH_SOCK": sock}
            run("ssh-add", self.folder / "key", env=env)
            self.assertEqual(self.check(key=None, env=env)[0], 0)
        finally:
            agent.terminate()
            agent.wait(10)

    def test_unknown_wrong_key(self):
        code, text = self.check(key="other")
        self.assertEqual(code, 3)
        self.assertIn("did not accept the key", text)
        self.assertIn("authorized_keys", text)

    def test_unknown_locked_or_missing_key(self):
        self.assertIn("without a passphrase", self.check(key="locked")[1])
        self.assertIn("cannot be read", self.check(key="nosuch")[1])

    def test_unknown_host_key_says_what_to_do(self):
        (self.home / ".ssh/known_hosts").write_text("")
        code, text = self.check()
        self.assertEqual(code, 3)
        self.assertIn("the host key of 127.0.0.1 is not known", text)
        self.assertIn(self.fingerprint("host"), text)
        self.assertIn("--ssh-host-key", text)

    def test_changed_host_key_is_never_accepted(self):
        self.know_host("host2")
        code, text = self.check()
        self.assertEqual(code, 3)
        self.assertIn("the host key of 127.0.0.1 changed", text)
        advice = f"ssh-keygen -R '[127.0.0.1]:{PORT}' -f /root/.ssh/known_hosts"
        self.assertIn(f"remove the old key ({advice})", text)
        self.assertEqual(run("sh", "-c", advice).returncode, 0)
        self.assertIn("is not known", self.check()[1])

    def test_a_changed_key_in_another_file_is_removed_from_there(self):
        own = self.folder / "its keys"
        own.write_text((self.home / ".ssh/known_hosts").read_text())
        self.know_host("host2")
        (self.home / ".ssh/known_hosts").rename(own)
        text = self.check("--ssh-known-hosts", own)[1]
        self.assertIn(f"ssh-keygen -R '[127.0.0.1]:{PORT}' -f '{own}'", text)

    def test_advice_of_an_unknown_key_is_a_command_that_works(self):
        own = self.folder / "new keys"
        own.touch()
        text = self.check("--ssh-known-hosts", own)[1]
        advice = f"ssh-keyscan -p {PORT} 127.0.0.1 >> '{own}'"
        self.assertIn(advice, text)
        self.assertEqual(run("sh", "-c", advice).returncode, 0)
        self.assertEqual(self.check("--ssh-known-hosts", own)[0], 0)

    def test_a_revoked_host_key_is_never_accepted(self):
        known = self.home / ".ssh/known_hosts"
        kind, key = (self.folder / "host.pub").read_text().split()[:2]
        good = known.read_text()
        hashed = self.folder / "hashed"
        hashed.write_text(f"[127.0.0.1]:{PORT} {kind} {key}\n")
        run("ssh-keygen", "-H", "-f", hashed)
        name = hashed.read_text().split()[0]
        for line in (f"@revoked * {kind} {key}", f"@revoked [127.0.0.1]:{PORT} {kind} {key} since May", f"@revoked 127.0.0.1 {kind} {key}",
                     f"@revoked\t127.0.0.*,[127.0.0.*]:*\t{kind}\t{key}", f"@revoked {name} {kind} {key}"):
            for text in (good + line + "\n", line + "\r\n" + good):
                known.write_text(text)
                code, said = self.check()
                self.assertEqual(code, 3, line)
                self.assertIn(f"({self.fingerprint('host')}, ssh-ed25519) is revoked by /root/.ssh/known_hosts line", said)
                self.assertEqual(self.check("--ssh-host-key", self.fingerprint("host"))[0], 3, "a pin does not help")
        # Another host's, and another key.
        other = (self.folder / "host2.pub").read_text().split()[1]
        known.write_text(good + f"@revoked mx9.example.net {kind} {key}\n@revoked * {kind} {other}\n")
        self.assertEqual(self.check()[0], 0)

    def test_a_certificate_authority_is_refused_in_one_sentence(self):
        known = self.home / ".ssh/known_hosts"
        kind, key = (self.folder / "host2.pub").read_text().split()[:2]
        good = known.read_text()
        known.write_text(f"# the fleet\n@cert-authority [127.0.0.1]:* {kind} {key}\n")
        code, text = self.check()
        self.assertEqual(code, 3)
        self.assertIn("/root/.ssh/known_hosts line 2 trusts 127.0.0.1 by an authority (@cert-authority), and host certificates cannot be checked here: "
                      f"add the host's own key ({self.fingerprint('host')}, ssh-ed25519)", text)
        known.write_text(known.read_text() + good)
        self.assertEqual(self.check()[0], 0)

    def test_a_host_that_is_known_without_a_port_is_known_on_every_port(self):
        kind, key = (self.folder / "host.pub").read_text().split()[:2]
        (self.home / ".ssh/known_hosts").write_text(f"127.0.0.1 {kind} {key}\n")
        self.assertEqual(self.check()[0], 0)
        other = (self.folder / "host2.pub").read_text().split()[1]
        (self.home / ".ssh/known_hosts").write_text(f"127.0.0.1 {kind} {other}\n")
        self.assertIn("is not known", self.check()[1])

    @contextlib.contextmanager
    def jump(self, host_key="host2", **settings):
        """A jump host with a host key and a log of its own; the target is reached by the name that only it knows."""
        names = self.folder / "hosts"
        names.write_text("127.0.0.1 localhost mx1.inside.test\n")
        server = self.start_server(host_key, PORT + 3, **settings)
        subprocess.run(["mount", "--bind", str(names), "/etc/hosts"], check=True)
        kind, key = (self.folder / f"{host_key}.pub").read_text().split()[:2]
        with open(self.home / ".ssh/known_hosts", "a", encoding="ascii") as known:
            known.write(f"[127.0.0.1]:{PORT + 3} {kind} {key}\n")
            kind, key = (self.folder / "host.pub").read_text().split()[:2]
            known.write(f"[mx1.inside.test]:{PORT} {kind} {key}\n")
        try:
            yield "--ssh-jump", f"root@127.0.0.1:{PORT + 3}"
        finally:
            server.terminate()
            server.wait(10)
            subprocess.run(["umount", "/etc/hosts"], check=True)

    def test_through_a_jump_host(self):
        target = f"root@mx1.inside.test:{PORT}"
        with self.jump() as jump:
            self.assertEqual(self.check(*jump, target=target), (0, "MTA_SERVICE OK - x is active (running) | x_restarts=0;;;0\n"))
            self.assertEqual(self.check(*jump, "--ssh-host-key", self.fingerprint("host"), target=target)[0], 0)
            # Much in both directions: a listing of 29 MB, and a command line of 100 kB.
            line = ('{"queue_name": "deferred", "queue_id": "Q%.0f", "arrival_time": 1700000000, "message_size": 10, '
                    '"recipients": [{"address": "a@example.com"}]}')
            self.say(f"seq -f '{line}' 1 200000")
            code, text = self.check(*jump, "-w", "1000000", "-c", "2000000", "-t", "30", program="check_mta_queue", target=target)
            self.assertEqual(code, 0, text)
            self.assertIn("200000 messages queued", text)
            self.say(f"printf '%s\\n' \"$@\" | wc -c >{self.folder}/arguments")
            self.check(*jump, "--config-dir", "/" + 100_000 * "x", program="check_mta_queue", target=target)
            self.assertGreater(int((self.folder / "arguments").read_text()), 100_000)

    def test_unknown_through_a_jump_host(self):
        target = f"root@mx1.inside.test:{PORT}"
        with self.jump() as jump:
            self.say("exec yes")
            begin = time.monotonic()
            self.assertIn("said more than", self.check(*jump, "-t", "8", target=target)[1])
            self.say("sleep 60")
            self.assertIn("no answer in time", self.check(*jump, "-t", "3", target=target)[1])
            self.assertLess(time.monotonic() - begin, 13)
            self.assertIn("the jump host 127.0.0.1 gives no way to mx1.inside.test port 1: ", self.check(*jump, target="root@mx1.inside.test:1")[1])
            self.assertIn("gives no way to mx9.inside.test", self.check(*jump, target="root@mx9.inside.test")[1])
            code, text = self.check(*jump, "--ssh-known-hosts", "/dev/null", target=target)
            self.assertEqual(code, 3)
            self.assertIn(f"jump host: the host key of 127.0.0.1 is not known ({self.fingerprint('host2')}", text)
            self.know_host("host2", PORT + 3)
            text = self.check(*jump, target=target)[1]
            self.assertIn("the host key of mx1.inside.test is not known", text)
            self.assertIn(f"ssh -p {PORT + 3} root@127.0.0.1 ssh-keyscan -p {PORT} mx1.inside.test >> ~/.ssh/known_hosts", text)
            self.assertIn("jump host: root@127.0.0.1 did not accept the key", self.check(*jump, key="other", target=target)[1])
            with socket.create_server(("127.0.0.1", 0)) as listener:
                text = self.check(*jump, "-t", "3", target=f"root@mx1.inside.test:{listener.getsockname()[1]}")[1]
                self.assertIn("SSH greeting with mx1.inside.test", text)
        with self.jump(AllowTcpForwarding="no") as jump:
            code, text = self.check(*jump, target=target)
            self.assertEqual(code, 3)
            self.assertIn("does its sshd allow it (AllowTcpForwarding, permitopen)?", text)
        self.assertIn("jump host: cannot connect to 127.0.0.1 port 1", self.check("--ssh-jump", "127.0.0.1:1")[1])
        self.assertIn("--ssh-jump: ", self.check("--ssh-jump", "-oProxyCommand=id")[1])
        result = run(BUILD / "checks/check_mta_service", "-u", "x", "--ssh-jump", "bastion")
        self.assertEqual((result.returncode, result.stdout), (3, "MTA_SERVICE UNKNOWN - --ssh-jump is for --ssh, which is missing\n"))

    def test_pinned_host_key(self):
        (self.home / ".ssh/known_hosts").write_text("")
        self.assertEqual(self.check("--ssh-host-key", self.fingerprint("host"))[0], 0)
        code, text = self.check("--ssh-host-key", self.fingerprint("host2"))
        self.assertEqual(code, 3)
        self.assertIn("not the pinned", text)

    def test_own_known_hosts_file(self):
        own = self.folder / "known"
        shutil.copy(self.home / ".ssh/known_hosts", own)
        (self.home / ".ssh/known_hosts").write_text("")
        self.assertEqual(self.check("--ssh-known-hosts", own)[0], 0)
        self.assertIn("cannot be read", self.check("--ssh-known-hosts", self.folder / "nosuch")[1])

    def test_chatty_stderr_has_no_say(self):
        self.say(f"i=0; while [ $i -lt 20000 ]; do echo 'warning: post-quantum soon, beware' >&2; i=$((i+1)); done; "
                 f"printf '{UNIT}'")
        self.assertEqual(self.check()[0], 0)

    def test_unknown_exit_status_and_signal(self):
        self.say("echo no bus >&2; exit 4")
        self.assertEqual(self.check(), (3, "MTA_SERVICE UNKNOWN - systemctl on 127.0.0.1 exited with 4: no bus\n"))
        self.say("kill -TERM $$")
        code, text = self.check()
        self.assertEqual(code, 3)
        self.assertIn("was ended by signal 15", text)

    def test_unknown_slow_program_in_time(self):
        self.say("sleep 60")
        begin = time.monotonic()
        code, text = self.check("-t", "3")
        self.assertEqual(code, 3, text)
        self.assertLess(time.monotonic() - begin, 4)

    @contextlib.contextmanager
    def another_user(self, shell="/bin/sh", **settings):
        """The target nobody@…, with this login shell, at a server of its own with these further settings."""
        there = pathlib.Path("/run/there")
        there.mkdir(exist_ok=True)
        there.chmod(0o777)
        (there / "keys").write_text((self.folder / "key.pub").read_text())
        passwd = self.folder / "passwd"
        users = pathlib.Path("/etc/passwd").read_text().splitlines()
        passwd.write_text("\n".join([line for line in users if not line.startswith("nobody:")] +
                                    [f"nobody:*:65534:65534:nobody:{there}:{shell}"]) + "\n")
        passwd.chmod(0o644)
        subprocess.run(["mount", "--bind", str(passwd), "/etc/passwd"], check=True)
        server = self.start_server("host", PORT + 2, there / "keys", **settings)
        try:
            yield f"nobody@127.0.0.1:{PORT + 2}"
        finally:
            server.terminate()
            server.wait(10)
            subprocess.run(["umount", "/etc/passwd"], check=True)

    def test_a_program_that_hangs_is_ended_there_too(self):
        # OpenSSH hands no signal on to root's programs, so another user logs in here.
        there = pathlib.Path("/run/there")
        with self.another_user() as target:
            for hang in ("exec sleep 1000", "trap '' TERM; sleep 1000; sleep 1000"):
                self.say(f"echo $$ >{there}/pid; {hang}")
                code, text = self.check("-t", "2", "--ssh-host-key", self.fingerprint("host"), target=target)
                self.assertEqual(code, 3, text)
                self.assertIn("no answer in time", text)
                program = pathlib.Path("/proc") / (there / "pid").read_text().strip()
                end = time.monotonic() + 10
                while program.exists() and ") Z " not in (program / "stat").read_text():
                    self.assertLess(time.monotonic(), end, "it still runs there")
                    time.sleep(0.05)

    def test_what_a_shell_prints_around_a_program_is_no_data(self):
        queue = '{"queue_name": "deferred", "queue_id": "A1", "arrival_time": 1700000000, "message_size": 1, "recipients": []}'
        more = queue.replace("A1", "B2")
        self.say(f"echo '{queue}'")

        def queued(**more):
            code, text = self.check("-w", "0", program="check_mta_queue", **more)
            return code, text[:text.index("; oldest")]
        good = queued()
        self.assertIn("1 messages queued", good[1])
        # sshd has bash read it for every command.
        (self.home / ".bashrc").write_text(f"echo '{more}'; echo Welcome; echo permission denied >&2; yes '{more}' | head -n 20000\n")
        try:
            self.assertEqual(queued(), good)
        finally:
            (self.home / ".bashrc").unlink()
        around = f"echo '{more}'; eval \"$SSH_ORIGINAL_COMMAND\"; echo '{more}'; echo Goodbye"
        with self.another_user("/bin/sh", ForceCommand=around, Banner=self.folder / "key.pub") as target:
            pin = "--ssh-host-key", self.fingerprint("host")
            self.know_host("host", PORT + 2)
            self.assertEqual(queued(target=target), good)
            # The program's end and what it said are its own too, not the wrapper's.
            self.say("echo no bus >&2; exit 4")
            self.assertEqual(self.check(*pin, target=target),
                             (3, "MTA_SERVICE UNKNOWN - systemctl on 127.0.0.1 exited with 4: no bus\n"))
            self.say("kill -TERM $$")
            self.assertIn("was ended by signal 15", self.check(*pin, target=target)[1])
            self.say(f"sleep 1000 & printf '{UNIT}'")  # a child that keeps the channel open
            begin = time.monotonic()
            self.assertEqual(self.check(*pin, target=target)[0], 0)
            self.assertLess(time.monotonic() - begin, 8)

    def test_a_forced_command_that_runs_something_else_is_unknown(self):
        self.say(f"printf '{UNIT}'")
        with self.another_user("/bin/sh", ForceCommand=f"printf '{UNIT}'") as target:
            code, text = self.check("--ssh-host-key", self.fingerprint("host"), target=target)
            self.assertEqual(code, 3, text)
            self.assertIn("systemctl on 127.0.0.1 was not run: the login shell or a forced command there ended with 0 and said "
                          "'LoadState=loaded ActiveState=active", text)
        with self.another_user("/bin/sh", ForceCommand="eval \"$SSH_ORIGINAL_COMMAND\" 2>&1") as target:
            code, text = self.check("--ssh-host-key", self.fingerprint("host"), target=target)
            self.assertEqual(code, 3, text)
            self.assertIn("joins the two (2>&1)", text)

    def test_login_shells(self):
        pin = "--ssh-host-key", self.fingerprint("host")
        for shell in ("/bin/sh", "/bin/bash", "/bin/rbash"):
            with self.another_user(shell) as target:
                self.assertEqual(self.check(*pin, target=target)[0], 0, shell)
        with self.another_user("/usr/sbin/nologin") as target:
            code, text = self.check(*pin, target=target)
            self.assertEqual(code, 3, text)
            self.assertIn("ended with 1 and said 'This account is currently not available.'", text)

    def test_unknown_endless_output_in_time(self):
        self.say("exec yes")
        begin = time.monotonic()
        code, text = self.check("-t", "8")
        self.assertEqual(code, 3, text)
        self.assertIn("said more than", text)
        self.assertLess(time.monotonic() - begin, 9)

    def test_unknown_dropped_in_the_middle(self):
        # The program ends the sshd process that carries its own connection: its shell's parent.
        self.say("printf '{\"queue_name\": '; kill -9 $(awk '{print $4}' /proc/$PPID/stat); sleep 5")
        code, text = self.check(program="check_mta_queue")
        self.assertEqual(code, 3, text)
        self.assertIn("queue could not be read", text)

    def test_unknown_missing_program(self):
        subprocess.run(["mount", "--bind", "/dev/null", "/usr/sbin/postqueue"], check=True)
        try:
            code, text = self.check(program="check_mta_queue")
        finally:
            subprocess.run(["umount", "/usr/sbin/postqueue"], check=True)
        self.assertEqual(code, 3, text)
        self.assertIn("postqueue", text)

    def test_unknown_refused_silent_and_no_ssh(self):
        code, text = self.check(target="root@127.0.0.1:1")
        self.assertEqual(code, 3)
        self.assertIn("cannot connect to 127.0.0.1 port 1", text)
        begin = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            code, text = self.check("-t", "3", target=f"root@127.0.0.1:{listener.getsockname()[1]}")
        self.assertEqual(code, 3)
        self.assertLess(time.monotonic() - begin, 4)
        self.assertEqual(self.check(target="root@-oProxyCommand=id")[0], 3)

    def test_one_connection_and_one_command(self):
        self.say(f"echo run >> {self.folder}/count; printf '{UNIT}\\n{UNIT}\\n{UNIT}'")
        code, text = self.check("-u", "y", "-u", "z")
        self.assertEqual(code, 0, text)
        self.assertEqual((self.folder / "count").read_text(), "run\n")

    def test_a_whole_host_through_one_connection(self):
        self.say(f"if [ \"$1\" = show ]; then printf '{UNIT}\\n{UNIT}'; else echo '"
                 '{"queue_name": "active", "queue_id": "A1", "arrival_time": 1700000000, "message_size": 1, "recipients": []}'
                 "'; fi")
        log = self.folder / "sshd.log"
        before = log.read_text().count("Accepted publickey")
        result = run(BUILD / "checks/check_mta_host", "--mta", "postfix", "--ssh", f"root@127.0.0.1:{PORT}", "--ssh-key",
                     self.folder / "key", "-v", env={"HOME": str(self.home)})
        self.assertIn("postfix@-.service is active (running)", result.stdout)
        self.assertIn("1 messages queued", result.stdout)
        self.assertRegex(result.stdout, r"OK: / is [0-9.]+ % full|: / is [0-9.]+ % full")
        self.assertIn("127.0.0.1 is ", result.stdout)
        wait = time.monotonic() + 5
        while log.read_text().count("Accepted publickey") == before and time.monotonic() < wait:
            time.sleep(0.05)
        self.assertEqual(log.read_text().count("Accepted publickey"), before + 1)

    def test_powermtas_deliveries_come_through_the_same_connection(self):
        logs = self.folder / "it's pmta"
        logs.mkdir()
        header = "type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType\n"
        now = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime())
        line = f"{{}},{now},s@example.com,r@example.net,{{}},smtp;250 ok,{{}},smtp\n"
        (logs / "acct-1.csv").write_text(header + 180 * line.format("d", "2.0.0 (success)", "")
                                         + 20 * line.format("b", "5.1.1 (bad)", "bad-mailbox"))
        (logs / "acct-2.csv").write_text(header)
        (logs / "other.csv").write_text(header + 500 * line.format("b", "5.1.1 (bad)", "bad-mailbox"))

        def deliveries(*arguments):
            out = run(BUILD / "checks/check_mta_host", "--mta", "pmta", "--ssh", f"root@127.0.0.1:{PORT}", "--ssh-key",
                      self.folder / "key", "-v", *arguments, env={"HOME": str(self.home)}).stdout
            return [text for text in out.splitlines()[1:] if "deliver" in text or "mails" in text]
        self.assertEqual(deliveries("--acct", logs / "acct-*.csv"),
                         ["WARNING: 90 % of 200 mails were delivered in the last hour (below 95)"])
        # More than is read: the end of the file is what counts, and its first line is half a record.
        with open(logs / "acct-1.csv", "w", encoding="ascii") as file:
            file.write(header)
            old = line.replace(now, "2020-01-01 00:00:00+0000").format("b", "5.1.1 (bad)", "bad-mailbox")
            file.write(old * (34_000_000 // len(old)))
            file.write(199 * line.format("d", "2.0.0 (success)", "") + line.format("b", "5.1.1 (bad)", "bad-mailbox"))
        self.assertEqual(deliveries("--acct", logs / "acct-*.csv", "-t", "30"),
                         ["OK: 99.5 % of 200 mails were delivered in the last hour"])
        self.assertEqual(deliveries("--acct", logs / "none-*.csv"),
                         [f"UNKNOWN: deliveries could not be seen: no file matches {logs}/none-*.csv on 127.0.0.1"])

    def test_arguments_arrive_as_they_are(self):
        self.say(f"printf '%s\\n' \"$@\" > {self.folder}/arguments; printf '{UNIT}'")
        result = run(BUILD / "checks/check_mta_service", "-u", "it's;$(touch /tmp/x)", "--ssh", f"root@127.0.0.1:{PORT}",
                     "--ssh-key", self.folder / "key", env={"HOME": str(self.home)})
        self.assertEqual(result.returncode, 3 if "blanks" in result.stdout else 0, result.stdout)
        self.check(program="check_mta_queue")
        result = run(BUILD / "checks/check_mta_queue", "--mta", "postfix", "--config-dir", "/etc/it's; id $HOME `x`",
                     "--ssh", f"root@127.0.0.1:{PORT}", "--ssh-key", self.folder / "key", env={"HOME": str(self.home)})
        self.assertEqual((self.folder / "arguments").read_text(), "-c\n/etc/it's; id $HOME `x`\n-j\n", result.stdout)

    def test_a_long_listing_streams_through(self):
        line = ('{"queue_name": "deferred", "queue_id": "Q%d", "arrival_time": 1700000000, "message_size": 10, '
                '"recipients": [{"address": "a@example.com"}]}')
        self.say(f"seq -f '{line.replace('%d', '%.0f')}' 1 200000")
        code, text = self.check("-w", "1000000", "-c", "2000000", "-t", "30", program="check_mta_queue")
        self.assertEqual(code, 0, text)
        self.assertIn("200000 messages queued", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
