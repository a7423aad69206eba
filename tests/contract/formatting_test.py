"""Every C++ file is formatted as .clang-format says.

usage: formatting_test.py ROOT           fails for a file that is not
       formatting_test.py ROOT --apply   formats every file; what ./test --format runs
"""
import pathlib
import subprocess
import sys

PROGRAM = "clang-format-14"  # another version formats otherwise
ROOT = pathlib.Path(sys.argv[1])
FILES = sorted(str(p) for top in ("shared", "checks", "exporter", "tests") for ending in ("*.h", "*.cc")
               for p in (ROOT / top).rglob(ending))
assert FILES, "no sources found: is the first argument the repository?"
if sys.argv[2:] == ["--apply"]:
    before = {path: pathlib.Path(path).read_bytes() for path in FILES}
    subprocess.run([PROGRAM, "-i", *FILES], check=True)
    changed = [path for path in FILES if pathlib.Path(path).read_bytes() != before[path]]
    print("\n".join([*changed, f"Formatted: {len(changed)} of {len(FILES)} files changed."]))
else:
    result = subprocess.run([PROGRAM, "--dry-run", "--Werror", *FILES], capture_output=True, text=True)
    print(result.stderr[:4000] + "./test --format mends this" if result.returncode else f"{len(FILES)} files are formatted")
    sys.exit(result.returncode)
