"""What each alert must do, as data: the series that make it fire, stay silent and resolve.

Every alert runs six lives side by side, told apart by their instance label:
  fires     the bad figure from the start
  under     a figure just on the good side of the threshold
  low       the bad figure at too little volume (only where the alert has a volume guard)
  resolves  bad, then good
  reset     bad, and the counters start again in the middle (an exporter without its state file)
  gap       bad, with scrapes missing in the middle
"""

LIVES = ("fires", "under", "low", "resolves", "reset", "gap")


class Counter:
    """A counter that grows by `bad` a minute; `under`, `good` and `low` are the other lives' growth."""

    def __init__(self, series, bad, under, good=None, low=None):
        self.series, self.bad, self.under = series, bad, under
        self.good = under if good is None else good
        self.low = bad / 100 if low is None else low

    def values(self, life, turn, end, step):
        rate = {"under": self.under, "low": self.low}.get(life, self.bad) * step
        if life == "resolves":
            return f"0+{rate}x{turn} {rate * turn}+{self.good * step}x{turn + end}"
        if life == "reset":
            half = turn // 2
            return f"0+{rate}x{half} 0+{rate}x{turn + end}"
        if life == "gap":
            half = turn // 2
            return f"0+{rate}x{half} _x2 {rate * (half + 3)}+{rate}x{turn + end}"
        return f"0+{rate}x{turn + end}"


class Gauge:
    """A gauge that stands at `bad`; a number, or a function of the minute (for timestamps)."""

    def __init__(self, series, bad, under, good=None, low=None):
        self.series, self.bad, self.under = series, bad, under
        self.good = under if good is None else good
        self.low = bad if low is None else low

    def values(self, life, turn, end, step):
        value = {"under": self.under, "low": self.low}.get(life, self.bad)
        if life == "resolves":
            return f"{value}+0x{turn} {self.good}+0x{turn + end}"
        if life == "gap":
            return f"{value}+0x{turn // 2} _x2 {value}+0x{turn + end}"
        return f"{value}+0x{turn + end}"


class Steady(Counter):
    """A counter that grows alike in every life; only its reset and gap differ."""

    def __init__(self, series, rate, low=None):
        super().__init__(series, rate, rate, rate, rate if low is None else low)


class Same(Gauge):
    """A gauge that is alike in every life."""

    def __init__(self, series, value):
        super().__init__(series, value, value)


class Age(Gauge):
    """A timestamp that keeps the given age in seconds. Each life falls behind from its own start."""

    def values(self, life, turn, end, step):
        per = 60 * step
        age = {"under": self.under, "low": self.low}.get(life, self.bad)
        if life == "resolves":
            return f"{-age}+{per}x{turn} {per * turn - self.good}+{per}x{turn + end}"
        if life == "gap":
            half = turn // 2
            return f"{-age}+{per}x{half} _x2 {per * (half + 3) - age}+{per}x{turn + end}"
        return f"{-age}+{per}x{turn + end}"


class Case:
    """turn and end are steps; labels are what the firing alert carries beside severity, job and instance."""

    def __init__(self, alert, series, labels=None, turn=150, end=150, step=1, lives=LIVES, select="", extra=None):
        self.alert, self.series, self.labels = alert, series, labels or {}
        self.turn, self.end, self.step, self.lives, self.select = turn, end, step, lives, select
        self.extra = extra or []


NO_LOW = tuple(life for life in LIVES if life != "low")
GAUGE_LIVES = tuple(life for life in NO_LOW if life != "reset")


class Log:
    """How one MTA's log is counted: its prefix, what a delivery names beside the provider, and the pool it belongs to."""

    def __init__(self, mta, prefix, source, pool):
        self.mta, self.prefix, self.source, self.pool = mta, prefix, source, pool

    def name(self, family, labels=""):
        return f"{self.prefix}{family}{{{labels}}}"

    def sent(self, source=None):
        return self.name("deliveries_total", f'provider="gmail",{source or self.source % "v1"}')

    def seen(self, record_type):
        return Same(self.name("accounting_records_total", f'record_type="{record_type}"'), 1000)

    def level(self, level):
        """What stands before the family's name, its labels, and the labels of the alert."""
        labels = {"provider": {"provider": "gmail"}, "pool": {"pool": self.pool},
                  "sender_domain": {"sender_domain": "news.example.com"}}[level]
        if level == "sender_domain":
            return "sender_", 'sender_domain="news.example.com"', {**labels, "mta": self.mta}
        return "", f'provider="gmail",{self.source % "v1"}', {**labels, "mta": self.mta}


