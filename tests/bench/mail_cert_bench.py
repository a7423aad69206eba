"""What does a look at certificates cost? check_mail_cert beside check_smtp and check_ssl_cert on the same Postfix, and 50
endpoints whose servers hold the greeting for 100 ms beside one.

    tests/bench/mail_cert_bench.py build/release [rounds]

Needs root (own network namespace), postfix, openssl, time, monitoring-plugins-basic, monitoring-plugins-contrib and bind9-host.
"""
import os
import pathlib
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1] / "integration"))
from mail_servers import Authority, Postfix, remove, wait_for_port  # noqa: E402

NAME = "mx1.example.net"
HOLD = 0.1  # seconds that a scripted server waits before it greets
MANY = 50


def look_once(argv):
    """Wall and CPU milliseconds of one run."""
    null = os.open(os.devnull, os.O_RDWR)
    begin = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp"},
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    status, usage = os.wait4(pid, 0)[1:]
    wall = time.perf_counter() - begin
    os.close(null)
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, os.waitstatus_to_exitcode(status)


def memory_kib(argv):
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *argv], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(done.stderr.split()[-1])


def measure(title, argv, rounds, expected=0):
    argv = [str(piece) for piece in argv]
    results = [look_once(argv) for _ in range(rounds)]
    codes = {code for _, _, code in results}
    assert codes == {expected}, f"{title}: exit codes {codes}"
    wall = sorted(wall for wall, _, _ in results)
    cpu = statistics.median(cpu for _, cpu, _ in results)
    print(f"{title:44} {statistics.median(wall):9.2f} {wall[len(wall) // 10]:9.2f} {cpu:9.2f} {memory_kib(argv):9}")
    return statistics.median(wall)


def serve_one(connection, context):
    try:
        connection.settimeout(10)
        time.sleep(HOLD)
        connection.sendall(b"220 mx1.example.net ESMTP\r\n")
        connection.recv(500)
        connection.sendall(b"250-mx1.example.net\r\n250 STARTTLS\r\n")
        connection.recv(500)
        connection.sendall(b"220 2.0.0 go\r\n")
        secure = context.wrap_socket(connection, server_side=True)
        secure.recv(500)
        secure.close()
    except OSError:
        connection.close()


def serve(listeners, context):
    """A process of its own: one thread per connection."""
    def accept(listener):
        while True:
            connection = listener.accept()[0]
            threading.Thread(target=serve_one, args=(connection, context), daemon=True).start()
    for listener in listeners:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
    threading.Event().wait()


def start_servers(chain, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.num_tickets = 0
    ports, pids = [], []
    for _ in range(4):
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(MANY // 4 + 1)]
        ports += [listener.getsockname()[1] for listener in listeners]
        pid = os.fork()
        if pid == 0:
            serve(listeners, context)
        pids.append(pid)
    return ports[:MANY], pids


def main(build, rounds):
    check = pathlib.Path(build).resolve() / "checks" / "check_mail_cert"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cert_bench_"))
    folder.chmod(0o755)
    authority = Authority(folder / "ca")
    chain, key = authority.certificate("good", NAME)
    postfix = Postfix(folder / "postfix", {"smtpd_tls_chain_files": f"{key}, {chain}", "smtpd_tls_security_level": "may",
                                           "smtpd_client_connection_rate_limit": "0"}, "25 inet n - n - - smtpd\n")
    ports, pids = start_servers(chain, key)
    try:
        wait_for_port(25)
        plugins = "/usr/lib/nagios/plugins"
        ours = [check, "--ca-file", authority.ca, "--name", NAME]
        print(f"{'':44} {'median ms':>9} {'p10 ms':>9} {'CPU ms':>9} {'peak KiB':>9}")
        print("one Postfix, port 25, STARTTLS")
        peer = measure("  check_smtp -S -D 30,7", [f"{plugins}/check_smtp", "-H", "127.0.0.1", "-S", "-D", "30,7"], rounds)
        own = measure("  check_mail_cert (chain and name verified)", [*ours, "-e", "smtp://127.0.0.1"], rounds)
        system = measure("  check_mail_cert (system's authorities)",
                         [check, "--name", NAME, "-e", "smtp://127.0.0.1"], rounds, expected=2)
        measure("  check_ssl_cert -P smtp", [f"{plugins}/check_ssl_cert", "-H", "127.0.0.1", "-P", "smtp", "-p", "25", "-r",
                                             authority.ca, "-m", NAME, "--ignore-sct", "--ignore-ocsp"], 5)
        print(f"  check_mail_cert takes {own / peer:.2f} (system's authorities: {system / peer:.2f}) of check_smtp; the bar is 1.5")
        print(f"scripted servers that hold their greeting {HOLD * 1000:.0f} ms")
        endpoints = [piece for port in ports for piece in ("-e", f"smtp://127.0.0.1:{port}")]
        one = measure("  one endpoint", [*ours, *endpoints[:2]], max(rounds // 4, 5))
        many = measure(f"  {MANY} endpoints in one run", [*ours, *endpoints], max(rounds // 4, 5))
        print(f"  {MANY} endpoints take {many / one:.2f} of one; the bar is 1.5")
    finally:
        postfix.stop()
        for pid in pids:
            os.kill(pid, 9)
        remove(folder)


if __name__ == "__main__":
    if os.environ.get("MTAWATCH_BENCH_NAMESPACE") != "1":
        os.environ["MTAWATCH_BENCH_NAMESPACE"] = "1"
        os.execv("/usr/bin/unshare", ["unshare", "--net", "--mount", "--fork", "--pid", "--kill-child", "--mount-proc", "/bin/sh",
                                      "-c", 'ip link set lo up && exec /usr/bin/python3 -B "$@"', "sh", str(HERE), *sys.argv[1:]])
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100)
