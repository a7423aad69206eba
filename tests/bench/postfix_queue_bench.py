"""check_mta_queue on a listing of a million messages: postfix_queue_bench.py BUILD [MESSAGES], as root.

Prints the CPU of the check without its child, of `wc -l` plus the bare simdjson pass over the same lines, their ratio,
and the memory of the check. The child is `cat` in the place of postqueue, in a mount namespace of its own.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(sys.argv[1]).resolve()
MESSAGES = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")


def listing(path):
    """Lines as postqueue prints them; 20 000 domains, so that Space-Saving has to evict."""
    with open(path, "w", encoding="utf-8") as file:
        for i in range(MESSAGES):
            domain = f"d{i * 7919 % 20000}.example" if i % 3 else "example.com"
            file.write(f'{{"queue_name": "deferred", "queue_id": "4Fx{i:09X}", "arrival_time": {1700000000 + i % 90000}, '
                       f'"message_size": {2000 + i % 5000}, "forced_expire": false, "sender": '
                       f'"bounce-{i}@news.example.net", "recipients": [{{"address": "user{i}@{domain}", "delay_reason": '
                       f'"connect to mx1.{domain}[192.0.2.{i % 256}]:25: Connection timed out"}}]}}\n')


def own_cpu(command):
    """CPU of the process itself, without its children, and the most memory it had."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return (int(fields[11]) + int(fields[12])) / TICK, usage.ru_maxrss / 1024


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "listing"
        listing(path)
        print(f"{MESSAGES} messages, {path.stat().st_size / 2**20:.0f} MiB")
        fake = pathlib.Path(folder) / "postqueue"
        fake.write_text(f"#!/bin/sh\nexec cat {path}\n")
        fake.chmod(0o755)
        subprocess.run(["mount", "--bind", str(fake), "/usr/sbin/postqueue"], check=True)
        best = {"check": 1e9, "wc": 1e9, "bare": 1e9, "reader": 1e9}
        memory = 0
        for _ in range(ROUNDS):
            seconds, megabytes = own_cpu([str(BUILD / "checks/check_mta_queue"), "--mta", "postfix", "-t", "60"])
            best["check"], memory = min(best["check"], seconds), max(memory, megabytes)
            best["wc"] = min(best["wc"], own_cpu(["wc", "-l", str(path)])[0])
            for mode in ("bare", "reader"):
                answer = subprocess.run([str(BUILD / "tests/bench/bench_postfix_queue"), mode, str(path)],
                                        capture_output=True, text=True, check=True).stdout.split()
                best[mode] = min(best[mode], float(answer[0]))
        limit = best["wc"] + best["bare"]
        for name, value in best.items():
            print(f"{name:>7} {value:.3f} s CPU")
        print(f"check / (wc + bare) = {best['check'] / limit:.2f} (at most 1.5); memory {memory:.1f} MiB (under 20)")


if __name__ == "__main__":
    # A mount namespace of our own, so that nothing outside sees the stand-in.
    if os.environ.get("MTAWATCH_BENCH_INSIDE") != "1":
        os.environ["MTAWATCH_BENCH_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    main()
