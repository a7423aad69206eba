"""Writes alert-rules/recording.rules.yml: the ratios, rates and quantiles that alerts and dashboards stand on.

The same five questions are asked at four levels over four windows about three MTAs; written by hand that is thousands
of lines in which one slip hides for years. Run it after a change:
alert-rules/src/recording_rules.py > alert-rules/recording.rules.yml
"""

TARGET = "cluster, job, instance"  # what every recorded series keeps of its target
KEYS = f"{TARGET}, mta"  # and whose log it comes from: one exporter may follow several

WINDOWS = {"5m": 300, "1h": 3600, "6h": 21600, "1d": 86400}


class Mta:
    """Whose log was counted: the value of the label mta, the prefix of its metrics, and its own names of our labels."""

    def __init__(self, name, prefix, vmta, pool, complaints=True):
        self.name, self.prefix, self.complaints = name, prefix, complaints
        self.own = {"vmta": vmta, "pool": pool, "provider": "provider"}

    def metric(self, rest):
        return self.prefix + rest

    def foreign(self, kept):
        """The labels among `kept` that this MTA has under another name."""
        return {shared: own for shared, own in self.own.items() if shared in kept and own not in (shared, None)}

    def seen(self, record_type):
        """Only where the log carries this record type is a missing series a true 0."""
        return f'on ({TARGET}) ({self.metric("accounting_records_total")}{{record_type="{record_type}"}} > 0)'

    def labels(self, kept):
        """Postfix knows no pools: all its mail is the pool of that name, so that whole hosts compare with pools."""
        return {"mta": self.name, **({"pool": self.name} if "pool" in kept and not self.own["pool"] else {})}


PMTA = Mta("pmta", "pmta_", "vmta", "pool")
POSTFIX = Mta("postfix", "postfix_", "relay", None, complaints=False)
KUMOMTA = Mta("kumomta", "kumomta_log_", "egress_source", "egress_pool")
MTAS = [PMTA, POSTFIX, KUMOMTA]

# Level -> (what stands between the prefix and the family, which of the labels of an MTA it keeps, what else goes).
LEVELS = {
    "vmta": ("", ("vmta", "pool"), "category, bounce_class, reason, feedback_type"),
    "provider": ("", ("provider",), "category, bounce_class, reason, feedback_type"),
    "pool": ("", ("pool",), "category, bounce_class, reason, feedback_type"),
    "sender_domain": ("sender_", (), "bounce_class"),
}


def summed(mta, kept, away, inner):
    """The sum of `inner` by the labels in `kept` under the names that all MTAs share. A label that the log left empty is
    `none`: an empty label is no label, and no board could select it. Labels that a family lacks are harmless."""
    gone = [own for shared, own in mta.own.items() if own and shared not in kept]
    text = f"sum without ({', '.join(filter(None, [*gone, away]))}) ({inner})"
    foreign = mta.foreign(kept)
    for shared, own in foreign.items():
        text = f'label_replace({text}, "{shared}", "none", "{own}", "")'
        text = f'label_replace({text}, "{shared}", "$1", "{own}", "(.+)")'
    return f"sum without ({', '.join(foreign.values())}) ({text})" if foreign else text


def rule(name, expr, **labels):
    lines = [f"  - record: {name}", "    expr: |"]
    lines += [f"      {line}" for line in expr.strip().splitlines()]
    if labels:
        lines.append("    labels:")
        lines += [f"      {key}: {value}" for key, value in labels.items()]
    return "\n".join(lines)


def group(name, interval, rules):
    return f"- name: {name}\n  interval: {interval}\n  rules:\n" + "\n".join(rules)


def hold_rule(window, seconds):
    """While old records are read in, a rate says when we read, not when mail was sent."""
    return rule(f"instance:mail_backlog:hold{window}",
                f"max without (__name__) (pmta_exporter_catching_up == 1)\n"
                f"or (time() - pmta_exporter_backlog_end_timestamp_seconds < {seconds}) * 0 + 1")


def hold_of(window):
    return f"unless on ({TARGET}) instance:mail_backlog:hold{window}"


