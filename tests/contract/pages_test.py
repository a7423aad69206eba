"""Every option of every program is in its man page, its completion and a plugin's CheckCommand, and bash reads the completion.

usage: pages_test.py BINARY
"""
import json
import pathlib
import subprocess
import sys

BINARY = pathlib.Path(sys.argv[1])
GENERATED = BINARY / "packaging/generated"
NOT_FOR_ENGINES = {"help", "version", "output"}


def tables_of(program):
    return json.loads(subprocess.run([BINARY / program], capture_output=True, check=True).stdout)


plugins = tables_of("checks/describe_checks")
services = tables_of("exporter/describe_exporter")
assert plugins and services, "describe_checks or describe_exporter knows no program"
icinga = (GENERATED / "icinga2.conf").read_text()
nagios = (GENERATED / "nagios.cfg").read_text()
found = []
for table in plugins:
    program = table["program"]
    if f"command_name    {program}\n" not in nagios:
        found.append(f"{program} is no Nagios command")
    command = icinga.partition(f'object CheckCommand "{program.removeprefix("check_")}" {{')[2].partition("\n}\n")[0]
    for option in table["options"]:
        if option["name"] not in NOT_FOR_ENGINES and f'"--{option["name"]}" = {{' not in command:
            found.append(f"{program}: the CheckCommand lacks --{option['name']}")
for folder, program, option in [(folder, table["program"], option) for folder, tables in (("plugins", plugins), ("exporter", services))
                                for table in tables for option in table["options"]]:
    name = f"--{option['name']}"
    if f"\\fB{name}\\fR" not in (GENERATED / "man" / folder / f"{program}.1").read_text().replace("\\-", "-"):
        found.append(f"{program}: the man page lacks {name}")
    completion = (GENERATED / "completion" / folder / program).read_text()
    if name not in completion.split('compgen -W "')[-1].split('"')[0].split():
        found.append(f"{program}: the completion lacks {name}")
for path in sorted((GENERATED / "completion").rglob("*")):
    if path.is_file() and subprocess.run(["/bin/bash", "-n", path]).returncode != 0:
        found.append(f"{path}: bash does not read it")
# The services' --help, as a terminal shows it.
for table in services:
    shown = subprocess.run([BINARY / "exporter" / table["program"], "--help"], capture_output=True, check=True, text=True).stdout
    if max(map(len, shown.splitlines())) > 80:
        found.append(f"{table['program']}: --help is wider than 80 columns")
    found += [f"{table['program']}: --help lacks --{option['name']}" for option in table["options"] if f"--{option['name']}" not in shown]
print("\n".join(found) or f"{len(plugins)} plugins, {' and '.join(table['program'] for table in services)} are described whole")
sys.exit(1 if found else 0)
