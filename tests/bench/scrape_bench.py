"""How long does a scrape of 100 000 series take? pmta_exporter against prometheus-cpp's Exposer, the same series, one run.

    python3 tests/bench/scrape_bench.py build/release
"""
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1])
SERIES, ROUNDS = 100_000, 15


def scrape(port, encoding):
    """(seconds, bytes of the body)"""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\n{encoding}Connection: close\r\n\r\n".encode())
        pieces = []
        while piece := client.recv(1 << 20):
            pieces.append(piece)
    seconds = time.perf_counter() - begin
    body = b"".join(pieces)
    assert body.startswith(b"HTTP/1.1 200"), body[:200]
    return seconds, len(body)


def memory(pid, key):
    return int(re.search(rf"^{key}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) / 1024


def write_accounting(folder):
    """100 000 bounces that differ in VirtualMTA, so that pmta_bounces_total (five labels) has as many series."""
    with (folder / "acct-1.csv").open("w") as out:
        out.write("type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType,vmta,vmtaPool\n")
        for i in range(SERIES):
            out.write(f"b,2026-01-05 10:00:00+0000,2026-01-05 09:59:58+0000,a@sender.example,b@gmail.com,5.1.1,"
                      f"smtp;550 5.1.1 no such user,bad-mailbox,smtp,vmta-{i:06d}.example.net,pool-{i % 50}\n")
    (folder / "config.yml").write_text(f"accounting:\n  files: {folder}/acct-*.csv\n"
                                       f"  budgets: {{pmta_bounces_total: {SERIES + 1000}}}\n")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_accounting(folder)
        ours = subprocess.Popen([BUILD / "exporter/pmta_exporter", "--config.file", folder / "config.yml",
                                 "--state.file", "none", "--web.listen-address", "127.0.0.1:0"],
                                stderr=subprocess.PIPE, text=True)
        port = next(int(match.group(1)) for line in ours.stderr if (match := re.search(r"127\.0\.0\.1:(\d+)", line)))
        while True:
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"GET /-/ready HTTP/1.0\r\n\r\n")
                if b" 200 " in client.recv(100):
                    break
            time.sleep(0.05)
        at_rest = memory(ours.pid, "VmRSS")
        text = subprocess.run(["curl", "--silent", f"http://127.0.0.1:{port}/metrics"], capture_output=True).stdout
        theirs = subprocess.Popen([BUILD / "tests/bench/bench_exposer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        theirs.stdin.write(text)
        theirs.stdin.close()
        their_port, count = map(int, theirs.stdout.readline().split())
        print(f"{count} series, {len(text) / 1e6:.1f} MB of text, {ROUNDS} scrapes each in turn, medians")
        for title, encoding in (("plain", ""), ("gzip", "Accept-Encoding: gzip\r\n")):
            times = {"ours": [], "theirs": []}
            for _ in range(ROUNDS):
                times["ours"].append(scrape(port, encoding))
                times["theirs"].append(scrape(their_port, encoding))
            mine, other = (statistics.median(second for second, _ in times[who]) for who in ("ours", "theirs"))
            print(f"{title}: pmta_exporter {mine * 1000:.1f} ms, Exposer {other * 1000:.1f} ms, ratio {mine / other:.3f}"
                  f" ({times['ours'][0][1] / 1e6:.2f} and {times['theirs'][0][1] / 1e6:.2f} MB)")
        print(f"memory: pmta_exporter {at_rest:.0f} MiB at rest, {memory(ours.pid, 'VmHWM'):.0f} MiB at most; "
              f"Exposer {memory(theirs.pid, 'VmHWM'):.0f} MiB at most")
        for process in (ours, theirs):
            process.terminate()
            process.wait(20)


main()
