"""Holds docs/architecture.md against the tree: every room has its row, the drawing is that of the includes, the walks lead somewhere.

usage: architecture_test.py ROOT
"""
import pathlib
import re
import sys
import unittest

import layering_test as layering

ROOT = pathlib.Path(sys.argv[1])
PAGE = (ROOT / "docs/architecture.md").read_text()


def section(title):
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def walks():
    """Each walk as a list of stops, each stop as its text."""
    for walk in section("Two walks for a newcomer").split("\n**")[1:]:
        yield [" ".join(stop.split()) for stop in re.findall(r"^\d+\. (.*?)(?=^\d+\. |\Z)", walk.partition("\n\n")[2], re.M | re.S)]


def stop_faults(stop):
    """What a stop names must be there: paths, and functions behind the path that they are in."""
    if "()`" not in stop:
        yield f"no function is named: {stop}"
    path = None
    for word in re.findall(r"`([^`]+)`", stop):
        if re.fullmatch(r"[\w/.]+/[\w.]+\.(cc|h|py)", word):
            path = word
            if not (ROOT / path).is_file():
                yield f"there is no {path}: {stop}"
                return
        elif word.endswith("()"):
            if path is None or not re.search(rf"\b{re.escape(word[:-2])}\(", (ROOT / path).read_text()):
                yield f"{path} has no {word}: {stop}"


class Page(unittest.TestCase):
    def test_every_room_has_its_row(self):
        rows = re.findall(r"^\| `([\w/]+)` \|", section("The rooms"), re.M)
        self.assertEqual(sorted(rows), sorted(layering.MAY_INCLUDE), "the table of rooms and MAY_INCLUDE of layering_test.py differ")

    def test_the_drawing_is_that_of_the_includes(self):
        shown = layering.DRAWING.search(PAGE)
        self.assertTrue(shown, "the drawing's place is gone")
        self.assertEqual(shown.group(), layering.drawing(ROOT), "put it in anew: python3 tests/contract/layering_test.py . --write")

    def test_the_walks_have_ten_stops_each_and_every_stop_exists(self):
        self.assertEqual([len(stops) for stops in walks()], [10, 10])
        found = [fault for stops in walks() for stop in stops for fault in stop_faults(stop)]
        self.assertEqual(found, [])

    def test_every_path_on_the_page_exists(self):
        for path in re.findall(r"`((?:shared|checks|exporter|tests|docs|packaging)/[\w/.]+)`", PAGE):
            self.assertTrue((ROOT / path).exists(), f"there is no {path}")


class Table(unittest.TestCase):
    """The rules of layering_test.py see what they are made for."""

    def test_a_namespace_of_another_room_is_named(self):
        text = "namespace mtawatch::probe::dnsbl {\nint a();\n}\nnamespace mtawatch::io {\nint b();\n}\n"
        self.assertEqual(list(layering.namespace_faults("shared/probe/dnsbl/x.h", text)),
                         ["shared/probe/dnsbl/x.h: namespace mtawatch::io is not its folder's, mtawatch::probe::dnsbl"])

    def test_a_header_without_a_namespace_is_named(self):
        self.assertEqual(list(layering.namespace_faults("exporter/web/x.h", "int a();\n")),
                         ["exporter/web/x.h: has no namespace: its folder's is mtawatch::exporter::web"])

    def test_types_may_be_declared_ahead(self):
        text = "namespace mtawatch::io {\nclass Files;\n}\nnamespace mtawatch::checks {\nint a();\n}\n"
        self.assertEqual(list(layering.namespace_faults("checks/x.h", text)), [])

    def test_an_include_that_points_back_is_named(self):
        text = '#include "checks/findings.h"\n#include <openssl/ssl.h>\n'
        self.assertEqual(list(layering.include_faults(ROOT, "shared/base/x.h", text)),
                         ["shared/base/x.h:1: shared/base may not include checks (checks/findings.h)",
                          "shared/base/x.h:2: <openssl/ssl.h> belongs to exporter/web, shared/tls"])

    def test_a_folder_without_a_row_and_a_circle_are_named(self):
        rooms = set(layering.MAY_INCLUDE)
        self.assertEqual(list(layering.table_faults(rooms | {"shared/new"})),
                         ["shared/new is no room yet: add its row to MAY_INCLUDE here and to the table of rooms in docs/architecture.md"])
        kept = layering.MAY_INCLUDE["shared/base"]
        layering.MAY_INCLUDE["shared/base"] = {"shared/io"}
        self.addCleanup(layering.MAY_INCLUDE.__setitem__, "shared/base", kept)
        faults = list(layering.table_faults(rooms))
        self.assertEqual(len(faults), 1)
        self.assertRegex(faults[0], "^the arrows between rooms go round: ")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
