#include "shared/probe/bounce_rate/mail_tally.h"

#include <algorithm>
#include <array>

#include "shared/base/text.h"

namespace mtawatch::probe::bounce_rate {
namespace {

using mta::classes::BounceClass;
using mta::logs::Column;
using mta::logs::Record;
using mta::logs::RecordType;

constexpr std::array<std::string_view, 10> key_names{
    "none", "vmta", "pool", "provider", "sender-domain", "recipient-domain", "job", "source-ip", "category", "relay"};
constexpr std::size_t max_remembered = 1'000'000;  // answers kept for speed; past it they are worked out each time

bool by_sender(MailKey key) { return key == MailKey::vmta || key == MailKey::pool; }

}  // namespace

std::string_view name(MailKey key) { return key_names[static_cast<std::size_t>(key)]; }

std::optional<MailKey> mail_key_of_name(std::string_view wanted) {
    for (std::size_t i = 1; i < key_names.size(); ++i) {
        if (key_names[i] == wanted) return static_cast<MailKey>(i);
    }
    return std::nullopt;
}

MailTally::MailTally(const BounceRateQuery& query, const mta::classes::Classes& classes,
                     std::optional<mta::classes::BouncePatterns> patterns, BounceRateObservation& observation)
    : query_(query), classes_(classes), patterns_(std::move(patterns)), observation_(observation) {}

const mta::classes::ReplyClassifier& MailTally::replies() {
    if (!replies_) replies_ = std::make_unique<const mta::classes::ReplyClassifier>();
    return *replies_;
}

void MailTally::observe(std::span<const Record> records) {
    for (const Record& record : records) {
        see(record.type);
        if (record.time < observation_.end) newest_ = std::max(newest_, record.time);
    }
    publish_types();
}

void MailTally::publish_types() {
    const auto seen = [&](RecordType type) { return (seen_ >> static_cast<unsigned>(type) & 1U) != 0; };
    LoggedTypes& logged = observation_.logged;
    logged.deliveries |= seen(RecordType::d);
    logged.bounces |= seen(RecordType::b);
    logged.deferrals |= seen(RecordType::t);
    logged.complaints |= seen(RecordType::f);
    if (newest_ != mta::logs::no_time) observation_.newest = std::max(observation_.newest.value_or(newest_), newest_);
}

void MailTally::add(std::span<const Record> records) {
    const std::int64_t begin = observation_.begin;
    const std::int64_t end = observation_.end;
    const bool plain = query_.by == MailKey::none && query_.only.empty();
    std::uint64_t inside = 0;
    std::uint64_t plain_deliveries = 0;
    for (const Record& record : records) {
        see(record.type);
        if (record.time >= end) continue;
        newest_ = std::max(newest_, record.time);
        if (record.time < begin) continue;
        ++inside;
        if (plain && record.type == RecordType::d && record.raw(Column::dlv_type) == "smtp") {
            ++plain_deliveries;
        } else {
            count(record);
        }
    }
    observation_.records += inside;
    observation_.total.delivered += plain_deliveries;
    publish_types();
}

void MailTally::count(const Record& record) {
    switch (record.type) {
        case RecordType::d: {
            if (!passes(record)) return;
            const bool smtp = mta::classes::is_smtp_delivery(record.raw(Column::dlv_type));
            const auto field = smtp ? &MailCounts::delivered : &MailCounts::local_delivered;
            ++(observation_.total.*field);
            if (MailCounts* counts = group_of(record)) ++(counts->*field);
            if (query_.needed.complaints && by_sender(query_.by) && sources_.size() < max_remembered) {
                const std::string_view source = record.raw(Column::dlv_source_ip);
                if (!source.empty()) sources_.try_emplace(std::string(source), key_of(query_.by, record));
            }
            return;
        }
        case RecordType::b:
            return count_bounce(record, passes(record));
        case RecordType::t:
            if (!mta::classes::is_smtp_delivery(record.raw(Column::dlv_type)) || !passes(record)) return;
            ++observation_.total.deferred;
            if (MailCounts* counts = group_of(record)) ++counts->deferred;
            return;
        case RecordType::f:
            if (passes(record)) count_complaint(record);
            return;
        default:
            return;
    }
}

void MailTally::count_bounce(const Record& record, bool narrowed) {
    if (!narrowed) return;
    const std::string_view status = record.raw(Column::dsn_status);
    const std::string_view diag = record.raw(Column::dsn_diag);
    const std::string_view category = category_of(record);
    BounceClass bounce_class = BounceClass::local;
    if (!mta::classes::is_local_bounce(record.raw(Column::dlv_type), diag)) {
        bounce_class = classes_.bounce_classes.is_open(category)
                           ? mta::classes::class_of_reply(replies().classify(status, diag).reply_class, status)
                           : classes_.bounce_classes.of_category(category);
    }
    constexpr std::array<std::uint64_t MailCounts::*, mta::classes::bounce_class_count> fields{
        &MailCounts::hard, &MailCounts::soft, &MailCounts::block, &MailCounts::other, &MailCounts::local_bounced};
    const auto field = fields[static_cast<std::size_t>(bounce_class)];
    ++(observation_.total.*field);
    if (MailCounts* counts = group_of(record)) ++(counts->*field);
}

void MailTally::count_complaint(const Record& record) {
    ++observation_.total.complaints;
    if (query_.by == MailKey::none || query_.by == MailKey::category) return;
    const std::string_view key = key_of(query_.by, record);
    const std::string_view source = record.raw(Column::dlv_source_ip);
    if (key.empty() && by_sender(query_.by) && !source.empty() && unplaced_.size() < max_remembered) {
        unplaced_.emplace_back(source, 1);
        return;
    }
    ++group(key)->complaints;
}

void MailTally::finish() {
    for (const auto& [source, count] : unplaced_) {
        const auto known = sources_.find(source);
        group(known == sources_.end() ? std::string_view() : std::string_view(known->second))->complaints += count;
    }
    unplaced_.clear();
}

// Whether the record is of the mail that --only asks for. Deliveries have no category, so that key never drops them.
bool MailTally::passes(const Record& record) {
    return std::ranges::all_of(query_.only, [&](const auto& wanted) {
        if (wanted.first == MailKey::category && record.type != RecordType::b) return true;
        return base::iequals(key_of(wanted.first, record), wanted.second);
    });
}

MailCounts* MailTally::group_of(const Record& record) {
    if (query_.by == MailKey::none) return nullptr;
    if (query_.by == MailKey::category && record.type != RecordType::b) return nullptr;
    return group(key_of(query_.by, record));
}

MailCounts* MailTally::group(std::string_view key) {
    const auto known = groups_.find(key);
    if (known != groups_.end()) return known->second;
    constexpr std::size_t longest = 128;
    std::string label = key.empty() ? "none" : base::to_lower(base::clean_utf8(key, longest));
    if (observation_.groups.size() >= max_mail_groups && !observation_.groups.contains(label)) {
        observation_.groups_folded = true;
        return &observation_.groups["other"];
    }
    MailCounts* counts = &observation_.groups[label];
    if (groups_.size() < max_remembered) groups_.emplace(key, counts);
    return counts;
}

std::string_view MailTally::category_of(const Record& record) {
    const std::string_view category = record.raw(Column::bounce_cat);
    if (!category.empty() || !patterns_) return category;
    return patterns_->category(record.raw(Column::dsn_status), record.raw(Column::dsn_diag));
}

std::string_view MailTally::provider_of(const Record& record) {
    const mta::classes::ProviderTable& table = classes_.providers;
    const std::string_view domain = mta::logs::recipient_domain(record.raw(Column::rcpt), record.raw(Column::queue));
    if (record.type == RecordType::f) {
        return table.name(table.of_complaint(domain, record.raw(Column::format), record.raw(Column::user_agent),
                                             record.raw(Column::reporting_mta)));
    }
    // The MX counts only for domains that the table does not know, and changes rarely within one domain.
    scratch_.assign(domain);
    scratch_ += '\n';
    scratch_ += mta::logs::host_of(record.raw(Column::dsn_mta));
    if (domain.empty()) scratch_ += record.raw(Column::queue);
    const auto known = providers_.find(scratch_);
    if (known != providers_.end()) return known->second;
    const std::string_view found =
        table.name(table.find(domain, record.raw(Column::dsn_mta), record.raw(Column::queue)));
    if (providers_.size() < max_remembered) providers_.emplace(scratch_, found);
    return found;
}

std::string_view MailTally::key_of(MailKey key, const Record& record) {
    switch (key) {
        case MailKey::vmta:
        case MailKey::relay:
            return record.raw(Column::vmta);
        case MailKey::pool:
            return record.raw(Column::vmta_pool);
        case MailKey::provider:
            return provider_of(record);
        case MailKey::sender_domain: {
            const std::string_view domain = mta::logs::address_domain(record.raw(Column::orig));
            return domain.empty() ? record.raw(Column::reported_domain) : domain;
        }
        case MailKey::recipient_domain:
            return mta::logs::recipient_domain(record.raw(Column::rcpt), record.raw(Column::queue));
        case MailKey::job:
            for (const Column column : {Column::job_id, mta::logs::custom_column(0), mta::logs::custom_column(1)}) {
                if (const std::string_view job = record.raw(column); !job.empty()) return job;
            }
            return {};
        case MailKey::source_ip:
            return record.raw(Column::dlv_source_ip);
        case MailKey::category:
            return category_of(record);
        case MailKey::none:
            break;
    }
    return {};
}

}  // namespace mtawatch::probe::bounce_rate
