"""Runs every command of docs/go-live.md in a world where example.com is ready to send, and compares what it prints.

A line "$ COMMAND" in the document is run; the lines that follow it in the block are what it must print, with "..." for what
differs between two runs. The world: nsd as the resolver, a mail server with STARTTLS, a web server with the MTA-STS policy,
PowerMTA's monitor (a stand-in) and accounting files of the last hour.

usage: go_live_test.py SOURCE BINARY, as root in network, mount and pid namespaces of its own with lo up
"""
import base64
import http.server
import os
import pathlib
import re
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

SOURCE, BINARY = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(SOURCE / "tests/integration"))
from mail_servers import Authority  # noqa: E402

UPDATE = os.environ.get("PRINT_OUTPUT")  # shows what each command prints instead of comparing
HEADER = "type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,bounceCat,vmta,dlvSourceIp\n"


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **options)


class World:
    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        for address in ("192.0.2.10/32", "192.0.2.20/32"):
            run("ip", "address", "add", address, "dev", "lo")
        self.authority = Authority(folder / "ca")
        self.trust_authority()
        self.keys()
        self.names()
        self.mail_server()
        self.policy_server()
        self.powermta()
        self.accounting()

    def trust_authority(self):
        """Our authority is the only one that this namespace trusts."""
        run("mount", "-t", "tmpfs", "tmpfs", "/etc/ssl/certs")
        pathlib.Path("/etc/ssl/certs/example.pem").write_text(self.authority.ca.read_text())
        run("openssl", "rehash", "/etc/ssl/certs")

    def keys(self):
        pathlib.Path("/etc/dkim").mkdir()
        run("openssl", "genrsa", "-out", "/etc/dkim/mail2026.pem", "2048")
        run("openssl", "rsa", "-in", "/etc/dkim/mail2026.pem", "-pubout", "-out", self.folder / "public.pem")
        lines = (self.folder / "public.pem").read_text().splitlines()
        self.public_key = "".join(lines[1:-1])

    def names(self):
        key = self.public_key
        zone = f"""$ORIGIN .
$TTL 3600
. SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 300
. NS ns.example.com.
ns.example.com. A 127.0.0.1
example.com. MX 10 mail.example.com.
example.com. TXT "v=spf1 ip4:192.0.2.10 -all"
mail.example.com. A 192.0.2.10
mail.example.com. TXT "v=spf1 a -all"
10.2.0.192.in-addr.arpa. PTR mail.example.com.
mail2026._domainkey.example.com. TXT "v=DKIM1; k=rsa; p={key[:200]}" "{key[200:]}"
_dmarc.example.com. TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=mailto:tls@example.com"
_mta-sts.example.com. TXT "v=STSv1; id=20261121"
mta-sts.example.com. A 192.0.2.20
2.0.0.127.bl.example.net. A 127.0.0.2
"""
        (self.folder / "root.zone").write_text(zone)
        (self.folder / "nsd.conf").write_text(
            f"server:\n ip-address: 127.0.0.1\n username: \"\"\n zonesdir: \"{self.folder}\"\n database: \"\"\n"
            f" pidfile: \"{self.folder}/pid\"\n xfrdfile: \"{self.folder}/xfrd\"\n zonelistfile: \"{self.folder}/zones\"\n"
            f" server-count: 1\n rrl-ratelimit: 0\nremote-control:\n control-enable: no\n"
            f"zone:\n name: \".\"\n zonefile: \"{self.folder}/root.zone\"\n")
        self.start("/usr/sbin/nsd", "-d", "-c", self.folder / "nsd.conf")
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        run("mount", "--bind", self.folder / "resolv.conf", os.path.realpath("/etc/resolv.conf"))

    def mail_server(self):
        """A server's port 25, and its port 587, where monitor@example.com may log in."""
        chain, key = self.authority.certificate("mail", "mail.example.com", days=90)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        password = secrets.token_hex(16)
        folder = pathlib.Path("/etc/nagios")
        folder.mkdir(exist_ok=True)
        (folder / "submit.password").touch(0o600)
        (folder / "submit.password").write_text(password + "\n")
        login = base64.b64encode(f"\0monitor@example.com\0{password}".encode()).decode()

        def answer(line, secure):
            word = line.split(" ")[0].upper()
            if word == "EHLO":
                return "250-mail.example.com\r\n250 " + ("AUTH PLAIN" if secure else "STARTTLS")
            if word == "AUTH":
                return "235 welcome" if line == f"AUTH PLAIN {login}" else "535 no"
            return {"MAIL": "250 ok", "RCPT": "250 ok", "RSET": "250 ok", "QUIT": "221 bye"}.get(word, "502 what?")

        def talk(stream, secure):
            """Until the client goes, or wants TLS: then True."""
            while line := stream.readline().decode().strip():
                if line.upper() == "STARTTLS":
                    return True
                stream.write((answer(line, secure) + "\r\n").encode())
                stream.flush()
            return False

        def greet(client):
            try:
                client.sendall(b"220 mail.example.com ESMTP\r\n")
                if not talk(client.makefile("rwb"), False):
                    return
                client.sendall(b"220 go ahead\r\n")
                with context.wrap_socket(client, server_side=True) as secure:
                    talk(secure.makefile("rwb"), True)
            except OSError:
                pass
            finally:
                client.close()

        def serve(listener):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=greet, args=(client,), daemon=True).start()

        for port in (25, 587):
            listener = socket.create_server(("192.0.2.10", port))
            threading.Thread(target=serve, args=(listener,), daemon=True).start()

    def policy_server(self):
        chain, key = self.authority.certificate("policy", "mta-sts.example.com", days=90)
        policy = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 1209600\r\n"

        class Policy(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(policy)))
                self.end_headers()
                self.wfile.write(policy)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("192.0.2.20", 443), Policy)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def powermta(self):
        state = self.folder / "state.json"
        fake = SOURCE / "tests/support/fake_powermta.py"
        run(sys.executable, fake, state, "init")
        text = state.read_text().replace('"mode": "backoff"', '"mode": "normal"').replace('"paused": true', '"paused": false')
        state.write_text(text)
        self.start(sys.executable, fake, state, "serve", "8080")

    def accounting(self):
        run("mount", "-t", "tmpfs", "tmpfs", "/var/log")
        folder = pathlib.Path("/var/log/pmta")
        folder.mkdir()
        now = time.time()
        lines = [HEADER]
        for i in range(1000):
            stamp = time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(now - 3000 + 2.9 * i))
            kind, status, category = ("b", "5.1.1 (bad destination mailbox address)", "bad-mailbox") if i % 100 == 7 else (
                "d", "2.0.0 (success)", "")
            lines.append(f"{kind},{stamp},{stamp},news@example.com,a{i}@example.org,relayed,{status},,{category},vmta1,"
                         "192.0.2.10\n")
        (folder / "acct-2026.csv").write_text("".join(lines))

    def start(self, *words):
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)

    def stop(self):
        for process in self.processes:
            process.kill()


