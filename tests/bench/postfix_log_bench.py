"""Measures the reader of Postfix logs as a whole program: postfix_log_bench.py BUILD_FOLDER FILE [PEER]

FILE is written by: generate_postfix_log --bytes 1G > FILE (its day is 2025-11-20). PEER is the program of Debian's
prometheus-postfix-exporter. Prints CPU seconds (user + system, from wait4) as medians of interleaved runs; the peer is given
the first part of FILE, appended to a log that it follows. Then the memory of a check that sees ten million queue ids."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

RUNS = 7
PEER_BYTES = 100 << 20
MESSAGES, ALIVE = 10_000_000, 100_000
WINDOW = ["--format", "postfix", "--window", "30h", "--at", "2025-11-21T02:00:00Z", "--max-age", "9999d", "-t", "300"]
PORT = 19154


def usage_of(argv, stdin=None):
    """CPU seconds, peak KiB and output of one run. The peak is the program's own: that of wait4 holds this script's too."""
    process = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, text=True)
    peak = 0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        found = re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{process.pid}/status", encoding="ascii").read())
        peak = max(peak, int(found[1]) if found else 0)
        time.sleep(0.02)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, peak, process.stdout.read()


def cpu_of(pid):
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def follow(peer, path):
    """CPU seconds of the peer for a log that grows by PEER_BYTES, and the messages that it counted."""
    with tempfile.TemporaryDirectory() as folder:
        log = f"{folder}/mail.log"
        open(log, "w", encoding="ascii").close()
        process = subprocess.Popen([peer, "--postfix.logfile_path", log, "--web.listen-address", f"127.0.0.1:{PORT}"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(2)
            before = cpu_of(process.pid)
            with open(path, "rb") as source, open(log, "ab") as target:
                for _ in range(PEER_BYTES >> 20):
                    target.write(source.read(1 << 20))
            used, idle = before, 0
            while idle < 4:
                time.sleep(0.5)
                now = cpu_of(process.pid)
                idle = idle + 1 if now == used else 0
                used = now
            text = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10).read().decode()
            counted = int(re.search(r"(?m)^postfix_qmgr_messages_inserted_receipients_count (\d+)$", text)[1])
            return used - before, counted
        finally:
            process.kill()
            process.wait()


def main():
    build, path = sys.argv[1], sys.argv[2]
    check = f"{build}/checks/check_bounce_rate"
    size = os.path.getsize(path)
    times = {"wc": [], "check": []}
    for _ in range(RUNS):
        times["wc"].append(usage_of(["/usr/bin/wc", "-l", path])[0])
        cpu, memory, text = usage_of([check, "-f", path, *WINDOW])
        times["check"].append(cpu)
    wc, ours = statistics.median(times["wc"]), statistics.median(times["check"])
    print(text.strip())
    print(f"{size / 2**20:.0f} MiB: wc -l {wc:.3f} s, check {ours:.3f} s ({size / ours / 1e6:.0f} MB/s, {memory >> 10} MiB); "
          f"ratio {ours / wc:.1f}")
    if len(sys.argv) > 3 and shutil.which(sys.argv[3]):
        cpu, counted = follow(sys.argv[3], path)
        print(f"peer: {PEER_BYTES >> 20} MiB in {cpu:.2f} s ({PEER_BYTES / cpu / 1e6:.1f} MB/s), {counted} messages "
              f"counted; ratio of the rates {size / ours / (PEER_BYTES / cpu):.0f}")
    generate = subprocess.Popen([f"{build}/tests/bench/generate_postfix_log", "--messages", str(MESSAGES), "--alive", str(ALIVE)],
                                stdout=subprocess.PIPE)
    cpu, memory, text = usage_of([check, "-f", "-", *WINDOW], generate.stdout)
    generate.wait()
    print(text.strip())
    print(f"{MESSAGES} queue ids, {ALIVE} alive: {memory / 1024:.1f} MiB, {cpu:.1f} s")


main()
