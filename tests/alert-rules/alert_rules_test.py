"""Every alert fires, stays silent just under and at low volume, resolves, and survives resets and gaps (promtool).
Alerts on recorded series do so for the log of each MTA."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

from alert_cases import CASES, Counter
from rules_model import Rules

ROOT = pathlib.Path(sys.argv[1])
JOB = "pmta"


RULES = Rules(ROOT)


def with_target(series, life):
    name, _, labels = series.partition("{")
    inner = labels.rstrip("}")
    return f'{name}{{job="{JOB}",instance="{life}"{"," + inner if inner else ""}}}'


def special_values(series, life, case):
    """Lives that only one alert has."""
    turn, end, step = case.turn, case.end, case.step
    if life == "untold":  # the list cannot be asked for an hour: no series
        return f"1+0x{turn} _x60 1+0x{end}"
    if life in ("vanishes", "surges") and isinstance(series, Counter) and series.bad != series.good * 0:
        rate = series.bad * step
        after = 0 if life == "vanishes" else 40 * rate
        return f"0+{rate}x{turn - 12} {rate * (turn - 12)}+{after}x{end}"
    return series.values("under", turn, end, step)


def input_series(case):
    rows = []
    for life in case.lives:
        for series in case.series:
            usual = life in ("fires", "under", "low", "resolves", "reset", "gap")
            values = (series.values(life, case.turn, case.end, case.step) if usual
                      else special_values(series, life, case))
            rows.append({"series": with_target(series.series, life), "values": values})
    return rows


def expected(case, alert, lives):
    labels = {"__name__": "ALERTS", "alertname": alert["alert"], "alertstate": "firing", "job": JOB, **case.labels,
              **alert["labels"]}
    rows = []
    for life in lives:
        pairs = ",".join(f'{key}="{value}"' for key, value in {**labels, "instance": life}.items() if key != "__name__")
        rows.append({"labels": f"ALERTS{{{pairs}}}", "value": 1})
    return rows


def group_for(case, alert):
    firing = [life for life in case.lives if life not in ("under", "low", "stays", "grows")]
    later = [life for life in firing if life != "resolves"]
    query = f'ALERTS{{alertname="{case.alert}",alertstate="firing"{case.select}}}'
    at = f"{case.turn * case.step}m"
    ends = f"{(case.turn + case.end - 3) * case.step}m"
    checks = [{"expr": query, "eval_time": at, "exp_samples": expected(case, alert, firing)}]
    # An alert on growth or on sudden change has nothing to say long after it; the others keep firing.
    if not case.extra and not {"vanishes", "surges"} & set(case.lives) and case.alert not in PASSING:
        checks.append({"expr": query, "eval_time": ends, "exp_samples": expected(case, alert, later)})
    elif "resolves" in case.lives:
        checks.append({"expr": query.replace("{", '{instance="resolves",', 1), "eval_time": ends, "exp_samples": []})
    return {"interval": f"{case.step}m", "input_series": input_series(case), "promql_expr_test": checks}


# Alerts whose condition ends by itself although nothing got better.
PASSING = {"PmtaQueueGrowing"}


def severity_of(case):
    for alert in RULES.alerts[case.alert]:
        if not case.select or f'long="{alert["labels"].get("long")}"' in case.select:
            return alert
    raise AssertionError(f"{case.alert}: no rule matches {case.select}")


def run(case, folder, number):
    alert = severity_of(case)
    rules = folder / f"{number}.rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [*RULES.needed([alert["expr"]]), alert]}]}))
    tests = folder / f"{number}.test.yml"
    tests.write_text(yaml.safe_dump({"rule_files": [rules.name], "evaluation_interval": f"{case.step}m",
                                     "tests": [group_for(case, alert)]}))
    return subprocess.run(["promtool", "test", "rules", tests.name], cwd=folder, capture_output=True, text=True)


def main():
    only = sys.argv[3:]
    failed = 0
    cases = [case for case in CASES if not only or case.alert in only]
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda numbered: run(numbered[1], pathlib.Path(name), numbered[0]), enumerate(cases))
        for case, result in zip(cases, results):
            if result.returncode:
                failed += 1
                print(f"{case.alert}{case.select} {case.labels}:\n{(result.stdout + result.stderr)[:1500]}")
    tested = {case.alert for case in CASES}
    for untested in sorted(set(RULES.alerts) - tested - {"Watchdog"}):
        failed += 1
        print(f"{untested}: has no test")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
