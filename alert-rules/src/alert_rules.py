"""Writes alert-rules/<domain>.rules.yml from the tables below: one entry per alert, nothing said twice.

Every alert has a severity, a static summary, a description for the one case, a runbook and a dashboard. Thresholds and
volume guards are visible in the expressions; change them here and run alert-rules/src/alert_rules.py alert-rules.
"""
import json
import pathlib
import sys

RUNBOOK = "https://mtawatch.example/docs/alerts.md"
GRAFANA = "https://grafana.example/d"
TARGET = "cluster, job, instance"
KEYS = f"{TARGET}, mta"  # of what recording.rules.yml recorded: whose log it was counted from
VOLUME = 100  # attempts in the window below which a ratio wakes nobody


class Alert:
    def __init__(self, name, expr, summary, description, severity="warning", wait=None, keep=None, board="overview",
                 alert_class=None, **labels):
        self.name, self.expr, self.summary, self.description = name, expr, summary, description
        self.severity, self.wait, self.keep, self.board = severity, wait, keep, board
        self.labels = {"severity": severity, **({"class": alert_class} if alert_class else {}), **labels}

    def text(self):
        lines = [f"  - alert: {self.name}", "    expr: |"]
        lines += [f"      {line}" for line in self.expr.strip().splitlines()]
        if self.wait:
            lines.append(f"    for: {self.wait}")
        if self.keep:
            lines.append(f"    keep_firing_for: {self.keep}")
        lines.append("    labels:")
        lines += [f"      {key}: {value}" for key, value in self.labels.items()]
        lines += ["    annotations:", f"      summary: {json.dumps(self.summary)}", "      description: >-",
                  f"        {self.description}",
                  f"      runbook_url: {RUNBOOK}#{self.name.lower()}",
                  f"      dashboard_url: {GRAFANA}/mtawatch-{self.board}?var-job={{{{ $labels.job }}}}"
                  f"&var-instance={{{{ $labels.instance }}}}"]
        return "\n".join(lines)


PERCENT = "{{ $value | humanizePercentage }}"
HERE = "on {{ $labels.instance }}"
BY = f"{HERE} ({{{{ $labels.mta }}}})"  # of a recorded series


def ratio_alert(name, level, ratio, base, threshold, wait, severity, summary, what, board, below=False, window="1h",
                volume=VOLUME, **extra):
    """A share over a window, silent below `volume` attempts in it."""
    seconds = {"5m": 300, "1h": 3600, "6h": 21600, "1d": 86400}[window]
    sign = "<" if below else ">"
    label = {"provider": "to {{ $labels.provider }}", "vmta": "from {{ $labels.vmta }}",
             "pool": "from pool {{ $labels.pool }}", "sender_domain": "of {{ $labels.sender_domain }}"}[level]
    return Alert(
        name,
        f"{level}:mail_{ratio}:ratio_rate{window} {sign} {threshold}\n"
        f"and {level}:mail_{base}:rate{window} * {seconds} >= {volume}",
        summary, f"{PERCENT} {what} {label} {BY} in the last {window}.",
        severity=severity, wait=wait, board=board, **extra)


