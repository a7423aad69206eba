"""check_mta_service for five units beside `systemctl show` of the same: service_bench.py BUILD [UNIT …], where systemd runs.

Best of ROUNDS interleaved rounds, wall time and CPU with children; the check may take its own start (--version) plus 1.1
times systemctl show. On a machine that does other work too only the CPU means something.
"""
import resource
import subprocess
import sys
import time

CHECK = f"{sys.argv[1]}/checks/check_mta_service"
UNITS = sys.argv[2:] or ["ssh", "cron", "dbus", "systemd-journald", "postfix"]
ROUNDS = 200


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(command):
    cpu, wall = spent(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - wall, spent() - cpu


def main():
    units = [word for unit in UNITS for word in ("-u", unit)]
    commands = {"start": [CHECK, "--version"], "systemctl show": ["systemctl", "show", "--", *UNITS],
                "check": [CHECK, *units]}
    best = {name: (1e9, 1e9) for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            best[name] = tuple(map(min, best[name], measure(command)))
    for name, (wall, cpu) in best.items():
        print(f"{name:>15} {wall * 1000:6.2f} ms wall {cpu * 1000:6.2f} ms CPU")
    for kind, at in (("wall", 0), ("CPU", 1)):
        limit = best["start"][at] + 1.1 * best["systemctl show"][at]
        print(f"{kind}: check / (start + 1.1 x systemctl show) = {best['check'][at] / limit:.2f} (at most 1.0)")


if __name__ == "__main__":
    main()
