#include "exporter/series/families.h"

#include <algorithm>

namespace mtawatch::exporter::series {
namespace {

constexpr std::array<std::string_view, kinds> kind_names{
    "vmta",          "pool",     "category",      "source_type", "delivery_type", "smtp_user",        "feedback_type",
    "enhanced_code", "protocol", "sender_domain", "source_ip",   "job_id",        "recipient_domain", "provider",
    "bounce_class",  "reason",   "code"};

constexpr std::array<std::string_view, family_count> metric_names{
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

constexpr std::array<std::string_view, record_formats> prefixes{"pmta_", "postfix_", "kumomta_log_"};
constexpr std::array<std::string_view, record_formats> nouns{"accounting file", "Postfix log", "KumoMTA log"};

using enum mta::logs::RecordType;
constexpr std::array pmta_types{d, b, t, tq, r, rb, rs, f, other};
constexpr std::array postfix_types{d, b, t};
constexpr std::array kumomta_types{d, b, t, r, rb, f, other};

}  // namespace

std::string_view prefix(RecordFormat format) { return prefixes[index_of(format)]; }
std::string_view noun(RecordFormat format) { return nouns[index_of(format)]; }

std::span<const mta::logs::RecordType> record_types(RecordFormat format) {
    switch (format) {
        case RecordFormat::pmta:
            break;
        case RecordFormat::postfix:
            return postfix_types;
        case RecordFormat::kumomta:
            return kumomta_types;
    }
    return pmta_types;
}

std::string_view name(Kind kind) { return kind_names[index_of(kind)]; }

std::string_view name(Kind kind, RecordFormat format) {
    if (kind == Kind::vmta && format == RecordFormat::postfix) return "relay";
    if (kind == Kind::pool && format == RecordFormat::postfix) return {};
    if (kind == Kind::vmta && format == RecordFormat::kumomta) return "egress_source";
    if (kind == Kind::pool && format == RecordFormat::kumomta) return "egress_pool";
    return name(kind);
}

const exposition::Metric* metric_of(RecordFormat format, Family family) {
    const std::string_view rest = metric_name(family).substr(prefix(RecordFormat::pmta).size());
    return exposition::find_metric(std::string(prefix(format)) + std::string(rest));
}

std::vector<std::string_view> opt_in_groups(RecordFormat format) {
    std::vector<std::string_view> names;
    for (const exposition::MetricGroup& group : exposition::metric_groups()) {
        const bool has = std::ranges::any_of(exposition::catalogue(), [&](const exposition::Metric& entry) {
            return entry.group == group.name && entry.name.starts_with(prefix(format));
        });
        if (group.opt_in && has) names.push_back(group.name);
    }
    return names;
}

const exposition::Metric& prefixed(RecordFormat format, std::string_view rest) {
    return exposition::metric(std::string(prefix(format)) + std::string(rest));
}
std::string_view metric_name(Family family) { return metric_names[index_of(family)]; }

}  // namespace mtawatch::exporter::series
