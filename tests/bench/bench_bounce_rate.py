"""Measures check_bounce_rate beside its limits: bench_bounce_rate.py BUILD_FOLDER FILE [FILE.gz]

Prints CPU seconds (user + system, from wait4) as medians of interleaved runs, because a busy machine moves wall time but
hardly CPU time. FILE is written by: generate_accounting --bytes 1G > FILE (its day is 2025-11-20)."""
import json
import os
import re
import statistics
import subprocess
import sys
import zlib

RUNS = 15
WINDOW = ["--window", "1h", "--at", "2025-11-20T14:00:00Z"]
PEER = "/usr/lib/nagios/plugins/check_tcp"


def cpu_of(argv):
    """CPU seconds and output of one run."""
    reading, writing = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading)]
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime, text


def medians(commands):
    """Median CPU seconds of each command, all of them run in turn."""
    times = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, argv in commands.items():
            times[name].append(cpu_of(argv)[0])
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    build, path = sys.argv[1], sys.argv[2]
    check = f"{build}/checks/check_bounce_rate"
    window = [check, "-f", path, *WINDOW]
    seen = json.loads(cpu_of([*window, "-o", "json"])[1])["observation"]["sources"][0]
    rates = []
    for _ in range(5):
        text = subprocess.run([f"{build}/tests/bench/bench_scanner", path], capture_output=True, text=True, check=True).stdout
        rates.append(float(re.search(r"vector +keys.* (\d+) MB/s", text).group(1)))
    rate = statistics.median(rates)
    times = medians({"window": window, "version": [check, "--version"], "peer": [PEER, "-V"]})
    limit = times["version"] + seen["bytes_read"] / (rate * 1e6)
    size = os.path.getsize(path)
    print(f"{size / 2**20:.0f} MiB, window 1 h: {seen['search_reads']} reads to find it, {seen['bytes_read'] / 2**20:.1f} MiB "
          f"read in all")
    print(f"scanner with keys: {rate:.0f} MB/s")
    print(f"check: {times['window'] * 1e3:.2f} ms; start + bytes at the scanner's rate: {limit * 1e3:.2f} ms; "
          f"ratio {times['window'] / limit:.2f}")
    print(f"--version: {times['version'] * 1e3:.2f} ms; check_tcp -V: {times['peer'] * 1e3:.2f} ms; "
          f"ratio {times['version'] / times['peer']:.2f}")
    if len(sys.argv) > 3:
        gz(check, sys.argv[3])


def gz(check, path):
    """A whole compressed file: the check against a loop that only inflates it with zlib."""
    ours, zlibs, size = [], [], 0
    for _ in range(3):
        ours.append(cpu_of([check, "-f", path, "-t", "120", *WINDOW])[0])
        before = os.times()
        size = 0
        inflate = zlib.decompressobj(31)
        with open(path, "rb") as file:
            while chunk := file.read(128 << 10):
                size += len(inflate.decompress(chunk))
        after = os.times()
        zlibs.append(after.user + after.system - before.user - before.system)
    mine, bare = statistics.median(ours), statistics.median(zlibs)
    print(f".gz of {size / 2**20:.0f} MiB: check {size / mine / 1e6:.0f} MB/s, zlib loop {size / bare / 1e6:.0f} MB/s; "
          f"ratio {bare / mine:.2f}")


main()
