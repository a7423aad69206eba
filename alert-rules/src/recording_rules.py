"""Writes alert-rules/recording.rules.yml: the ratios, rates and quantiles that alerts and dashboards stand on.

The same five questions are asked at four levels over four windows; written by hand that is a thousand lines in which
one slip hides for years. Run it after a change: alert-rules/src/recording_rules.py > alert-rules/recording.rules.yml
"""

KEYS = "cluster, job, instance"  # what every recorded series keeps of its target

WINDOWS = {"5m": 300, "1h": 3600, "6h": 21600, "1d": 86400}

# Level -> (prefix of the metrics, labels to sum away per record type). Labels that a family lacks are harmless.
LEVELS = {
    "vmta": ("pmta_", "provider, category, bounce_class, reason, feedback_type"),
    "provider": ("pmta_", "vmta, pool, category, bounce_class, reason, feedback_type"),
    "pool": ("pmta_", "vmta, provider, category, bounce_class, reason, feedback_type"),
    "sender_domain": ("pmta_sender_", "provider, bounce_class"),
}


def rule(name, expr, **labels):
    lines = [f"  - record: {name}", "    expr: |"]
    lines += [f"      {line}" for line in expr.strip().splitlines()]
    if labels:
        lines.append("    labels:")
        lines += [f"      {key}: {value}" for key, value in labels.items()]
    return "\n".join(lines)


def group(name, interval, rules):
    return f"- name: {name}\n  interval: {interval}\n  rules:\n" + "\n".join(rules)


def seen(record_type):
    """Only where PowerMTA logs this record type is a missing series a true 0."""
    return f'on ({KEYS}) (pmta_accounting_records_total{{record_type="{record_type}"}} > 0)'


def level_rules(level, window):
    prefix, away = LEVELS[level]
    hold = f"unless on ({KEYS}) instance:mail_backlog:hold{window}"

    def rate(family, matcher=""):
        return f"sum without ({away}) (rate({prefix}{family}_total{matcher}[{window}]))"

    delivered = rate("deliveries")
    bounced = rate("bounces", '{bounce_class!="local"}')
    deferred = rate("transient_failures")
    name = f"{level}:mail_%s:rate{window}"
    attempts, tries = name % "attempts", name % "tries"
    return [
        rule(name % "deliveries",
             f"(\n  {delivered}\n  or ({bounced} * 0 or {deferred} * 0)\n    and {seen('d')}\n) {hold}"),
        rule(name % "bounces",
             f"(\n  {bounced}\n  or ({delivered} * 0 or {deferred} * 0)\n    and {seen('b')}\n) {hold}"),
        rule(name % "hard_bounces",
             f"({rate('bounces', '{bounce_class=%r}' % 'hard')} {hold}) or {name % 'bounces'} * 0".replace("'", '"')),
        rule(name % "blocks",
             f"({rate('bounces', '{bounce_class=%r}' % 'block')} {hold}) or {name % 'bounces'} * 0".replace("'", '"')),
        rule(name % "deferrals",
             f"(\n  {deferred}\n  or ({delivered} * 0 or {bounced} * 0)\n    and {seen('t')}\n) {hold}"),
        rule(name % "complaints",
             f"(\n  {rate('complaints')}\n  or {delivered} * 0\n    and {seen('f')}\n) {hold}"),
        rule(attempts, f"{name % 'deliveries'} + {name % 'bounces'}"),
        rule(tries, f"{attempts} + {name % 'deferrals'}"),
        rule(f"{level}:mail_delivery_per_attempt:ratio_rate{window}", f"{name % 'deliveries'} / ({attempts} > 0)"),
        rule(f"{level}:mail_bounce_per_attempt:ratio_rate{window}", f"{name % 'bounces'} / ({attempts} > 0)"),
        rule(f"{level}:mail_hard_bounce_per_attempt:ratio_rate{window}", f"{name % 'hard_bounces'} / ({attempts} > 0)"),
        rule(f"{level}:mail_block_per_attempt:ratio_rate{window}", f"{name % 'blocks'} / ({attempts} > 0)"),
        rule(f"{level}:mail_deferral_per_try:ratio_rate{window}", f"{name % 'deferrals'} / ({tries} > 0)"),
        rule(f"{level}:mail_complaint_per_delivery:ratio_rate{window}",
             f"{name % 'complaints'} / ({name % 'deliveries'} > 0)"),
    ]


def window_rules(window, seconds):
    rules = [rule(
        f"instance:mail_backlog:hold{window}",
        # While old records are read in, a rate says when we read, not when mail was sent.
        f"max without (__name__) (pmta_exporter_catching_up == 1)\n"
        f"or (time() - pmta_exporter_backlog_end_timestamp_seconds < {seconds}) * 0 + 1")]
    for level in LEVELS:
        rules += level_rules(level, window)
    return rules