def wait_until_up(command):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if subprocess.run(command, shell=True, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"never came up: {command}")


def commands(document):
    """[(command, expected output)] of the blocks without a language."""
    found = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", document, re.S | re.M):
        if language:
            continue
        parts = re.split(r"(?m)^\$ ", block)
        for part in parts[1:]:
            command, _, output = part.partition("\n")
            while command.endswith("\\"):
                more, _, output = output.partition("\n")
                command = command[:-1] + " " + more.strip()
            found.append((command, output.strip()))
    return found


def matches(expected, actual):
    pattern = ".*?".join(re.escape(piece) for piece in expected.split("..."))
    return re.fullmatch(pattern, actual.strip(), re.S) is not None


def main():
    found = commands((SOURCE / "docs/go-live.md").read_text())
    assert len(found) >= 12, f"docs/go-live.md has only {len(found)} commands"
    with tempfile.TemporaryDirectory(prefix="mtawatch-go-live-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        overlay(folder)
        world = World(folder)
        path = f"{BINARY}/checks:{BINARY}/exporter:/usr/sbin:/usr/bin:/sbin:/bin"
        wait_until_up(f"{BINARY}/checks/check_mx -d example.com --dns-server 127.0.0.1")
        wait_until_up(f"{BINARY}/checks/check_mta_queue --mta pmta")
        failures = 0
        for command, expected in found:
            done = subprocess.run(command, shell=True, capture_output=True, text=True, env={"PATH": path, "LC_ALL": "C"},
                                  timeout=60)
            actual = (done.stdout + done.stderr).strip()
            if UPDATE:
                print(f"$ {command}\n{actual}\n")
            elif not matches(expected, actual):
                failures += 1
                print(f"FAIL $ {command}\nexpected: {expected}\nprinted:  {actual}\n")
        world.stop()
        run("umount", "--recursive", "--lazy", "/etc")
        run("umount", "--lazy", folder / "etc")
    print(f"{len(found)} commands, {failures} do not print what the document says")
    return 1 if failures else 0


def overlay(folder):
    """/etc may be written in this namespace, and nothing of it stays."""
    (folder / "etc").mkdir()
    run("mount", "-t", "tmpfs", "tmpfs", folder / "etc")
    for name in ("upper", "work"):
        (folder / "etc" / name).mkdir()
    run("mount", "-t", "overlay", "overlay", "-o",
        f"lowerdir=/etc,upperdir={folder}/etc/upper,workdir={folder}/etc/work", "/etc")
    pathlib.Path("/etc/pmta_exporter").mkdir(exist_ok=True)
    pathlib.Path("/etc/pmta_exporter/config.yml").write_text((SOURCE / "packaging/exporter/config.yml").read_text())


sys.exit(main())
