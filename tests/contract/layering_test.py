"""Holds every #include and every namespace of shared/, checks/ and exporter/ against the table of rooms below.

usage: layering_test.py ROOT          fails for a file that breaks the table, for a table with a cycle, for a folder without a row
       layering_test.py ROOT --draw   prints which room includes which, as docs/architecture.md shows it
       layering_test.py ROOT --write  puts that drawing into docs/architecture.md

A room is a folder with sources; "exporter" is the exporter's frame, the files that lie in that folder itself.
"""
import graphlib
import pathlib
import re
import sys
import textwrap

BASE = {"shared/base"}
COMMON = BASE | {"shared/io", "shared/config"}
WORLD = COMMON | {"shared/probe/world"}
MTA = {"shared/mta/logs", "shared/mta/documents", "shared/mta/classes"}
PROBES = {f"shared/probe/{room}" for room in ("world", "mail_auth", "dnsbl", "mail_server", "bounce_rate", "mta_state")}

# Room -> the rooms whose headers it may include (its own always).
MAY_INCLUDE = {
    "shared/base": set(),
    "shared/io": BASE,
    "shared/config": BASE | {"shared/io"},
    "shared/dns": COMMON,
    "shared/tls": COMMON,
    "shared/ssh": COMMON,
    "shared/http": COMMON | {"shared/tls"},
    "shared/smtp": COMMON | {"shared/tls"},
    "shared/auth": COMMON | {"shared/tls", "shared/dns"},
    "shared/mta/logs": COMMON,
    "shared/mta/documents": COMMON | {"shared/mta/logs"},
    "shared/mta/classes": COMMON | {"shared/mta/logs"},
    "shared/probe/world": COMMON | {"shared/dns", "shared/tls", "shared/ssh", "shared/http", "shared/mta/documents"},
    "shared/probe/mail_auth": WORLD | {"shared/dns", "shared/tls", "shared/http", "shared/auth"},
    "shared/probe/dnsbl": WORLD | {"shared/dns", "shared/auth"},
    "shared/probe/mail_server": WORLD | {"shared/dns", "shared/tls", "shared/smtp"},
    "shared/probe/bounce_rate": WORLD | MTA,
    "shared/probe/mta_state": WORLD | MTA | {"shared/http", "shared/probe/mail_server", "shared/probe/bounce_rate"},
    "shared/options": BASE | {"shared/io"},
    "shared/plugin": COMMON | {"shared/options"},
    "checks": BASE | {"shared/options", "shared/plugin"} | PROBES,
    "exporter/exposition": BASE,
    "exporter/files": BASE | {"shared/io"},
    "exporter/series": BASE | {"shared/mta/logs", "shared/mta/classes", "exporter/exposition"},
    "exporter/feed": BASE | {"shared/io", "shared/mta/logs", "shared/mta/classes", "exporter/exposition", "exporter/files",
                             "exporter/series"},
    "exporter/pipe": BASE | {"shared/io", "shared/options", "shared/mta/logs"},
    "exporter/collectors": COMMON | PROBES | {"exporter/exposition"},
    "exporter/web": COMMON | {"exporter/exposition"},
    "exporter": COMMON | MTA | {"shared/options", "shared/probe/world", "exporter/exposition", "exporter/files", "exporter/series",
                                "exporter/feed", "exporter/pipe", "exporter/collectors", "exporter/web"},
}

# Third-party header -> the only folders that may name it.
THIRD_PARTY = [
    (r"^(ares|ldns/|idn2)", {"shared/dns"}),
    (r"^openssl/", {"shared/tls", "exporter/web"}),
    (r"^libssh/", {"shared/ssh"}),
    (r"^boost/(asio|beast)", {"shared/http", "exporter/web"}),
    (r"^yaml-cpp/", {"shared/config"}),
    (r"^(simdjson|rapidjson/|pugixml|pcre2)", {"shared/mta"}),
    (r"^prometheus/", {"exporter"}),
    (r"^(zlib|isa-l|igzip_lib|zstd)", {"shared/io"}),
    (r"^libpsl", {"shared/auth"}),
    (r"^crypt\.h", {"exporter/web"}),
]

DRAWING = re.compile(r"(?<=<!-- layering_test\.py --draw -->\n```\n).*?(?=^```$)", re.M | re.S)


def room_of(path):
    return str(pathlib.PurePosixPath(path).parent)


def sources_of(root):
    return sorted(p.relative_to(root).as_posix() for top in ("shared", "checks", "exporter")
                  for ending in ("*.h", "*.cc") for p in (root / top).rglob(ending))