def delivery():
    alerts = [
        ratio_alert("PmtaBounceRateHigh", "provider", "bounce_per_attempt", "attempts", "0.05", "5m", "warning",
                    "Too large a share of mail to a mailbox provider bounces.", "bounced", "bounces"),
        ratio_alert("PmtaBounceRateCritical", "provider", "bounce_per_attempt", "attempts", "0.10", "5m", "critical",
                    "A mailbox provider refuses a large share of our mail.", "bounced", "bounces"),
        ratio_alert("PmtaHardBounceRateHigh", "sender_domain", "hard_bounce_per_attempt", "attempts", "0.05", "10m",
                    "warning", "A sender's list holds many addresses that do not exist.",
                    "were refused as unknown addresses", "senders"),
        ratio_alert("PmtaBlockRateHigh", "provider", "block_per_attempt", "attempts", "0.01", "10m", "warning",
                    "A mailbox provider refuses mail because of who sends it or what it says.",
                    "were refused as unwanted", "bounces", volume=500),
        ratio_alert("PmtaBlockRateCritical", "provider", "block_per_attempt", "attempts", "0.03", "5m", "critical",
                    "A mailbox provider blocks us.", "were refused as unwanted", "bounces"),
        ratio_alert("PmtaDeliveryRateLow", "pool", "delivery_per_attempt", "attempts", "0.95", "10m", "warning",
                    "Less mail than usual is accepted.", "were delivered", "overview", below=True),
        ratio_alert("PmtaDeliveryRateCritical", "pool", "delivery_per_attempt", "attempts", "0.85", "5m", "critical",
                    "Much of our mail is not accepted.", "were delivered", "overview", below=True),
        ratio_alert("PmtaDeferralRateHigh", "provider", "deferral_per_try", "tries", "0.15", "10m", "warning",
                    "A mailbox provider defers much of our mail.", "were deferred", "bounces"),
        ratio_alert("PmtaDeferralRateCritical", "provider", "deferral_per_try", "tries", "0.30", "30m", "critical",
                    "A mailbox provider has deferred most of our mail for half an hour.", "were deferred", "bounces"),
        ratio_alert("PmtaComplaintRateHigh", "sender_domain", "complaint_per_delivery", "deliveries", "0.001", "10m",
                    "warning", "Recipients complain about a sender.", "drew complaints", "senders", window="1d",
                    volume=1000),
        ratio_alert("PmtaComplaintRateCritical", "sender_domain", "complaint_per_delivery", "deliveries", "0.003",
                    "10m", "critical", "So many recipients complain that providers will block the sender.",
                    "drew complaints", "senders", window="1d", volume=1000),
    ]
    for long, short, factor, wait, severity in (("1h", "5m", 14.4, "2m", "critical"), ("6h", "30m", 6, "15m", "critical"),
                                                ("1d", "2h", 3, "1h", "warning"), ("3d", "6h", 1, "3h", "warning")):
        guard = ("provider:mail_attempts:rate1d * 86400" if long in ("1d", "3d")
                 else f"provider:mail_attempts:rate{long} * {3600 if long == '1h' else 21600}")
        alerts.append(Alert(
            "PmtaDeliveryErrorBudgetBurn",
            f"provider:mail_bounce_per_attempt:ratio_rate{long} > {factor} * 0.03\n"
            f"and provider:mail_bounce_per_attempt:ratio_rate{short} > {factor} * 0.03\n"
            f"and {guard} >= {VOLUME}",
            "The objective of 97 % delivered mail to a mailbox provider is being used up.",
            f"{PERCENT} of the mail to {{{{ $labels.provider }}}} bounced {BY} over {long} and over {short}: "
            f"{factor} times what the objective of 3 % allows.",
            severity=severity, wait=wait, board="providers", long=long, short=short))
    alerts += [
        Alert("PmtaBlocklistRepliesAppear",
              'sum without (provider, vmta) (reason:mail_bounces:increase1h{reason="blocklist"}) >= 10\n'
              f'unless on ({KEYS}, reason)\n'
              '  sum without (provider, vmta) (reason:mail_bounces:increase1h{reason="blocklist"} offset 1d) >= 10',
              "Receivers began to refuse our mail because of a blocklist.",
              f"{{{{ $value | humanize }}}} refusals in the last hour {BY} name a blocklist; a day ago there were "
              "fewer than 10.", severity="critical", wait="5m", board="bounces"),
        Alert("PmtaProviderTrafficVanished",
              "provider:mail_attempts:increase1h offset 1w >= 1000\n"
              "unless provider:mail_attempts:increase1h >= 10\n"
              f"and on ({TARGET}) pmta_exporter_catching_up == 0\n"
              f"unless on ({TARGET}) instance:mail_backlog:hold1h",
              "No mail goes to a mailbox provider that had much of it a week ago.",
              f"Fewer than 10 attempts to {{{{ $labels.provider }}}} {BY} in the last hour; {{{{ $value | humanize }}}} in the "
              "same hour a week ago.", wait="15m", board="providers"),
        Alert("PmtaVmtaDivergesFromPool",
              "vmta:mail_bounce_over_pool:ratio1h > 3\n"
              "and vmta:mail_bounce_per_attempt:ratio_rate1h > 0.05\n"
              f"and vmta:mail_attempts:rate1h * 3600 >= {VOLUME}",
              "One VMTA bounces far more than the others of its pool: its address is probably blocked.",
              f"{{{{ $labels.vmta }}}} {BY} bounces {{{{ $value | humanize }}}} times as much as its pool "
              "{{ $labels.pool }} as a whole.", wait="15m", board="vmtas"),
    ]
    return alerts


