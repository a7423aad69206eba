"""Writes what is made from the option tables: Icinga 2 CheckCommands, Nagios commands, man pages, bash completion.

usage: generate.py PLUGINS.json EXPORTER.json OUTPUT-FOLDER

The two files are the output of describe_checks (checks/describe.cc) and describe_exporter (exporter/describe.cc), which link
the tables that the programs parse with. There is no second list of options anywhere.
"""
import json
import pathlib
import re
import sys

PLUGIN_FOLDER = "/usr/lib/nagios/plugins"
NOTE = "Generated from the programs' option tables; changes belong into the source."
# Options that mean nothing to a monitoring engine.
NOT_FOR_ENGINES = {"help", "version", "output"}
# What a shell can complete, by the last word of a metavar.
FILE_WORDS = {"FILE", "GLOB", "PATH", "FILE|-"}

RANGES = ("A RANGE is [@]start:end and alerts outside it (with @ inside): 10 is above 10, 10: below 10, ~:10 above 10 with any "
          "lower value allowed, 5:10 outside 5 to 10. A DURATION is numbers with units: 90s, 10m, 1h30m, 2d.")
EXIT_CODES = [("0", "OK"), ("1", "WARNING"), ("2", "CRITICAL: also when what is checked does not answer"),
              ("3", "UNKNOWN: the check could not be made; also --help, --version and a bad command line")]


# The sections of a man page that no option table holds.
SECTIONS = {
    "pmta_exporter": (
        ".SH SIGNALS\nSIGHUP reads the configuration again; SIGTERM and SIGINT stop the exporter cleanly.\n"
        ".SH EXIT STATUS\n.TP\n\\fB0\\fR\nDone, or stopped in order.\n.TP\n\\fB1\\fR\nSomething failed, said on standard error.\n"
        ".TP\n\\fB2\\fR\nThe command line is wrong.\n"
        ".SH FILES\n.TP\n/etc/pmta_exporter/config.yml\nThe configuration.\n.TP\n/etc/default/pmta_exporter\n"
        "Further arguments of the service.\n.TP\n/var/lib/pmta_exporter/state, state.postfix, state.kumomta\n"
        "Offsets and counters.\n"),
    "pmta_acct_pipe": (
        ".SH EXIT STATUS\n.TP\n\\fB0\\fR\nStandard input ended, or a signal came and the record in progress was kept.\n"
        ".TP\n\\fB2\\fR\nThe command line is wrong, or the spool cannot be written.\n"
        ".SH EXAMPLE\nIn PowerMTA's configuration:\n.nf\n<acct\\-file |/usr/bin/pmta_acct_pipe \\-\\-name bounces>\n"
        "    records b\n</acct\\-file>\n.fi\n"),
}


def engine_name(table):
    return table["program"].removeprefix("check_")


def variable(name):
    return name.replace("-", "_")


def explained(option):
    remarks = [word for word in ("required", "repeatable") if option[word]]
    default = option["default_text"] or option["default"]
    if default:
        remarks.append(f"default: {default}")
    return option["help"] + (f" ({'; '.join(remarks)})" if remarks else "")


# --- Icinga 2 -----------------------------------------------------------------------------------------------------------

def icinga_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def icinga_argument(command, option):
    name = f"${command}_{variable(option['name'])}$"
    lines = []
    key = f"--{option['name']}"
    if option["kind"] == "flag":
        lines.append(f'set_if = "{name}"')
    elif option["value_optional"]:  # written after '=' only, so as one word
        lines += [f'value = "{key}={name}"', "skip_key = true"]
    else:
        lines.append(f'value = "{name}"')
    if option["required"]:
        lines.append("required = true")
    if option["repeatable"] and option["kind"] != "flag":
        lines.append("repeat_key = true")
    lines.append(f"description = {icinga_text(explained(option))}")
    body = "".join(f"\t\t\t{line}\n" for line in lines)
    return f'\t\t"{key}" = {{\n{body}\t\t}}\n'


def icinga_command(table):
    command = engine_name(table)
    own_address = any(o["name"] == "hostname" and o["required"] for o in table["options"])
    text = f'// {table["purpose"]}.\nobject CheckCommand "{command}" {{\n'
    if own_address:
        text += '\timport "ipv4-or-ipv6"\n\n'
    text += f'\tcommand = [ PluginContribDir + "/{table["program"]}" ]\n\n\targuments = {{\n'
    text += "".join(icinga_argument(command, o) for o in table["options"] if o["name"] not in NOT_FOR_ENGINES)
    text += "\t}\n"
    if own_address:
        text += f'\n\tvars.{command}_hostname = "$check_address$"\n'
    return text + "}\n"


def icinga(tables):
    head = f"/* Icinga 2 CheckCommands of mtawatch. {NOTE} */\n\n"
    return head + "\n".join(icinga_command(table) for table in tables)


# --- Nagios -------------------------------------------------------------------------------------------------------------

def nagios_command(table):
    words = [f"{PLUGIN_FOLDER}/{table['program']}"]
    names = []
    for option in table["options"]:
        if not option["required"]:
            continue
        if option["name"] == "hostname":
            words.append("--hostname '$HOSTADDRESS$'")
            continue
        names.append(f"{option['metavar']} of --{option['name']}")
        words.append(f"--{option['name']} '$ARG{len(names)}$'")
    names.append("further options")
    words.append(f"$ARG{len(names)}$")
    usage = ", ".join(f"$ARG{i}$ is {name}" for i, name in enumerate(names, 1))
    return (f"# {table['purpose']}.\n# {usage}; see {table['program']}(1).\n"
            f"define command {{\n    command_name    {table['program']}\n    command_line    {' '.join(words)}\n}}\n")