def counted_rules(level, window, mta):
    """What was counted of one MTA: deliveries, bounces, deferrals, complaints a second."""
    group_prefix, kept, away = LEVELS[level]
    hold, name, labels = hold_of(window), f"{level}:mail_%s:rate{window}", mta.labels(kept)

    def rate(family, matcher=""):
        return summed(mta, kept, away, f"rate({mta.metric(group_prefix + family)}_total{matcher}[{window}])")

    def part(bounce_class):
        # What lies in the recorded series has the labels of the rule already, what is counted here gets them last.
        bounces = f'{name % "bounces"}{{mta="{mta.name}"}}'
        matcher = f'{{bounce_class="{bounce_class}"}}'
        return f"({rate('bounces', matcher)} {hold}) or ignoring ({', '.join(labels)}) {bounces} * 0"

    delivered = rate("deliveries")
    bounced = rate("bounces", '{bounce_class!="local"}')
    # Only families of a reason hold an operator's own pauses and throttles; the others leave them out already.
    deferred = rate("transient_failures", "" if group_prefix else '{reason!="local"}')
    rules = [
        rule(name % "deliveries",
             f"(\n  {delivered}\n  or ({bounced} * 0 or {deferred} * 0)\n    and {mta.seen('d')}\n) {hold}", **labels),
        rule(name % "bounces",
             f"(\n  {bounced}\n  or ({delivered} * 0 or {deferred} * 0)\n    and {mta.seen('b')}\n) {hold}", **labels),
        rule(name % "hard_bounces", part("hard"), **labels),
        rule(name % "blocks", part("block"), **labels),
        rule(name % "deferrals",
             f"(\n  {deferred}\n  or ({delivered} * 0 or {bounced} * 0)\n    and {mta.seen('t')}\n) {hold}", **labels),
    ]
    if mta.complaints:
        rules.append(rule(name % "complaints",
                          f"(\n  {rate('complaints')}\n  or {delivered} * 0\n    and {mta.seen('f')}\n) {hold}", **labels))
    return rules