def mta_queue():
    spool = "pmta_spool_recipients / (pmta_spool_recipients_max > 0)"
    age = "(time() - mail_queue_oldest_message_timestamp_seconds)"
    total = "sum without (queue) (mail_queue_messages%s)"
    queued = 'sum without (queue_type) (pmta_queued_recipients%s)'
    return [
        Alert("PmtaSpoolFilling", f"{spool} > 0.75", "PowerMTA's spool is filling up.",
              f"{PERCENT} of the recipients that the spool can hold are queued {HERE}.", wait="10m", board="performance"),
        Alert("PmtaSpoolNearlyFull", f"{spool} > 0.90", "PowerMTA is about to refuse new mail.",
              f"{PERCENT} of the recipients that the spool can hold are queued {HERE}.", severity="critical", wait="5m",
              board="performance"),
        Alert("PmtaQueueGrowing",
              f"{queued % ''} > 2 * ({queued % ' offset 1h'})\nand {queued % ''} > 10000",
              "PowerMTA's queue has doubled within an hour.",
              f"{{{{ $value | humanize }}}} recipients are queued {HERE}, more than twice as many as an hour ago.",
              wait="15m", board="performance"),
        Alert("MailQueueOldestMessageOld", f"{age} > 4 * 3600", "Mail has waited for hours.",
              "The oldest message in the {{ $labels.mta }} queue of {{ $labels.host }} has waited for "
              "{{ $value | humanizeDuration }}.", wait="10m", board="performance"),
        Alert("MailQueueOldestMessageVeryOld", f"{age} > 24 * 3600", "Mail has waited for more than a day.",
              "The oldest message in the {{ $labels.mta }} queue of {{ $labels.host }} has waited for "
              "{{ $value | humanizeDuration }}.", severity="critical", wait="10m", board="performance"),
        Alert("PostfixQueueHigh", total % '{mta="postfix"}' + " > 100", "Mail piles up in Postfix.",
              "{{ $value | humanize }} messages wait in Postfix on {{ $labels.host }}.", wait="15m", board="performance"),
        Alert("PostfixQueueCritical", total % '{mta="postfix"}' + " > 500", "Postfix does not get its mail out.",
              "{{ $value | humanize }} messages wait in Postfix on {{ $labels.host }}.", severity="critical",
              wait="15m", board="performance"),
        Alert("PmtaQueuesInBackoff",
              "sum without (vmta) (pmta_backoff_queue_recipients) > 0",
              "Queues of PowerMTA have been in backoff mode for an hour.",
              f"{{{{ $value | humanize }}}} recipients at {{{{ $labels.domain }}}} wait in backoff {HERE}.", wait="1h",
              board="performance"),
        Alert("PmtaStalled",
              f"{queued % ''} > {VOLUME}\n"
              f'and on ({TARGET}) rate(pmta_traffic_recipients_total{{direction="out"}}[10m]) == 0',
              "Mail is queued in PowerMTA and nothing leaves.",
              f"{{{{ $value | humanize }}}} recipients are queued {HERE} and none went out in 10 minutes.",
              severity="critical", wait="10m", board="performance"),
    ]


