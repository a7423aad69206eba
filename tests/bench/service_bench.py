"""check_mta_service for five units beside `systemctl show` of the same.

    service_bench.py BUILD [UNIT …]     where systemd runs
    service_bench.py BUILD --own        as root anywhere: with the systemd of tests/integration/service_test.py

Best of ROUNDS interleaved rounds, wall time and CPU with children; the check may take its own start (--version) plus 1.1
times systemctl show. systemd answers both, in its own time: on a machine that does other work the wall times mean something
only when it and the programs have real-time priority, which --own gives them.
"""
import os
import pathlib
import resource
import runpy
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


def in_a_systemd_of_our_own():
    """Runs this program again beside a systemd that has a few units, at the same priority."""
    build = pathlib.Path(sys.argv[1]).resolve()
    test = pathlib.Path(__file__).resolve().parents[1] / "integration/service_test.py"
    sys.argv = [str(test), str(test.parents[2]), str(build)]
    service = runpy.run_path(str(test), run_name="bench")["Service"]
    service.setUpClass()
    try:
        subprocess.run(["chrt", "-f", "-p", "10", str(service.systemd)], check=True)
        done = service.inside("chrt", "-f", "10", sys.executable, os.path.abspath(__file__), str(build), "runs", "fails",
                              "once", "postfix@-", "pmta")
        print(done.stdout + done.stderr, end="")
    finally:
        service.tearDownClass()


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
    if UNITS == ["--own"]:
        in_a_systemd_of_our_own()
    else:
        main()
