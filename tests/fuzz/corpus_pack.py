#!/usr/bin/python3
"""Reads and writes the stored seeds: tests/fuzz/corpus/TARGET.tar.gz, one archive for each fuzz target.

  tests/fuzz/corpus_pack.py list              how many seeds each target has
  tests/fuzz/corpus_pack.py list range        their sizes and names
  tests/fuzz/corpus_pack.py show range r11    the bytes of one seed
  tests/fuzz/corpus_pack.py add range FILE    one more seed, under the file's name; also several files
  tests/fuzz/corpus_pack.py unpack range DIR  every seed as a file
  tests/fuzz/corpus_pack.py pack range DIR    exactly these files become the archive

The same seeds give the same bytes: sorted names, no owner, no time. Exit code: 0, or 2 with the reason.
"""
import argparse
import gzip
import io
import os
import pathlib
import re
import sys
import tarfile
import zlib

SOURCE = pathlib.Path(__file__).resolve().parent
CORPUS = SOURCE / "corpus"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")  # 100 bytes is what an entry's name has room for
BLOCK = 512


class Refused(Exception):
    """The sentence for whoever gave the command."""


def archive_of(target):
    if not (SOURCE / f"{target}_fuzz.cc").exists():
        raise Refused(f"{target}: no such target, there is no {SOURCE / target}_fuzz.cc")
    return CORPUS / f"{target}.tar.gz"


def entry(name, data):
    """One ustar entry. Not by tarfile, whose headers differ from one version of Python to another."""
    header = bytearray(BLOCK)

    def put(offset, field):
        header[offset:offset + len(field)] = field

    put(0, name.encode())
    put(100, b"0000644\0" + b"0000000\0" * 2)             # mode, owner, group
    put(124, b"%011o\0" % len(data) + b"%011o\0" % 0)     # size, time
    put(148, b" " * 8 + b"0")                             # checksum as it counts itself, regular file
    put(257, b"ustar\0" + b"00")
    put(148, b"%06o\0 " % sum(header))
    return bytes(header) + data + bytes(-len(data) % BLOCK)


def tar_of(seeds):
    return b"".join(entry(name, seeds[name]) for name in sorted(seeds)) + bytes(2 * BLOCK)


def tar_in(archive):
    try:
        return gzip.decompress(archive.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"{archive}: cannot be read: {error}") from error


def read(archive):
    """Name and bytes of every seed."""
    seeds = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(tar_in(archive))) as tar:
            for member in tar:
                if not member.isreg() or not NAME.fullmatch(member.name) or member.name in seeds:
                    raise Refused(f"{archive}: {member.name!r} is no plain file, or is there twice")
                seeds[member.name] = tar.extractfile(member).read()
    except tarfile.TarError as error:
        raise Refused(f"{archive}: damaged: {error}") from error
    if not seeds:
        raise Refused(f"{archive}: holds no seed")
    return seeds


def write(archive, seeds):
    if not seeds:
        raise Refused(f"{archive}: would hold no seed")
    tar = tar_of(seeds)
    # One zlib packs the same bytes otherwise than another: what is the same inside stays as it is.
    if archive.exists() and tar_in(archive) == tar:
        return
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(tar)
    archive.parent.mkdir(parents=True, exist_ok=True)
    whole = archive.with_suffix(".new")
    whole.write_bytes(packed.getvalue())
    os.replace(whole, archive)


def files_of(paths):
    seeds = {}
    for path in paths:
        if not path.is_file() or not NAME.fullmatch(path.name):
            raise Refused(f"{path}: a seed is a file; its name has at most 100 letters, digits and . _ + -")
        seeds[path.name] = path.read_bytes()
    return seeds


def unpack(archive, folder):
    seeds = read(archive)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)


def pack(archive, folder):
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder")
    write(archive, files_of(folder.iterdir()))


def add(archive, paths):
    seeds = read(archive) if archive.exists() else {}
    for name, data in files_of(paths).items():
        if seeds.setdefault(name, data) != data:
            raise Refused(f"{archive}: has another seed named {name}")
    write(archive, seeds)


def show(archive, name):
    seeds = read(archive)
    if name not in seeds:
        raise Refused(f"{archive}: has no seed named {name}")
    sys.stdout.buffer.write(seeds[name])


def print_list(target):
    if target:
        for name, data in sorted(read(archive_of(target)).items()):
            print(f"{len(data):>8}  {name}")
        return
    for archive in sorted(CORPUS.glob("*.tar.gz")):
        print(f"{len(read(archive)):>8}  {archive.name.removesuffix('.tar.gz')}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list").add_argument("target", nargs="?", metavar="TARGET")
    for name in ("show", "add", "unpack", "pack"):
        command = commands.add_parser(name)
        command.add_argument("target", metavar="TARGET")
        if name == "show":
            command.add_argument("name", metavar="NAME")
        elif name == "add":
            command.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
        else:
            command.add_argument("folder", type=pathlib.Path, metavar="DIR")
    return parser.parse_args()


def main():
    options = parse()
    try:
        if options.command == "list":
            print_list(options.target)
        elif options.command == "show":
            show(archive_of(options.target), options.name)
        elif options.command == "add":
            add(archive_of(options.target), options.files)
        elif options.command == "unpack":
            unpack(archive_of(options.target), options.folder)
        else:
            pack(archive_of(options.target), options.folder)
    except (Refused, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