def dnsbl():
    listed = "last_over_time(mail_dnsbl_listed{list_severity=\"%s\"}[2h]) == 1"
    return [
        Alert("MailAddressListedCritical", listed % "critical",
              "A sending address or domain is on a blocklist that receivers act on.",
              "{{ $labels.target }} is on {{ $labels.list }}.", severity="critical", wait="5m", keep="45m",
              board="vmtas"),
        Alert("MailAddressListedAdvisory", listed % "advisory",
              "A sending address or domain is on an advisory blocklist.",
              "{{ $labels.target }} is on {{ $labels.list }}.", wait="15m", keep="45m", board="vmtas"),
        Alert("MailBlocklistsUnable",
              'sum without (verdict) (mail_dnsbl_lists{verdict="unknown"})\n'
              '  / sum without (verdict) (mail_dnsbl_lists) > 0.5',
              "Most blocklists cannot be asked, so a listing would go unseen.",
              "{{ $value | humanizePercentage }} of the lists could not say whether {{ $labels.target }} is listed; "
              "lists refuse public and busy resolvers.", wait="1h", board="vmtas"),
    ]


def mail_auth():
    def invalid(name, metric, what, labels, severity="critical"):
        return Alert(name, f"last_over_time({metric}[3h]) == 0", f"A published {what} record is missing or broken.",
                     f"The {what} record of {labels} is missing or broken: receivers may refuse its mail.",
                     severity=severity, wait="10m", keep="2h", board="health",
                     alert_class="business" if severity == "warning" else None)
    return [
        invalid("MailSpfInvalid", "mail_spf_valid", "SPF", "{{ $labels.domain }}"),
        Alert("MailSpfDoesNotPass", "last_over_time(mail_spf_pass[3h]) == 0",
              "A sending address is not allowed by the SPF record.",
              "SPF of {{ $labels.domain }} does not pass for {{ $labels.ip }}.", severity="critical", wait="10m",
              keep="2h", board="health"),
        Alert("MailSpfLookupsHigh", "mail_spf_lookups > 8", "An SPF record is close to the limit of ten DNS lookups.",
              "The SPF record of {{ $labels.domain }} needs {{ $value }} of 10 DNS lookups.", wait="10m", board="health",
              alert_class="business"),
        invalid("MailDkimInvalid", "mail_dkim_valid", "DKIM key", "{{ $labels.selector }} at {{ $labels.domain }}"),
        invalid("MailDmarcInvalid", "mail_dmarc_valid", "DMARC", "{{ $labels.domain }}"),
        invalid("MailMtaStsInvalid", "mail_mta_sts_valid", "MTA-STS", "{{ $labels.domain }}", severity="warning"),
        invalid("MailTlsRptInvalid", "mail_tls_rpt_valid", "TLS-RPT", "{{ $labels.domain }}", severity="warning"),
        Alert("MailFcrdnsInvalid", "last_over_time(mail_fcrdns_valid[3h]) == 0",
              "A sending address has no matching reverse name.",
              "The reverse name of {{ $labels.ip }} is missing or does not point back: Gmail and others refuse such "
              "mail.", severity="critical", wait="10m", keep="2h", board="health"),
    ]


