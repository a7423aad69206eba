// Metric families that are counted from records, and the kinds of labels in their keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/exposition/catalogue.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::exporter::series {

// Whose records are counted. Each format has a feed, a store and a prefix of its own; the families are the same.
enum class RecordFormat : std::uint8_t { pmta, postfix, kumomta };
inline constexpr std::size_t record_formats = 3;
// What its metrics begin with: "pmta_", "postfix_", "kumomta_log_".
[[nodiscard]] std::string_view prefix(RecordFormat format);
// What its files are called in messages: "accounting file", "Postfix log", "KumoMTA log".
[[nodiscard]] std::string_view noun(RecordFormat format);
// The types that its records can have: those that <prefix>accounting_records_total shows from the start.
[[nodiscard]] std::span<const mta::logs::RecordType> record_types(RecordFormat format);

// The kinds of label values. Values of the first block come from records and are bounded by budgets; those of the
// second are words of ours (or of the provider table) and are never folded.
enum class Kind : std::uint8_t {
    vmta,
    pool,
    category,
    source_type,
    delivery_type,
    smtp_user,
    feedback_type,
    enhanced_code,
    protocol,
    sender_domain,
    source_ip,
    job_id,
    recipient_domain,
    provider,
    bounce_class,
    reason,
    code,
};
inline constexpr std::size_t kinds = 17;
inline constexpr std::size_t open_kinds = 13;
// The label's name in PowerMTA's families, and in those of a format: "" where the format has nothing like it.
[[nodiscard]] std::string_view name(Kind kind);
[[nodiscard]] std::string_view name(Kind kind, RecordFormat format);
[[nodiscard]] constexpr bool is_open(Kind kind) { return static_cast<std::size_t>(kind) < open_kinds; }

enum class Family : std::uint8_t {
    deliveries,  // two counts a row: recipients, bytes
    local_deliveries,
    bounces,
    bounce_reasons,
    remote_bounces,
    transient_failures,
    queue_transient_failures,
    receipts,
    smtp_user_receipts,
    complaints,
    diagnostics,
    replies,
    delivery_delay,  // a count for each bucket, then the sum in seconds
    tls_deliveries,
    last_delivery,  // not a count: the newest time stamp
    sender_deliveries,
    sender_bounces,
    sender_transient_failures,
    sender_complaints,
    sender_lifetime,
    source_ip_deliveries,
    source_ip_bounces,
    source_ip_transient_failures,
    job_deliveries,
    job_bounces,
    job_transient_failures,
    job_complaints,
    recipient_domain_deliveries,
    recipient_domain_bounces,
    recipient_domain_transient_failures,
};
inline constexpr std::size_t family_count = 30;
// The name of PowerMTA's metric in the catalogue.
[[nodiscard]] std::string_view metric_name(Family family);
// The catalogue's entry for a format; null where the format cannot feed the family.
[[nodiscard]] const exposition::Metric* metric_of(RecordFormat format, Family family);

// Metrics that are not families of the store: their names without the prefix, and the catalogue entry with it.
inline constexpr std::string_view bytes_metric = "delivered_bytes_total";
inline constexpr std::string_view records_metric = "accounting_records_total";
inline constexpr std::string_view newest_record_metric = "last_record_timestamp_seconds";
[[nodiscard]] const exposition::Metric& prefixed(RecordFormat format, std::string_view rest);
// Groups of the format's families that are counted only when the configuration turns them on.
[[nodiscard]] std::vector<std::string_view> opt_in_groups(RecordFormat format);

// Bounds of pmta_delivery_delay_seconds, one more bucket for +Inf, then the sum.
inline constexpr std::size_t delay_bounds = 14;
inline constexpr std::size_t delay_width = delay_bounds + 2;

template <class Enum>
[[nodiscard]] constexpr std::size_t index_of(Enum value) {
    return static_cast<std::size_t>(value);
}

}  // namespace mtawatch::exporter::series
