"""What sanitizers or Valgrind wrote during a run of ctest.

reports.py clear FOLDER   before the run: an empty folder that programs of any user may write into
reports.py show FOLDER    after it: prints every report and fails if there is one
"""
import pathlib
import shutil
import sys

SHOWN = 6000  # characters of each report: the first error and where it came from


def clear(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o1777)


def show(folder):
    files = [path for path in sorted(folder.iterdir()) if path.stat().st_size > 0]
    for path in files:
        print(f"--- {path}\n{path.read_text(errors='replace')[:SHOWN]}")
    print(f"{len(files)} reports in {folder}")
    return 1 if files else 0


if __name__ == "__main__":
    what, where = sys.argv[1], pathlib.Path(sys.argv[2])
    sys.exit(clear(where) if what == "clear" else show(where))
