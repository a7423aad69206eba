"""What sanitizers or Valgrind wrote during a run of ctest.

reports.py clear FOLDER   before the run: an empty folder that programs of any user may write into
reports.py show FOLDER    after it: prints every report and fails if there is one
"""
import pathlib
import re
import shutil
import sys

SHOWN = 6000  # characters of each report: the first error and where it came from
# Valgrind's remarks about itself, like a system call that it does not know. Errors begin with "==".
REMARK = re.compile(r"^--[0-9]+-- .*\n", re.MULTILINE)


def clear(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o1777)


def show(folder):
    reports = 0
    for path in sorted(folder.iterdir()):
        text = REMARK.sub("", path.read_text(errors="replace"))
        if text.strip():
            reports += 1
            print(f"--- {path}\n{text[:SHOWN]}")
    print(f"{reports} reports in {folder}")
    return 1 if reports else 0


if __name__ == "__main__":
    what, where = sys.argv[1], pathlib.Path(sys.argv[2])
    sys.exit(clear(where) if what == "clear" else show(where))
