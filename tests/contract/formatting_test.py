"""Every C++ file is formatted as .clang-format says."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
FILES = sorted(str(p) for top in ("shared", "checks", "exporter", "tests") for ending in ("*.h", "*.cc")
               for p in (ROOT / top).rglob(ending))
assert FILES, "no sources found: is the first argument the repository?"
result = subprocess.run(["clang-format", "--dry-run", "--Werror", *FILES], capture_output=True, text=True)
print(result.stderr[:4000] or f"{len(FILES)} files are formatted")
sys.exit(result.returncode)
