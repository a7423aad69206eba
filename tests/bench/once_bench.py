#!/usr/bin/python3
"""What does counting a whole accounting file cost beside `wc -l` of it, and how long does a follower's first reading
of it take? `once_bench.py BUILD FILE [RUNS]`: runs in turn, medians; CPU is user and system time of the process."""
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request

PORT = 19464


def cpu_of(argv):
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execv(argv[0], argv)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{argv[0]}: status {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def get(path):
    return urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=5).read().decode()


def catch_up(exporter, file):
    """Seconds of wall time until the exporter has read the file, and its CPU time by then."""
    begun = time.monotonic()
    server = subprocess.Popen([exporter, "--acct", file, "--state.file", "none", "--web.listen-address",
                               f"127.0.0.1:{PORT}"], stderr=subprocess.DEVNULL)
    try:
        while time.monotonic() - begun < 60:
            try:
                get("/-/ready")
                break
            except OSError:
                time.sleep(0.005)
        else:
            sys.exit("the exporter was not ready within 60 s")
        wall = time.monotonic() - begun
        return wall, float(re.search(r"^process_cpu_seconds_total (\S+)", get("/metrics"), re.M).group(1))
    finally:
        server.terminate()
        server.wait()


def main():
    build, file = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    exporter = os.path.join(build, "exporter", "pmta_exporter")
    wc, once, walls = [], [], []
    for _ in range(runs):
        wc.append(cpu_of(["/usr/bin/wc", "-l", file])[0])
        once.append(cpu_of([exporter, "--once", "--acct", file]))
        walls.append(catch_up(exporter, file))
    counting = statistics.median(cpu for cpu, _ in once)
    words = statistics.median(wc)
    print(f"wc -l {words:.3f} s, --once {counting:.3f} s CPU: {counting / words:.2f} times"
          f" (of the fastest: {min(once)[0] / min(wc):.2f}), {max(memory for _, memory in once):.1f} MiB")
    print(f"first reading of a follower: {statistics.median(wall for wall, _ in walls):.2f} s wall,"
          f" {statistics.median(cpu for _, cpu in walls):.2f} s CPU")


if __name__ == "__main__":
    main()
