"""What does one SPF evaluation cost as a process? check_spf beside spfquery (libspf2) and pyspf, on the same nsd.

    tests/bench/spf_bench.py build/release [rounds]

Needs root (own network namespace), nsd, spfquery and python3-spf. The runs are interleaved; times are in
milliseconds, medians and what one run in ten stays below (the machine's noise left out).
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ZONE = """$ORIGIN .
$TTL 3600
. SOA ns.test. admin.test. 1 3600 600 86400 300
. NS ns.test.
ns.test. A 127.0.0.1
example.com. TXT "v=spf1 mx include:_spf.example.net -all"
example.com. MX 10 mail.example.com.
mail.example.com. A 192.0.2.10
_spf.example.net. TXT "v=spf1 ip4:203.0.113.0/24 ?all"
"""
ADDRESS = "203.0.113.9"


def once(argv):
    """Wall and CPU milliseconds of one run."""
    null = os.open(os.devnull, os.O_RDWR)
    begin = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, {"PATH": "/usr/bin:/bin", "HOME": "/tmp"},
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    status, usage = os.wait4(pid, 0)[1:]
    wall = time.perf_counter() - begin
    os.close(null)
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, os.waitstatus_to_exitcode(status)


def inside(build, rounds):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("zone", ZONE), ("resolv.conf", "nameserver 127.0.0.1\n"), ("nsd.conf", f"""server:
  ip-address: 127.0.0.1
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "zone"
""")):
            pathlib.Path(folder, name).write_text(text, encoding="ascii")
        subprocess.run(["mount", "--bind", f"{folder}/resolv.conf", "/etc/resolv.conf"], check=True)
        server = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", f"{folder}/nsd.conf"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        try:
            compare(build, rounds)
        finally:
            server.terminate()
            server.wait()


def compare(build, rounds):
    sender = "a@example.com"
    programs = {
        "check_spf": ([f"{build}/checks/check_spf", "-d", "example.com", "-i", ADDRESS, "--sender", sender, "--helo",
                       "mail.example.com"], rounds),
        "spfquery (libspf2)": (["/usr/bin/spfquery.libspf2", f"--ip={ADDRESS}", f"--sender={sender}",
                                "--helo=mail.example.com"], rounds),
        "pyspf": (["/usr/bin/python3", "-c", "import spf, sys; print(spf.check2(*sys.argv[1:]))", ADDRESS, sender,
                   "mail.example.com"], max(5, rounds // 10)),
    }
    seen = {name: [] for name in programs}
    for turn in range(rounds):
        for name, (argv, count) in programs.items():
            if turn % (rounds // count) == 0:
                seen[name].append(once(argv))
    medians = {}
    print(f"{'program':24} {'wall ms':>9} {'10 % wall':>9} {'CPU ms':>9} {'10 % CPU':>9} {'runs':>6}")
    for name, runs in seen.items():
        expected = 2 if name.startswith("spfquery") else 0  # libspf2: 2 is pass
        assert {code for _, _, code in runs} == {expected}, (name, runs[0])
        wall, cpu = (sorted(run[i] for run in runs) for i in (0, 1))
        medians[name] = [statistics.median(wall), wall[len(wall) // 10], statistics.median(cpu), cpu[len(cpu) // 10]]
        print(f"{name:24} " + " ".join(f"{figure:9.2f}" for figure in medians[name]) + f" {len(runs):6}")
    for title, above, below, limit in (("check_spf / libspf2", "check_spf", "spfquery (libspf2)", "at most 1.5"),
                                       ("pyspf / check_spf", "pyspf", "check_spf", "at least 20")):
        ratios = " ".join(f"{a / b:9.2f}" for a, b in zip(medians[above], medians[below]))
        print(f"{title:24} {ratios} ({limit})")


if __name__ == "__main__":
    if os.environ.get("SPF_BENCH_INSIDE"):
        inside(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300)
    else:
        os.environ["SPF_BENCH_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--fork", "--pid", "--kill-child", "--mount-proc",
                              sys.executable, *sys.argv])
