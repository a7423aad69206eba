"""The form of a plugin's answer that Nagios and Icinga read alike; used by several tests."""
import re

NUMBER = r"-?[0-9]+(\.[0-9]+)?"
RANGE = rf"@?((~|{NUMBER})?:)?({NUMBER})?"
ITEM = re.compile(rf"[A-Za-z0-9_.-]+={NUMBER}(s|%|B|c)?(;({RANGE})?(;({RANGE})?(;({NUMBER})?(;({NUMBER})?)?)?)?)?")
STATES = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # all but the line feed


def answer_faults(plugin, code, text):
    """What is wrong with the form of the answer `text` of the plugin check_x that ended with `code`: a list of sentences."""
    if code not in STATES:
        return [f"exit code {code} is no state"]
    found = []
    lines = text.split("\n")
    headline = plugin.removeprefix("check_").upper()
    if not text.endswith("\n"):
        found.append("the last line does not end")
    if not lines[0].startswith(f"{headline} {STATES[code]} - "):
        found.append(f"the first line does not begin with {headline} {STATES[code]}")
    if CONTROL.search(text):
        found.append(f"a control character: {CONTROL.search(text).group()!r}")
    if text.count("|") > 1 or any("|" in line for line in lines[1:]):
        found.append("a bar beyond the one of the figures")
    if "|" in lines[0]:
        found += [f"no figure: {item}" for item in lines[0].split("|", 1)[1].split() if not re.fullmatch(ITEM, item)]
    return found
