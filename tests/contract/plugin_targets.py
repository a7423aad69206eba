"""What every plugin is pointed at when it must meet silence, and the silence itself; used by several tests."""
import select
import socket

DNS = ["--dns-server", "127.0.0.1:{port}"]
SSH = ["--ssh", "127.0.0.1:{port}", "--ssh-host-key", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
# {port} listens on TCP and UDP and says nothing; "-" is a standard input that never ends.
TARGETS = {
    "check_bounce_rate": ["--file", "-"],
    "check_dkim": ["-d", "example.net", "-s", "s1", *DNS],
    "check_dmarc": ["-d", "example.net", *DNS],
    "check_dnsbl": ["-a", "192.0.2.1", "-l", "bl.example.net", *DNS],
    "check_fcrdns": ["-i", "192.0.2.1", *DNS],
    "check_mail_cert": ["-e", "smtp://127.0.0.1:{port}"],
    "check_mail_submit": ["-H", "127.0.0.1", "-p", "{port}"],
    "check_mta_host": ["--mta", "postfix", *SSH],
    "check_mta_queue": ["--mta", "pmta", "--url", "http://127.0.0.1:{port}"],
    "check_mta_service": ["-u", "postfix.service", *SSH],
    "check_mta_sts": ["-d", "example.net", *DNS],
    "check_mx": ["-d", "example.net", *DNS],
    "check_spf": ["-d", "example.net", *DNS],
    "check_tls_rpt": ["-d", "example.net", *DNS],
}


def arguments_of(program, port):
    assert program in TARGETS, (f"add {program} to TARGETS in {__file__}: the arguments that point it at something that "
                                "never answers")
    return [argument.format(port=port) for argument in TARGETS[program]]


class Silence:
    """A TCP and UDP port on loopback that takes connections and packets and never says a word."""

    def __enter__(self):
        for _ in range(50):
            self.tcp = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.port = self.tcp.getsockname()[1]
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(("127.0.0.1", self.port))
                return self
            except OSError:
                self.tcp.close()
                self.udp.close()
        raise AssertionError("no port is free for TCP and UDP alike")

    def __exit__(self, *_):
        self.tcp.close()
        self.udp.close()

    def wait_for_caller(self):
        ready, _, _ = select.select([self.tcp, self.udp], [], [], 20)
        assert ready, "nobody called"
