// The meaning of a record: where its mail went out, who sent it, to whom, for which job, and how it ended. Whatever
// counts records by one of these asks here, so that check_bounce_rate and the exporter count alike.
//
// A text is a view of the record's own cells (or, for a category, of a table that outlives it), as it stands there;
// "" where the record does not say it. Nothing is remembered: callers with many records put caches around these.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/mta/classes/bounce_class.h"
#include "shared/mta/classes/bounce_patterns.h"
#include "shared/mta/classes/provider.h"
#include "shared/mta/classes/reply_class.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::mta::classes {

// The vmta of a record whose own cell is empty: that of its queue, "vmta7" of "example.com/vmta7". A complaint's queue
// is that of the report, so it has none.
[[nodiscard]] std::string_view queue_vmta(const logs::Record& record);
// The VirtualMTA; of Postfix's records the relay, of KumoMTA's the egress source.
[[nodiscard]] inline std::string_view vmta_of(const logs::Record& record) {
    const std::string_view own = record.raw(logs::Column::vmta);
    return own.empty() ? queue_vmta(record) : own;
}
[[nodiscard]] inline std::string_view pool_of(const logs::Record& record) {
    return record.raw(logs::Column::vmta_pool);
}
// What a complaint does not say of where the mail went out: that of the delivery before it (no local one) from the same
// source address takes its place, and without a source address nothing does. One that names its vmta speaks for itself.
struct OriginGaps {
    bool vmta;
    bool pool;
};
[[nodiscard]] OriginGaps origin_gaps(const logs::Record& complaint);

// The domain of a complaint whose envelope sender is not told: of Return-Path, else From, else Reported-Domain.
[[nodiscard]] std::string_view complaint_sender(const logs::Record& record);
// The domain of the envelope sender.
[[nodiscard]] inline std::string_view sender_domain_of(const logs::Record& record) {
    const std::string_view domain = logs::address_domain(record.raw(logs::Column::orig));
    return domain.empty() && record.type == logs::RecordType::f ? complaint_sender(record) : domain;
}
[[nodiscard]] inline std::string_view recipient_domain_of(const logs::Record& record) {
    return logs::recipient_domain(record.raw(logs::Column::rcpt), record.raw(logs::Column::queue));
}

// What tells a recipient's provider: its domain, and the host that took the mail. Records that agree in both differ
// in the queue alone.
struct RecipientNames {
    std::string_view domain;
    std::string_view mx;
};
[[nodiscard]] inline RecipientNames recipient_names_of(const logs::Record& record) {
    return {recipient_domain_of(record), logs::host_of(record.raw(logs::Column::dsn_mta))};
}
// By domain, else by MX: the part of the answer that is worth remembering.
[[nodiscard]] ProviderId provider_by_names(const ProviderTable& table, const RecipientNames& names);
// The provider of a record that is no complaint, once provider_by_names() of its names is known: that, else the one
// of a rollup queue.
[[nodiscard]] inline ProviderId provider_of(const ProviderTable& table, const logs::Record& record,
                                            ProviderId by_names) {
    return by_names != other_provider ? by_names : table.by_rollup(record.raw(logs::Column::queue));
}
[[nodiscard]] ProviderId provider_of_complaint(const ProviderTable& table, const logs::Record& complaint);

// The columns that name a job unless the configuration says otherwise; the first that does counts.
[[nodiscard]] std::vector<std::string> default_job_columns();
// Those names as a reader needs them: ScannerOptions::custom_columns, and where each name's cell is then found. More
// than custom_column_count names of custom columns are left out.
struct JobColumns {
    std::vector<std::string> custom;
    std::vector<logs::Column> cells;
};
[[nodiscard]] JobColumns job_columns(std::span<const std::string> names);
// An "@" with text on both sides that touches it: "anna@client.example", but not "50 % off @ home".
[[nodiscard]] bool holds_address(std::string_view text);
// The first of the cells that names a job. A mail address is no job's name: some senders write the recipient there.
[[nodiscard]] std::string_view job_of(const logs::Record& record, std::span<const logs::Column> cells);

// The category of a bounce as logged, or where none is that of `patterns` (null: there are none).
[[nodiscard]] std::string_view category_of(const logs::Record& record, const BouncePatterns* patterns);
// What a category is counted under: "other" for none, which is PowerMTA's own word for bounces that it cannot place.
[[nodiscard]] inline std::string_view category_name(std::string_view category) {
    return category.empty() ? std::string_view("other") : category;
}
// What the receiver's reply says.
[[nodiscard]] inline ReplyVerdict verdict_of(const logs::Record& record, const ReplyClassifier& replies) {
    return replies.classify(record.raw(logs::Column::dsn_status), record.raw(logs::Column::dsn_diag));
}

// Whether a record did not leave this host (pipe, file, discard …), so that it is outside every ratio of outbound mail.
[[nodiscard]] inline bool is_local(const logs::Record& record) {
    return record.type != logs::RecordType::rb && !is_smtp_delivery(record.raw(logs::Column::dlv_type));
}
// The same of a bounce, early or late, or a deferral whose reply says `said`: one that no receiver decided is outside
// every ratio too.
[[nodiscard]] inline bool is_local(const logs::Record& record, BounceClass said) {
    const bool bounced = record.type == logs::RecordType::b || record.type == logs::RecordType::rb;
    // PowerMTA's own reasons: of a deferral they are reasons why an attempt failed.
    const bool own = bounced && record.raw(logs::Column::dsn_diag).starts_with("x-pmta;");
    return own || said == BounceClass::local || is_local(record);
}

// The class of a bounce, early or late, with that category (category_of) and a reply that says `said`.
[[nodiscard]] inline BounceClass bounce_class_of(const logs::Record& record, const BounceClasses& classes,
                                                 std::string_view category, BounceClass said) {
    return is_local(record, said) ? BounceClass::local : classes.of_bounce(category, said);
}

// A value as people read it: doubled quotes of the cell once, one line of valid UTF-8, at most max_name_bytes.
inline constexpr std::size_t max_name_bytes = 128;
[[nodiscard]] std::string readable_name(std::string_view cell);

}  // namespace mtawatch::mta::classes
