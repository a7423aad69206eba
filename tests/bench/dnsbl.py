"""The blocklist rows: the engine beside a bare socket loop, and check_dnsbl against a resolver that takes 30 ms.

dnsbl.py BUILD_DIR [ROUNDS]   (the release preset's folder; needs nsd and monitoring-plugins-basic)
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 7
BENCH, CHECK = BUILD / "tests/bench", BUILD / "checks/check_dnsbl"
NSD_PORT, SLOW_PORT, ROUND_TRIP = 5390, 5391, 0.030
LISTS = [f"l{i}.test" for i in range(60)]


def nsd(folder):
    """A name server with sixty lists, each with its test entry and a few addresses."""
    zone = ["$TTL 60", "@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60", "@ NS ns.test.", "2.0.0.127 A 127.0.0.2"]
    zone += [f"{i}.113.0.203 A 127.0.0.2" for i in range(0, 256, 60)]
    (folder / "list.zone").write_text("\n".join(zone) + "\n")
    conf = (f"server:\n ip-address: 127.0.0.1@{NSD_PORT}\n username: \"\"\n zonesdir: \"{folder}\"\n database: \"\"\n"
            f" pidfile: \"{folder}/pid\"\n xfrdfile: \"{folder}/xfrd\"\n zonelistfile: \"{folder}/zones\"\n"
            f" logfile: \"{folder}/log\"\n server-count: 1\n rrl-ratelimit: 0\nremote-control:\n control-enable: no\n")
    conf += "".join(f"zone:\n name: \"{name}\"\n zonefile: \"{folder}/list.zone\"\n" for name in LISTS)
    (folder / "nsd.conf").write_text(conf)
    return subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", folder / "nsd.conf"])


def timed(*argv):
    """Wall and CPU seconds of a whole process, its exit code and output."""
    read, write = os.pipe()
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], [str(arg) for arg in argv], os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)])
    os.close(write)
    output = b""
    while piece := os.read(read, 65536):
        output += piece
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    os.close(read)
    return wall, usage.ru_utime + usage.ru_stime, os.waitstatus_to_exitcode(status), output.decode()


def engine_rows():
    rates, cpu = {}, {}
    for _ in range(ROUNDS):
        for mode in ("raw", "wire", "read"):
            _, _, code, output = timed(BENCH / "dns_bench", mode, NSD_PORT, 2560, 60, 100)
            assert code == 0, output
            rates.setdefault(mode, []).append(float(re.search(r"(\d+) queries/s", output).group(1)))
            cpu.setdefault(mode, []).append(float(re.search(r"([\d.]+) us CPU", output).group(1)))
    for mode in rates:
        ratio = statistics.median(a / b for a, b in zip(rates[mode], rates["raw"]))
        print(f"engine {mode:5} {statistics.median(rates[mode]):9.0f} queries/s  {ratio:5.2f} x raw  "
              f"{statistics.median(cpu[mode]):5.2f} us CPU a query")


def check_row(name, unit, arguments, expected=0, rounds=None):
    walls = []
    for _ in range(rounds or ROUNDS):
        wall, _, code, output = timed(CHECK, "--dns-server", f"127.0.0.1:{SLOW_PORT}", "-t", "60", *arguments)
        assert code == expected, output
        walls.append(wall)
    median = statistics.median(walls)
    print(f"{name:34} {median * 1000:8.1f} ms  {median / unit:5.2f} x {unit * 1000:.0f} ms   (best {min(walls) * 1000:.1f} ms)")


def start_rows():
    for rounds in (20, 300):  # the first pass only warms the page cache
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(timed(CHECK, "--version")[0])
            theirs.append(timed("/usr/lib/nagios/plugins/check_tcp", "-V")[0])
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"check_dnsbl --version {a * 1000:.2f} ms, check_tcp -V {b * 1000:.2f} ms: {a / b:.2f} x")


def main():
    asked = [part for name in LISTS for part in ("-l", name)]
    with tempfile.TemporaryDirectory() as folder:
        server = nsd(pathlib.Path(folder))
        slow = subprocess.Popen([BENCH / "dns_responder", str(SLOW_PORT), str(int(ROUND_TRIP * 1000))], stdout=subprocess.PIPE)
        try:
            slow.stdout.readline()
            for _ in range(100):
                if timed(BENCH / "dns_bench", "wire", NSD_PORT, 1, 1, 1)[2] == 0:
                    break
                time.sleep(0.05)
            engine_rows()
            one = ["-a", "203.0.113.9"]
            check_row("1 x 60, no self-test", ROUND_TRIP, [*one, *asked, "--no-self-test"])
            check_row("1 x 60 with self-test", ROUND_TRIP, [*one, *asked])
            network = ["-a", "198.51.100.0/24"]
            for window in (100, 128, 1024):
                rounds = -(-256 * 60 // window)
                check_row(f"256 x 60, window {window}", ROUND_TRIP * rounds,
                          [*network, *asked, "--no-self-test", "--concurrency", str(window)], rounds=3)
            check_row("1 x 60, one of them dead", 2.0, [*one, *asked[:-2], "-l", "dead.test"], rounds=3)
            check_row("256 x 60, one of them dead", ROUND_TRIP * 154, [*network, *asked[:-2], "-l", "dead.test"], rounds=2)
            start_rows()
        finally:
            for process in (server, slow):
                process.terminate()
                process.wait()


main()