def level_rules(level, window):
    name = f"{level}:mail_%s:rate{window}"
    attempts, tries = name % "attempts", name % "tries"
    rules = [one for mta in MTAS for one in counted_rules(level, window, mta)]
    return rules + [
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
    rules = [hold_rule(window, seconds)]
    for level in LEVELS:
        rules += level_rules(level, window)
    return rules


def mta_traffic_rules(mta):
    """What has its own shape: by sender and provider, by reason and category, TLS and delay."""
    labels, hold = mta.labels(()), hold_of("1h")
    reasons, tls = mta.metric("bounce_reasons_total"), mta.metric("tls_deliveries_total")
    vmta = ("vmta", "provider")
    rules = [
        rule("sender_provider:mail_deliveries:increase1h",
             f"increase({mta.metric('sender_deliveries_total')}[1h]) {hold}", **labels),
        rule("reason:mail_bounces:increase1h",
             f"{summed(mta, ('provider',), '', f'increase({reasons}[1h])')} {hold}", **labels),
        rule("vmta_category:mail_bounces:rate5m",
             f"{summed(mta, vmta, '', 'rate(%s[5m])' % mta.metric('bounces_total'))} {hold_of('5m')}", **labels),
        rule("vmta_reason:mail_bounces:rate5m", f"{summed(mta, vmta, '', f'rate({reasons}[5m])')} {hold_of('5m')}",
             **labels),
        rule("vmta_reason:mail_deferrals:rate5m",
             f"{summed(mta, vmta, '', 'rate(%s[5m])' % mta.metric('transient_failures_total'))} {hold_of('5m')}",
             **labels),
        rule("provider:mail_tls:ratio_rate1d",
             f'(\n  sum without (protocol) (rate({tls}{{protocol!="none"}}[1d]))\n'
             f'  / (sum without (protocol) (rate({tls}[1d])) > 0)\n'
             f") {hold_of('1d')}", **labels),
    ]
    for window in ("5m", "1h"):
        for quantile in ("0.5", "0.95", "0.99"):
            buckets = f"rate({mta.metric('delivery_delay_seconds_bucket')}[{window}])"
            rules.append(rule(
                f"provider:mail_delivery_delay_seconds:quantile_rate{window}",
                f"histogram_quantile({quantile}, {summed(mta, ('provider',), '', buckets)} > 0)\n{hold_of(window)}",
                quantile=f'"{quantile}"', **labels))
    return rules


def traffic_rules():
    return [one for mta in MTAS for one in mta_traffic_rules(mta)] + [
        rule("provider:mail_attempts:increase1h", "provider:mail_attempts:rate1h * 3600"),
        rule("provider:mail_deliveries:increase1h", "provider:mail_deliveries:rate1h * 3600"),
        rule("vmta:mail_bounce_over_pool:ratio1h",
             "# how many times the bounce ratio of its pool a vmta has; 1 is what its neighbours get. A relay of Postfix\n"
             "# is a receiver, not an address of ours: it has no neighbours.\n"
             'vmta:mail_bounce_per_attempt:ratio_rate1h{mta!="postfix"}\n'
             f"/ on ({KEYS}, pool) group_left () (pool:mail_bounce_per_attempt:ratio_rate1h > 0)"),
        rule("vmta:mail_deferral_over_pool:ratio1h",
             'vmta:mail_deferral_per_try:ratio_rate1h{mta!="postfix"}\n'
             f"/ on ({KEYS}, pool) group_left () (pool:mail_deferral_per_try:ratio_rate1h > 0)"),
        rule("sender_domain:mail_complaints:increase1d", "sender_domain:mail_complaints:rate1d * 86400"),
        rule("sender_domain:mail_deferrals:increase1d", "sender_domain:mail_deferrals:rate1d * 86400"),
    ]


def instance_rules():
    """What an alert on silence asks of each log: its newest record, what it ever held, and what waits beside it."""
    # Only a queue on the exporter's own host says anything about the log there; what is on hold waits for an operator.
    waiting = 'sum without (host, queue) (mail_queue_messages{mta="%s", host=~"localhost|127[.]0[.]0[.]1", queue!="hold"})'
    rules = [rule("instance:mail_queued:messages", "sum without (queue_type) (pmta_queued_recipients)", mta=PMTA.name)]
    rules += [rule("instance:mail_queued:messages", waiting % mta.name, mta=mta.name) for mta in (POSTFIX, KUMOMTA)]
    for mta in MTAS:
        rules += [
            rule("instance:mail_last_record:timestamp_seconds",
                 f"max without (record_type) ({mta.metric('last_record_timestamp_seconds')})", mta=mta.name),
            rule("instance:mail_records:count",
                 f"max without (__name__) ({mta.metric('accounting_records_total')})", mta=mta.name),
        ]
    return rules


def slo_rules():
    """Burn rates of the delivery objective need windows of their own (30m, 2h, 3d)."""
    rules = []
    _, kept, away = LEVELS["provider"]
    for window, seconds in (("30m", 1800), ("2h", 7200), ("3d", 259200)):
        rules.append(hold_rule(window, seconds))
        for mta in MTAS:
            delivered = summed(mta, kept, away, f"rate({mta.metric('deliveries_total')}[{window}])")
            bounced = summed(mta, kept, away, f'rate({mta.metric("bounces_total")}{{bounce_class!="local"}}[{window}])')
            rules.append(rule(
                f"provider:mail_bounce_per_attempt:ratio_rate{window}",
                f"(\n  {bounced}\n  / (({bounced} + {delivered}) > 0)\n  or {delivered} * 0\n    and {mta.seen('b')}\n) "
                f"{hold_of(window)}", **mta.labels(kept)))
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
    rules = [rule(lifetime, f"max without (__name__) ({mta.metric('sender_lifetime_records_total')})", mta=mta.name)
             for mta in MTAS]
    rules += [
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
        group("mail-recording-instance", "1m", instance_rules()),
        group("mail-recording-slo", "1m", slo_rules()),
        group("mail-recording-health", "2m", health_rules()),
        group("mail-recording-warmup-limits", "1m", limit_rules()),
        group("mail-recording-warmup", "2m", warmup_rules()),
    ]
    print("# Ratios, rates and quantiles that alerts and dashboards stand on; every recorded series keeps cluster,\n"
          "# job and instance, and says in mta whose log was counted: pmta, postfix or kumomta. A relay of Postfix and an egress\n"
          "# source of KumoMTA are a vmta, an egress pool is a pool. Written by alert-rules/src/recording_rules.py; a test holds the two together.\n"
          "# The warm-up limits (group mail-recording-warmup-limits) are yours to edit: change them in the script.\n"
          "groups:\n" + "\n".join(groups))


if __name__ == "__main__":
    main()
