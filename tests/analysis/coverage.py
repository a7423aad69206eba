"""Line coverage of shared/, folder by folder, from what the tests of a build with --coverage left behind.

coverage.py SOURCE BUILD: fails when shared/ as a whole is below the limit. Files with uncovered lines are named, worst first.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys

SOURCE, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
LIMIT = 90.0
NAMED = 15


def measured():
    """(file, lines, covered lines) of every source and header below shared/."""
    report = BUILD / "coverage.json"
    subprocess.run(["gcovr", "-j", str(os.cpu_count()), "--root", SOURCE, "--filter", f"{SOURCE}/shared/", "--json-summary", report,
                    "--exclude-unreachable-branches", "--exclude-throw-branches", BUILD], check=True)
    for file in json.loads(report.read_text())["files"]:
        yield pathlib.PurePosixPath(file["filename"]), file["line_total"], file["line_covered"]


def percent(covered, lines):
    return 100.0 * covered / lines if lines else 100.0


def main():
    files = list(measured())
    folders = collections.defaultdict(lambda: [0, 0])
    for path, lines, covered in files:
        for name in (path.parent.as_posix(), "shared"):
            folders[name][0] += lines
            folders[name][1] += covered
    assert folders["shared"][0] > 0, "nothing was measured: build and run the tests with preset coverage first"
    print(f"{'folder':<16}{'lines':>8}{'covered':>9}{'%':>7}")
    for name, (lines, covered) in sorted(folders.items(), key=lambda item: (item[0] == "shared", item[0])):
        print(f"{name:<16}{lines:>8}{covered:>9}{percent(covered, lines):>7.1f}")
    print("most uncovered lines:")
    for path, lines, covered in sorted(files, key=lambda file: file[2] - file[1])[:NAMED]:
        print(f"  {path}: {lines - covered} of {lines}")
    reached = percent(*reversed(folders["shared"]))
    print(f"shared/: {reached:.1f} % of lines, at least {LIMIT:.0f} % are asked for")
    return 0 if reached >= LIMIT else 1


sys.exit(main())
