"""Names every step of docs/add-a-check.md that was forgotten for a plugin or a collector, with the line to add.

usage: added_check_test.py ROOT

What a compiler or CMake names anyway (a source without its CMake line, a test file that is missing) is not looked for here, and neither
are alerts and panels: tests/alert-rules/rules_meta_test.py and tests/dashboards hold those.
"""
import functools
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "tests/integration"))
import fault_promises
from plugin_targets import TARGETS

FAULT_SECTION = "Faults of what is watched"
# Where in fault_rows.py the rows of a member of the world are made.
ROWS_OF = {"dns": "dns_rows", "connector": "mail_rows or http_rows", "commands": "program_rows", "ssh": "ssh_rows"}


@functools.cache
def text(path):
    file = ROOT / path
    return file.read_text() if file.is_file() else ""


def section(path, title):
    return text(path).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def plugins():
    """Name without check_ -> members of the world that it uses."""
    found = {}
    for line in re.findall(r"^add_check\((.*)\)$", text("checks/CMakeLists.txt"), re.M):
        name, *words = line.split()
        uses = words[words.index("USES") + 1:] if "USES" in words else []
        found[name] = uses[:uses.index("SOURCES")] if "SOURCES" in uses else uses
    return found


def collectors():
    return re.findall(r"^\s*\{\"(\w+)\", \w+_tasks\},$", text("exporter/collectors/registry.cc"), re.M)


def purpose_of(name):
    match = re.search(r'\.purpose\s*=((?:\s*"[^"]*")+)', text(f"checks/check_{name}.cc"))
    return "".join(re.findall(r'"([^"]*)"', match.group(1))).removeprefix("Alerts when ") if match else "..."


def only_dns():
    """The plugins that docs/security.md says to be linked as those that only ask the DNS."""
    listed = re.search(r"The plugins that only ask the DNS \((.*?)\)", text("docs/security.md"), re.S)
    return re.findall(r"`check_(\w+)`", listed.group(1)) if listed else []


def page_of(name):
    """The page that the README's row of the plugin leads to."""
    for row in re.findall(r"^\| .*$", section("README.md", "The plugins"), re.M):
        if re.search(rf"`check_{name}`", row):
            link = re.search(r"\]\((docs/[\w.-]+\.md)\)", row)
            return link.group(1) if link else None
    return None


def forgotten_for_plugin(name, uses):
    """Sentences, each of which begins with the file that lacks something."""
    program = f"check_{name}"
    purpose = purpose_of(name)
    if program not in TARGETS:
        arguments = '["-d", "example.net", *DNS]' if uses == ["dns"] else "the arguments that point it at something that never answers"
        yield f'tests/contract/plugin_targets.py: add to TARGETS "{program}": {arguments}  (step 6)'
    if f'"{program}"' not in text("tests/integration/fault_rows.py"):
        where = ", ".join(ROWS_OF[member] for member in uses) or "file_rows"
        yield f"tests/integration/fault_rows.py: add rows of {program}, one without a fault and one for each fault, in {where}  (step 7)"
    if program not in fault_promises.RIGHT_ANSWERS:
        yield (f'tests/integration/fault_promises.py: add to RIGHT_ANSWERS "{program}": the words of its first line when nothing is '
               "wrong  (step 7)")
    # check_dnsbl: a list that lists even its clean test entry lists everything, so there garbled text says nothing.
    if uses == ["dns"] and name != "dnsbl" and program not in fault_promises.GARBLED_TEXT:
        yield (f'tests/integration/fault_promises.py: add to GARBLED_TEXT "{program}": its words about a record that nobody can read'
               "  (step 7)")
    if not re.search(rf"^\| [^|]* \|[^|]*`{program}`[^|]*\| \d+ \|", section("docs/reliability.md", FAULT_SECTION), re.M):
        yield (f'docs/reliability.md: add to "{FAULT_SECTION}" the rows of `{program}` that "ctest --test-dir build/dev -R '
               'integration_fault_matrix -V" prints at its end, and mend the sum above them  (step 7)')
    page = page_of(name)
    if not page:
        page = f"docs/{name.replace('_', '-')}.md"
        yield f'README.md: add to the table under "The plugins" | `{program}` | {purpose} | [docs]({page}) |  (step 8)'
    if not re.search(rf"^#+ .*\b{program}\b", text(page), re.M):
        yield f"{page}: add a heading with {program} in it  (step 8)"
    if uses == ["dns"] and name not in only_dns():
        yield f'docs/security.md: add `{program}` to "The plugins that only ask the DNS"  (step 8)'
    if not re.search(rf"\b{program}\b", text("CHANGELOG.md")):
        yield f'CHANGELOG.md: add under the newest "### Added" - `{program}`: alerts when {purpose}.  (step 8)'


def forgotten_for_collector(name):
    if not any(re.search(rf"\b{name}_tasks\b", test.read_text()) for test in (ROOT / "tests/exporter/collectors").glob("*_test.cc")):
        yield f"tests/exporter/collectors/{name}_test.cc: add a test that calls {name}_tasks() and publish()  (step 9)"
    if not re.search(rf"^#   {name}:", text("packaging/exporter/config.yml"), re.M):
        yield f'packaging/exporter/config.yml: add under "# collectors:" an example "#   {name}:"  (step 9)'
    if not re.search(rf"^\| [^|]*`{name}`", section("docs/exporter.md", "Collectors"), re.M):
        yield f'docs/exporter.md: add to the table under "Collectors" | `{name}` | what it looks at | its keys |  (step 9)'


