"""The exporter while its state cannot be written or read, inotify has no room, and the clock steps back."""
import os
import pathlib
import shutil
import subprocess
import time

import fault_support
from fault_support import AS_NOBODY, DELIVERED, EXPORTER, FAILURES, NOBODY, RESCAN, SAVED, UNWATCHED, row
from sanitized import sanitizer

# Where Debian has it on every architecture.
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class StateFaults(fault_support.ExporterFaults):
    # ---- the state
    def test_a_state_folder_that_may_not_be_written_is_counted_and_made_up_for(self):
        state = self.folder / "state"
        state.mkdir()
        os.chown(state, NOBODY, NOBODY)
        self.write(3)
        exporter = self.start("--state.file", state / "state", prefix=AS_NOBODY)
        self.all_counted("running", lambda m: SAVED in m)
        for _ in range(5):
            os.chmod(state, 0o500)
            failures = self.scrape()[FAILURES]
            self.write(2)
            metrics = self.all_counted("counting goes on", lambda m: m[FAILURES] >= failures + 2)
            last = metrics[SAVED]
            self.stays(0.3)
            self.assertEqual(self.scrape()[SAVED], last)
            os.chmod(state, 0o700)
            self.wait_for("saved again", lambda m: m[SAVED] > last)
        self.assertIn("state.new: Permission denied; counting goes on, and so do the attempts to save", self.said())
        self.assertIn("the state is saved again", self.said())
        last = time.time()
        self.wait_for("saved", lambda m: m[SAVED] > last)
        exporter.kill()
        exporter.wait()
        self.start("--state.file", state / "state", prefix=AS_NOBODY)
        self.all_counted("the same after a kill")
        row("the state's folder not writable, and back", "5",
            "every record counted; failures counted, the time of the last save stands still; saved again by itself; the same "
            "after a kill")

    def test_a_full_disk_under_the_state_is_counted_and_made_up_for(self):
        state = self.folder / "state"
        self.tmpfs(state, "256k")
        self.write(3)
        exporter = self.start("--state.file", state / "state")
        self.all_counted("running", lambda m: SAVED in m)
        for _ in range(5):
            filler = self.fill(state)
            failures = self.scrape()[FAILURES]
            self.write(2)
            metrics = self.all_counted("counting goes on", lambda m: m[FAILURES] >= failures + 2)
            last = metrics[SAVED]
            # The state of before is whole: a restart in between takes it and reads on.
            exporter.kill()
            exporter.wait()
            self.seen = 0
            exporter = self.start("--state.file", state / "state")
            self.all_counted("after a kill on a full disk", lambda m: m[FAILURES] >= 1)
            filler.unlink()
            self.wait_for("saved again", lambda m: m.get(SAVED, 0) > last)
        self.stays()
        self.assertIn("No space left on device; counting goes on, and so do the attempts to save", self.said())
        row("the disk under the state full, a kill and a start on it, then room again", "5",
            "every record counted once; failures counted; the older state stays whole and is what the start uses; saved again "
            "by itself")

    def test_a_state_folder_that_is_removed_and_made_again_keeps_its_lock(self):
        state = self.folder / "state"
        state.mkdir()
        self.write(3)
        self.start("--state.file", state / "state")
        self.all_counted("running", lambda m: SAVED in m)
        shutil.rmtree(state)
        self.wait_for("a counted failure", lambda m: m[FAILURES] >= 2)
        last = self.scrape()[SAVED]
        state.mkdir()
        self.write(2)
        self.all_counted("saved again", lambda m: m[SAVED] > last)
        self.assertIn("state.lock: No such file or directory; counting goes on", self.said())
        second = self.start("--state.file", state / "state", "--web.listen-address", "127.0.0.1:10926")
        self.assertNotEqual(second.wait(timeout=20), 0)
        self.assertIn("another exporter is using it", self.said())
        row("the state's folder removed and made again", "1",
            "failures counted, saved again by itself; a second exporter on the new folder is refused")

    def test_a_state_that_it_may_not_read_is_kept_and_not_overwritten(self):
        state = self.folder / "state"
        state.mkdir()
        os.chown(state, NOBODY, NOBODY)
        self.write(3)
        first = self.start("--state.file", state / "state")
        self.all_counted("running as root", lambda m: SAVED in m)
        self.stays(0.3)
        first.kill()
        first.wait()
        os.chown(state / "state.lock", NOBODY, NOBODY)
        whole = (state / "state").read_bytes()
        os.chmod(state / "state", 0)
        self.start("--state.file", state / "state", prefix=AS_NOBODY)
        # What the lost state had counted would be an increase if it were counted again.
        self.seen = 0
        metrics = self.wait_for("counted from 0", lambda m: SAVED in m and DELIVERED in m)
        self.assertEqual(metrics[DELIVERED], 0)
        self.assertEqual(metrics['pmta_exporter_lines_total{status="parsed"}'], 3)
        self.assertEqual((state / "state.unreadable").read_bytes(), whole)
        self.written = 0
        self.write(2)
        self.all_counted("counts what comes")
        self.assertRegex(self.said(), r"state: Permission denied; it is kept as .*state.unreadable, and counting starts anew")
        row("a state that the exporter's user may not read, at the start", "1",
            "kept as `state.unreadable`, said, and all files are read anew; counters begin at 0 after that")

    # ---- inotify and the clock
    def limited(self, limit, number, config=RESCAN, glob=None):
        """An exporter in a user namespace of its own, whose root sets the limit for this namespace only."""
        command = f'echo {number} >/proc/sys/user/{limit} && exec "$@"'
        return self.start(prefix=["unshare", "--user", "--map-root-user", "sh", "-c", command, "sh"], config=config,
                          files=glob)

    def raise_limit(self, process, limit, number):
        subprocess.run(["nsenter", "--user", "--preserve-credentials", "--target", str(process.pid), "sh", "-c",
                        f"echo {number} >/proc/sys/user/{limit}"], check=True)

    def test_without_inotify_the_files_are_found_by_looking_again_and_that_is_said(self):
        for limit, spare, words in (("max_inotify_instances", 0, "fs.inotify.max_user_instances"),
                                    ("max_inotify_watches", 1, "fs.inotify.max_user_watches")):
            with self.subTest(limit):
                for number in (1, 2, 3):
                    (self.logs / limit / str(number)).mkdir(parents=True)
                glob = [f"{self.logs}/{limit}/*/*.csv"]
                self.written, self.seen = 0, 0
                for number in (1, 2, 3):
                    self.write(3, folder=self.logs / limit / str(number))
                exporter = self.limited(limit, spare, config="  rescan_interval: 1s\n", glob=glob)
                unwatched = 3 - spare
                self.all_counted("the first files", lambda m: m.get(UNWATCHED) == unwatched)
                slowest = 0.0
                for turn in range(5):
                    for number in (1, 2, 3):
                        self.write(2, f"acct-{turn % 2}.csv", self.logs / limit / str(number))
                    begun = time.monotonic()
                    self.all_counted("found by a rescan")
                    slowest = max(slowest, time.monotonic() - begun)
                self.stays()
                self.assertIn(words, self.said())
                self.raise_limit(exporter, limit, 100)
                self.wait_for("watched at last", lambda m: m.get(UNWATCHED) == 0)
                self.write(2, folder=self.logs / limit / "3")
                self.all_counted("watched")
                self.assertIn("watched again", self.said())
                exporter.kill()
                exporter.wait()
                row(f"no inotify {limit.rsplit('_', 1)[1]} left (`{words}`), later room again", "5 times new records",
                    f"all counted by the rescan, within {slowest:.1f} s at an interval of 1 s; "
                    f"`{UNWATCHED}` {unwatched}, later 0; the log names the setting")

    def test_a_clock_that_steps_back_an_hour_changes_no_count(self):
        offset = self.folder / "offset"
        offset.write_text("+0")
        state = self.folder / "state"
        environment = {"LD_PRELOAD": f"{sanitizer(EXPORTER)} {FAKETIME}", "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
                       "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.write(3)
        exporter = self.start("--state.file", state, environment=environment)
        metrics = self.all_counted("before", lambda m: m.get(SAVED, 0) > time.time() - 60)
        for turn in range(5):
            offset.write_text("-3600")
            self.wait_for("the clock is back", lambda m: m[SAVED] < time.time() - 3500)
            self.write(2)
            path = self.write(1, f"second-{turn}.csv")
            path.rename(path.with_name(f"renamed-{turn}.csv"))
            metrics = self.all_counted("after the step back")
            self.assertLess(metrics["pmta_exporter_last_read_timestamp_seconds"], time.time() - 3500)
            offset.write_text("+0")
            self.write(1)
            self.all_counted("after the step forward", lambda m: m[SAVED] > time.time() - 60)
        self.stays()
        offset.write_text("-3600")
        self.wait_for("saved in the past", lambda m: m[SAVED] < time.time() - 3500)
        exporter.kill()
        exporter.wait()
        self.start("--state.file", state)
        self.all_counted("the same after a kill")
        self.assertNotIn("level=warn", self.said())
        self.assertNotIn("level=error", self.said())
        row("the clock stepped back an hour and forward again (libfaketime), a kill in between", "5",
            f"{self.written} of {self.written} counted; states go on being saved; scrapes and rescans keep their pace, which "
            "the steady clock sets")


fault_support.run()