PMTA = Log("pmta", "pmta_", 'vmta="%s",pool="p1"', "p1")
POSTFIX = Log("postfix", "postfix_", 'relay="%s"', "postfix")
KUMOMTA = Log("kumomta", "kumomta_log_", 'egress_source="%s",egress_pool="p1"', "p1")
LOGS = [PMTA, POSTFIX, KUMOMTA]


def shares(log, level, second, matcher, bad, under, unit=16, thin=16):
    """Two counters, `unit` messages a minute together, `bad` or `under` of them in the second one; at low volume a
    `thin`-th of all that."""
    part, labels, _ = log.level(level)
    first = Counter(log.name(f"{part}deliveries_total", labels), unit - bad, unit - under, low=(unit - bad) / thin)
    other = Counter(log.name(f"{part}{second}_total", labels + matcher), bad, under, low=bad / thin)
    return [first, other, *(log.seen(record_type) for record_type in "dbtf" if record_type != "f" or log != POSTFIX)]


def ratio_case(log, alert, level, second, matcher, bad, under, thin=16, **more):
    part, labels, expected = log.level(level)
    case = Case(alert, shares(log, level, second, matcher, bad, under, thin=thin), expected, **more)
    if second == "transient_failures":
        case.series.append(Steady(log.name(f"{part}bounces_total", labels + ',bounce_class="soft"'), 0))
    return case


SOFT = ',bounce_class="soft",category="quota-issues"'
HARD = ',bounce_class="hard"'
BLOCK = ',bounce_class="block",category="spam-related"'
REASON = ',reason="rate-limit"'
NOT_CATCHING_UP = Same("pmta_exporter_catching_up", 0)


def ratio_cases(log):
    burn, slow = "PmtaDeliveryErrorBudgetBurn", {"thin": 512}
    return [
        ratio_case(log, "PmtaBounceRateHigh", "provider", "bounces", SOFT, 0.9, 0.7),
        ratio_case(log, "PmtaBounceRateCritical", "provider", "bounces", SOFT, 1.7, 1.5),
        ratio_case(log, "PmtaHardBounceRateHigh", "sender_domain", "bounces", HARD, 0.9, 0.7),
        ratio_case(log, "PmtaBlockRateHigh", "provider", "bounces", BLOCK, 0.2, 0.14),
        ratio_case(log, "PmtaBlockRateCritical", "provider", "bounces", BLOCK, 0.6, 0.44),
        ratio_case(log, "PmtaDeliveryRateLow", "pool", "bounces", SOFT, 0.9, 0.7),
        ratio_case(log, "PmtaDeliveryRateCritical", "pool", "bounces", SOFT, 2.5, 2.3),
        ratio_case(log, "PmtaDeferralRateHigh", "provider", "transient_failures", REASON, 2.5, 2.3),
        ratio_case(log, "PmtaDeferralRateCritical", "provider", "transient_failures", REASON, 5.0, 4.7),
        ratio_case(log, burn, "provider", "bounces", SOFT, 8, 6, select=',long="1h"'),
        ratio_case(log, burn, "provider", "bounces", SOFT, 4, 2, **slow, select=',long="6h"', step=5, turn=120, end=120),
        ratio_case(log, burn, "provider", "bounces", SOFT, 2, 1, **slow, select=',long="1d"', step=10, turn=200, end=200),
        ratio_case(log, burn, "provider", "bounces", SOFT, 1, 0.4, **slow, select=',long="3d"', step=20, turn=300, end=300),
    ]


def complaint_case(log, alert, bad, under, low):
    part, labels, expected = log.level("sender_domain")
    return Case(alert, [Steady(log.name(f"{part}deliveries_total", labels + ',provider="gmail"'), 16, low=0.5),
                        Counter(log.name(f"{part}complaints_total", labels), bad, under, low=low),
                        log.seen("d"), log.seen("f")], expected, step=10, turn=200, end=200)


def change_cases(log):
    blocked = log.name("bounce_reasons_total", f'provider="gmail",{log.source.split(",")[0] % "v1"},reason="blocklist"')
    return [
        Case("PmtaBlocklistRepliesAppear", [Counter(blocked, 1, 0.1, good=0)], {"reason": "blocklist", "mta": log.mta},
             lives=NO_LOW),
        Case("PmtaProviderTrafficVanished", [Counter(log.sent(), 20, 20, good=20, low=1), NOT_CATCHING_UP,
                                             log.seen("d"), log.seen("b")],
             log.level("provider")[2], lives=("vanishes", "stays"), step=10, turn=1060, end=60),
    ]


