"""The recorded ratios, the health score and the warm-up plan, held against figures worked out by hand (promtool)."""
import pathlib
import subprocess
import sys
import tempfile

import yaml

from rules_model import Rules

ROOT = pathlib.Path(sys.argv[1])
RULES = Rules(ROOT)


def target(name, labels="", instance="mx1"):
    return f'{name}{{job="pmta",instance="{instance}"{"," + labels if labels else ""}}}'


def recorded(name, labels="", mta="pmta"):
    return target(name, f'mta="{mta}"{"," + labels if labels else ""}')


def series(name, values, labels="", instance="mx1"):
    return {"series": target(name, labels, instance), "values": values}


def seen(*types, prefix="pmta_"):
    return [series(f"{prefix}accounting_records_total", "1000+0x9000", f'record_type="{t}"') for t in types]


def check(expr, at, *samples):
    return {"expr": expr, "eval_time": at, "exp_samples": [{"labels": labels, "value": value} for labels, value in samples]}


GMAIL = 'provider="gmail",vmta="v1",pool="p1"'
DELIVERED = series("pmta_deliveries_total", "0+12x300", GMAIL)
BOUNCED = series("pmta_bounces_total", "0+4x300", GMAIL + ',category="spam-related",bounce_class="block"')
LOCAL = series("pmta_bounces_total", "0+100x300", GMAIL + ',category="other",bounce_class="local"')
RATIO = "provider:mail_bounce_per_attempt:ratio_rate1h"

POSTFIX_SEEN = seen("d", "b", "t", prefix="postfix_")
POSTFIX = [
    series("postfix_deliveries_total", "0+12x300", 'provider="gmail",relay="mx.example.net"'),
    series("postfix_bounces_total", "0+8x300", 'provider="gmail",relay="mx.example.net",category="other",bounce_class="block"'),
    series("postfix_bounces_total", "0+10x300", 'provider="gmail",relay="",category="message-expired",bounce_class="soft"'),
    series("postfix_transient_failures_total", "0+30x300", 'provider="gmail",relay="",reason="connection"'),
    *POSTFIX_SEEN]
KUMO_GMAIL = 'provider="gmail",egress_source="ip1",egress_pool="p1"'
KUMOMTA = [
    series("kumomta_log_deliveries_total", "0+16x300", KUMO_GMAIL),
    series("kumomta_log_deliveries_total", "0+16x300", KUMO_GMAIL.replace("ip1", "ip2")),
    series("kumomta_log_bounces_total", "0+4x300", KUMO_GMAIL + ',category="InvalidRecipient",bounce_class="hard"'),
    series("kumomta_log_bounces_total", "0+99x300", KUMO_GMAIL + ',category="other",bounce_class="local"')]
KUMOMTA_SEEN = seen("d", "b", prefix="kumomta_log_")

SENDER = 'sender_domain="news.example.com"'
HEALTH = [
    series("pmta_sender_deliveries_total", "0+50.4x600", SENDER + ',provider="gmail"'),
    series("pmta_sender_bounces_total", "0+5.6x600", SENDER + ',bounce_class="soft"'),
    series("pmta_sender_complaints_total", "0+0x600", SENDER),
    series("pmta_sender_transient_failures_total", "0+0.4x600", SENDER),
]