def certificate():
    left = "(last_over_time(mail_certificate_not_after_timestamp_seconds[3h]) - time())"
    named = "{{ $labels.target }} (position {{ $labels.position }})"
    return [
        Alert("MailCertificateExpiresSoon", f"{left} < 30 * 86400", "A mail certificate expires within 30 days.",
              f"The certificate of {named} expires in {{{{ $value | humanizeDuration }}}}.", wait="1h",
              keep="2h", board="health", alert_class="business"),
        Alert("MailCertificateExpiresVerySoon", f"{left} < 7 * 86400", "A mail certificate expires within a week.",
              f"The certificate of {named} expires in {{{{ $value | humanizeDuration }}}}.", severity="critical",
              wait="10m", keep="2h", board="health"),
        Alert("MailCertificateExpired", f"{left} <= 0", "A mail certificate has expired.",
              f"The certificate of {named} expired {{{{ $value | humanizeDuration }}}} ago.", severity="critical",
              keep="2h", board="health"),
        Alert("MailCertificateNotVerified", "last_over_time(mail_certificate_verified[3h]) == 0",
              "A mail certificate does not verify.",
              "The certificate of {{ $labels.target }} does not verify: wrong name, missing intermediate or unknown "
              "issuer.", severity="critical", wait="10m", keep="2h", board="health"),
        Alert("MailCertificateRenewedNotServed", "last_over_time(mail_certificate_served_matches_file[3h]) == 0",
              "A certificate was renewed on disk but the service still serves the old one.",
              "{{ $labels.target }} does not serve the certificate on disk: reload the service.", wait="1h",
              keep="2h", board="health", alert_class="business"),
        Alert("MailDaneMismatch", "last_over_time(mail_certificate_dane_valid[3h]) == 0",
              "The certificate does not match the published TLSA records.",
              "No TLSA record of {{ $labels.target }} matches its certificate: receivers that use DANE refuse to "
              "deliver.", severity="critical", wait="5m", keep="2h", board="security", alert_class="security"),
    ]


def mta_service():
    return [
        Alert("PmtaDown", "pmta_up == 0", "PowerMTA does not run or does not answer.",
              f"PowerMTA {HERE} is down: no mail leaves.", severity="critical", wait="2m", board="health"),
        Alert("PmtaCriticalUnresolved", "pmta_up == 0", "PowerMTA has been down for half an hour.",
              f"PowerMTA {HERE} has been down for 30 minutes and nobody has fixed it.", severity="critical",
              wait="30m", board="health", escalation='"true"'),
        Alert("MailServiceDown", "mail_service_active == 0", "A service that mail needs is not active.",
              "{{ $labels.unit }} on {{ $labels.host }} is not active.", severity="critical", wait="2m",
              board="health"),
        Alert("MailServiceRestarting", "changes(mail_service_restarts[30m]) >= 3",
              "A service that mail needs keeps restarting.",
              "{{ $labels.unit }} on {{ $labels.host }} was restarted {{ $value }} times in 30 minutes.",
              board="health"),
        Alert("MailSubmitRefused", "mail_submit_accepted == 0",
              "A submission server does not take mail from a sender that logs in.",
              "{{ $labels.target }} did not take mail in two runs: whoever sends through it gets an error.",
              severity="critical", wait="20m", board="health"),
        Alert("PmtaLicenseExpiresSoon", "pmta_license_expiry_timestamp_seconds - time() < 30 * 86400",
              "PowerMTA's licence expires within 30 days.",
              f"The licence {HERE} expires in {{{{ $value | humanizeDuration }}}}.", wait="1h", board="health",
              alert_class="business"),
        Alert("PmtaLicenseExpiresVerySoon", "pmta_license_expiry_timestamp_seconds - time() < 7 * 86400",
              "PowerMTA's licence expires within a week, and PowerMTA stops then.",
              f"The licence {HERE} expires in {{{{ $value | humanizeDuration }}}}.", severity="critical", wait="10m",
              board="health"),
        Alert("MailProbeFailing", 'mail_probe_success{probe!~"pmta_monitor|dnsbl"} == 0',
              "A probe has failed for an hour.",
              "The probe {{ $labels.probe }} of {{ $labels.target }} fails: what it checks is unknown.", wait="1h",
              board="health"),
        Alert("PmtaMonitorUnseen",
              'time() - mail_probe_last_success_timestamp_seconds{probe="pmta_monitor"} > 600',
              "PowerMTA's monitor has not answered for ten minutes.",
              "The monitor at {{ $labels.target }} last answered {{ $value | humanizeDuration }} ago: queues are "
              "unseen.", wait="2m", board="health"),
    ]