def divergence(log, labels=None, under=0.5, **more):
    return Case("PmtaVmtaDivergesFromPool",
                [Steady(log.sent(log.source % "v2"), 160), Counter(log.sent(), 12, 15, low=0.75),
                 Counter(log.name("bounces_total", f'provider="gmail",{log.source % "v1"}{SOFT}'), 4, under, low=0.25),
                 log.seen("d"), log.seen("b")], labels, **more)


# One exporter follows PowerMTA and Postfix: the healthy one must neither hide nor share the other's bounces.
BESIDE_ANOTHER = ratio_case(POSTFIX, "PmtaBounceRateHigh", "provider", "bounces", SOFT, 0.9, 0.7)
BESIDE_ANOTHER.series += [Steady(PMTA.sent(), 1600), PMTA.seen("d"), PMTA.seen("b")]
# A blocklist that PowerMTA's replies named yesterday is no news; that Postfix's name it now is.
FRESH_FOR_ONE = Case("PmtaBlocklistRepliesAppear",
                     [Counter('postfix_bounce_reasons_total{provider="gmail",relay="v1",reason="blocklist"}', 0.02, 0.02),
                      Steady('pmta_bounce_reasons_total{provider="gmail",vmta="v1",reason="blocklist"}', 1)],
                     {"reason": "blocklist", "mta": "postfix"}, lives=("surges",), step=10, turn=200, end=60)

DELIVERY = [
    *(case for log in LOGS for case in [*ratio_cases(log), *change_cases(log)]),
    *(case for log in (PMTA, KUMOMTA) for case in (
        complaint_case(log, "PmtaComplaintRateHigh", 0.02, 0.014, 0.01),
        complaint_case(log, "PmtaComplaintRateCritical", 0.06, 0.045, 0.03),
        divergence(log, {"vmta": "v1", "pool": "p1", "mta": log.mta}))),
    # A relay is a receiver: that it bounces more than the others says nothing about an address of ours.
    divergence(POSTFIX, under=4, lives=("under",)),
    BESIDE_ANOTHER, FRESH_FOR_ONE,
]

SPOOL_MAX = Same("pmta_spool_recipients_max", 1000)
QUEUE_LABELS = '{host="mx1",mta="postfix",queue="deferred"}'
OLDEST = 'mail_queue_oldest_message_timestamp_seconds{host="mx1",mta="postfix"}'
AGED = {"host": "mx1", "mta": "postfix"}
MTA_QUEUE = [
    Case("PmtaSpoolFilling", [Gauge("pmta_spool_recipients", 760, 740), SPOOL_MAX], lives=GAUGE_LIVES),
    Case("PmtaSpoolNearlyFull", [Gauge("pmta_spool_recipients", 910, 890), SPOOL_MAX], lives=GAUGE_LIVES),
    Case("PmtaQueueGrowing", [Counter('pmta_queued_recipients{queue_type="smtp"}', 200, 100, good=0, low=40)],
         turn=90, end=90, lives=("fires", "low", "resolves", "gap"), extra=[("at_turn", True)]),
    Case("MailQueueOldestMessageOld", [Age(OLDEST, 4.1 * 3600, 3.9 * 3600)], AGED, lives=GAUGE_LIVES),
    Case("MailQueueOldestMessageVeryOld", [Age(OLDEST, 24.1 * 3600, 23.9 * 3600)], AGED, lives=GAUGE_LIVES),
    Case("PostfixQueueHigh", [Gauge(f"mail_queue_messages{QUEUE_LABELS}", 101, 100)], AGED, lives=GAUGE_LIVES),
    Case("PostfixQueueCritical", [Gauge(f"mail_queue_messages{QUEUE_LABELS}", 501, 500)], AGED, lives=GAUGE_LIVES),
    Case("PmtaQueuesInBackoff", [Gauge('pmta_backoff_queue_recipients{domain="example.org",vmta="v1"}', 5, 0)],
         {"domain": "example.org"}, lives=("fires", "under", "resolves")),
    Case("PmtaStalled", [Same('pmta_queued_recipients{queue_type="smtp"}', 500),
                         Counter('pmta_traffic_recipients_total{direction="out"}', 0, 1, low=0)],
         lives=("fires", "under", "resolves")),
]

