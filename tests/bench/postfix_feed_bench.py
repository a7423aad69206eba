"""pmta_exporter on a Postfix log of 1 GiB beside `wc -l`, its memory over ten million queue ids, and, where it is given,
prometheus-postfix-exporter beside it. Usage: postfix_feed_bench.py build/release [PATH-OF-prometheus-postfix-exporter]"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1])
PEER = sys.argv[2] if len(sys.argv) > 2 else None
GENERATE = BUILD / "tests/bench/generate_postfix_log"
EXPORTER = BUILD / "exporter/pmta_exporter"
RUNS = 5
PEER_PORT = 9154


def generate(path, *options):
    with open(path, "wb") as out:
        subprocess.run([GENERATE, *options], stdout=out, check=True)


def cost(command, **more):
    """CPU seconds and peak resident MiB of a program."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, **more)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"{command} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def median(values):
    return sorted(values)[len(values) // 2]


def side_by_side(log, name):
    wc, ours, memory = [], [], 0
    for _ in range(RUNS):
        wc.append(cost(["wc", "-l", log])[0])
        seconds, peak = cost([EXPORTER, "--once", "--postfix-log", log])
        ours.append(seconds)
        memory = max(memory, peak)
    print(f"{name}: exporter {median(ours):.2f} s, wc -l {median(wc):.2f} s, ratio {median(ours) / median(wc):.1f}, "
          f"{memory:.0f} MiB")


def ten_million(folder):
    source = subprocess.Popen([GENERATE, "--messages", "10000000", "--alive", "100000"], stdout=subprocess.PIPE)
    seconds, peak = cost([EXPORTER, "--once", "--postfix-log", "-", "--state.file", folder / "state"], stdin=source.stdout)
    source.wait()
    print(f"10 million ids, 100 000 alive: {seconds:.1f} s, {peak:.0f} MiB with the state written, "
          f"state {(folder / 'state.postfix').stat().st_size / 1e6:.1f} MB")


def peer(log, folder):
    """It reads what is appended after its start, so the whole log is appended, and its CPU time is taken when it rests."""
    followed = folder / "mail.log"
    followed.touch()
    process = subprocess.Popen([PEER, "--web.listen-address", f"127.0.0.1:{PEER_PORT}", "--postfix.logfile_path", followed],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)
        with open(log, "rb") as source, open(followed, "ab") as target:
            subprocess.run(["cat"], stdin=source, stdout=target, check=True)
        ticks = os.sysconf("SC_CLK_TCK")
        last, rest = -1.0, 0
        while rest < 3:
            time.sleep(1)
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            used = (int(fields[11]) + int(fields[12])) / ticks
            rest = rest + 1 if used - last < 0.05 else 0
            last = used
        print(f"prometheus-postfix-exporter: {last:.1f} s")
    finally:
        process.kill()
        process.wait()


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/dev/shm")) as name:
        folder = pathlib.Path(name)
        generate(folder / "log", "--bytes", "1G")
        side_by_side(folder / "log", "1 GiB, 2 000 messages on their way")
        if PEER:
            peer(folder / "log", folder)
            (folder / "mail.log").unlink()
        generate(folder / "log", "--bytes", "1G", "--alive", "100000")
        side_by_side(folder / "log", "1 GiB, 100 000 messages on their way")
        (folder / "log").unlink()
        ten_million(folder)


main()
