"""Writes the changelog.gz of a Debian package: one entry that names this version and points at CHANGELOG.md.

usage: debian_changelog.py VERSION MAINTAINER SOURCE-FOLDER OUTPUT
The time is that of the last commit (or of CHANGELOG.md outside git), so that the same source gives the same file.
"""
import email.utils
import gzip
import pathlib
import subprocess
import sys

version, maintainer, source, output = sys.argv[1:]
git = subprocess.run(["git", "-C", source, "log", "-1", "--format=%ct"], capture_output=True, text=True)
seconds = int(git.stdout) if git.returncode == 0 else int((pathlib.Path(source) / "CHANGELOG.md").stat().st_mtime)
text = (f"mtawatch ({version}) unstable; urgency=medium\n\n  * Version {version}; what changed is in CHANGELOG.md of the source.\n\n"
        f" -- {maintainer}  {email.utils.formatdate(seconds)}\n")
path = pathlib.Path(output)
path.parent.mkdir(parents=True, exist_ok=True)
with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
    packed.write(text.encode())
