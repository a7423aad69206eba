"""Starts a real Postfix and a real Dovecot below one folder, on loopback, with certificates made on the spot.

The caller is alone in its network and process namespace: fixed ports are free, and whatever is left running ends with it.
"""
import os
import pathlib
import pwd
import resource
import shutil
import socket
import subprocess
import time


def openssl(*arguments, **options):
    subprocess.run(["/usr/bin/openssl", *arguments], check=True, capture_output=True, **options)


class Authority:
    """A certificate authority in `folder`: ca.pem, and NAME.pem (chain) with NAME.key for each certificate."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        self.ca_key = self.folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                "-subj", "/CN=Example Root", "-keyout", self.ca_key, "-out", self.ca)

    def certificate(self, name, host, days=90, key="ec"):
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        chain, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["-newkey", key]
        openssl("req", *kind, "-nodes", "-subj", f"/CN={host}", "-keyout", secret, "-out", request)
        extensions.write_text(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial",
                "-days", str(days), "-extfile", extensions, "-out", chain)
        return chain, secret


def wait_for_port(port, seconds=20, address="127.0.0.1"):
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise RuntimeError(f"nothing listens on port {port} after {seconds} s")
            time.sleep(0.02)


def few_descriptors():
    """Servers close every descriptor there could be when a process starts, and a container may allow a billion."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))


POSTFIX_SERVICES = """
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`listeners`: lines of master.cf for inet services. Faults of Postfix are in `log`."""

    def __init__(self, folder, settings, listeners):
        self.folder = pathlib.Path(folder)
        configuration = self.folder / "etc"
        queue, data = self.folder / "queue", self.folder / "data"
        for path in (configuration, queue, data):
            path.mkdir(parents=True)
        self.folder.chmod(0o755)
        user = pwd.getpwnam("postfix")
        os.chown(data, user.pw_uid, user.pw_gid)
        self.log = self.folder / "maillog"
        lines = {
            "compatibility_level": "3.6", "queue_directory": queue, "data_directory": data, "maillog_file": self.log,
            "maillog_file_prefixes": self.folder, "myhostname": "mx1.example.net", "mydestination": "",
            "inet_protocols": "ipv4", "alias_maps": "", "alias_database": "",
        }
        lines.update(settings)
        (configuration / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
        (configuration / "master.cf").write_text(POSTFIX_SERVICES + listeners)
        self.configuration = configuration
        done = subprocess.run(["/usr/sbin/postfix", "-c", configuration, "start"], capture_output=True, text=True,
                              preexec_fn=few_descriptors)
        if done.returncode != 0:
            raise RuntimeError(f"postfix does not start: {done.stdout}{done.stderr}")

    def stop(self):
        subprocess.run(["/usr/sbin/postfix", "-c", self.configuration, "stop"], capture_output=True)


NO_PASSWORDS = """
passdb {
  driver = static
  args = nopassword=y
}
"""


class Dovecot:
    """Everybody may log in, unless `passdb` says otherwise."""

    def __init__(self, folder, certificate, key, settings="", passdb=NO_PASSWORDS):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        self.log = self.folder / "log"
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.log}
listen = 127.0.0.1
protocols = imap pop3 lmtp sieve
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{self.folder}/mail
default_internal_user = dovecot
default_login_user = dovenull
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service pop3-login {{
  chroot =
}}
service managesieve-login {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = 24
  }}
}}
{passdb}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={self.folder}/home
}}
{settings}
""")
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", configuration], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=few_descriptors)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
