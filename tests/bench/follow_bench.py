"""Append to counted, and idle CPU, of a running exporter: follow_bench.py BUILD_DIR. A record is appended and /metrics is
asked until it shows it, so the figure holds a scrape; an idle scrape is measured beside it."""
import http.client
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

binary = pathlib.Path(sys.argv[1]) / "exporter" / "pmta_exporter"
folder = pathlib.Path(tempfile.mkdtemp(prefix="follow-bench-"))
log = folder / "acct-1.csv"
log.write_text("type,timeLogged,rcpt,vmta\n")
exporter = subprocess.Popen([binary, "--acct", log, "--state.file", folder / "state", "--web.listen-address",
                             "127.0.0.1:19925"], stderr=subprocess.DEVNULL)
time.sleep(0.5)
connection = http.client.HTTPConnection("127.0.0.1", 19925)
pattern = re.compile(rb'pmta_accounting_records_total\{record_type="d"\} (\d+)')


def counted():
    connection.request("GET", "/metrics")
    match = pattern.search(connection.getresponse().read())
    return int(match[1]) if match else 0


def cpu():
    fields = pathlib.Path(f"/proc/{exporter.pid}/stat").read_text().split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


try:
    delays, scrapes = [], []
    with open(log, "ab", buffering=0) as data:
        for number in range(1, 501):
            begin = time.perf_counter()
            counted()
            scrapes.append(time.perf_counter() - begin)
            time.sleep(0.002)
            begin = time.perf_counter()
            data.write(b"d,2026-11-21 04:00:00+0000,u@example.org,v1\n")
            while counted() < number:
                pass
            delays.append(time.perf_counter() - begin)
    print(f"append to seen in a scrape: median {statistics.median(delays) * 1e3:.2f} ms, "
          f"99 % {sorted(delays)[494] * 1e3:.2f} ms; a scrape alone: median {statistics.median(scrapes) * 1e3:.2f} ms")
    before, begin = cpu(), time.time()
    time.sleep(30)
    print(f"idle: {100 * (cpu() - before) / (time.time() - begin):.2f} % CPU")
finally:
    exporter.kill()
    exporter.wait()
