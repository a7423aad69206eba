"""Holds packaging/install-packages against what the tree uses: every package that a header, a library, a CMake package
or a pkg-config module comes from is in the list, and every package in the list is used for something.

    packages_test.py SOURCE BUILD
"""
import functools
import pathlib
import re
import subprocess
import sys

SOURCE, BUILD = map(pathlib.Path, sys.argv[1:3])
LIST = SOURCE / "packaging/install-packages"
FOLDERS = ("shared", "checks", "exporter", "tests", "packaging", "demo", "dashboards", "alert-rules")
# What these need, building needs; what only other parts need may be in the list of testing.
BUILDING = ("shared", "checks", "exporter", "tests/bench")
# Used without being named anywhere.
SILENT = {
    "dpkg-dev": "CPack calls its dpkg-shlibdeps",
    "libc6-dbg": "Valgrind reads the C library's symbols from it",
}
# CMake's names of what its own modules found; a config package has its folder in NAME_DIR.
MODULES = {"OpenSSL": "OPENSSL_SSL_LIBRARY", "ZLIB": "ZLIB_LIBRARY_RELEASE", "PkgConfig": "PKG_CONFIG_EXECUTABLE",
           "Python3": "_Python3_EXECUTABLE", "Threads": None}


def output(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True).stdout


@functools.cache
def files_of(package):
    return [line for line in output("dpkg-query", "-L", package).splitlines() if line.startswith("/")]


@functools.cache
def depends_of(package):
    """Names in Depends and Pre-Depends, the first of each alternative."""
    field = output("dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}\n", package).split("\n")[0]
    return [re.split(r"[ :(|]", part.strip())[0] for part in field.split(",") if part.strip()]


@functools.cache
def stands_for(package):
    """Itself, and what it depends on where it is only a name for that: libboost-dev has nothing but its documentation,
    python3 is a version of python3-minimal."""
    empty = all(path.startswith(("/usr/share/doc", "/usr/share/lintian")) or pathlib.Path(path).is_dir()
                for path in files_of(package))
    return {package, *(other for other in depends_of(package) if empty or other.startswith(package))}


@functools.cache
def toolchain():
    """Everything that comes with the compiler: the C and C++ libraries with their headers."""
    found, left = set(), ["g++"]
    while left:
        package = left.pop()
        if package not in found:
            found.add(package)
            left += depends_of(package)
    return found


def listed():
    """{"build": [package …], "test": …, "analysis": …}"""
    text = re.sub(r"#.*", "", LIST.read_text())
    lists = {mode: words.split() for mode, words in re.findall(r"^(\w+)_packages=\((.*?)\)", text, re.M | re.S)}
    return {mode: lists[mode] for mode in ("build", "test", "analysis")}


def texts():
    """(path from the root, text) of everything that includes, links or calls."""
    roots = [SOURCE / name for name in FOLDERS]
    paths = [SOURCE / name for name in ("CMakeLists.txt", "CMakePresets.json", "test", "demo")]
    paths += [path for root in roots if root.is_dir() for path in root.rglob("*")]
    for path in sorted(set(paths)):
        name = path.relative_to(SOURCE).as_posix()
        right = path.suffix in (".h", ".cc", ".py", ".sh", ".cmake", ".mjs", ".js", ".yml", "") or path.name in (
            "CMakeLists.txt", "package.json", "CMakePresets.json")
        if right and path.is_file() and path != LIST and "node_modules" not in name and "fixtures" not in name:
            try:
                yield name, path.read_text()
            except UnicodeDecodeError:
                continue


def search_folders():
    said = subprocess.run(["c++", "-E", "-v", "-x", "c++", "/dev/null"], capture_output=True, text=True).stderr
    return [pathlib.Path(line.strip()) for line in said.splitlines() if line.startswith(" /")]


def cache_values():
    text = (BUILD / "CMakeCache.txt").read_text()
    return {name: value for name, value in re.findall(r"^([^#/:\n]+):\w+=(.*)$", text, re.M) if value}


