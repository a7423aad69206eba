"""Puts every program of a build behind Valgrind's memcheck, so that the ordinary tests run it there.

wrap_programs.py SOURCE BUILD: moves each program below checks/, exporter/ and tests/ of the build folder to real/ and leaves
a script in its place. Linking a program again undoes that; running this again repeats it.
"""
import os
import pathlib
import sys

SOURCE, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()

# A report of its own for each process, because process numbers repeat from one namespace to the next.
SCRIPT = f"""#!/bin/sh
report=$(mktemp {BUILD}/reports/{{name}}.XXXXXXXX) || exit 99
exec valgrind --quiet --tool=memcheck --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \\
    --errors-for-leak-kinds=definite --num-callers=30 --suppressions={SOURCE}/tests/analysis/valgrind.suppressions \\
    --log-file="$report" {BUILD}/real/{{path}} "$@"
"""


def is_program(path):
    if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def main():
    wrapped = 0
    for top in ("checks", "exporter", "tests"):
        for path in sorted((BUILD / top).rglob("*")):
            if not is_program(path):
                continue
            relative = path.relative_to(BUILD)
            real = BUILD / "real" / relative
            real.parent.mkdir(parents=True, exist_ok=True)
            path.rename(real)
            path.write_text(SCRIPT.format(name=path.name, path=relative))
            path.chmod(0o755)
            wrapped += 1
    (BUILD / "reports").mkdir(exist_ok=True)
    (BUILD / "reports").chmod(0o1777)
    print(f"{wrapped} programs run under valgrind now")


main()
