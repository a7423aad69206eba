"""Benchmark of a scrape of 110 000 series: pmta_exporter against prometheus-cpp's Exposer, the same series, one run; or
two builds of pmta_exporter against each other, with collectors running beside the accounting.

    python3 tests/bench/scrape_bench.py build/release
    python3 tests/bench/scrape_bench.py build/release OTHER/build/release     ratios are the first build's to the other's
"""
import json
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BUILDS = [pathlib.Path(argument) for argument in sys.argv[1:]]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
SERIES, ROUNDS = 100_000, 15
# Of the collectors: queues that PowerMTA names in each mode, and servers that no certificate can be had from.
QUEUES, SERVERS = 1000, 500


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


def cpu(pid):
    """CPU time of all threads so far, in ms."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6


def write_accounting(folder):
    """100 000 bounces that differ in VirtualMTA, so that pmta_bounces_total (five labels) has as many series."""
    with (folder / "acct-1.csv").open("w") as out:
        out.write("type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType,vmta,vmtaPool\n")
        for i in range(SERIES):
            out.write(f"b,2026-01-05 10:00:00+0000,2026-01-05 09:59:58+0000,a@sender.example,b@gmail.com,5.1.1,"
                      f"smtp;550 5.1.1 no such user,bad-mailbox,smtp,vmta-{i:06d}.example.net,pool-{i % 50}\n")
    (folder / "config.yml").write_text(f"accounting:\n  files: {folder}/acct-*.csv\n"
                                       f"  budgets: {{pmta_bounces_total: {SERIES + 1000}}}\n")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def add_collectors(folder):
    """The PowerMTA that the collector pmta_monitor asks every two seconds; its process."""
    program = SOURCE / "tests/support/fake_powermta.py"
    state, port = folder / "state.json", free_port()
    subprocess.run([sys.executable, program, state, "init"], check=True)
    document = json.loads(state.read_text())
    document["queues"] = [{"domain": f"d{i}.example", "vmta": f"vmta{i % 300}", "rcp": 1 + i, "kb": 1.5, "conn": 0,
                           "mode": "backoff" if i % 2 else "normal", "paused": i % 2 == 0, "errors": []}
                          for i in range(2 * QUEUES)]
    state.write_text(json.dumps(document))
    key = folder / "api-key"
    key.write_text("key\n")
    key.chmod(0o600)
    with (folder / "config.yml").open("a") as out:
        out.write(f"collectors:\n  pmta_monitor: {{url: 'http://127.0.0.1:{port}', api_key_file: {key}, interval: 2s, "
                  f"timeout: 2s}}\n  certificate:\n    targets:\n"
                  + "".join(f"      - smtp://127.0.0.{1 + i % 250}:{1 + i // 250}\n" for i in range(SERVERS)))
    return subprocess.Popen([sys.executable, program, state, "serve", str(port), "--api-key", "key"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start(build, folder):
    """(process, port) of a pmta_exporter that has read its accounting."""
    process = subprocess.Popen([build / "exporter/pmta_exporter", "--config.file", folder / "config.yml",
                                "--state.file", "none", "--web.listen-address", "127.0.0.1:0", "--log.level", "info"],
                               stderr=subprocess.PIPE, text=True)
    port = next(int(match.group(1)) for line in process.stderr if (match := re.search(r"127\.0\.0\.1:(\d+)$", line)))
    threading.Thread(target=process.stderr.read, daemon=True).start()
    while b" 200 " not in answer(port, "/-/ready")[:100]:
        time.sleep(0.05)
    return process, port


def answer(port, path):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(1 << 20), b""))


def against_exposer(folder):
    ours, port = start(BUILDS[0], folder)
    at_rest = memory(ours.pid, "VmRSS")
    text = subprocess.run(["curl", "--silent", f"http://127.0.0.1:{port}/metrics"], capture_output=True).stdout
    theirs = subprocess.Popen([BUILDS[0] / "tests/bench/bench_exposer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
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
    stop(ours, theirs)


def between_builds(folder, title, probes):
    """One row: CPU of a scrape, its time, and the highest resident memory after all of them, of both builds."""
    running = [start(build, folder) for build in BUILDS]
    for _, port in running:  # until every probe has run once
        while answer(port, "/metrics").count(b"\nmail_probe_success{") < probes:
            time.sleep(0.5)
    count = sum(not line.startswith(b"#") for line in answer(running[0][1], "/metrics").splitlines())
    spent = [[], []]
    for i in range(ROUNDS):
        for which in ((0, 1), (1, 0))[i % 2]:
            process, port = running[which]
            before = cpu(process.pid)
            seconds, _ = scrape(port, "")
            spent[which].append((cpu(process.pid) - before, seconds * 1000))
    first, second = ([statistics.median(column) for column in zip(*rows)] + [memory(process.pid, "VmHWM")]
                     for rows, (process, _) in zip(spent, running))
    print(f"{title}: {count} series; " + "; ".join(
        f"{name} {one:.1f} and {other:.1f} {unit}, ratio {one / other:.3f}"
        for name, unit, one, other in zip(("CPU", "time", "peak memory"), ("ms", "ms", "MiB"), first, second)))
    stop(*(process for process, _ in running))


def stop(*processes):
    for process in processes:
        process.terminate()
        process.wait(20)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_accounting(folder)
        if len(BUILDS) == 1:
            against_exposer(folder)
            return
        print(f"{ROUNDS} scrapes each in turn, medians, {BUILDS[0]} and {BUILDS[1]}; limit 1.05")
        between_builds(folder, "accounting alone", 0)
        powermta = add_collectors(folder)
        between_builds(folder, "with collectors", SERVERS + 1)
        stop(powermta)


main()