TESTS = {
    "ratio counts what receivers decided, never local bounces": (
        "1m", [DELIVERED, BOUNCED, LOCAL, *seen("d", "b")], [
            check(RATIO, "2h", (recorded(RATIO, 'provider="gmail"'), 0.25)),
            check('vmta:mail_block_per_attempt:ratio_rate1h', "2h",
                  (recorded("vmta:mail_block_per_attempt:ratio_rate1h", 'vmta="v1",pool="p1"'), 0.25)),
            check('pool:mail_delivery_per_attempt:ratio_rate1h', "2h",
                  (recorded("pool:mail_delivery_per_attempt:ratio_rate1h", 'pool="p1"'), 0.75))]),
    "an operator's own pause is no deferral": (
        "1m", [DELIVERED, series("pmta_transient_failures_total", "0+4x300", GMAIL + ',reason="greylist"'),
               series("pmta_transient_failures_total", "0+99x300", GMAIL + ',reason="local"'), *seen("d", "b", "t")], [
            check("provider:mail_deferral_per_try:ratio_rate1h", "2h",
                  (recorded("provider:mail_deferral_per_try:ratio_rate1h", 'provider="gmail"'), 0.25))]),
    "where bounces are never logged there is no bounce ratio, not a false zero": (
        "1m", [DELIVERED, *seen("d")], [check(RATIO, "2h"), check("pool:mail_delivery_per_attempt:ratio_rate1h", "2h")]),
    "where bounces are logged but none happened the ratio is a true zero": (
        "1m", [DELIVERED, *seen("d", "b")], [check(RATIO, "2h", (recorded(RATIO, 'provider="gmail"'), 0))]),
    "a provider that refuses everything has a ratio of one": (
        "1m", [BOUNCED, *seen("d", "b")], [check(RATIO, "2h", (recorded(RATIO, 'provider="gmail"'), 1))]),
    "no ratio while a backlog is read and for its window after": (
        "1m", [DELIVERED, BOUNCED, *seen("d", "b"),
               series("pmta_exporter_catching_up", "0+0x100 1+0x30 0+0x300"),
               series("pmta_exporter_backlog_end_timestamp_seconds", "_x130 7860+0x300")], [
            check(RATIO, "95m", (recorded(RATIO, 'provider="gmail"'), 0.25)),
            check(RATIO, "120m"), check(RATIO, "150m"), check(RATIO, "185m"),
            check(RATIO, "200m", (recorded(RATIO, 'provider="gmail"'), 0.25))]),
    "a relay of Postfix is a vmta of the pool postfix, and none where no host was reached": (
        "1m", POSTFIX, [
            check("round(vmta:mail_block_per_attempt:ratio_rate1h, 0.01)", "2h",
                  (recorded("", 'vmta="mx.example.net",pool="postfix"', "postfix"), 0.4),
                  (recorded("", 'vmta="none",pool="postfix"', "postfix"), 0)),
            check("vmta:mail_deferrals:rate1h", "2h",
                  (recorded("vmta:mail_deferrals:rate1h", 'vmta="mx.example.net",pool="postfix"', "postfix"), 0),
                  (recorded("vmta:mail_deferrals:rate1h", 'vmta="none",pool="postfix"', "postfix"), 0.5)),
            check("vmta_reason:mail_deferrals:rate5m", "2h",
                  (recorded("vmta_reason:mail_deferrals:rate5m", 'vmta="none",provider="gmail",reason="connection"', "postfix"),
                   0.5)),
            check("pool:mail_delivery_per_attempt:ratio_rate1h", "2h",
                  (recorded("pool:mail_delivery_per_attempt:ratio_rate1h", 'pool="postfix"', "postfix"), 0.4)),
            check("vmta:mail_bounce_over_pool:ratio1h", "2h")]),
    "no mail log says what draws complaints: no complaint ratio of Postfix, not a false zero": (
        "1m", [*POSTFIX, series("postfix_sender_deliveries_total", "0+12x300", SENDER)], [
            check("vmta:mail_complaints:rate1h", "2h"), check("provider:mail_complaint_per_delivery:ratio_rate1h", "2h"),
            check("sender_domain:mail_complaints:rate1h", "2h"),
            check("sender_domain:mail_delivery_per_attempt:ratio_rate1h", "2h",
                  (recorded("sender_domain:mail_delivery_per_attempt:ratio_rate1h", SENDER, "postfix"), 1))]),
    "an egress source of KumoMTA is a vmta, its egress pool a pool, and local bounces count nowhere": (
        "1m", [*KUMOMTA, *KUMOMTA_SEEN], [
            check("vmta:mail_hard_bounce_per_attempt:ratio_rate1h", "2h",
                  (recorded("vmta:mail_hard_bounce_per_attempt:ratio_rate1h", 'vmta="ip1",pool="p1"', "kumomta"), 0.2),
                  (recorded("vmta:mail_hard_bounce_per_attempt:ratio_rate1h", 'vmta="ip2",pool="p1"', "kumomta"), 0)),
            check("pool:mail_bounces:rate1h * 60", "2h", (recorded("", 'pool="p1"', "kumomta"), 4)),
            check("round(vmta:mail_bounce_over_pool:ratio1h, 0.1)", "2h",
                  (recorded("", 'vmta="ip1",pool="p1"', "kumomta"), 1.8),
                  (recorded("", 'vmta="ip2",pool="p1"', "kumomta"), 0))]),
    "where KumoMTA logs no bounces there is no bounce ratio": (
        "1m", [KUMOMTA[0], *seen("d", prefix="kumomta_log_")], [check(RATIO, "2h"), check("pool:mail_bounces:rate1h", "2h")]),
    "one exporter that follows three logs has a ratio for each, and none counts for another": (
        "1m", [DELIVERED, BOUNCED, *seen("d", "b"), *POSTFIX, *KUMOMTA, *KUMOMTA_SEEN], [
            check(f"round({RATIO}, 0.01)", "2h", (recorded("", 'provider="gmail"'), 0.25),
                  (recorded("", 'provider="gmail"', "postfix"), 0.6), (recorded("", 'provider="gmail"', "kumomta"), 0.11)),
            check("count(vmta:mail_attempts:rate1h)", "2h", ("{}", 5)),
            check("provider:mail_deferrals:rate1h * 60", "2h", (recorded("", 'provider="gmail"', "postfix"), 30))]),
    "that PowerMTA logs bounces says nothing about KumoMTA's log": (
        "1m", [DELIVERED, BOUNCED, *seen("d", "b"), KUMOMTA[0], *seen("d", prefix="kumomta_log_")], [
            check(RATIO, "2h", (recorded(RATIO, 'provider="gmail"'), 0.25))]),
    "no ratio of Postfix either while a backlog is read": (
        "1m", [*POSTFIX, series("pmta_exporter_catching_up", "0+0x100 1+0x30 0+0x300"),
               series("pmta_exporter_backlog_end_timestamp_seconds", "_x130 7860+0x300")], [
            check(f"round({RATIO}, 0.01)", "95m", (recorded("", 'provider="gmail"', "postfix"), 0.6)),
            check(RATIO, "120m"), check(RATIO, "185m"), check("vmta_reason:mail_deferrals:rate5m", "120m")]),
    "the delay of KumoMTA's deliveries is that of all its pools": (
        "1m", [series("kumomta_log_delivery_delay_seconds_bucket", f"0+{n}x300", f'provider="gmail",egress_pool="p{pool}",le="{le}"')
               for pool in (1, 2) for le, n in (("1.0", 0), ("5.0", 8), ("15.0", 16), ("+Inf", 16))], [
            check('provider:mail_delivery_delay_seconds:quantile_rate1h{quantile="0.5"}', "2h",
                  (recorded("provider:mail_delivery_delay_seconds:quantile_rate1h", 'provider="gmail",quantile="0.5"', "kumomta"),
                   5))]),
    "only the queue of the exporter's own host, without what is on hold, waits beside its log": (
        "1m", [series("mail_queue_messages", f"{n}+0x10", f'host="{host}",mta="postfix",queue="{queue}"')
               for n, host, queue in ((7, "localhost", "deferred"), (2, "localhost", "active"), (50, "localhost", "hold"),
                                      (400, "mx9", "deferred"))], [
            check("instance:mail_queued:messages", "5m", (recorded("instance:mail_queued:messages", "", "postfix"), 9))]),
    "quantiles of the delivery delay come from the histogram": (
        "1m", [series("pmta_delivery_delay_seconds_bucket", f"0+{n}x300", f'provider="gmail",pool="p1",le="{le}"')
               for le, n in (("1.0", 0), ("5.0", 8), ("15.0", 16), ("+Inf", 16))], [
            check('provider:mail_delivery_delay_seconds:quantile_rate1h{quantile="0.5"}', "2h",
                  (recorded("provider:mail_delivery_delay_seconds:quantile_rate1h", 'provider="gmail",quantile="0.5"'), 5))]),
    # delivery 0.9/0.95, bounce 2 - 0.1/0.05 = 0, complaints 1 and 1, deferrals 144 a day: clamp(2 - 144/50) = 0
    # (2*0.947368 + 10 + 2) / 17.5 = 0.793985
    "health is the weighted mean of its parts": (
        "4m", [*HEALTH, *seen("d", "b", "t", "f")], [
            check("round(sender_domain:mail_health:score1d, 0.000001)", "30h",
                  (recorded("", SENDER), 0.793985)),
            check('count without (grade) (sender_domain:mail_health:info{grade="good"})', "30h",
                  (recorded("", SENDER), 1))]),
    # without f and t records: (2*0.947368 + 0) / 5 = 0.378947
    "a type the log never carried drops out of the score with its weight": (
        "4m", [HEALTH[0], HEALTH[1], *seen("d", "b")], [
            check("round(sender_domain:mail_health:score1d, 0.000001)", "30h", (recorded("", SENDER), 0.378947)),
            check('count without (grade) (sender_domain:mail_health:info{grade="poor"})', "30h",
                  (recorded("", SENDER), 1))]),
    "no traffic, no score": (
        "4m", [series("pmta_sender_deliveries_total", "1000+0x600", SENDER + ',provider="gmail"'),
                series("pmta_sender_bounces_total", "10+0x600", SENDER + ',bounce_class="hard"'), *seen("d", "b")],
        [check("sender_domain:mail_health:score1d", "30h")]),
    "the recommended rate doubles after good days, waits after bad ones and stops at the provider's limit": (
        "4m", [series("pmta_sender_deliveries_total", "0+16x1800", SENDER + ',provider="gmail"'),
                series("pmta_sender_bounces_total", "0+0.25x900 225+4x540 2385+0.25x1200", SENDER + ',bounce_class="hard"'),
                series("pmta_sender_lifetime_records_total", "1000+0x1800", SENDER), *seen("d", "b")], [
            check("sender_domain:mail_warmup_base:hourly", "12h", (recorded("sender_domain:mail_warmup_base:hourly", SENDER), 100)),
            check("sender_domain:mail_warmup_base:hourly", "36h", (recorded("sender_domain:mail_warmup_base:hourly", SENDER), 200)),
            check("sender_domain:mail_warmup_base:hourly", "58h", (recorded("sender_domain:mail_warmup_base:hourly", SENDER), 400)),
            check("sender_domain:mail_warmup_base:hourly", "90h", (recorded("sender_domain:mail_warmup_base:hourly", SENDER), 400)),
            check('sender_provider:mail_warmup_recommended:hourly{profile="standard"}', "58h",
                  (recorded("sender_provider:mail_warmup_recommended:hourly", SENDER + ',provider="gmail",profile="standard"'), 400)),
            check('sender_provider:mail_warmup_recommended:hourly{profile="cold"}', "58h",
                  (recorded("sender_provider:mail_warmup_recommended:hourly", SENDER + ',provider="gmail",profile="cold"'), 50)),
            check('sender_domain:mail_warmup_stage:info', "12h",
                  (recorded("sender_domain:mail_warmup_stage:info", SENDER + ',stage="early"'), 1000))]),
}


def run(folder, name, interval, rows, checks):
    """Only the rules that the checks need, in one group, so that they are evaluated in order."""
    group = {"name": "g", "rules": RULES.needed([one["expr"] for one in checks])}
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [group]}))
    (folder / "test.yml").write_text(yaml.safe_dump(
        {"rule_files": ["rules.yml"], "evaluation_interval": interval, "tests": [
            {"name": name, "interval": interval, "input_series": rows, "promql_expr_test": checks}]}))
    return subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (interval, rows, checks) in TESTS.items():
            result = run(pathlib.Path(folder), name, interval, rows, checks)
            if result.returncode:
                failed += 1
                print(f"{name}:\n{(result.stdout + result.stderr)[:3000]}")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