class Forgotten(unittest.TestCase):
    maxDiff = None

    def test_no_step_of_a_plugin_is_forgotten(self):
        self.assertTrue(plugins(), "checks/CMakeLists.txt adds no check")
        found = [line for name, uses in plugins().items() for line in forgotten_for_plugin(name, uses)]
        if found:
            self.fail("forgotten of docs/add-a-check.md:\n" + "\n".join(found))

    def test_no_step_of_a_collector_is_forgotten(self):
        self.assertTrue(collectors(), "exporter/collectors/registry.cc has no table")
        found = [line for name in collectors() for line in forgotten_for_collector(name)]
        if found:
            self.fail("forgotten of docs/add-a-check.md:\n" + "\n".join(found))

    def test_no_source_lacks_its_line(self):
        for path in (ROOT / "checks").glob("check_*.cc"):
            name = path.stem.removeprefix("check_")
            self.assertIn(name, plugins(), f"checks/CMakeLists.txt: add add_check({name} USES ...)  (step 4)")
        for path in (ROOT / "exporter/collectors").glob("*.cc"):
            reader = r"^(?:base::)?Result<std::vector<Task>> (\w+)_tasks\(const config::Node& section\) \{"
            for name in re.findall(reader, path.read_text(), re.M):
                self.assertIn(name, collectors(), f'exporter/collectors/registry.cc: add {{"{name}", {name}_tasks}}  (step 9)')

    def test_nothing_is_told_of_a_plugin_that_is_gone(self):
        def gone(names):
            return sorted(name for name in names if name.removeprefix("check_") not in plugins())
        self.assertEqual(gone(TARGETS), [], "tests/contract/plugin_targets.py")
        self.assertEqual(gone(fault_promises.RIGHT_ANSWERS), [], "tests/integration/fault_promises.py")
        self.assertEqual([name for name in only_dns() if plugins().get(name) != ["dns"]], [],
                         "docs/security.md: these ask more than the DNS, or are gone")

    def test_the_sum_of_the_fault_runs_is_that_of_the_table(self):
        faults = section("docs/reliability.md", FAULT_SECTION)
        told = re.search(r"(\d+) runs with a fault", faults)
        runs = [int(number) for number in re.findall(r"^\| [^|]* \| `check_[^|]* \| (\d+) \|", faults, re.M)]
        self.assertEqual(int(told.group(1)), sum(runs), "docs/reliability.md: the sum of the column runs")


class Named(unittest.TestCase):
    """Every step is named for a plugin and a collector that nobody has written, and the page has each of these files."""
    maxDiff = None

    PLUGIN = """\
tests/contract/plugin_targets.py: add to TARGETS "check_made_up": ["-d", "example.net", *DNS]  (step 6)
tests/integration/fault_rows.py: add rows of check_made_up, one without a fault and one for each fault, in dns_rows  (step 7)
tests/integration/fault_promises.py: add to RIGHT_ANSWERS "check_made_up": the words of its first line when nothing is wrong  (step 7)
tests/integration/fault_promises.py: add to GARBLED_TEXT "check_made_up": its words about a record that nobody can read  (step 7)
docs/reliability.md: add to "Faults of what is watched" the rows of `check_made_up` that "ctest --test-dir build/dev -R \
integration_fault_matrix -V" prints at its end, and mend the sum above them  (step 7)
README.md: add to the table under "The plugins" | `check_made_up` | ... | [docs](docs/made-up.md) |  (step 8)
docs/made-up.md: add a heading with check_made_up in it  (step 8)
docs/security.md: add `check_made_up` to "The plugins that only ask the DNS"  (step 8)
CHANGELOG.md: add under the newest "### Added" - `check_made_up`: alerts when ....  (step 8)"""
    COLLECTOR = """\
tests/exporter/collectors/made_up_test.cc: add a test that calls made_up_tasks() and publish()  (step 9)
packaging/exporter/config.yml: add under "# collectors:" an example "#   made_up:"  (step 9)
docs/exporter.md: add to the table under "Collectors" | `made_up` | what it looks at | its keys |  (step 9)"""

    def test_every_forgotten_step_of_a_plugin_is_named(self):
        self.assertEqual("\n".join(forgotten_for_plugin("made_up", ["dns"])), self.PLUGIN)

    def test_every_forgotten_step_of_a_collector_is_named(self):
        self.assertEqual("\n".join(forgotten_for_collector("made_up")), self.COLLECTOR)

    def test_the_row_of_the_readme_has_the_purpose(self):
        self.assertEqual(purpose_of("dnsbl"), "a sending address or a domain is on a blocklist")

    def test_the_page_names_every_file_in_its_step(self):
        steps = dict(re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", text("docs/add-a-check.md"), re.M | re.S))
        for line in [*self.PLUGIN.splitlines(), *self.COLLECTOR.splitlines()]:
            path, number = line.partition(":")[0], re.search(r"\(step (\d+)\)$", line).group(1)
            path = path.replace("made-up", "<x>").replace("made_up", "<x>")
            self.assertIn(f"`{path}`", steps[number], f"docs/add-a-check.md, step {number}")

    def test_a_check_without_a_test_is_told_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(without_tests NONE)\n"
                                                             f"set(MTAWATCH_TESTS ON)\ninclude({ROOT}/checks/CMakeLists.txt)\n")
            done = subprocess.run(["cmake", "-S", folder, "-B", f"{folder}/build"], capture_output=True, text=True, timeout=60)
        name = next(iter(plugins()))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"check_{name} has no test: write tests/checks/{name}_test.cc (docs/add-a-check.md, step 5).",
                      " ".join(done.stderr.split()))
        self.assertEqual(done.stderr.count("CMake Error"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