LISTED = 'mail_dnsbl_listed{target="192.0.2.7",list="zen.spamhaus.org",list_severity="%s"}'
LIST_LABELS = {"target": "192.0.2.7", "list": "zen.spamhaus.org"}
DNSBL = [
    Case("MailAddressListedCritical", [Gauge(LISTED % "critical", 1, 0)], {**LIST_LABELS, "list_severity": "critical"},
         lives=(*GAUGE_LIVES, "untold")),
    Case("MailAddressListedAdvisory", [Gauge(LISTED % "advisory", 1, 0)], {**LIST_LABELS, "list_severity": "advisory"},
         lives=GAUGE_LIVES),
    Case("MailBlocklistsUnable", [Gauge('mail_dnsbl_lists{target="192.0.2.7",verdict="unknown"}', 6, 5),
                                  Gauge('mail_dnsbl_lists{target="192.0.2.7",verdict="clean"}', 4, 5)],
         {"target": "192.0.2.7"}, lives=("fires", "under", "resolves")),
]


def invalid(alert, series, labels):
    return Case(alert, [Gauge(series, 0, 1)], labels, turn=200, end=400, lives=GAUGE_LIVES)


MAIL_AUTH = [
    invalid("MailSpfInvalid", 'mail_spf_valid{domain="example.com"}', {"domain": "example.com"}),
    invalid("MailSpfDoesNotPass", 'mail_spf_pass{domain="example.com",ip="192.0.2.7"}',
            {"domain": "example.com", "ip": "192.0.2.7"}),
    Case("MailSpfLookupsHigh", [Gauge('mail_spf_lookups{domain="example.com"}', 9, 8)], {"domain": "example.com"},
         lives=GAUGE_LIVES),
    invalid("MailDkimInvalid", 'mail_dkim_valid{domain="example.com",selector="s1"}',
            {"domain": "example.com", "selector": "s1"}),
    invalid("MailDmarcInvalid", 'mail_dmarc_valid{domain="example.com"}', {"domain": "example.com"}),
    invalid("MailMtaStsInvalid", 'mail_mta_sts_valid{domain="example.com"}', {"domain": "example.com"}),
    invalid("MailTlsRptInvalid", 'mail_tls_rpt_valid{domain="example.com"}', {"domain": "example.com"}),
    invalid("MailFcrdnsInvalid", 'mail_fcrdns_valid{ip="192.0.2.7"}', {"ip": "192.0.2.7"}),
]

TARGET = {"target": "smtp://mx1.example.com"}
NOT_AFTER = 'mail_certificate_not_after_timestamp_seconds{target="smtp://mx1.example.com",position="0"}'
DAY = 86400
CERTIFICATE = [
    Case("MailCertificateExpiresSoon", [Gauge(NOT_AFTER, 29 * DAY, 31 * DAY, good=90 * DAY)],
         {**TARGET, "position": "0"}, turn=200, end=400, lives=GAUGE_LIVES),
    Case("MailCertificateExpiresVerySoon", [Gauge(NOT_AFTER, 6 * DAY, 8 * DAY, good=90 * DAY)],
         {**TARGET, "position": "0"}, turn=200, end=400, lives=GAUGE_LIVES),
    Case("MailCertificateExpired", [Gauge(NOT_AFTER, 60, 2 * DAY, good=90 * DAY)], {**TARGET, "position": "0"},
         turn=200, end=400, lives=GAUGE_LIVES),
    invalid("MailCertificateNotVerified", 'mail_certificate_verified{target="smtp://mx1.example.com"}', TARGET),
    invalid("MailCertificateRenewedNotServed",
            'mail_certificate_served_matches_file{target="smtp://mx1.example.com"}', TARGET),
    invalid("MailDaneMismatch", 'mail_certificate_dane_valid{target="smtp://mx1.example.com"}', TARGET),
]

