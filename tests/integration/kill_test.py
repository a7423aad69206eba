"""Kills the exporter with SIGKILL at random moments while its files are written, rotated, renamed, moved, compressed and
truncated, and compares every counter with a count that was kept beside the writing. Fixed seeds; no difference allowed."""
import gzip
import os
import pathlib
import sys
import time

import kill_support
from accounting_records import ACCT, OTHER, SOURCES, Records

BINARY = pathlib.Path(sys.argv[2]) / "exporter" / "pmta_exporter"
SEEDS = [int(seed) for seed in sys.argv[3:]] or [101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112]
KILLS_PER_SEED = 20


def stamp(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime(seconds))


class Writer(kill_support.Writer):
    """PowerMTA and its log rotation."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed, "pmta_")
        self.records = Records(self.random, self.expected, lambda ago: stamp(self.clock - ago))
        self.files = {}
        for name in ("acct", "other"):
            self.open_new(name)

    # ---- files
    def open_new(self, name):
        self.number += 1
        path = self.folder / "log" / f"{name}-2026-11-21-{self.number:04}.csv"
        self.files[name] = open(path, "a", encoding="utf-8")
        self.put(name, (ACCT if name == "acct" else OTHER) + "\n")

    def put(self, name, text):
        data = self.files[name]
        if len(text) > 40 and self.random.random() < 0.1:
            cut = self.random.randrange(1, len(text) - 1)
            data.write(text[:cut])
            data.flush()
            time.sleep(self.random.random() * 0.004)
            text = text[cut:]
        data.write(text)
        data.flush()

    def rotate(self, name):
        """A new file by name; the old one stays, is renamed in place, or moved to the other folder."""
        old = self.files[name]
        path = pathlib.Path(old.name)
        way = self.random.choice(["stay", "move", "rename", "rename-then-write"])
        self.operations["rotate-" + way] += 1
        if way == "rename-then-write":
            path = self.renamed(path)
            self.record(name)
        elif way == "rename":
            path = self.renamed(path)
        elif way == "move":
            path = path.rename(self.folder / "moved" / path.name)
        if self.random.random() < 0.5:
            self.record_into(old, name)  # PowerMTA's last words to the old file
        old.close()
        self.open_new(name)
        if self.random.random() < 0.6:
            self.compress(path)

    def renamed(self, path):
        self.number += 1
        return path.rename(path.with_name(f"{path.name.split('-')[0]}-done-{self.number:04}.csv"))

    def compress(self, path):
        self.operations["gzip"] += 1
        packed = path.with_name(path.name + ".gz")
        with open(path, "rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
            data = source.read()
            half = len(data) // 2
            target.write(data[:half])
            target.flush()
            time.sleep(self.random.random() * 0.01)
            target.write(data[half:])
        path.unlink()

    def truncate(self, name):
        """Only what a checkpoint covers may go: waits for one that does, or does without."""
        if not self.covered():
            self.operations["truncate-skipped"] += 1
            return
        self.operations["truncate"] += 1
        path = self.files[name].name
        self.files[name].close()
        os.truncate(path, 0)
        self.files[name] = open(path, "a", encoding="utf-8")
        self.put(name, (ACCT if name == "acct" else OTHER) + "\n")
        self.record(name)

    # ---- records
    def record(self, name):
        self.record_into(self.files[name], name)

    def record_into(self, data, name):
        self.clock += self.random.choice([0, 0, 1, 2])
        line = self.records.acct() if name == "acct" else self.records.other()
        if data is self.files[name]:
            self.put(name, line)
        else:
            data.write(line)
            data.flush()

    # ---- the thread
    def prepare(self):
        """One delivery of every address before the first complaint, read before it: attribution is then the same."""
        wanted = set(SOURCES)
        while wanted:
            before = dict(self.expected.counts)
            self.record("acct")
            for key, count in self.expected.counts.items():
                if key[0] == "pmta_source_ip_deliveries_total" and before.get(key) != count:
                    wanted.discard(key[1])

    def step(self):
        name = self.random.choices(["acct", "other"], [70, 30])[0]
        choice = self.random.random()
        if choice < 0.02:
            self.rotate(name)
        elif choice < 0.03:
            self.truncate(name)
        else:
            for _ in range(self.random.randrange(1, 30)):
                self.record(name)

    def finish(self):
        for data in self.files.values():
            data.close()


def config(folder):
    return f"""accounting:
  files: ["{folder}/log/*.csv", "{folder}/log/*.csv.gz"]
  moved_to: ["{folder}/moved"]
  state_interval: 20ms
  rescan_interval: 1s
"""


# The reason of a local bounce is the reply table's business; everything else must be as it was written.
kill_support.KillTest(BINARY, Writer, config, KILLS_PER_SEED, ["pmta_bounce_reasons_total"]).run(SEEDS)
