"""Was this program built with a sanitizer? It takes time then and keeps what was freed, so limits of time and memory say nothing."""
import re
import subprocess


def sanitizer(program):
    """The path of its library, which has to come before any preloaded one; empty without one."""
    libraries = subprocess.run(["/usr/bin/ldd", program], capture_output=True, text=True, check=True).stdout
    found = re.search(r"lib[at]san\S* => (\S+)", libraries)
    return found[1] if found else ""


def sanitized(program):
    return sanitizer(program) != ""