UNIT = {"host": "mx1", "unit": "pmta.service"}
MTA_SERVICE = [
    Case("PmtaDown", [Gauge("pmta_up", 0, 1)], lives=GAUGE_LIVES),
    Case("PmtaCriticalUnresolved", [Gauge("pmta_up", 0, 1)], lives=GAUGE_LIVES),
    Case("MailServiceDown", [Gauge('mail_service_active{host="mx1",unit="pmta.service"}', 0, 1)], UNIT,
         lives=GAUGE_LIVES),
    Case("MailServiceRestarting", [Counter('mail_service_restarts{host="mx1",unit="pmta.service"}', 1, 0)], UNIT,
         lives=("fires", "under", "resolves")),
    Case("MailSubmitRefused", [Gauge('mail_submit_accepted{target="mail.example.com:587"}', 0, 1)],
         {"target": "mail.example.com:587"}, lives=GAUGE_LIVES),
    Case("PmtaLicenseExpiresSoon", [Gauge("pmta_license_expiry_timestamp_seconds", 29 * DAY, 31 * DAY)],
         lives=GAUGE_LIVES),
    Case("PmtaLicenseExpiresVerySoon", [Gauge("pmta_license_expiry_timestamp_seconds", 6 * DAY, 8 * DAY)],
         lives=GAUGE_LIVES),
    Case("MailProbeFailing", [Gauge('mail_probe_success{probe="mail_auth",target="example.com"}', 0, 1)],
         {"probe": "mail_auth", "target": "example.com"}, lives=GAUGE_LIVES),
    Case("PmtaMonitorUnseen",
         [Age('mail_probe_last_success_timestamp_seconds{probe="pmta_monitor",target="127.0.0.1"}', 700, 500)],
         {"probe": "pmta_monitor", "target": "127.0.0.1"}, lives=GAUGE_LIVES),
]

DISK = 'node_filesystem_%s_bytes{mountpoint="/var",device="/dev/sda1",fstype="ext4"}'
ON_DISK = {"mountpoint": "/var", "device": "/dev/sda1", "fstype": "ext4"}
MTA_HOST = [
    Case("MailHostCpuHigh", [Counter('node_cpu_seconds_total{cpu="0",mode="user"}', 50, 46),
                             Counter('node_cpu_seconds_total{cpu="0",mode="idle"}', 10, 14)], lives=NO_LOW),
    Case("MailHostDiskFilling", [Gauge(DISK % "avail", 19, 21), Same(DISK % "size", 100)], ON_DISK, lives=GAUGE_LIVES),
    Case("MailHostDiskNearlyFull", [Gauge(DISK % "avail", 9, 11), Same(DISK % "size", 100)], ON_DISK,
         lives=GAUGE_LIVES),
    Case("MailHostLogErrors", [Gauge('mail_host_log_errors{host="mx1"}', 51, 50)], {"host": "mx1"}, lives=GAUGE_LIVES),
]



def stalled(log, queue):
    return Case("PmtaLogStalled", [Age(log.name("last_record_timestamp_seconds", 'record_type="d"'), 3700, 3500),
                                   Same(queue, 500), NOT_CATCHING_UP], {"mta": log.mta},
                lives=("fires", "under", "resolves"))


def never_seen(log):
    return Case("PmtaRecordTypeNeverSeen",
                [Gauge(log.name("accounting_records_total", 'record_type="t"'), 0, 1),
                 Same(log.name("accounting_records_total", 'record_type="d"'), 20000)],
                {"record_type": "t", "mta": log.mta}, lives=("fires", "under", "resolves"))


EXPORTER = [
    Case("PmtaExporterDown", [Gauge("up", 0, 1)], lives=GAUGE_LIVES),
    stalled(PMTA, 'pmta_queued_recipients{queue_type="smtp"}'),
    stalled(POSTFIX, 'mail_queue_messages{host="localhost",mta="postfix",queue="deferred"}'),
    stalled(KUMOMTA, 'mail_queue_messages{host="127.0.0.1",mta="kumomta",queue="ready"}'),
    Case("PmtaExporterReadLagging", [Gauge('pmta_exporter_read_lag_bytes{source="/var/log/pmta/acct*.csv"}', 101e6, 99e6)],
         lives=GAUGE_LIVES),
    Case("PmtaExporterParseErrors",
         [Counter('pmta_exporter_parse_errors_total{reason="columns"}', 2, 0.5),
          Steady('pmta_exporter_lines_total{status="parsed"}', 100)], lives=NO_LOW),
    Case("PmtaExporterCheckpointFailing",
         [Counter("pmta_exporter_checkpoint_write_failures_total", 1, 0),
          Age("pmta_exporter_checkpoint_last_write_timestamp_seconds", 900, 10)], lives=("fires", "under", "resolves")),
    Case("PmtaExporterSourceUnreadable", [Gauge('pmta_exporter_source_unreadable{source="/var/log/pmta/acct-*.csv"}', 1, 0)],
         {"source": "/var/log/pmta/acct-*.csv"}, lives=GAUGE_LIVES),
    Case("PmtaExporterSeriesFolded",
         [Counter('pmta_exporter_label_values_folded_total{family="pmta_bounces_total",label="vmta"}', 1, 0)],
         {"family": "pmta_bounces_total", "label": "vmta"}, lives=("fires", "under", "resolves")),
    Case("PmtaExporterReloadFailed", [Gauge("pmta_exporter_config_last_reload_successful", 0, 1)], lives=GAUGE_LIVES),
    never_seen(PMTA), never_seen(KUMOMTA),
    Case("PmtaLogEvents", [Counter('pmta_log_events_total{event="pipe_failed"}', 1, 0)], {"event": "pipe_failed"},
         lives=("fires", "under", "resolves")),
]



