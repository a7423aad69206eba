"""Every plugin against everything that can go wrong with what it looks at: no row is OK unless the right answer was seen.

Prints the matrix. Each row is one run of a plugin with -t 2: state, words, time, memory, form of the answer, and nothing left running.
"""
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "contract"))
import fault_programs
from fault_rows import SECONDS, all_rows
from plugin_answer import CONTROL, STATES, answer_faults
from sanitized import sanitized

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
ONLY = os.environ.get("FAULT_ROWS", "")  # a regular expression, to look at some rows alone
sys.argv[1:] = []
MARGIN = 1.0  # seconds over -t; a row that takes longer beside all others is measured again alone
HANGS = 20  # seconds after which a run is ended by force
TOGETHER = 16  # runs at a time: most of them wait
NOBODY = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

SANITIZED = sanitized(BUILD / "checks/check_mx")
# Where a sanitizer writes to.
OPTIONS = {name: value for name, value in os.environ.items() if re.fullmatch("(ASAN|UBSAN|TSAN|LSAN)_OPTIONS", name)}

Outcome = collections.namedtuple("Outcome", "state text seconds mib left")


def left_running(session):
    """Processes of the plugin's session that outlived it."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
            name, fields = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2:].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append((int(entry), name))
    return found


def wait_until_gone(session):
    """What is killed takes a moment to go; what is left after a second was left."""
    end = time.monotonic() + 1
    while True:
        found = left_running(session)
        if not found or time.monotonic() > end:
            for pid, _ in found:
                os.kill(pid, signal.SIGKILL)
            return [name for _, name in found]
        time.sleep(0.02)


class Runner:
    def __init__(self, folder, rows):
        self.copies = folder / "plugins"  # the build folder may lie where nobody may not go
        self.copies.mkdir()
        for plugin in {row.plugin for row in rows if row.as_nobody}:
            shutil.copy(BUILD / "checks" / plugin, self.copies)

    def program(self, row):
        return (self.copies if row.as_nobody else BUILD / "checks") / row.plugin

    def run(self, row):
        read_end, write_end = os.pipe()
        command = [sys.executable, "-I", "-S", ROOT / "tests/integration/measured_run.py", str(write_end), *row.prefix,
                   *(NOBODY if row.as_nobody else []), self.program(row), *row.arguments, "-t", str(SECONDS)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   pass_fds=[write_end], env={"PATH": os.environ["PATH"], "LC_ALL": "C", **OPTIONS, **row.environment})
        os.close(write_end)
        try:
            out, err = process.communicate(timeout=SECONDS + HANGS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Outcome(None, "it hangs", SECONDS + HANGS, 0, [])
        finally:
            with os.fdopen(read_end) as result:
                figures = result.read().split()
        state, seconds, kilobytes, session = figures
        return Outcome(int(state), (out + err).decode("utf-8", "backslashreplace"), float(seconds), int(kilobytes) / 1024,
                       wait_until_gone(int(session)))


def json_faults(row, outcome):
    if CONTROL.search(outcome.text):
        yield f"a control character: {CONTROL.search(outcome.text).group()!r}"
    try:
        answer = json.loads(outcome.text)
    except ValueError as error:
        yield f"no JSON: {error}"
        return
    if (answer["plugin"], answer["state"]) != (row.plugin, STATES.get(outcome.state)):
        yield "JSON and exit code do not agree"


def complaints(row, outcome):
    first = outcome.text.split("\n", 1)[0]
    if outcome.state != row.state:
        yield f"state {STATES.get(outcome.state, outcome.state)}, {STATES[row.state]} is promised"
    if not re.search(row.says, first):
        yield f"the first line does not say {row.says!r}"
    if "json" in row.arguments:
        yield from json_faults(row, outcome)
    else:
        yield from answer_faults(row.plugin, outcome.state, outcome.text)
    if outcome.seconds > SECONDS + MARGIN and not SANITIZED:
        yield f"took {outcome.seconds:.1f} s"
    if outcome.mib > row.mib and not SANITIZED:
        yield f"took {outcome.mib:.0f} MiB"
    if outcome.left:
        yield f"left {outcome.left} running"


def with_json(rows):
    """Whatever holds garbage is asked for in the other form too."""
    for row in rows:
        yield row
        if "garb" in row.fault and row.family != "the second thing asked":  # that server is well only once
            yield dataclasses.replace(row, arguments=[*row.arguments, "-o", "json"])


def states_of(outcomes):
    counts = collections.Counter(STATES.get(outcome.state, "none") for outcome in outcomes)
    return ", ".join(f"{state} {count}" if len(counts) > 1 else state for state, count in sorted(counts.items()))


def most_of(outcomes):
    return f"{max(outcome.seconds for outcome in outcomes):.1f} s | {max(outcome.mib for outcome in outcomes):.0f} MiB"


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mtawatch-faults-"))
        cls.folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        fault_programs.install(cls.folder, ROOT)
        cls.rows = [row for row in with_json(all_rows(cls.folder, ROOT)) if re.search(ONLY, f"{row.plugin} {row.target} {row.fault}")]
        runner = Runner(cls.folder, cls.rows)
        with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
            cls.outcomes = list(pool.map(runner.run, cls.rows))
        for number, outcome in enumerate(cls.outcomes):
            if outcome.seconds > SECONDS + MARGIN:
                cls.outcomes[number] = runner.run(cls.rows[number])

    @classmethod
    def print_matrix(cls):
        """Every row, then what the documentation quotes: by plugin and by fault."""
        for row, outcome in zip(cls.rows, cls.outcomes):
            print(f"{row.plugin} | {row.target} | {row.fault} | {STATES.get(outcome.state, 'none')} | {outcome.seconds:.2f} s | "
                  f"{outcome.mib:.0f} MiB | {outcome.text.splitlines()[0][:200] if outcome.text else ''}")
        by_plugin, by_fault, faults = {}, {}, {}
        for row, outcome in zip(cls.rows, cls.outcomes):
            if row.fault != "none":
                by_plugin.setdefault((row.family, f"`{row.plugin}`"), []).append(outcome)
                by_fault.setdefault((row.family, row.fault), []).append(outcome)
        for (family, fault), found in by_fault.items():  # faults of the same kind that end alike share a line
            names, outcomes = faults.setdefault((family, states_of(found)), ([], []))
            names.append(fault)
            outcomes.extend(found)
        print("\n| what is faulty | plugin | runs | states | longest | most memory |\n|---|---|---|---|---|---|")
        for (family, plugin), found in by_plugin.items():
            print(f"| {family} | {plugin} | {len(found)} | {states_of(found)} | {most_of(found)} |")
        print("\n| what is faulty | how | states of a fault's runs | longest | most memory |\n|---|---|---|---|---|")
        for (family, states), (names, found) in faults.items():
            print(f"| {family} | {'; '.join(names)} | {states} | {most_of(found)} |")
        print(f"\n{len(cls.rows)} runs, {sum(row.fault != 'none' for row in cls.rows)} of them with a fault")

    @unittest.skipIf(ONLY, "some rows alone")
    def test_every_plugin_has_rows_and_is_ok_without_a_fault(self):
        built = {table["program"] for table in json.loads(subprocess.run(
            [BUILD / "checks/describe_checks"], capture_output=True, check=True).stdout)}
        self.assertEqual(built, {row.plugin for row in self.rows if row.fault != "none"})
        self.assertEqual(built, {row.plugin for row in self.rows if row.fault == "none" and row.state == 0})

    def test_no_fault_is_ok_and_every_row_keeps_its_promise(self):
        self.assertTrue(self.rows)
        self.print_matrix()
        for row, outcome in zip(self.rows, self.outcomes):
            with self.subTest(plugin=row.plugin, target=row.target, fault=row.fault):
                found = list(complaints(row, outcome))
                self.assertFalse(found, f"{found}: {row.arguments}\n{outcome.text[:600]}")


if __name__ == "__main__":
    unittest.main(warnings="ignore")
