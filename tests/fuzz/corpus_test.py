"""Holds the archives of the stored seeds to their form, and the program that replays them to its refusals.

usage: corpus_test.py [REPLAY]; REPLAY is any fuzz target that was built without libFuzzer
"""
import gzip
import pathlib
import subprocess
import sys
import tempfile
import unittest

import corpus_pack

SOURCE = pathlib.Path(__file__).resolve().parent
CORPUS = SOURCE / "corpus"
ARCHIVES = sorted(CORPUS.glob("*.tar.gz"))
REPLAY = sys.argv[1] if len(sys.argv) > 1 else None
MAX_FILES = 400
SEEDS = {"b": b"second", "a": b"1:2", "empty": b"", "block": bytes(512)}


def git(*arguments):
    return subprocess.run(["git", "-C", SOURCE, *arguments], capture_output=True, text=True)


class Archives(unittest.TestCase):
    def test_each_target_has_one_and_nothing_else_is_there(self):
        targets = {path.name.removesuffix("_fuzz.cc") for path in SOURCE.glob("*_fuzz.cc")}
        self.assertEqual({f"{name}.tar.gz" for name in targets}, {path.name for path in CORPUS.rglob("*")})
        self.assertLessEqual(len(targets), MAX_FILES)

    def test_git_has_the_same_files(self):
        tracked = git("ls-files", "-z", "corpus")
        if tracked.returncode != 0:
            self.skipTest(f"no git checkout: {tracked.stderr}")
        self.assertEqual(sorted(tracked.stdout.split("\0")[:-1]), [f"corpus/{path.name}" for path in ARCHIVES])

    def test_git_shows_no_differences_inside(self):
        said = git("check-attr", "diff", "text", "linguist-generated", "--", f"corpus/{ARCHIVES[0].name}")
        if said.returncode != 0:
            self.skipTest(f"no git checkout: {said.stderr}")
        self.assertEqual([line.rsplit(": ", 1)[1] for line in said.stdout.splitlines()], ["unset", "unset", "set"])

    def test_unpacked_and_packed_again_each_is_the_same(self):
        for archive in ARCHIVES:
            with self.subTest(archive.name), tempfile.TemporaryDirectory() as folder:
                files, copy = pathlib.Path(folder, "files"), pathlib.Path(folder, archive.name)
                before = archive.read_bytes()
                copy.write_bytes(before)
                corpus_pack.unpack(archive, files)
                corpus_pack.pack(copy, files)
                self.assertEqual(copy.read_bytes(), before)
                copy.unlink()
                corpus_pack.pack(copy, files)
                self.assertEqual(gzip.decompress(copy.read_bytes()), gzip.decompress(before))

    def test_the_order_of_the_seeds_changes_nothing(self):
        self.assertEqual(corpus_pack.tar_of(SEEDS), corpus_pack.tar_of(dict(reversed(SEEDS.items()))))


@unittest.skipUnless(REPLAY, "libFuzzer reads files")
class Replay(unittest.TestCase):
    def replay(self, packed):
        with tempfile.TemporaryDirectory() as folder:
            archive = pathlib.Path(folder, "seeds.tar.gz")
            if packed is not None:
                archive.write_bytes(packed)
            return subprocess.run([REPLAY, archive], capture_output=True, text=True)

    def refused(self, packed, reason):
        done = self.replay(packed)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("seeds.tar.gz", done.stderr)
        self.assertIn(reason, done.stderr)

    def test_every_seed_is_replayed(self):
        done = self.replay(gzip.compress(corpus_pack.tar_of(SEEDS)))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "4 inputs replayed\n", ""))

    def test_what_is_not_there_or_not_whole_is_refused(self):
        whole = gzip.compress(corpus_pack.tar_of(SEEDS))
        self.refused(None, "No such file")
        self.refused(b"", "empty or cut off")
        self.refused(whole[:-9], "empty or cut off")
        self.refused(b"some text", "no gzip header")

    def test_a_damaged_entry_is_refused(self):
        tar = corpus_pack.tar_of(SEEDS)
        link = bytearray(corpus_pack.entry("a", b""))
        link[148:157] = b" " * 8 + b"2"
        link[148:155] = b"%06o\0" % sum(link)
        for damaged, reason in (
                (b"A" + tar[1:], "at byte 0: no ustar header"),
                (tar[:1024] + b"A" + tar[1025:], "at byte 1024: no ustar header"),
                (tar[:-1024], "ends without its two empty blocks"),
                (tar + b"more", "something follows its end"),
                (corpus_pack.entry("a", b"x" * 4096)[:2048], "at byte 0: a wrong size"),
                (bytes(link) + bytes(1024), "at byte 0: no regular file")):
            with self.subTest(reason):
                self.refused(gzip.compress(damaged), reason)

    def test_an_archive_without_a_seed_is_refused(self):
        self.refused(gzip.compress(bytes(1024)), "holds no seed")


unittest.main(argv=sys.argv[:1])
