"""Holds every check to the one skeleton of docs/add-a-check.md: options, query_of, judge and run in that order, and the
JSON of an observation as to_json beside the observation, nowhere else."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
NAMESPACES = r"(?:\w+::)*"

# Function -> how its definition begins. A type may be written with or without its namespace.
SKELETON = {
    "options": rf"{NAMESPACES}OptionTable options\(\) \{{",
    "query_of": rf"{NAMESPACES}Result<{NAMESPACES}\w+Query> query_of\(const {NAMESPACES}Options& options\b[^;{{]*\) \{{",
    "judge": rf"{NAMESPACES}Report judge\(const {NAMESPACES}(?P<observation>\w+Observation)& seen\b[^;{{]*\) \{{",
    "run": rf"{NAMESPACES}Result<{NAMESPACES}Report> run\(const {NAMESPACES}Options& options, "
           rf"const {NAMESPACES}Deadline& deadline, {NAMESPACES}World& world\) \{{",
}
# What the definitions must hand over.
PHRASES = [".options = options(),", ".run = run,", "report.observation = to_json(seen"]
# What writes JSON, or is named as if it did.
JSON = re.compile(r"\bJsonWriter\b|base/json\.h|\b\w+_json\(")
WRITES_JSON = {"checks/describe.cc"}  # the option tables, no observation


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def problems_of_check(path, probe_headers):
    name = path.relative_to(ROOT).as_posix()
    text = without_comments(path.read_text())
    found, last = {}, -1
    for function, pattern in SKELETON.items():
        # At the begin of a line; a long signature may go on in the next.
        matches = list(re.finditer("^" + pattern.replace(" ", r"\s+"), text, re.MULTILINE))
        if len(matches) != 1:
            yield (f"{name}: defines {function}() of the skeleton {len(matches)} times; "
                   "see docs/add-a-check.md, step 3, for its signature")
            continue
        if matches[0].start() < last:
            yield f"{name}: {function}() stands before what comes ahead of it: options, query_of, judge, run"
        found[function], last = matches[0], matches[0].start()
    flat = squeezed(text)
    for phrase in PHRASES:
        if phrase not in flat:
            yield f"{name}: lacks \"{phrase}\""
    if "judge" in found:
        observation = found["judge"]["observation"]
        declared = rf"\bto_json\(const {observation}& observation\b"
        homes = [header for header, code in probe_headers.items() if re.search(rf"struct {observation} \{{", code)]
        if len(homes) != 1 or not re.search(declared, probe_headers[homes[0]]):
            yield f"{name}: declare to_json(const {observation}& observation) beside the observation in shared/probe"


def main():
    checks = sorted((ROOT / "checks").glob("check_*.cc"))
    assert checks, "no checks found: is the first argument the repository?"
    headers = {path: without_comments(path.read_text()) for path in (ROOT / "shared/probe").rglob("*.h")}
    found = [problem for path in checks for problem in problems_of_check(path, headers)]
    for path in sorted((ROOT / "checks").glob("*.*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in (".cc", ".h") or name in WRITES_JSON:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if JSON.search(line.replace("to_json(", "")):
                found.append(f"{name}:{number}: JSON of an observation is written by to_json in shared/probe")
    print("\n".join(found) or f"{len(checks)} checks have the one skeleton")
    return 1 if found else 0


sys.exit(main())
