"""An OpenSSH server on loopback with keys of its own, for tests that look at a machine through SSH."""
import pathlib
import socket
import subprocess
import time


class SshServer:
    """`enter` is put before sshd's command line: nsenter, to look into other namespaces. /run/sshd must exist there."""

    def __init__(self, folder, port, enter=(), listen="127.0.0.1"):
        self.folder, self.port = pathlib.Path(folder), port
        self.folder.mkdir()
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        (self.folder / "config").write_text(
            f"Port {port}\nListenAddress {listen}\nHostKey {self.folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {self.folder}/key.pub\nPermitRootLogin prohibit-password\nUsePAM no\nStrictModes no\n")
        self.server = subprocess.Popen([*enter, "/usr/sbin/sshd", "-D", "-E", str(self.folder / "log"), "-f",
                                        str(self.folder / "config")])
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("sshd did not come up: " + (self.folder / "log").read_text())

    def fingerprint(self):
        return subprocess.run(["ssh-keygen", "-lf", self.folder / "host.pub"], capture_output=True, text=True,
                              check=True).stdout.split()[1]

    def options(self):
        return ["--ssh", f"root@127.0.0.1:{self.port}", "--ssh-key", str(self.folder / "key"), "--ssh-host-key", self.fingerprint()]

    def logins(self):
        return (self.folder / "log").read_text().count("Accepted publickey")

    def stop(self):
        self.server.terminate()
        self.server.wait(10)