def traffic_rules():
    hold = f"unless on ({KEYS}) instance:mail_backlog:hold1h"
    rules = [
        rule("provider:mail_attempts:increase1h", "provider:mail_attempts:rate1h * 3600"),
        rule("provider:mail_deliveries:increase1h", "provider:mail_deliveries:rate1h * 3600"),
        rule("sender_provider:mail_deliveries:increase1h",
             f"increase(pmta_sender_deliveries_total[1h]) {hold}"),
        rule("reason:mail_bounces:increase1h",
             f"sum without (vmta) (increase(pmta_bounce_reasons_total[1h])) {hold}"),
        rule("vmta:mail_bounce_over_pool:ratio1h",
             "# how many times the bounce ratio of its pool a vmta has; 1 is what its neighbours get\n"
             "vmta:mail_bounce_per_attempt:ratio_rate1h\n"
             f"/ on ({KEYS}, pool) group_left () (pool:mail_bounce_per_attempt:ratio_rate1h > 0)"),
        rule("vmta:mail_deferral_over_pool:ratio1h",
             "vmta:mail_deferral_per_try:ratio_rate1h\n"
             f"/ on ({KEYS}, pool) group_left () (pool:mail_deferral_per_try:ratio_rate1h > 0)"),
        rule("sender_domain:mail_complaints:increase1d", "sender_domain:mail_complaints:rate1d * 86400"),
        rule("sender_domain:mail_deferrals:increase1d", "sender_domain:mail_deferrals:rate1d * 86400"),
        rule("provider:mail_tls:ratio_rate1d",
             f'(\n  sum without (protocol) (rate(pmta_tls_deliveries_total{{protocol!="none"}}[1d]))\n'
             f'  / (sum without (protocol) (rate(pmta_tls_deliveries_total[1d])) > 0)\n'
             f") unless on ({KEYS}) instance:mail_backlog:hold1d"),
    ]
    for window in ("5m", "1h"):
        for quantile in ("0.5", "0.95", "0.99"):
            rules.append(rule(
                f"provider:mail_delivery_delay_seconds:quantile_rate{window}",
                f"histogram_quantile({quantile}, sum without (pool) "
                f"(rate(pmta_delivery_delay_seconds_bucket[{window}])) > 0)\n"
                f"unless on ({KEYS}) instance:mail_backlog:hold{window}", quantile=f'"{quantile}"'))
    return rules


def slo_rules():
    """Burn rates of the delivery objective need windows of their own (30m, 2h, 3d)."""
    rules = []
    for window, seconds in (("30m", 1800), ("2h", 7200), ("3d", 259200)):
        hold = f"unless on ({KEYS}) instance:mail_backlog:hold{window}"
        away = LEVELS["provider"][1]
        delivered = f"sum without ({away}) (rate(pmta_deliveries_total[{window}]))"
        bounced = f'sum without ({away}) (rate(pmta_bounces_total{{bounce_class!="local"}}[{window}]))'
        rules.append(rule(
            f"instance:mail_backlog:hold{window}",
            f"max without (__name__) (pmta_exporter_catching_up == 1)\n"
            f"or (time() - pmta_exporter_backlog_end_timestamp_seconds < {seconds}) * 0 + 1"))
        rules.append(rule(
            f"provider:mail_bounce_per_attempt:ratio_rate{window}",
            f"(\n  {bounced}\n  / (({bounced} + {delivered}) > 0)\n  or {delivered} * 0\n    and {seen('b')}\n) {hold}"))
    return rules


def health_rules():
    base = "sender_domain:mail_%s:rate1d"
    score = "sender_domain:mail_health_%s:score1d"
    present = " + ".join(f"({score % part} * 0 + {weight} or sender_domain:mail_attempts:rate1d * 0)"
                         for part, weight in HEALTH_WEIGHTS.items())
    total = " + ".join(f"({score % part} * {weight} or sender_domain:mail_attempts:rate1d * 0)"
                       for part, weight in HEALTH_WEIGHTS.items())
    traffic = f"and {base % 'attempts'} > 0"
    falling = "clamp(2 - {x} / {limit}, 0, 1) " + traffic
    return [
        rule(score % "delivery",
             f"clamp_max(sender_domain:mail_delivery_per_attempt:ratio_rate1d / 0.95, 1) {traffic}"),
        rule(score % "bounce", falling.format(x="sender_domain:mail_bounce_per_attempt:ratio_rate1d", limit="0.05")),
        rule(score % "complaint",
             falling.format(x="sender_domain:mail_complaint_per_delivery:ratio_rate1d", limit="0.001")),
        rule(score % "feedback_loop", falling.format(x="(sender_domain:mail_complaints:rate1d * 86400)", limit="10")),
        rule(score % "diagnostic", falling.format(x="(sender_domain:mail_deferrals:rate1d * 86400)", limit="50")),
        rule("sender_domain:mail_health:score1d", f"(\n  {total}\n)\n/\n(({present}) > 0)\n{traffic}"),
        rule("sender_domain:mail_health:info", "sender_domain:mail_health:score1d >= 0.85", grade="excellent"),
        rule("sender_domain:mail_health:info",
             "sender_domain:mail_health:score1d >= 0.70 < 0.85", grade="good"),
        rule("sender_domain:mail_health:info",
             "sender_domain:mail_health:score1d >= 0.50 < 0.70", grade="fair"),
        rule("sender_domain:mail_health:info", "sender_domain:mail_health:score1d < 0.50", grade="poor"),
    ]