def includes_of(text):
    """Line number, header, whether it is written in quotes."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def include_faults(root, path, text):
    own = room_of(path)
    for number, header, quoted in includes_of(text):
        target = room_of(header)
        if quoted and not (root / header).is_file() and target != "generated":
            yield f"{path}:{number}: \"{header}\" is not a path from the repository root"
        elif quoted and target not in (own, "generated") and target not in MAY_INCLUDE[own]:
            yield f"{path}:{number}: {own} may not include {target} ({header})"
        for pattern, folders in THIRD_PARTY:
            if re.match(pattern, header) and not any(path.startswith(folder + "/") for folder in folders):
                yield f"{path}:{number}: <{header}> belongs to {', '.join(sorted(folders))}"


def namespace_of(room):
    return "::".join(["mtawatch", *(part for part in room.split("/") if part != "shared")])


def namespace_faults(path, text):
    """A file opens its folder's namespace; another one only to declare types ahead. A program and what needs no names have none."""
    own = namespace_of(room_of(path))
    opened = re.findall(r"^namespace (mtawatch[\w:]*) \{\n(.*?)^\}", text, re.M | re.S)
    for name, body in opened:
        ahead = all(re.fullmatch(r"((class|struct|enum class) \w+( : [\w:]+)?;)?", line) for line in body.splitlines())
        if name != own and not ahead:
            yield f"{path}: namespace {name} is not its folder's, {own}"
    if opened and own not in [name for name, _ in opened]:
        yield f"{path}: nothing is in its folder's namespace, {own}"
    if path.endswith(".h") and not opened:
        yield f"{path}: has no namespace: its folder's is {own}"


def third_party_in_probe_header(path, text):
    if path.startswith("shared/probe/") and path.endswith(".h"):
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\b(ares_|ldns_|SSL_|X509|ssh_session|boost::|YAML::|prometheus::)", line):
                yield f"{path}:{number}: a probe header names a third-party type"


def table_faults(rooms):
    for room in sorted(rooms - MAY_INCLUDE.keys()):
        yield f"{room} is no room yet: add its row to MAY_INCLUDE here and to the table of rooms in docs/architecture.md"
    for room in sorted(MAY_INCLUDE.keys() - rooms):
        yield f"{room} has a row here, but no sources: take the row out"
    for room, targets in MAY_INCLUDE.items():
        for target in sorted(targets - MAY_INCLUDE.keys()):
            yield f"the row of {room} names {target}, which has no row"
    try:
        graphlib.TopologicalSorter(MAY_INCLUDE).prepare()
    except graphlib.CycleError as error:
        yield f"the arrows between rooms go round: {' -> '.join(reversed(error.args[1]))}"


def drawing(root):
    """Every room with the rooms that it includes, floor by floor: a room stands above all that it includes."""
    arrows = {room: set() for room in MAY_INCLUDE}
    for path in sources_of(root):
        own = room_of(path)
        targets = {room_of(header) for _, header, quoted in includes_of((root / path).read_text()) if quoted}
        arrows.setdefault(own, set()).update(targets & MAY_INCLUDE.get(own, set()))
    floors = {}
    for room in graphlib.TopologicalSorter(arrows).static_order():
        floors[room] = 1 + max((floors[target] for target in arrows[room]), default=-1)
    lines = []
    for floor in sorted(set(floors.values()), reverse=True):
        lines.append(f"floor {floor}")
        for room in sorted(room for room in floors if floors[room] == floor):
            targets = sorted(arrows[room] - BASE, key=lambda target: (-floors[target], target))
            text = "  ".join(target.removeprefix("shared/") for target in targets)
            name = f"  {room.removeprefix('shared/')}"
            arrow = f"{name:<22} -> "
            lines += textwrap.wrap(text, 112, initial_indent=arrow, subsequent_indent=" " * len(arrow)) or [name]
    return "\n".join(lines) + "\n"


def faults(root):
    sources = sources_of(root)
    assert sources, "no sources found: is the first argument the repository?"
    found = list(table_faults({room_of(path) for path in sources}))
    for path in sources:
        text = (root / path).read_text()
        if room_of(path) in MAY_INCLUDE:
            found += include_faults(root, path, text)
        found += namespace_faults(path, text)
        found += third_party_in_probe_header(path, text)
    return sources, found


def main(root, *action):
    if action == ("--draw",):
        print(drawing(root), end="")
        return 0
    if action == ("--write",):
        page = root / "docs/architecture.md"
        page.write_text(DRAWING.sub(lambda _: drawing(root), page.read_text()))
        return 0
    sources, found = faults(root)
    print("\n".join(found) or f"{len(sources)} files in {len(MAY_INCLUDE)} rooms keep the table")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), *sys.argv[2:]))
