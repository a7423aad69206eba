#include "exporter/exposition/catalogue.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "shared/base/json.h"
#include "shared/base/text.h"

namespace mtawatch::exporter::exposition {
namespace {

constexpr std::array groups_table{
    MetricGroup{
        "accounting", "From accounting records",
        "Counted from the accounting files that PowerMTA writes. Zeros are published only for record types that "
        "were seen or that the configuration names.",
        false, false},
    MetricGroup{"postfix", "From Postfix logs",
                "Counted from the mail log: a delivery, bounce or deferral for each recipient and final status. A "
                "family that the log cannot feed does not exist.",
                false, false},
    MetricGroup{"postfix_relay", "From Postfix logs, by relay",
                "The relay is the host that took or refused the mail, by name; relays that are idle are retired.",
                false, true},
    MetricGroup{"kumomta_log", "From KumoMTA logs",
                "Counted from the log segments that KumoMTA writes; its own /metrics has neither bounce class nor "
                "reply class nor delay.",
                false, false},
    MetricGroup{"sender", "By sender domain", "Counted from the same records; idle domains are retired.", false, true},
    MetricGroup{"sender_lifetime", "Warm-up of sender domains",
                "Never retired, and never folded anew once a domain has its series.", false, false},
    MetricGroup{"source_ip", "By source address", "Counted from the same records; idle addresses are retired.", false,
                true},
    MetricGroup{
        "job", "By job",
        "Counted from the same records; idle jobs are retired. KumoMTA's job is the campaign in the name of the queue. "
        "A name that is a mail address is no job.",
        true, true},
    MetricGroup{"recipient_domain", "By recipient domain", "Counted from the same records; idle domains are retired.",
                true, true},
    MetricGroup{"monitor", "From PowerMTA's monitor", "What PowerMTA says about itself over HTTP or by its program.",
                false, false},
    MetricGroup{"pmta_log", "From pmta.log", "Events in PowerMTA's own log.", false, false},
    MetricGroup{
        "probe", "About every probe",
        "A value of a probe disappears after five intervals without success, so no stale value poses as a fresh "
        "one.",
        false, false},
    MetricGroup{"certificate", "Certificates", "The same probe as check_mail_cert.", false, false},
    MetricGroup{"mail_submit", "Submission", "The same probe as check_mail_submit.", false, false},
    MetricGroup{"dnsbl", "Blocklists", "The same probe as check_dnsbl.", false, false},
    MetricGroup{"records", "DNS records of mail",
                "The same probes as check_spf, check_dkim, check_dmarc, check_mta_sts, "
                "check_tls_rpt and check_fcrdns.",
                false, false},
    MetricGroup{"host", "Services, queues and hosts",
                "The same probes as check_mta_service, check_mta_queue and check_mta_host.", false, false},
    MetricGroup{"exporter", "About the exporter", "How well the exporter does its own work.", false, false},
    MetricGroup{"process", "About its process", "From /proc/self.", false, false},
};

constexpr std::array metrics_table = std::to_array<Metric>({
    {"pmta_accounting_records_total", MetricType::counter, "",
     "Accounting records read, by type; exists for every type from the start.", "record_type", "accounting", 0},
    {"pmta_deliveries_total", MetricType::counter, "", "Recipients delivered over SMTP (d records).",
     "vmta,pool,provider", "accounting", 10000},
    {"pmta_local_deliveries_total", MetricType::counter, "",
     "Recipients handed to a pipe, a file or discarded (d records); part of no ratio.", "delivery_type", "accounting",
     16},
    {"pmta_delivered_bytes_total", MetricType::counter, "bytes",
     "Bytes of the messages delivered over SMTP (dlvSize of d records).", "vmta,pool,provider", "accounting", 10000},
    {"pmta_bounces_total", MetricType::counter, "",
     "Recipients that bounced (b records), by PowerMTA's category and our bounce class.",
     "vmta,pool,provider,category,bounce_class", "accounting", 20000},
    {"pmta_bounce_reasons_total", MetricType::counter, "",
     "Recipients that bounced (b records), by the class of the receiver's reply.", "vmta,provider,reason", "accounting",
     10000},
    {"pmta_remote_bounces_total", MetricType::counter, "", "Bounces that came back later as a message (rb records).",
     "provider,category,bounce_class", "accounting", 4000},
    {"pmta_transient_failures_total", MetricType::counter, "",
     "Delivery attempts that failed for now (t records), by the class of the receiver's reply.",
     "vmta,pool,provider,reason", "accounting", 20000},
    {"pmta_queue_transient_failures_total", MetricType::counter, "",
     "Transient failures of a whole queue (tq records), by the class of the reply.", "vmta,provider,reason",
     "accounting", 10000},
    {"pmta_receipts_total", MetricType::counter, "", "Recipients received for delivery (r records).",
     "vmta,source_type", "accounting", 2000},
    {"pmta_smtp_user_receipts_total", MetricType::counter, "",
     "Recipients received from authenticated submitters (r records with smtpUser).", "smtp_user", "accounting", 1000},
    {"pmta_complaints_total", MetricType::counter, "", "Complaints that came through feedback loops (f records).",
     "provider,feedback_type,vmta,pool", "accounting", 5000},
    {"pmta_diagnostics_total", MetricType::counter, "",
     "Records of separate diagnostic files, by the class of the reply; never a second count of a bounce.",
     "vmta,provider,reason", "accounting", 10000},
    {"pmta_replies_total", MetricType::counter, "",
     "Replies of receivers (d, b and t records) by SMTP code and enhanced status code.", "provider,code,enhanced_code",
     "accounting", 5000},
    {"pmta_delivery_delay_seconds", MetricType::histogram, "seconds",
     "Time from queueing to delivery over SMTP (d records).", "provider,pool", "accounting", 1000},
    {"pmta_tls_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP by TLS protocol; none where the record says that none was used.",
     "provider,protocol", "accounting", 1000},
    {"pmta_last_record_timestamp_seconds", MetricType::gauge, "seconds",
     "Newest time stamp among the records of the type; one more than a day ahead never counts.", "record_type",
     "accounting", 0},
    {"pmta_last_delivery_timestamp_seconds", MetricType::gauge, "seconds",
     "Newest time stamp among the SMTP deliveries of the pool.", "pool", "accounting", 256},
    {"pmta_sender_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP by domain of the envelope sender.", "sender_domain,provider", "sender", 10000},
    {"pmta_sender_bounces_total", MetricType::counter, "", "Recipients that bounced by domain of the envelope sender.",
     "sender_domain,bounce_class", "sender", 10000},
    {"pmta_sender_transient_failures_total", MetricType::counter, "",
     "Transient failures by domain of the envelope sender.", "sender_domain", "sender", 4000},
    {"pmta_sender_complaints_total", MetricType::counter, "",
     "Complaints by domain of the envelope sender, else of Return-Path, From or Reported-Domain.", "sender_domain",
     "sender", 4000},
    {"pmta_sender_lifetime_records_total", MetricType::counter, "",
     "Deliveries and bounces of a sender domain since it was first seen: how far its warm-up has come.",
     "sender_domain", "sender_lifetime", 4000},
    {"pmta_source_ip_deliveries_total", MetricType::counter, "", "Recipients delivered over SMTP by local IP address.",
     "source_ip", "source_ip", 1024},
    {"pmta_source_ip_bounces_total", MetricType::counter, "", "Recipients that bounced by local IP address.",
     "source_ip,bounce_class", "source_ip", 1024},
    {"pmta_source_ip_transient_failures_total", MetricType::counter, "", "Transient failures by local IP address.",
     "source_ip", "source_ip", 1024},
    {"pmta_job_deliveries_total", MetricType::counter, "", "Recipients delivered over SMTP by job.", "job_id", "job",
     5000},
    {"pmta_job_bounces_total", MetricType::counter, "", "Recipients that bounced by job.", "job_id,bounce_class", "job",
     10000},
    {"pmta_job_transient_failures_total", MetricType::counter, "", "Transient failures by job.", "job_id", "job", 5000},
    {"pmta_job_complaints_total", MetricType::counter, "", "Complaints by job.", "job_id", "job", 5000},
    {"pmta_recipient_domain_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP by recipient domain.", "recipient_domain", "recipient_domain", 10000},
    {"pmta_recipient_domain_bounces_total", MetricType::counter, "", "Recipients that bounced by recipient domain.",
     "recipient_domain,bounce_class", "recipient_domain", 10000},
    {"pmta_recipient_domain_transient_failures_total", MetricType::counter, "",
     "Transient failures by recipient domain.", "recipient_domain", "recipient_domain", 10000},
    {"postfix_accounting_records_total", MetricType::counter, "",
     "Deliveries, bounces and deferrals read from Postfix logs, by type; exists for every type from the start.",
     "record_type", "postfix", 0},
    {"postfix_deliveries_total", MetricType::counter, "", "Recipients delivered over SMTP or LMTP (status=sent).",
     "relay,provider", "postfix_relay", 2000},
    {"postfix_local_deliveries_total", MetricType::counter, "",
     "Recipients handed to a pipe, a mailbox or discarded (status=sent); part of no ratio.", "delivery_type", "postfix",
     16},
    {"postfix_delivered_bytes_total", MetricType::counter, "bytes",
     "Bytes of the messages delivered over SMTP or LMTP, as the queue manager logged them.", "relay,provider",
     "postfix_relay", 2000},
    {"postfix_bounces_total", MetricType::counter, "",
     "Recipients that bounced or expired (category message-expired), by our bounce class.",
     "relay,provider,category,bounce_class", "postfix_relay", 4000},
    {"postfix_bounce_reasons_total", MetricType::counter, "",
     "Recipients that bounced or expired, by the class of the receiver's reply.", "relay,provider,reason",
     "postfix_relay", 4000},
    {"postfix_transient_failures_total", MetricType::counter, "",
     "Delivery attempts that were deferred, by the class of the receiver's reply.", "relay,provider,reason",
     "postfix_relay", 4000},
    {"postfix_replies_total", MetricType::counter, "", "Replies of receivers by SMTP code and enhanced status code.",
     "provider,code,enhanced_code", "postfix", 5000},
    {"postfix_delivery_delay_seconds", MetricType::histogram, "seconds",
     "Time from arrival to delivery over SMTP or LMTP.", "provider", "postfix", 1000},
    {"postfix_tls_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP or LMTP by TLS protocol, of those whose TLS connection was logged "
     "(smtp_tls_loglevel 1).",
     "provider,protocol", "postfix", 1000},
    {"postfix_last_record_timestamp_seconds", MetricType::gauge, "seconds",
     "Newest time stamp among the records of the type; one more than a day ahead never counts.", "record_type",
     "postfix", 0},
    {"postfix_sender_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP or LMTP by domain of the envelope sender.", "sender_domain,provider", "sender",
     10000},
    {"postfix_sender_bounces_total", MetricType::counter, "",
     "Recipients that bounced by domain of the envelope sender.", "sender_domain,bounce_class", "sender", 10000},
    {"postfix_sender_transient_failures_total", MetricType::counter, "", "Deferrals by domain of the envelope sender.",
     "sender_domain", "sender", 4000},
    {"postfix_sender_lifetime_records_total", MetricType::counter, "",
     "Deliveries and bounces of a sender domain since it was first seen: how far its warm-up has come.",
     "sender_domain", "sender_lifetime", 4000},
    {"postfix_recipient_domain_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP or LMTP by recipient domain.", "recipient_domain", "recipient_domain", 10000},
    {"postfix_recipient_domain_bounces_total", MetricType::counter, "", "Recipients that bounced by recipient domain.",
     "recipient_domain,bounce_class", "recipient_domain", 10000},
    {"postfix_recipient_domain_transient_failures_total", MetricType::counter, "", "Deferrals by recipient domain.",
     "recipient_domain", "recipient_domain", 10000},
    {"kumomta_log_accounting_records_total", MetricType::counter, "",
     "Records read from KumoMTA logs, by type; exists for every type from the start.", "record_type", "kumomta_log", 0},
    {"kumomta_log_deliveries_total", MetricType::counter, "", "Recipients delivered over SMTP (Delivery records).",
     "egress_source,egress_pool,provider", "kumomta_log", 10000},
    {"kumomta_log_local_deliveries_total", MetricType::counter, "",
     "Recipients handed to a maildir or a script (Delivery records); part of no ratio.", "delivery_type", "kumomta_log",
     16},
    {"kumomta_log_delivered_bytes_total", MetricType::counter, "bytes",
     "Bytes of the messages delivered over SMTP (size of Delivery records).", "egress_source,egress_pool,provider",
     "kumomta_log", 10000},
    {"kumomta_log_bounces_total", MetricType::counter, "",
     "Recipients that bounced or expired, by KumoMTA's classification and our bounce class.",
     "egress_source,egress_pool,provider,category,bounce_class", "kumomta_log", 20000},
    {"kumomta_log_bounce_reasons_total", MetricType::counter, "",
     "Recipients that bounced or expired, by the class of the receiver's reply.", "egress_source,provider,reason",
     "kumomta_log", 10000},
    {"kumomta_log_remote_bounces_total", MetricType::counter, "",
     "Bounces that came back later as a message (OOB records).", "provider,category,bounce_class", "kumomta_log", 4000},
    {"kumomta_log_transient_failures_total", MetricType::counter, "",
     "Delivery attempts that failed for now (TransientFailure records), by the class of the receiver's reply.",
     "egress_source,egress_pool,provider,reason", "kumomta_log", 20000},
    {"kumomta_log_receipts_total", MetricType::counter, "", "Recipients received for delivery (Reception records).",
     "egress_source,source_type", "kumomta_log", 2000},
    {"kumomta_log_complaints_total", MetricType::counter, "",
     "Complaints that came through feedback loops (Feedback records).",
     "provider,feedback_type,egress_source,egress_pool", "kumomta_log", 5000},
    {"kumomta_log_replies_total", MetricType::counter, "",
     "Replies of receivers by SMTP code and enhanced status code.", "provider,code,enhanced_code", "kumomta_log", 5000},
    {"kumomta_log_delivery_delay_seconds", MetricType::histogram, "seconds",
     "Time from reception to delivery over SMTP (Delivery records).", "provider,egress_pool", "kumomta_log", 1000},
    {"kumomta_log_tls_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP by TLS protocol, of those whose record says one.", "provider,protocol",
     "kumomta_log", 1000},
    {"kumomta_log_last_record_timestamp_seconds", MetricType::gauge, "seconds",
     "Newest time stamp among the records of the type; one more than a day ahead never counts.", "record_type",
     "kumomta_log", 0},
    {"kumomta_log_last_delivery_timestamp_seconds", MetricType::gauge, "seconds",
     "Newest time stamp among the SMTP deliveries of the pool.", "egress_pool", "kumomta_log", 256},
    {"kumomta_log_sender_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP by domain of the envelope sender.", "sender_domain,provider", "sender", 10000},
    {"kumomta_log_sender_bounces_total", MetricType::counter, "",
     "Recipients that bounced by domain of the envelope sender.", "sender_domain,bounce_class", "sender", 10000},
    {"kumomta_log_sender_transient_failures_total", MetricType::counter, "",
     "Transient failures by domain of the envelope sender.", "sender_domain", "sender", 4000},
    {"kumomta_log_sender_complaints_total", MetricType::counter, "",
     "Complaints by domain of the envelope sender, else by the report's Reported-Domain.", "sender_domain", "sender",
     4000},
    {"kumomta_log_sender_lifetime_records_total", MetricType::counter, "",
     "Deliveries and bounces of a sender domain since it was first seen: how far its warm-up has come.",
     "sender_domain", "sender_lifetime", 4000},
    {"kumomta_log_source_ip_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP by local IP address.", "source_ip", "source_ip", 1024},
    {"kumomta_log_source_ip_bounces_total", MetricType::counter, "", "Recipients that bounced by local IP address.",
     "source_ip,bounce_class", "source_ip", 1024},
    {"kumomta_log_source_ip_transient_failures_total", MetricType::counter, "",
     "Transient failures by local IP address.", "source_ip", "source_ip", 1024},
    {"kumomta_log_job_deliveries_total", MetricType::counter, "", "Recipients delivered over SMTP by campaign.",
     "job_id", "job", 5000},
    {"kumomta_log_job_bounces_total", MetricType::counter, "", "Recipients that bounced by campaign.",
     "job_id,bounce_class", "job", 10000},
    {"kumomta_log_job_transient_failures_total", MetricType::counter, "", "Transient failures by campaign.", "job_id",
     "job", 5000},
    {"kumomta_log_job_complaints_total", MetricType::counter, "", "Complaints by campaign.", "job_id", "job", 5000},
    {"kumomta_log_recipient_domain_deliveries_total", MetricType::counter, "",
     "Recipients delivered over SMTP by recipient domain.", "recipient_domain", "recipient_domain", 10000},
    {"kumomta_log_recipient_domain_bounces_total", MetricType::counter, "",
     "Recipients that bounced by recipient domain.", "recipient_domain,bounce_class", "recipient_domain", 10000},
    {"kumomta_log_recipient_domain_transient_failures_total", MetricType::counter, "",
     "Transient failures by recipient domain.", "recipient_domain", "recipient_domain", 10000},
    {"pmta_up", MetricType::gauge, "", "Whether PowerMTA's monitor answered the last time it was asked.", "", "monitor",
     0},
    {"pmta_info", MetricType::gauge, "", "Version and platform that PowerMTA reports; always 1.", "version,platform",
     "monitor", 0},
    {"pmta_start_time_seconds", MetricType::gauge, "seconds", "When PowerMTA was started, Unix time.", "", "monitor",
     0},
    {"pmta_traffic_recipients_total", MetricType::counter, "",
     "Recipients that PowerMTA took in and sent out since it was started.", "direction", "monitor", 0},
    {"pmta_traffic_messages_total", MetricType::counter, "",
     "Messages that PowerMTA took in and sent out since it was started.", "direction", "monitor", 0},
    {"pmta_traffic_bytes_total", MetricType::counter, "bytes",
     "Bytes that PowerMTA took in and sent out since it was started.", "direction", "monitor", 0},
    {"pmta_connections", MetricType::gauge, "", "SMTP connections open now.", "direction", "monitor", 0},
    {"pmta_connections_max", MetricType::gauge, "", "SMTP connections that PowerMTA may have open at most.",
     "direction", "monitor", 0},
    {"pmta_queued_recipients", MetricType::gauge, "", "Recipients waiting in queues.", "queue_type", "monitor", 0},
    {"pmta_queued_domains", MetricType::gauge, "", "Domains with mail waiting.", "queue_type", "monitor", 0},
    {"pmta_queued_bytes", MetricType::gauge, "bytes", "Bytes waiting in queues.", "queue_type", "monitor", 0},
    {"pmta_spool_recipients", MetricType::gauge, "", "Recipients in the spool.", "", "monitor", 0},
    {"pmta_spool_recipients_max", MetricType::gauge, "", "Recipients that the spool may hold.", "", "monitor", 0},
    {"pmta_spool_initialized_ratio", MetricType::gauge, "ratio",
     "Part of the spool that was read since the start, 0 to 1.", "", "monitor", 0},
    {"pmta_resolver_pending_queries", MetricType::gauge, "", "DNS queries of PowerMTA that wait for an answer.", "",
     "monitor", 0},
    {"pmta_domain_queued_recipients", MetricType::gauge, "",
     "Recipients waiting for the domain; the largest domains by name, the rest under other.", "domain", "monitor", 256},
    {"pmta_vmta_queued_recipients", MetricType::gauge, "",
     "Recipients waiting in the VirtualMTA; the largest by name, the rest under other.", "vmta", "monitor", 256},
    {"pmta_backoff_queue_recipients", MetricType::gauge, "", "Recipients waiting in a queue in backoff mode.",
     "domain,vmta", "monitor", 1000},
    {"pmta_paused_queue_recipients", MetricType::gauge, "", "Recipients waiting in a queue that an operator paused.",
     "domain,vmta", "monitor", 1000},
    {"pmta_queues", MetricType::gauge, "", "Queues in the mode.", "mode", "monitor", 0},
    {"pmta_license_expiry_timestamp_seconds", MetricType::gauge, "seconds",
     "When the licence ends, Unix time; absent for one without an end.", "", "monitor", 0},
    {"pmta_log_events_total", MetricType::counter, "", "Events in pmta.log that an operator should know of.", "event",
     "pmta_log", 0},
    {"mail_probe_success", MetricType::gauge, "",
     "Whether the last run of the probe succeeded; its results are in the other metrics.", "probe,target", "probe", 0},
    {"mail_probe_duration_seconds", MetricType::gauge, "seconds", "How long the last run of the probe took.",
     "probe,target", "probe", 0},
    {"mail_probe_last_run_timestamp_seconds", MetricType::gauge, "seconds", "When the probe last ran, Unix time.",
     "probe,target", "probe", 0},
    {"mail_probe_last_success_timestamp_seconds", MetricType::gauge, "seconds",
     "When the probe last succeeded, Unix time.", "probe,target", "probe", 0},
    {"mail_certificate_not_after_timestamp_seconds", MetricType::gauge, "seconds",
     "When the certificate ends, Unix time; position 0 is the server's own.", "target,position", "certificate", 0},
    {"mail_certificate_verified", MetricType::gauge, "", "Whether the certificate chain verifies and names the host.",
     "target", "certificate", 0},
    {"mail_certificate_dane_valid", MetricType::gauge, "",
     "Whether the certificate matches a DNSSEC-authenticated TLSA record; absent where there is none.", "target",
     "certificate", 0},
    {"mail_certificate_served_matches_file", MetricType::gauge, "",
     "Whether the served certificate is the one on disk; absent where no file is named.", "target", "certificate", 0},
    {"mail_submit_accepted", MetricType::gauge, "",
     "Whether the submission server took login, sender and recipients; 0 also where it cannot be reached.", "target",
     "mail_submit", 0},
    {"mail_submit_phase_duration_seconds", MetricType::gauge, "seconds",
     "How long a phase of the last run took: resolve, connect, tls, greeting, hello, auth, mail, rcpt, reset; absent "
     "where it was not reached.",
     "target,phase", "mail_submit", 0},
    {"mail_dnsbl_listed", MetricType::gauge, "", "Whether the list lists the target; absent where it could not tell.",
     "target,list,list_severity", "dnsbl", 0},
    {"mail_dnsbl_lists", MetricType::gauge, "",
     "Lists that gave the verdict: listed, clean, or unknown where a list could not tell.", "target,verdict", "dnsbl",
     0},
    {"mail_spf_valid", MetricType::gauge, "", "Whether the domain publishes one valid SPF record.", "domain", "records",
     0},
    {"mail_spf_lookups", MetricType::gauge, "", "DNS lookups that the SPF record needs; receivers stop at 10.",
     "domain", "records", 0},
    {"mail_spf_pass", MetricType::gauge, "", "Whether mail of the domain from the address passes SPF.", "domain,ip",
     "records", 0},
    {"mail_dkim_valid", MetricType::gauge, "", "Whether the DKIM key of the selector is published and usable.",
     "domain,selector", "records", 0},
    {"mail_dkim_key_bytes", MetricType::gauge, "bytes", "Size of the published DKIM key.", "domain,selector", "records",
     0},
    {"mail_dmarc_valid", MetricType::gauge, "", "Whether a valid DMARC record applies to the domain.", "domain",
     "records", 0},
    {"mail_dmarc_policy", MetricType::gauge, "", "The DMARC policy that applies to the domain; always 1.",
     "domain,policy", "records", 0},
    {"mail_mta_sts_valid", MetricType::gauge, "", "Whether MTA-STS record and policy are valid and cover the MX hosts.",
     "domain", "records", 0},
    {"mail_tls_rpt_valid", MetricType::gauge, "", "Whether the domain publishes a valid TLS-RPT record.", "domain",
     "records", 0},
    {"mail_fcrdns_valid", MetricType::gauge, "", "Whether the address has a name that resolves back to it.", "ip",
     "records", 0},
    {"mail_service_active", MetricType::gauge, "", "Whether systemd calls the unit active.", "host,unit", "host", 0},
    {"mail_service_restarts", MetricType::gauge, "",
     "How often systemd restarted the unit by itself since it was loaded.", "host,unit", "host", 0},
    {"mail_queue_messages", MetricType::gauge, "",
     "Messages in the queue; the largest queues by name, the rest under other.", "host,mta,queue", "host", 256},
    {"mail_queue_oldest_message_timestamp_seconds", MetricType::gauge, "seconds",
     "Arrival time of the oldest message that waits, Unix time.", "host,mta", "host", 0},
    {"mail_host_disk_used_ratio", MetricType::gauge, "ratio", "Used part of the file system, 0 to 1.",
     "host,mountpoint", "host", 0},
    {"mail_host_log_errors", MetricType::gauge, "", "Errors in the mail log during the last hour.", "host", "host", 0},
    {"mail_kumomta_source_suspended", MetricType::gauge, "", "Whether KumoMTA suspended the egress source.",
     "host,source", "host", 0},
    {"pmta_exporter_build_info", MetricType::gauge, "", "Version, revision and compiler of this exporter; always 1.",
     "version,revision,compiler", "exporter", 0},
    {"pmta_exporter_config_last_reload_successful", MetricType::gauge, "",
     "Whether the last attempt to read the configuration succeeded.", "", "exporter", 0},
    {"pmta_exporter_config_last_reload_success_timestamp_seconds", MetricType::gauge, "seconds",
     "When the configuration in use was read, Unix time.", "", "exporter", 0},
    {"pmta_exporter_lines_total", MetricType::counter, "",
     "Lines of followed files by what they were: parsed, malformed, oversized or header.", "status", "exporter", 0},
    {"pmta_exporter_parse_errors_total", MetricType::counter, "", "Records that could not be used, by reason.",
     "reason", "exporter", 0},
    {"pmta_exporter_read_bytes_total", MetricType::counter, "bytes", "Bytes of followed files read, decompressed.", "",
     "exporter", 0},
    {"pmta_exporter_read_lag_bytes", MetricType::gauge, "bytes",
     "Bytes that the followed files hold beyond what was read.", "source", "exporter", 0},
    {"pmta_exporter_source_files", MetricType::gauge, "", "Files that the glob leads to; 0 where it matches nothing.",
     "source", "exporter", 0},
    {"pmta_exporter_source_unreadable", MetricType::gauge, "",
     "Files and folders of the glob that cannot be read now; the log says why.", "source", "exporter", 0},
    {"pmta_exporter_unwatched_folders", MetricType::gauge, "",
     "Folders that inotify cannot watch: what is new there is found by the next rescan; the log says why.", "",
     "exporter", 0},
    {"pmta_exporter_last_read_timestamp_seconds", MetricType::gauge, "seconds",
     "When records were last read, Unix time.", "", "exporter", 0},
    {"pmta_exporter_catching_up", MetricType::gauge, "", "Whether a backlog found at the start is still being read.",
     "", "exporter", 0},
    {"pmta_exporter_backlog_end_timestamp_seconds", MetricType::gauge, "seconds",
     "When the backlog found at the start was read, Unix time.", "", "exporter", 0},
    {"pmta_exporter_file_rotations_total", MetricType::counter, "",
     "Followed files that were renamed, moved or replaced by a new one.", "", "exporter", 0},
    {"pmta_exporter_file_truncations_total", MetricType::counter, "",
     "Followed files that became shorter; what was not read before is lost.", "", "exporter", 0},
    {"pmta_exporter_checkpoint_last_write_timestamp_seconds", MetricType::gauge, "seconds",
     "When offsets and counters were last saved, Unix time; the oldest save where several feeds are followed.", "",
     "exporter", 0},
    {"pmta_exporter_checkpoint_write_failures_total", MetricType::counter, "",
     "Attempts to save offsets and counters that failed.", "", "exporter", 0},
    {"pmta_exporter_series", MetricType::gauge, "", "Series that the family holds.", "family", "exporter", 0},
    {"pmta_exporter_series_limit", MetricType::gauge, "", "Series that the family may hold.", "family", "exporter", 0},
    {"pmta_exporter_label_values_folded_total", MetricType::counter, "",
     "Records counted under other because the family was full.", "family,label", "exporter", 0},
    {"pmta_exporter_retired_records_total", MetricType::counter, "", "Records whose series ended after 7 idle days.",
     "family", "exporter", 0},
    {"process_cpu_seconds_total", MetricType::counter, "seconds", "User and system CPU time of this exporter.", "",
     "process", 0},
    {"process_resident_memory_bytes", MetricType::gauge, "bytes", "Resident memory of this exporter.", "", "process",
     0},
    {"process_virtual_memory_bytes", MetricType::gauge, "bytes", "Virtual memory of this exporter.", "", "process", 0},
    {"process_open_fds", MetricType::gauge, "", "Open file descriptors of this exporter.", "", "process", 0},
    {"process_max_fds", MetricType::gauge, "", "File descriptors that this exporter may open.", "", "process", 0},
    {"process_start_time_seconds", MetricType::gauge, "seconds", "When this exporter was started, Unix time.", "",
     "process", 0},
});

// Mail takes seconds or days: from the first attempt to the end of PowerMTA's usual bounce-after.
constexpr std::array<std::uint32_t, 14> delay_bounds{1,    5,     15,    30,    60,     300,    900,
                                                     3600, 14400, 43200, 86400, 172800, 259200, 432000};

std::string group_json(const MetricGroup& group) {
    base::JsonWriter json;
    json.object().member("name", group.name).member("title", group.title).member("about", group.about);
    return json.member("opt_in", group.opt_in).member("retires", group.retires).end().take();
}

std::string metric_json(const Metric& entry) {
    base::JsonWriter json;
    json.object().member("name", entry.name).member("type", name_of(entry.type)).member("unit", entry.unit);
    json.member("help", entry.help).member("labels", label_names(entry)).member("group", entry.group);
    if (entry.budget != 0) json.member("budget", entry.budget);
    if (entry.type == MetricType::histogram) {
        json.key("buckets").array();
        for (const std::uint32_t bound : histogram_bounds(entry)) json.value(bound);
        json.end();
    }
    return json.end().take();
}

}  // namespace

std::string_view name_of(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "counter";
        case MetricType::gauge:
            return "gauge";
        case MetricType::histogram:
            return "histogram";
    }
    return "unknown";
}

