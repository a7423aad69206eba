"""Holds every #include against the table of docs/architecture.md section 3: who may include whom."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])

BASE = {"shared/base"}
COMMON = BASE | {"shared/io", "shared/config"}
SHARED = {f"shared/{name}" for name in "base io dns tls ssh http smtp auth config mta probe plugin".split()}

# Folder -> folders whose headers it may include (its own always).
MAY_INCLUDE = {
    "shared/base": set(),
    "shared/io": BASE,
    "shared/config": BASE | {"shared/io"},
    "shared/dns": COMMON,
    "shared/tls": COMMON,
    "shared/ssh": COMMON,
    "shared/mta": COMMON,
    "shared/http": COMMON | {"shared/tls"},
    "shared/smtp": COMMON | {"shared/tls"},
    "shared/auth": COMMON | {"shared/tls", "shared/dns"},
    "shared/probe": SHARED - {"shared/plugin"},
    "shared/plugin": COMMON,
    "checks": {"shared/probe", "shared/plugin", "shared/base"},
    "exporter": {"shared/probe", "shared/base", "shared/io", "shared/config", "shared/mta"},
}

# Third-party header -> the only folders that may name it.
THIRD_PARTY = [
    (r"^(ares|ldns/|idn2)", {"shared/dns"}),
    (r"^openssl/", {"shared/tls", "exporter/web"}),
    (r"^libssh/", {"shared/ssh"}),
    (r"^boost/(asio|beast)", {"shared/http", "exporter/web"}),
    (r"^yaml-cpp/", {"shared/config"}),
    (r"^(simdjson|pugixml|pcre2)", {"shared/mta"}),
    (r"^prometheus/", {"exporter"}),
    (r"^(zlib|isa-l|igzip_lib|zstd)", {"shared/io"}),
    (r"^libpsl", {"shared/auth"}),
    (r"^crypt\.h", {"exporter/web"}),
]


def folder_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "shared" else parts[0]


def problems_of(path):
    own = folder_of(path)
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        header = match.group(2)
        if match.group(1) == '"':
            target = folder_of(header)
            if not (ROOT / header).is_file() and not header.startswith("generated/"):
                yield f"{path}:{number}: \"{header}\" is not a path from the repository root"
            elif target not in (own, "generated") and target not in MAY_INCLUDE[own]:
                yield f"{path}:{number}: {own} may not include {target} ({header})"
        for pattern, folders in THIRD_PARTY:
            if re.match(pattern, header) and not any(path.startswith(folder + "/") for folder in folders):
                yield f"{path}:{number}: <{header}> belongs to {', '.join(sorted(folders))}"


def main():
    sources = sorted(p.relative_to(ROOT).as_posix() for top in ("shared", "checks", "exporter")
                     for ending in ("*.h", "*.cc") for p in (ROOT / top).rglob(ending))
    assert sources, "no sources found: is the first argument the repository?"
    found = [problem for path in sources for problem in problems_of(path)]
    for path in sources:
        if path.startswith("shared/probe/") and path.endswith(".h"):
            for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
                if re.search(r"\b(ares_|ldns_|SSL_|X509|ssh_session|boost::|YAML::|prometheus::)", line):
                    found.append(f"{path}:{number}: a probe header names a third-party type")
    print("\n".join(found) or f"{len(sources)} files keep the layers")
    return 1 if found else 0


sys.exit(main())