def mta_host():
    disk = ('1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"} / '
            'node_filesystem_size_bytes{fstype!~"tmpfs|overlay|squashfs"}')
    return [
        Alert("MailHostCpuHigh",
              'sum without (cpu, mode) (rate(node_cpu_seconds_total{mode!~"idle|iowait|steal"}[5m]))\n'
              '  / count without (cpu, mode) (node_cpu_seconds_total{mode="idle"}) > 0.80',
              "A mail host has been short of CPU for ten minutes.",
              "The CPUs of {{ $labels.instance }} are {{ $value | humanizePercentage }} busy.", wait="10m",
              board="health"),
        Alert("MailHostDiskFilling", f"{disk} > 0.80", "A disk of a mail host is filling up.",
              "{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ $value | humanizePercentage }} full.",
              wait="15m", board="health", alert_class="business"),
        Alert("MailHostDiskNearlyFull", f"{disk} > 0.90", "A disk of a mail host is nearly full.",
              "{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ $value | humanizePercentage }} full.",
              severity="critical", wait="5m", board="health"),
        Alert("MailHostLogErrors", "mail_host_log_errors > 50", "A mail host logs many errors.",
              "{{ $labels.host }} logged {{ $value }} errors of its mail services in the last hour.", wait="10m",
              board="health"),
    ]


def exporter():
    return [
        Alert("PmtaExporterDown", 'up{job=~".*pmta.*"} == 0', "The exporter of a PowerMTA host does not answer.",
              f"Nothing is known about PowerMTA {HERE} until its exporter answers.", severity="critical", wait="2m",
              board="health"),
        Alert("PmtaLogStalled",
              f"time() - instance:mail_last_record:timestamp_seconds > 3600\n"
              f"and on ({KEYS}) instance:mail_queued:messages > {VOLUME}\n"
              f"and on ({TARGET}) pmta_exporter_catching_up == 0",
              "An MTA holds mail, but its log has had no record for an hour.",
              f"The newest record {BY} is {{{{ $value | humanizeDuration }}}} old: accounting is off, the files moved, "
              "or nothing is delivered.", severity="critical", wait="10m", board="health"),
        Alert("PmtaExporterReadLagging", "sum without (source) (pmta_exporter_read_lag_bytes) > 100e6",
              "The exporter does not keep up with the accounting files.",
              f"{{{{ $value | humanize1024 }}}}B are unread {HERE}.", wait="15m", board="health"),
        Alert("PmtaExporterParseErrors",
              "sum without (reason) (rate(pmta_exporter_parse_errors_total[15m]))\n"
              "  / (sum without (status) (rate(pmta_exporter_lines_total[15m])) > 0) > 0.01",
              "Accounting records cannot be read.",
              f"{PERCENT} of the lines {HERE} cannot be read; pmta_exporter_parse_errors_total says why.", wait="15m",
              board="health"),
        Alert("PmtaExporterCheckpointFailing",
              "increase(pmta_exporter_checkpoint_write_failures_total[15m]) > 0\n"
              "and time() - pmta_exporter_checkpoint_last_write_timestamp_seconds > 600",
              "The exporter cannot save its state: a restart would count records twice.",
              f"Writing the state file {HERE} has failed for over ten minutes.", wait="5m", board="health"),
        Alert("PmtaExporterSourceUnreadable", "pmta_exporter_source_unreadable > 0",
              "The exporter cannot read a file or folder that it should follow.",
              f"{{{{ $value }}}} files or folders of {{{{ $labels.source }}}} {HERE} cannot be read: what is in them is not counted.",
              wait="15m", board="health"),
        Alert("PmtaExporterSeriesFolded", "increase(pmta_exporter_label_values_folded_total[1h]) > 0",
              "A family of metrics has reached its budget; new values count as other.",
              f"New values of {{{{ $labels.label }}}} in {{{{ $labels.family }}}} {HERE} are counted as other.", severity="info",
              wait="1h", board="health"),
        Alert("PmtaExporterReloadFailed", "pmta_exporter_config_last_reload_successful == 0",
              "The exporter runs on an old configuration because the new one is faulty.",
              f"The configuration {HERE} was refused; pmta_exporter --config.check names the line.", wait="5m",
              board="health", alert_class="business"),
        Alert("PmtaRecordTypeNeverSeen",
              'instance:mail_records:count{mta!="postfix", record_type=~"b|t|f"} == 0\n'
              f'and on ({KEYS}) instance:mail_records:count{{record_type="d"}} > 10000',
              "An MTA does not log a record type that alerts depend on.",
              f"No {{{{ $labels.record_type }}}} record was ever seen {BY}: have it logged, or its alerts cannot fire.", severity="info", wait="1h", board="health"),
        Alert("PmtaLogEvents",
              'increase(pmta_log_events_total{event=~"pipe_failed|startup_error|licence"}[15m]) > 0',
              "PowerMTA's own log reports a failure.",
              f"{{{{ $labels.event }}}} in pmta.log {HERE}.", board="health"),
    ]


