"""The exporter while folders and files of its logs go, are closed to it, replaced, hidden, or fill their disk."""
import gzip
import os
import pathlib
import shutil
import subprocess
import time

import fault_support
from fault_support import AS_NOBODY, DELIVERED, HEADER, NOBODY, RESCAN, cpu, ready, record, row

OPEN_FILES = 64  # Follower's kOpenFiles


class LogFaults(fault_support.ExporterFaults):
    # ---- folders and permissions
    def test_a_log_folder_that_is_removed_and_made_again_loses_nothing(self):
        unreadable = self.metric("source_unreadable")
        self.write(3)
        self.start()
        self.all_counted("the first file", lambda m: m[unreadable] == 0)
        for turn in range(5):
            # Last words, written right before the removal: the open file still holds them.
            self.write(2, f"acct-{turn + 1}.csv")
            shutil.rmtree(self.logs)
            self.all_counted("without its folder", lambda m: m.get(unreadable, 0) >= 1)
            self.logs.mkdir()
            self.write(4, f"acct-{turn + 2}.csv")
            self.all_counted("folder made again", lambda m: m[unreadable] == 0)
        self.stays()
        self.assertIn(f"{self.logs}: No such file or directory", self.said())
        row("log folder removed with two records written right before, made again with a new file", "5",
            f"{self.written} of {self.written} records counted; `pmta_exporter_source_unreadable` 1 in between, 0 after")

    def test_another_file_system_over_the_log_folder_hides_and_loses_nothing(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.write(3)
        self.start(config=RESCAN + "  finished_after: 300ms\n")
        self.all_counted("the first file")
        for _ in range(5):
            with open(self.logs / "acct-1.csv", "a", encoding="utf-8") as data:
                subprocess.run(["mount", "--bind", empty, self.logs], check=True)
                self.wait_for("nothing there", lambda m: m.get(self.metric("source_files")) == 0)
                time.sleep(0.6)  # longer than finished_after
                data.write(record())  # the mail server still has it open
                self.written += 1
            subprocess.run(["umount", self.logs], check=True)
            self.all_counted("there again", lambda m: m[self.metric("source_files")] == 1)
        self.stays()
        row("an empty file system mounted over the log folder and taken away, a record written below it", "5",
            f"{self.written} of {self.written} counted; `pmta_exporter_source_files` 0 in between")

    def test_a_first_start_that_may_read_nothing_shows_no_zero(self):
        unreadable = self.metric("source_unreadable")
        for closed, opened in ((0, 0o755), (None, None)):
            with self.subTest("closed" if closed is not None else "missing"):
                self.written = self.seen = 0
                aside = self.folder / "aside"
                self.write(100)
                if closed is None:
                    self.logs.rename(aside)
                else:
                    os.chmod(self.logs, closed)
                exporter = self.start(prefix=AS_NOBODY)
                for _ in range(10):
                    metrics = self.wait_for("unreadable is said", lambda m: m.get(unreadable, 0) >= 1)
                    self.assertNotIn(DELIVERED, metrics)
                    time.sleep(0.1)
                self.assertEqual(ready(), 503)
                if closed is None:
                    aside.rename(self.logs)
                else:
                    os.chmod(self.logs, opened)
                self.all_counted("all at once", lambda m: m[unreadable] == 0)
                self.assertEqual(ready(), 200)
                exporter.kill()
                exporter.wait()
                (self.logs / "acct-1.csv").unlink()
        row("first start with a folder that is closed, or missing; then opened, or put in place", "1 each",
            "no accounting series and `/-/ready` 503 until it could look; then all records as the baseline, never a 0 "
            "before them")

    def test_permissions_taken_from_the_folder_and_given_back_lose_nothing(self):
        unreadable = self.metric("source_unreadable")
        self.write(3)
        state = self.folder / "state"
        state.mkdir()
        os.chown(state, NOBODY, NOBODY)
        config = RESCAN + "  finished_after: 300ms\n"
        exporter = self.start("--state.file", state / "state", prefix=AS_NOBODY, config=config)
        self.all_counted("the first file", lambda m: m[unreadable] == 0)
        for turn in range(5):
            os.chmod(self.logs, 0)
            self.wait_for("a closed folder is said", lambda m: m.get(unreadable, 0) >= 1)
            time.sleep(0.6)  # longer than finished_after: the exporter has closed the file
            path = self.write(5)
            if turn % 2:
                path = path.rename(path.with_name(f"acct-done-{turn}.csv"))
                self.write(1)
            if turn == 3:
                with open(path, "rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
                    shutil.copyfileobj(plain, packed)
                path.unlink()
            self.assertIn(self.scrape().get(unreadable), (1, 2))
            if turn == 4:
                exporter.kill()
                exporter.wait()
                self.seen = 0  # the last state may be a little older than the last scrape
                exporter = self.start("--state.file", state / "state", prefix=AS_NOBODY, config=config)
                self.wait_for("its count before it can look", lambda m: m.get(unreadable, 0) >= 1 and m[DELIVERED] > 0)
            os.chmod(self.logs, 0o755)
            self.all_counted("opened again", lambda m: m[unreadable] == 0)
        self.stays()
        self.assertRegex(self.said(), "log: Permission denied; add the exporter's user to the folder's group")
        row("the folder's permissions taken away, meanwhile records, a rename, a rename and gzip, a kill; given back", "5",
            f"{self.written} of {self.written} counted; unreadable in between, 0 after; the log names the folder's group")

    def test_permissions_taken_from_a_file_are_trouble_for_that_file_only(self):
        unreadable, lag = self.metric("source_unreadable"), self.metric("read_lag_bytes")
        self.write(3)
        self.write(3, "second-1.csv")
        self.start(prefix=AS_NOBODY)
        self.all_counted("both files")
        for turn in range(5):
            # By a new name at the same time: a file that is open stays readable whatever its permissions are.
            name = f"second-{turn + 2}.csv"
            path = self.logs / name
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0))
            os.chmod(path, 0)
            counted = self.written
            self.write(4, name)
            hidden = self.written - counted
            self.write(2)
            metrics = self.wait_for("the readable file",
                                    lambda m: m.get(DELIVERED) == self.written - hidden and m[unreadable] == 1)
            self.assertIn(lag, metrics)
            os.chmod(path, 0o644)
            self.all_counted("readable again", lambda m: m[unreadable] == 0)
        self.stays()
        self.assertIn("second-2.csv: permission denied; add the exporter's user to the file's group", self.said())
        row("a file without permissions beside a readable one, then made readable", "5",
            f"{self.written} of {self.written} counted, the other file meanwhile; unreadable 1, then 0")

    # ---- many files, other files
    def test_ten_thousand_files_cost_little_and_are_counted_exactly(self):
        for number in range(10_000):
            self.write(1, f"acct-{number:05}.csv")
        begun = time.monotonic()
        exporter = self.start(config="")
        self.all_counted("all files", lambda m: m[self.metric("source_files")] == 10_000)
        took = time.monotonic() - begun
        before, begun = cpu(exporter), time.monotonic()
        time.sleep(20)
        idle = 100 * (cpu(exporter) - before) / (time.monotonic() - begun)
        for number in range(0, 10_000, 10):
            self.write(1, f"acct-{number:05}.csv")
        self.all_counted("records in a thousand of them")
        before = cpu(exporter)
        for number in range(1, 10_000, 100):
            (self.logs / f"acct-{number:05}.csv").rename(self.logs / f"done-{number:05}.csv")
            self.write(1, f"new-{number:05}.csv")
        self.all_counted("a hundred renamed and a hundred new")
        time.sleep(2)
        rotating = cpu(exporter) - before
        self.stays()
        descriptors = len(list(pathlib.Path(f"/proc/{exporter.pid}/fd").iterdir()))
        self.assertLessEqual(descriptors, OPEN_FILES + 30)
        self.assertLess(idle, 20)
        row("10 000 files in the folder; records in 1000 of them, 100 renamed, 100 new", "1",
            f"{self.written} of {self.written} counted; read {took:.1f} s after the start; {idle:.1f} % of a core at rest "
            f"(a rescan every 5 s), {rotating:.1f} s of CPU time for the renames; {descriptors} descriptors")

    def test_a_file_replaced_in_place_is_another_file(self):
        path = self.write(3)
        self.start()
        self.all_counted("the first content")
        inode = path.stat().st_ino
        for turn in range(10):
            longer = turn % 2 == 0
            count = 40 if longer else 2
            text = HEADER + "".join(record(1000 * turn + i, f"other{turn}") for i in range(count))
            self.written += count
            # What is written over without emptying it first is new and old at once until the writer is done; only where
            # one write covers all that was there is the outcome the same for every reader.
            data = os.open(path, os.O_WRONLY)
            if turn % 4 != 2:
                os.truncate(data, 0)
            self.assertEqual(os.write(data, text.encode()), len(text))
            os.close(data)
            self.truncations += 1
            self.assertEqual(path.stat().st_ino, inode)
            self.all_counted("the new content")
            self.write(1)
            self.all_counted("what is appended to it")
        self.stays()
        row("a file rewritten in place (same inode), longer and shorter, emptied before or written over in one go", "10",
            f"{self.written} of {self.written} counted; each counted as a truncation, said in the log")

    def test_a_link_that_is_switched_is_followed(self):
        real = self.folder / "real"
        real.mkdir()
        link = self.logs / "acct.csv"
        names = ["a.csv", "b.csv"]
        for name in names:
            self.write(1, name, real)
        link.symlink_to(real / names[0])
        self.written -= 1  # the second is reached by the first switch
        self.start()
        self.all_counted("through the link")
        self.written += 1
        for turn in range(10):
            # Last words to the one, then the switch.
            self.write(1, names[turn % 2], real)
            new = self.logs / "new"
            new.symlink_to(real / names[(turn + 1) % 2])
            new.rename(link)
            self.write(2, names[(turn + 1) % 2], real)
            self.all_counted("after the switch")
        self.stays()
        row("a symbolic link switched between two files that both grow", "10",
            f"{self.written} of {self.written} counted, the last words before the switch too")

    def test_a_log_disk_that_fills_in_the_middle_of_a_line(self):
        disk = self.logs / "disk"
        self.tmpfs(disk, "256k")
        glob = [f"{disk}/*.csv"]
        path = self.write(3, folder=disk)
        self.start(files=glob)
        self.all_counted("the first records")
        malformed = 'pmta_exporter_lines_total{status="malformed"}'
        cut = 0
        for turn in range(6):
            filler = self.fill(disk)
            part = 0
            line = record(turn).encode()
            log = os.open(path, os.O_WRONLY | os.O_APPEND)
            try:
                while True:  # the last page of the file still has room
                    part = os.write(log, line)
                    if part < len(line):
                        break
                    self.written += 1
            except OSError:
                part = 0
            self.all_counted("what was whole before the disk was full")
            self.stays(0.4)
            filler.unlink()
            if part == 0:
                part = os.write(log, line[:40])
            if turn % 2:  # the writer remembers what it still owes
                os.write(log, line[part:])
                self.written += 1
            else:         # or it does not: half a line and the next one are one that cannot be read
                os.write(log, record(turn).encode())
                cut += 1
            os.close(log)
            self.write(2, folder=disk)
            self.all_counted("after room was made", lambda m: m[malformed] == cut)
        self.stays()
        row("the disk of the logs full in the middle of a line; the writer goes on with the rest of it, or with the next "
            "record", "3 each",
            f"{self.written} of {self.written} whole records counted; {cut} joined lines counted as malformed, nothing guessed")


fault_support.run()
