"""check_mta_service for five units beside `systemctl show` of the same: service_bench.py BUILD, where systemd runs, as root.

In a container the systemd of tests/integration/service_test.py serves: see the row in README.md. Wall time, best of ROUNDS,
interleaved; the check may take its own start (--version) plus 1.1 times systemctl show.
"""
import subprocess
import sys
import time

CHECK = f"{sys.argv[1]}/checks/check_mta_service"
UNITS = sys.argv[2:] or ["ssh", "cron", "dbus", "systemd-journald", "postfix"]
ROUNDS = 60


def wall(command):
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begin


def main():
    units = [word for unit in UNITS for word in ("-u", unit)]
    commands = {"start": [CHECK, "--version"], "systemctl show": ["systemctl", "show", "--", *UNITS],
                "check": [CHECK, *units]}
    best = dict.fromkeys(commands, 1e9)
    for _ in range(ROUNDS):
        for name, command in commands.items():
            best[name] = min(best[name], wall(command))
    for name, seconds in best.items():
        print(f"{name:>15} {seconds * 1000:.2f} ms")
    limit = best["start"] + 1.1 * best["systemctl show"]
    print(f"check / (start + 1.1 x systemctl show) = {best['check'] / limit:.2f} (at most 1.0)")


if __name__ == "__main__":
    main()
