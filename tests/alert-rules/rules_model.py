"""The rule files as data, for the tests: which rules there are and which recording rules an expression needs."""
import re

import yaml

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class Rules:
    def __init__(self, root):
        self.all, self.alerts, self.records, self.files = [], {}, {}, {}
        for path in sorted((root / "alert-rules").glob("*.rules.yml")):
            document = yaml.safe_load(path.read_text())
            self.files[path.name] = document
            for group in document["groups"]:
                for entry in group["rules"]:
                    self.all.append(entry)
                    table = self.alerts if "alert" in entry else self.records
                    table.setdefault(entry.get("alert") or entry["record"], []).append(entry)

    def needed(self, expressions):
        """The recording rules, in file order, that the expressions need, directly or through others."""
        wanted, todo = set(), list(expressions)
        while todo:
            for name in NAME.findall(todo.pop()):
                if name in self.records and name not in wanted:
                    wanted.add(name)
                    todo += [rule["expr"] for rule in self.records[name]]
        return [rule for rule in self.all if rule.get("record") in wanted]