def uses():
    """(where, what, path of the installed file that it comes from) for includes and build files."""
    folders, cache = search_folders(), cache_values()

    def include(header):
        return next((folder / header for folder in folders if (folder / header).is_file()), None)

    def config(name):
        folder = pathlib.Path(cache.get(f"{name}_DIR", "/nonexistent"))
        return next((path for path in sorted(folder.glob("*onfig.cmake"))), None)

    for name, text in texts():
        if name.endswith((".h", ".cc")):
            for header in re.findall(r"^\s*#\s*include <([^>]+)>", text, re.M):
                yield name, f"includes <{header}>", include(header)
        elif name.endswith(("CMakeLists.txt", ".cmake")):
            for package, rest in re.findall(r"find_package\(([\w-]+)([^)]*)\)", text):
                found = cache.get(MODULES[package] or "") if package in MODULES else config(package)
                if package not in MODULES or MODULES[package]:
                    yield name, f"asks for find_package({package})", found
                if package == "Boost" and "COMPONENTS" in rest:
                    for component in rest.split("COMPONENTS")[1].split():
                        yield name, f"asks for Boost's {component}", config(f"boost_{component}")
            for module in re.findall(r"pkg_check_modules\(.*?([\w.-]+)\)", text):
                folder = output("pkg-config", "--variable=pcfiledir", module).strip()
                yield name, f"asks for pkg_check_modules({module})", folder and f"{folder}/{module}.pc"
            for variable, file in re.findall(r"find_library\((\w+) ([\w.-]+)", text):
                yield name, f"asks for find_library({file})", cache.get(variable)


def owners(paths):
    """{path: package} by dpkg, in one question."""
    answer = {}
    for line in output("dpkg-query", "-S", *paths).splitlines():
        packages, _, path = line.rpartition(": ")
        answer[path] = packages.split(",")[0].split(":")[0]
    return answer


def missing(lists):
    """(packages that headers and libraries come from, problems), one problem for each package."""
    found = list(uses())
    owner = owners(sorted({str(path) for _, _, path in found if path}))
    build = set().union(*(stands_for(package) for package in lists["build"])) | toolchain()
    both = build.union(*(stands_for(package) for package in lists["test"]))
    used, wanted, problems = set(), {}, set()
    for name, what, path in found:
        package = owner.get(str(path))
        if package is None:
            # Not configured in this build (tests, benchmarks), or a header of the compiler's own folders.
            if path is None and what.startswith("includes"):
                problems.add(f"{name} {what}: the compiler does not find it")
            continue
        used.add(package)
        building = name.startswith(BUILDING)
        if package not in (build if building else both):
            wanted.setdefault(package, []).append((not building, f"{name} {what}"))
    for package, places in wanted.items():
        for_tests, first = min(places)
        others = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
        problems.add(f"{package} is missing from {'test' if for_tests else 'build'}_packages: {first}{others}")
    return used, problems


def words_of(package):
    """Names by which a package's programs, Python modules and loadable libraries are used."""
    words = set()
    for path in (file for one in stands_for(package) for file in files_of(one)):
        if match := re.match(r"/usr/lib/python3/dist-packages/(\w+)(/|\.|$)", path):
            words.add(match.group(1))
        elif re.match(r"(/usr)?/s?bin/|(/usr)?/lib/(dovecot|postfix/sbin|systemd)/[^/]+$", path) or ".so" in path:
            words.add(path.rsplit("/", 1)[1])
    return words


def superfluous(lists, used):
    text = "\n".join(text for _, text in texts())
    words = set(re.findall(r"[\w.+-]+", text + text.lower())) | set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.M))
    for mode, packages in lists.items():
        for package in packages:
            if not files_of(package):
                if mode != "analysis":
                    yield f"{package} is not installed, so nothing can be said of it: run {LIST.name} build test"
            elif not (stands_for(package) & used or words_of(package) & words or package in SILENT):
                yield (f"{package} is superfluous in {mode}_packages: nothing includes its headers, asks for its "
                       f"libraries or calls its programs")


def main():
    lists = listed()
    used, problems = missing(lists)
    problems |= set(superfluous(lists, used))
    print("\n".join(f"packaging/install-packages: {line}" for line in sorted(problems))
          or f"{sum(map(len, lists.values()))} packages, each of them used; {len(used)} that headers and libraries come from")
    return 1 if problems else 0


sys.exit(main())