std::span<const Metric> catalogue() { return metrics_table; }

std::span<const MetricGroup> metric_groups() { return groups_table; }

const Metric* find_metric(std::string_view name) {
    const auto found = std::ranges::find(metrics_table, name, &Metric::name);
    return found == metrics_table.end() ? nullptr : found;
}

const Metric& metric(std::string_view name) {
    const Metric* found = find_metric(name);
    if (found == nullptr) throw std::logic_error("the catalogue has no metric " + std::string(name));
    return *found;
}

const MetricGroup& group_of(const Metric& entry) {
    const auto found = std::ranges::find(groups_table, entry.group, &MetricGroup::name);
    if (found == groups_table.end()) throw std::logic_error("the catalogue has no group " + std::string(entry.group));
    return *found;
}

std::vector<std::string_view> label_names(const Metric& entry) {
    if (entry.labels.empty()) return {};
    return base::split(entry.labels, ',');
}

std::span<const std::uint32_t> histogram_bounds(const Metric& entry) {
    if (entry.type != MetricType::histogram) return {};
    return delay_bounds;
}

std::string catalogue_json() {
    std::string text = "{\n\"groups\":[";
    const char* between = "\n";
    for (const MetricGroup& group : groups_table) {
        text += between + group_json(group);
        between = ",\n";
    }
    text += "\n],\n\"metrics\":[";
    between = "\n";
    for (const Metric& entry : metrics_table) {
        text += between + metric_json(entry);
        between = ",\n";
    }
    return text + "\n]\n}\n";
}

}  // namespace mtawatch::exporter::exposition
