"""Every option of every plugin is in its CheckCommand, its man page and its completion, and bash reads the completion.

usage: pages_test.py BINARY
"""
import json
import pathlib
import subprocess
import sys

BINARY = pathlib.Path(sys.argv[1])
GENERATED = BINARY / "packaging/generated"
NOT_FOR_ENGINES = {"help", "version", "output"}
tables = json.loads(subprocess.run([BINARY / "checks/describe_checks"], capture_output=True, check=True).stdout)
assert tables, "describe_checks knows no plugin"
icinga = (GENERATED / "icinga2.conf").read_text()
nagios = (GENERATED / "nagios.cfg").read_text()
found = []
for table in tables:
    program = table["program"]
    if f"command_name    {program}\n" not in nagios:
        found.append(f"{program} is no Nagios command")
    command = icinga.partition(f'object CheckCommand "{table["name"]}" {{')[2].partition("\n}\n")[0]
    man = (GENERATED / "man/plugins" / f"{program}.1").read_text().replace("\\-", "-")
    completion = GENERATED / "completion/plugins" / program
    for option in table["options"]:
        name = f"--{option['name']}"
        if option["name"] not in NOT_FOR_ENGINES and f'"{name}" = {{' not in command:
            found.append(f"{program}: the CheckCommand lacks {name}")
        if f"\\fB{name}\\fR" not in man:
            found.append(f"{program}: the man page lacks {name}")
        if name not in completion.read_text().split('compgen -W "')[-1].split('"')[0].split():
            found.append(f"{program}: the completion lacks {name}")
for path in sorted((GENERATED / "completion").rglob("*")):
    if path.is_file() and subprocess.run(["/bin/bash", "-n", path]).returncode != 0:
        found.append(f"{path}: bash does not read it")
help_text = subprocess.run([BINARY / "exporter/pmta_exporter", "--help"], capture_output=True, check=True, text=True).stdout
exporter_man = (GENERATED / "man/exporter/pmta_exporter.1").read_text().replace("\\-", "-")
for line in help_text.splitlines():
    if line.startswith("  --") and f"\\fB{line.split()[0]}\\fR" not in exporter_man:
        found.append(f"pmta_exporter: the man page lacks {line.split()[0]}")
print("\n".join(found) or f"{len(tables)} plugins and the exporter are described whole")
sys.exit(1 if found else 0)
