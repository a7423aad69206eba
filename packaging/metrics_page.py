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
    yield ("A counter or histogram that is counted from records is shown to a scraper as 0 on the first page with it, and "
           "with its value from\nthe next page on ([why and for whom](accounting.md#what-a-scraper-sees-first)). Gauges, "
           "time stamps and what exists from the start,\n`…_accounting_records_total` among it, are always shown as they are: for one "
           "interval their sum is ahead of the families' sums.\n")
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