def nagios(tables):
    return f"# Nagios commands of mtawatch. {NOTE}\n\n" + "\n".join(nagios_command(table) for table in tables)


# --- man pages ----------------------------------------------------------------------------------------------------------

def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    return "\\&" + text if text.startswith(".") else text


def man_head(program, version, purpose):
    return (f'.\\" {NOTE}\n.TH {program.upper()} 1 "" "mtawatch {version}" "mtawatch"\n.SH NAME\n'
            f"{roff(program)} \\- {roff(purpose[0].lower() + purpose[1:])}\n")


def man_option(option):
    names = [f"\\fB\\-{option['letter']}\\fR"] if option["letter"] else []
    names.append(f"\\fB{roff('--' + option['name'])}\\fR")
    value = option["metavar"] if option["kind"] != "flag" else ""
    if value:
        names[-1] += f"[=\\fI{roff(value)}\\fR]" if option["value_optional"] else f" \\fI{roff(value)}\\fR"
    return f".TP\n{', '.join(names)}\n{roff(explained(option))}.\n"


def man_synopsis(table):
    required = "".join(f" \\fB{roff('--' + o['name'])}\\fR \\fI{roff(o['metavar'])}\\fR" for o in table["options"] if o["required"])
    return (man_head(table["program"], table["version"], table["purpose"])
            + f".SH SYNOPSIS\n\\fB{roff(table['program'])}\\fR{required} [\\fIoptions\\fR]\n")


def man_plugin(table, others):
    program = table["program"]
    text = man_synopsis(table)
    text += (f".SH DESCRIPTION\n{roff(table['purpose'])}. A check plugin for Icinga, Nagios and whatever else runs monitoring "
             "plugins: one line with performance data on standard output, and an exit code.\n.SH OPTIONS\n")
    text += "".join(man_option(o) for o in table["options"] if not o["common"])
    text += ".SH COMMON OPTIONS\n" + "".join(man_option(o) for o in table["options"] if o["common"])
    text += f".SH RANGES AND DURATIONS\n{roff(RANGES)}\n.SH EXIT STATUS\n"
    text += "".join(f".TP\n\\fB{code}\\fR\n{roff(meaning)}.\n" for code, meaning in EXIT_CODES)
    if table["example"]:
        text += f".SH EXAMPLE\n.nf\n{roff(table['example'])}\n.fi\n"
    return text + ".SH SEE ALSO\n" + ", ".join(f"\\fB{roff(name)}\\fR(1)" for name in others if name != program) + "\n"


def man_service(table):
    return (man_synopsis(table) + f".SH DESCRIPTION\n{roff(table['description'])}\n.SH OPTIONS\n"
            + "".join(man_option(o) for o in table["options"]) + SECTIONS[table["program"]])


# --- bash completion ----------------------------------------------------------------------------------------------------

def completion_case(names, metavar):
    pattern = "|".join(names)
    if not metavar:
        return ""
    if re.fullmatch(r"[a-z0-9_+-]+(\|[a-z0-9_+-]+)+", metavar):
        return f'        {pattern}) COMPREPLY=($(compgen -W "{metavar.replace("|", " ")}" -- "$cur")); return ;;\n'
    if metavar.rstrip("]").split("@")[-1] in FILE_WORDS or metavar in FILE_WORDS:
        return f"        {pattern}) _filedir; return ;;\n"
    if metavar == "DIR":
        return f"        {pattern}) _filedir -d; return ;;\n"
    return f"        {pattern}) return ;;\n"


def completion(table):
    program, function, cases, words = table["program"], "_" + table["program"], "", []
    for option in table["options"]:
        names = ([f"-{option['letter']}"] if option["letter"] else []) + [f"--{option['name']}"]
        cases += completion_case(names, "" if option["kind"] == "flag" or option["value_optional"] else option["metavar"])
        words.append(names[-1])
    return (f"# bash completion of {program}. {NOTE}\n{function}() {{\n    local cur prev words cword split\n"
            f"    _init_completion -s -n : || return\n    case $prev in\n{cases}    esac\n"
            f'    COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$cur"))\n}} &&\n    complete -F {function} {program}\n')


def main():
    plugins, services = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:3])
    plugins.sort(key=lambda table: table["program"])
    output = pathlib.Path(sys.argv[3])
    for folder in ("man/plugins", "man/exporter", "completion/plugins", "completion/exporter"):
        (output / folder).mkdir(parents=True, exist_ok=True)
        for old in (output / folder).iterdir():
            old.unlink()
    (output / "icinga2.conf").write_text(icinga(plugins))
    (output / "nagios.cfg").write_text(nagios(plugins))
    programs = [table["program"] for table in plugins]
    pages = [("plugins", table, man_plugin(table, programs)) for table in plugins]
    pages += [("exporter", table, man_service(table)) for table in services]
    for folder, table, man in pages:
        (output / "man" / folder / f"{table['program']}.1").write_text(man)
        (output / "completion" / folder / table["program"]).write_text(completion(table))


if __name__ == "__main__":
    main()