def security():
    return [
        Alert("PmtaAuthenticationRefusals",
              'sum without (vmta, reason) (reason:mail_bounces:increase1h{reason="authentication"})\n'
              f"  / on ({KEYS}, provider) (provider:mail_attempts:increase1h >= {VOLUME}) > 0.01",
              "Receivers refuse our mail because SPF, DKIM or DMARC fails.",
              f"{PERCENT} of the mail to {{{{ $labels.provider }}}} {BY} was refused for authentication.",
              severity="critical", wait="5m", board="security", alert_class="security"),
        Alert("PmtaPlaintextShareHigh",
              f"1 - provider:mail_tls:ratio_rate1d > 0.05\nand provider:mail_deliveries:rate1d * 86400 >= {VOLUME}",
              "Mail leaves without encryption.",
              f"{PERCENT} of the mail to {{{{ $labels.provider }}}} {BY} was sent in the clear over the last day.",
              wait="1h", board="security", alert_class="security"),
        Alert("PmtaSmtpUserSurge",
              "increase(pmta_smtp_user_receipts_total[1h]) > 5 * (increase(pmta_smtp_user_receipts_total[1h] offset 1w) > 0)\n"
              "and increase(pmta_smtp_user_receipts_total[1h]) > 1000\n"
              f"unless on ({TARGET}) instance:mail_backlog:hold1h",
              "An SMTP user submits far more mail than usual: its password may be stolen.",
              f"{{{{ $labels.smtp_user }}}} submitted {{{{ $value | humanize }}}} messages {HERE} in an hour: over 5 times last week's.", severity="critical", wait="5m", board="security", alert_class="security"),
        Alert("PmtaNewSmtpUserSurge",
              "increase(pmta_smtp_user_receipts_total[1h]) > 5000\n"
              "unless increase(pmta_smtp_user_receipts_total[1h] offset 1w) > 0\n"
              f"unless on ({TARGET}) instance:mail_backlog:hold1h",
              "An SMTP user who sent nothing a week ago submits much mail.",
              f"{{{{ $labels.smtp_user }}}} submitted {{{{ $value | humanize }}}} messages {HERE} in an hour and none in that hour "
              "a week ago.", wait="5m", board="security", alert_class="security"),
    ]


def warmup():
    return [
        Alert("PmtaWarmupRateOverLimit",
              "sender_provider:mail_deliveries:increase1h\n"
              f'  > on ({KEYS}, sender_domain, provider) sender_provider:mail_warmup_recommended:hourly{{profile="standard"}}\n'
              f"and on ({KEYS}, sender_domain) sender_domain:mail_warmup_stage:info{{stage!=\"mature\"}}",
              "A sender that is being warmed up sends more than a provider takes from a young sender.",
              f"{{{{ $labels.sender_domain }}}} sent {{{{ $value | humanize }}}} messages to {{{{ $labels.provider }}}} {BY} in the "
              "last hour.", wait="10m", board="senders", alert_class="business"),
        Alert("PmtaSenderHealthPoor", "sender_domain:mail_health:score1d < 0.50\n"
              f"and sender_domain:mail_attempts:rate1d * 86400 >= {VOLUME}",
              "The health score of a sender is poor.",
              f"{{{{ $labels.sender_domain }}}} {BY} has a score of {{{{ $value | humanize }}}} of 1 over the last day.", wait="1h",
              board="senders", alert_class="business"),
    ]