def security_cases(log):
    refused = log.name("bounce_reasons_total", f'provider="gmail",{log.source.split(",")[0] % "v1"},reason="authentication"')
    tls = log.name("tls_deliveries_total", 'provider="gmail",protocol="%s"')
    gmail = log.level("provider")[2]
    return [
        Case("PmtaAuthenticationRefusals", [Counter(refused, 0.4, 0.1, low=0.02), Steady(log.sent(), 20, low=1),
                                            log.seen("d"), log.seen("b")], gmail),
        Case("PmtaPlaintextShareHigh",
             [Counter(tls % "none", 1, 0.6, low=0.001), Counter(tls % "TLSv1.3", 15, 15.4, low=0.015),
              Counter(log.sent(), 16, 16, low=0.016), log.seen("d"), log.seen("b")], gmail, step=10, turn=200, end=200),
    ]


SECURITY = [
    *(case for log in LOGS for case in security_cases(log)),
    Case("PmtaSmtpUserSurge", [Counter('pmta_smtp_user_receipts_total{smtp_user="shop"}', 5, 5, good=5)],
         {"smtp_user": "shop"}, lives=("surges", "grows"), step=10, turn=1060, end=60),
    Case("PmtaNewSmtpUserSurge", [Counter('pmta_smtp_user_receipts_total{smtp_user="shop"}', 100, 80, good=10)],
         {"smtp_user": "shop"}, lives=NO_LOW),
]


def warmup_cases(log):
    sender, expected = log.level("sender_domain")[1:]
    sent = log.name("sender_deliveries_total", sender + ',provider="gmail"')
    return [
        Case("PmtaWarmupRateOverLimit",
             [Counter(sent, 2, 1.5), Gauge(log.name("sender_lifetime_records_total", sender), 1000, 1000)],
             {**expected, "provider": "gmail"}, lives=("fires", "under", "resolves", "gap")),
        Case("PmtaSenderHealthPoor",
             [Counter(sent, 10, 15.5, low=0.01),
              Counter(log.name("sender_bounces_total", sender + ',bounce_class="hard"'), 6, 0.5, low=0.006),
              log.seen("d"), log.seen("b")], expected, step=10, turn=200, end=200),
    ]


WARMUP = [case for log in LOGS for case in warmup_cases(log)]

GONE = 'total_messages_%s_by_provider{provider="gmail"}'
KUMOMTA = [
    Case("KumoTransientFailuresHigh", [Counter(GONE % "transfail", 2.5, 2.3, low=0.1),
                                       Counter(GONE % "delivered", 13.5, 13.7, low=0.5)], {"provider": "gmail"}),
    Case("KumoTransientFailuresCritical", [Counter(GONE % "transfail", 5, 4.7, low=0.2),
                                           Counter(GONE % "delivered", 11, 11.3, low=0.4)], {"provider": "gmail"}),
    Case("KumoReadyQueueFull", [Counter('ready_full{service="smtp_client"}', 1, 0)], {"service": "smtp_client"},
         lives=("fires", "under", "resolves", "gap")),
    Case("KumoSourceSuspended", [Gauge('egress_source_health_suspended{source="ip1",reason="connect"}', 1, 0)],
         {"source": "ip1", "reason": "connect"}, lives=GAUGE_LIVES),
    Case("KumoDiskLow", [Gauge('disk_free_percent{name="data"}', 9, 11)], {"name": "data"}, lives=GAUGE_LIVES),
    Case("KumoMemoryOverLimit", [Gauge("memory_usage", 91, 89), Same("memory_limit", 100)], lives=GAUGE_LIVES),
]

CASES = [*DELIVERY, *MTA_QUEUE, *DNSBL, *MAIL_AUTH, *CERTIFICATE, *MTA_SERVICE, *MTA_HOST, *EXPORTER, *SECURITY,
         *WARMUP, *KUMOMTA]
