"""Writes docs/metrics.md from the metric catalogue: pmta_exporter --catalog | packaging/metrics_page.py"""
import json
import sys


def rows(metrics):
    for metric in metrics:
        labels = ", ".join(f"`{label}`" for label in metric["labels"]) or "none"
        about = metric["help"]
        if "buckets" in metric:
            about += " Buckets: " + " ".join(str(bound) for bound in metric["buckets"]) + "."
        yield f"| `{metric['name']}` | {metric['type']} | {labels} | {metric.get('budget', '')} | {about} |"


def document(catalogue):
    yield "# Metrics\n"
    yield ("Every metric that `pmta_exporter` can publish. This page is made from the catalogue in the code "
           "(`pmta_exporter --catalog`, then\n`packaging/metrics_page.py`); a test fails when the two differ.\n")
    yield ("The budget is the default limit on the series of a family. Beyond it a new label value is counted under "
           "`other`; the limit can be\nchanged in the [configuration](exporter.md). A family without a budget is "
           "bounded by its labels.\n")
    for group in catalogue["groups"]:
        yield f"## {group['title']}\n"
        about = group["about"]
        if group["opt_in"]:
            about += f" Off unless the configuration turns the group `{group['name']}` on."
        yield about + "\n"
        yield "| metric | type | labels | budget | meaning |\n|---|---|---|---|---|"
        yield from rows(metric for metric in catalogue["metrics"] if metric["group"] == group["name"])
        yield ""


print("\n".join(document(json.load(sys.stdin))).rstrip())
