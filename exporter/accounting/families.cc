#include "exporter/accounting/families.h"

namespace mtawatch::exporter {
namespace {

constexpr std::array<std::string_view, kKinds> kKindNames{
    "vmta",          "pool",     "category",      "source_type", "delivery_type", "smtp_user",        "feedback_type",
    "enhanced_code", "protocol", "sender_domain", "source_ip",   "job_id",        "recipient_domain", "provider",
    "bounce_class",  "reason",   "code"};

constexpr std::array<std::string_view, kFamilies> kMetricNames{
    "pmta_deliveries_total",
    "pmta_local_deliveries_total",
    "pmta_bounces_total",
    "pmta_bounce_reasons_total",
    "pmta_remote_bounces_total",
    "pmta_transient_failures_total",
    "pmta_queue_transient_failures_total",
    "pmta_receipts_total",
    "pmta_smtp_user_receipts_total",
    "pmta_complaints_total",
    "pmta_diagnostics_total",
    "pmta_replies_total",
    "pmta_delivery_delay_seconds",
    "pmta_tls_deliveries_total",
    "pmta_last_delivery_timestamp_seconds",
    "pmta_sender_deliveries_total",
    "pmta_sender_bounces_total",
    "pmta_sender_transient_failures_total",
    "pmta_sender_complaints_total",
    "pmta_sender_lifetime_records_total",
    "pmta_source_ip_deliveries_total",
    "pmta_source_ip_bounces_total",
    "pmta_source_ip_transient_failures_total",
    "pmta_job_deliveries_total",
    "pmta_job_bounces_total",
    "pmta_job_transient_failures_total",
    "pmta_job_complaints_total",
    "pmta_recipient_domain_deliveries_total",
    "pmta_recipient_domain_bounces_total",
    "pmta_recipient_domain_transient_failures_total",
};

}  // namespace

std::string_view name(Kind kind) { return kKindNames[index_of(kind)]; }
std::string_view metric_name(Family family) { return kMetricNames[index_of(family)]; }

}  // namespace mtawatch::exporter