HEALTH_WEIGHTS = {"delivery": 2, "bounce": 3, "complaint": 10, "feedback_loop": 2, "diagnostic": 0.5}


def warmup_rules():
    lifetime = "sender_domain:mail_lifetime:records"
    recommended = "sender_provider:mail_warmup_recommended:hourly"
    base = "sender_domain:mail_warmup_base:hourly"
    rules = [
        rule(lifetime, "max without (__name__) (pmta_sender_lifetime_records_total)"),
        rule("sender_domain:mail_warmup_stage:info", f"{lifetime} < 5000", stage="early"),
        rule("sender_domain:mail_warmup_stage:info", f"{lifetime} >= 5000 <= 20000", stage="mid"),
        rule("sender_domain:mail_warmup_stage:info", f"{lifetime} > 20000", stage="mature"),
        rule("sender_domain:mail_warmup_good_day:bool",
             # Complaints count only where they are logged: without a feedback loop a day can still be good.
             "(sender_domain:mail_bounce_per_attempt:ratio_rate1d < bool 0.05)\n"
             "* (\n"
             "  sender_domain:mail_complaint_per_delivery:ratio_rate1d < bool 0.001\n"
             "  or sender_domain:mail_bounce_per_attempt:ratio_rate1d * 0 + 1\n"
             ")"),
        rule(base,
             # Looks at its own value a day ago: 100 at first, doubled after each good day, never lowered by a bad one.
             # last_over_time bridges a gap, so a restart of Prometheus does not send a sender back to 100.
             f"clamp_max(\n"
             f"  last_over_time({base}[6h] offset 1d)\n"
             f"    * on ({KEYS}, sender_domain) (1 + sender_domain:mail_warmup_good_day:bool)\n"
             f"    > last_over_time({base}[2d])\n"
             f"  or last_over_time({base}[2d])\n"
             f"  or {lifetime} * 0 + 100,\n"
             f"  1000000\n"
             f")"),
    ]
    for profile in ("standard", "cold"):
        own = (f'on (provider) group_left () mail_warmup_limit:hourly{{profile="{profile}"}}')
        rest = f'scalar(mail_warmup_limit:hourly{{profile="{profile}", provider="other"}})'
        flow = "sender_provider:mail_deliveries:increase1h"
        limit = (f"(\n"
                 f"  {flow} * 0 + {own}\n"
                 f"  or {flow} * 0 + {rest}\n"
                 f")")
        rules.append(rule("sender_provider:mail_warmup_limit:hourly", limit, profile=profile))
        allowed = (f"sender_provider:mail_warmup_limit:hourly{{profile=\"{profile}\"}}")
        rules.append(rule(
            recommended,
            f"{allowed}\n"
            f"  < on ({KEYS}, sender_domain) group_left () {base}\n"
            f"or\n"
            f"{allowed} * 0 + on ({KEYS}, sender_domain) group_left () {base}", profile=profile))
    return rules


FRENCH_AND_GERMAN = ["orange", "free", "sfr", "laposte", "bouygues", "gmx", "web.de", "t-online", "freenet", "1und1"]
LIMITS = {
    "standard": {"gmail": 2000, "yahoo": 1000, "microsoft": 500, "other": 1000},
    "cold": {**{name: 50 for name in ("gmail", "microsoft", "aol", "apple", "comcast", "att", "verizon", "charter", "cox")},
             "yahoo": 30, **{name: 30 for name in FRENCH_AND_GERMAN}, "other": 500},
}


def limit_rules():
    return [rule("mail_warmup_limit:hourly", f"vector({limit})", profile=profile, provider=provider)
            for profile, limits in LIMITS.items() for provider, limit in limits.items()]


def main():
    # Groups read each other; an interval near the five minutes of staleness would make them flap.
    groups = [group(f"mail-recording-{window}", "1m" if seconds <= 3600 else "2m", window_rules(window, seconds))
              for window, seconds in WINDOWS.items()]
    groups += [
        group("mail-recording-traffic", "1m", traffic_rules()),
        group("mail-recording-slo", "1m", slo_rules()),
        group("mail-recording-health", "2m", health_rules()),
        group("mail-recording-warmup-limits", "1m", limit_rules()),
        group("mail-recording-warmup", "2m", warmup_rules()),
    ]
    print("# Ratios, rates and quantiles that alerts and dashboards stand on; every recorded series keeps cluster,\n"
          "# job and instance. Written by alert-rules/src/recording_rules.py; a test holds the two together.\n"
          "# The warm-up limits (group mail-recording-warmup-limits) are yours to edit: change them in the script.\n"
          "groups:\n" + "\n".join(groups))


if __name__ == "__main__":
    main()