def kumomta():
    volume = "increase(total_messages_transfail_by_provider[1h]) + increase(total_messages_delivered_by_provider[1h])"
    ratio = ("rate(total_messages_transfail_by_provider[1h])\n"
             "  / (rate(total_messages_transfail_by_provider[1h]) + rate(total_messages_delivered_by_provider[1h]) > 0)")
    return [
        Alert("KumoTransientFailuresHigh", f"{ratio} > 0.15\nand {volume} >= {VOLUME}",
              "A mailbox provider defers much of KumoMTA's mail.",
              f"{PERCENT} of the attempts to {{{{ $labels.provider }}}} {HERE} failed for now.", wait="10m", board="kumomta"),
        Alert("KumoTransientFailuresCritical", f"{ratio} > 0.30\nand {volume} >= {VOLUME}",
              "A mailbox provider defers most of KumoMTA's mail.",
              f"{PERCENT} of the attempts to {{{{ $labels.provider }}}} {HERE} failed for now.", severity="critical",
              wait="30m", board="kumomta"),
        Alert("KumoReadyQueueFull", "rate(ready_full[10m]) > 0", "A ready queue of KumoMTA is full.",
              f"Messages for {{{{ $labels.service }}}} {HERE} do not fit the ready queue.", wait="10m", board="kumomta"),
        Alert("KumoSourceSuspended", "egress_source_health_suspended > 0", "KumoMTA has suspended an egress source.",
              f"{{{{ $labels.source }}}} {HERE} is suspended ({{{{ $labels.reason }}}}).", wait="5m", board="kumomta"),
        Alert("KumoDiskLow", "disk_free_percent < 10", "KumoMTA's spool disk is nearly full.",
              f"{{{{ $value }}}} % are free on {{{{ $labels.name }}}} {HERE}.", severity="critical", wait="5m", board="kumomta"),
        Alert("KumoMemoryOverLimit", "memory_usage / (memory_limit > 0) > 0.90", "KumoMTA is close to its memory limit.",
              f"KumoMTA uses {PERCENT} of its memory limit {HERE}.", wait="10m", board="kumomta"),
    ]


def watchdog():
    return [Alert("Watchdog", "vector(1)", "This alert always fires: when it stops, alerting itself is broken.",
                  "Route it to a heartbeat that notices its absence.", severity="none", board="health")]


DOMAINS = {
    "delivery": ("What happens to mail: bounces, deferrals, complaints, per provider, pool, vmta and sender.", delivery),
    "mta_queue": ("How much mail waits, and for how long.", mta_queue),
    "dnsbl": ("Whether sending addresses and domains are on blocklists. A list that could not be asked never reads as "
              "resolved: the last answer of two hours counts.", dnsbl),
    "mail_auth": ("Whether the published SPF, DKIM, DMARC and neighbouring records are there and right.", mail_auth),
    "certificate": ("Whether the certificates of mail services are valid and for how long.", certificate),
    "mta_service": ("Whether PowerMTA and the services around it run.", mta_service),
    "mta_host": ("Whether the host has CPU and disk left (metrics of node_exporter), and what its log says.", mta_host),
    "exporter": ("Whether what we see is true and fresh.", exporter),
    "security": ("Signs of abuse and of mail that others can read or forge.", security),
    "warmup": ("Whether new senders grow as slowly as providers want.", warmup),
    "kumomta": ("KumoMTA, by its own metrics.", kumomta),
    "watchdog": ("Whether alerting itself works.", watchdog),
}


def main():
    target = pathlib.Path(sys.argv[1])
    for domain, (purpose, alerts) in DOMAINS.items():
        text = (f"# {purpose}\n# Written by alert-rules/src/alert_rules.py; every alert has a heading in docs/alerts.md.\n"
                f"groups:\n- name: mail-{domain.replace('_', '-')}\n  rules:\n" + "\n".join(a.text() for a in alerts()))
        (target / f"{domain}.rules.yml").write_text(text + "\n")


if __name__ == "__main__":
    main()
