#include "shared/probe/bounce_rate/mail_tally.h"

#include <algorithm>
#include <array>

#include "shared/base/hash.h"
#include "shared/base/text.h"
#include "shared/mta/classes/reply_template.h"

namespace mtawatch::probe::bounce_rate {
namespace {

using mta::classes::BounceClass;
using mta::logs::Column;
using mta::logs::Record;
using mta::logs::RecordType;

constexpr std::array<std::string_view, 13> key_names{
    "none",     "vmta",  "pool",   "provider", "sender-domain", "recipient-domain", "job", "source-ip",
    "category", "relay", "reason", "code",     "reply"};
constexpr std::size_t max_remembered = 1'000'000;  // answers kept for speed; past it they are worked out each time

bool is_of_reply(MailKey key) { return key == MailKey::reason || key == MailKey::code || key == MailKey::reply; }
bool is_domain(MailKey key) { return key == MailKey::sender_domain || key == MailKey::recipient_domain; }
bool is_origin(MailKey key) { return key == MailKey::vmta || key == MailKey::pool; }

bool asks_for_origin(const BounceRateQuery& query) {
    return is_origin(query.by) ||
           std::ranges::any_of(query.only, [](const auto& wanted) { return is_origin(wanted.first); });
}

}  // namespace

bool is_of_failures(MailKey key) { return key == MailKey::category || is_of_reply(key); }

std::string_view name(MailKey key) { return key_names[static_cast<std::size_t>(key)]; }

std::optional<MailKey> mail_key_of_name(std::string_view wanted) {
    for (std::size_t i = 1; i < key_names.size(); ++i) {
        if (key_names[i] == wanted) return static_cast<MailKey>(i);
    }
    return std::nullopt;
}

MailTally::MailTally(const BounceRateQuery& query, const mta::classes::Classes& classes,
                     std::optional<mta::classes::BouncePatterns> patterns, std::vector<Column> job_cells,
                     BounceRateObservation& observation)
    : query_(query),
      classes_(classes),
      patterns_(std::move(patterns)),
      job_cells_(std::move(job_cells)),
      origin_asked_(asks_for_origin(query)),
      observation_(observation) {}

const mta::classes::ReplyVerdict& MailTally::verdict_of(const Record& record) {
    const std::string_view status = record.raw(Column::dsn_status);
    const std::string_view diag = record.raw(Column::dsn_diag);
    const std::uint64_t hash = base::hash_bytes(diag, base::hash_bytes(status));
    auto& [known, verdict] = verdicts_[hash % verdicts_.size()];
    if (known != hash) {
        verdict = replies().classify(status, diag);
        known = hash;
    }
    return verdict;
}

// A category of the operator's own that nothing explains: the reply decided, and the answer says so once.
void MailTally::note_category(std::string_view category) {
    if (category.empty() || category == "other") return;
    auto& unknown = observation_.unknown_categories;
    if (unknown.size() >= max_unknown_types && !unknown.contains(category)) return;
    ++unknown[std::string(category)];
}

const mta::classes::ReplyClassifier& MailTally::replies() {
    if (!replies_) replies_ = std::make_unique<const mta::classes::ReplyClassifier>(classes_.reply_rules);
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
    const std::int64_t before = begin - query_.since.count();
    const bool plain = query_.by == MailKey::none && query_.only.empty();
    std::uint64_t inside = 0;
    std::uint64_t plain_deliveries = 0;
    for (const Record& record : records) {
        see(record.type);
        if (record.time >= end) continue;
        newest_ = std::max(newest_, record.time);
        if (record.time < begin) {
            if (record.time >= before) note_before(record);
            continue;
        }
        ++inside;
        if (plain && record.type == RecordType::d && !mta::classes::is_local(record)) {
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
            const bool local = mta::classes::is_local(record);
            if (origin_asked_ && !local) learn_origin(record);
            if (!passes(record)) return;
            const auto field = local ? &MailCounts::local_delivered : &MailCounts::delivered;
            ++(observation_.total.*field);
            if (MailCounts* counts = group_of(record)) ++(counts->*field);
            return;
        }
        case RecordType::b:
            if (passes(record)) count_bounce(record);
            return;
        case RecordType::t:
            if (mta::classes::is_local(record) || !passes(record)) return;
            // An operator's own pause or throttle is no receiver's deferral.
            if (mta::classes::is_local(record, verdict_of(record).bounce_class)) return;
            ++observation_.total.deferred;
            if (MailCounts* counts = group_of(record)) ++counts->deferred;
            return;
        case RecordType::f:
            count_complaint(record);
            return;
        default:
            return;
    }
}

BounceClass MailTally::bounce_class_of(const Record& record) {
    const std::string_view category = category_of(record);
    if (classes_.bounce_classes.is_open(category)) note_category(category);
    return mta::classes::bounce_class_of(record, classes_.bounce_classes, category, verdict_of(record).bounce_class);
}

void MailTally::count_bounce(const Record& record) {
    constexpr std::array<std::uint64_t MailCounts::*, mta::classes::bounce_class_count> fields{
        &MailCounts::hard, &MailCounts::soft, &MailCounts::block, &MailCounts::other, &MailCounts::local_bounced};
    const auto field = fields[static_cast<std::size_t>(bounce_class_of(record))];
    ++(observation_.total.*field);
    if (MailCounts* counts = group_of(record)) ++(counts->*field);
}

void MailTally::learn_origin(const Record& delivery) {
    const std::string_view source = delivery.raw(Column::dlv_source_ip);
    if (source.empty()) return;
    auto known = sources_.find(source);
    if (known == sources_.end()) {
        if (sources_.size() >= max_remembered) return;
        known = sources_.emplace(source, Origin{}).first;
    }
    // An address keeps its vmta for long.
    const auto set = [](std::string& text, std::string_view now) {
        if (text != now) text = now;
    };
    set(known->second.vmta, mta::classes::vmta_of(delivery));
    set(known->second.pool, mta::classes::pool_of(delivery));
}

void MailTally::count_complaint(const Record& record) {
    const std::string_view source = record.raw(Column::dlv_source_ip);
    const mta::classes::OriginGaps gaps = mta::classes::origin_gaps(record);
    if (!origin_asked_ || source.empty() || !gaps.vmta) {
        if (passes(record)) add_complaint(key_of(query_.by, record));
        return;
    }
    if (!passes(record, Asked::but_origin)) return;
    Complaint complaint{std::string(source), std::string(mta::classes::pool_of(record)),
                        is_origin(query_.by) ? std::string() : std::string(key_of(query_.by, record))};
    if (sources_.contains(source) || unplaced_.size() >= max_remembered) {
        place(complaint);
    } else {
        unplaced_.push_back(std::move(complaint));
    }
}

void MailTally::add_complaint(std::string_view key) {
    ++observation_.total.complaints;
    if (query_.by != MailKey::none && !is_of_failures(query_.by)) ++group(key)->complaints;
}

void MailTally::place(const Complaint& complaint) {
    const auto known = sources_.find(complaint.source);
    Origin origin = known == sources_.end() ? Origin() : known->second;
    if (!complaint.pool.empty()) origin.pool = complaint.pool;
    const bool wanted = std::ranges::all_of(query_.only, [&](const auto& only) {
        return !is_origin(only.first) || base::iequals(origin.of(only.first), only.second);
    });
    if (wanted) add_complaint(is_origin(query_.by) ? origin.of(query_.by) : complaint.key);
}

void MailTally::finish() {
    for (const Complaint& complaint : unplaced_) place(complaint);
    unplaced_.clear();
}

// Whether the record is of the mail that --only asks for. Deliveries have no category, so that key never drops them.
bool MailTally::passes(const Record& record, Asked asked) {
    return std::ranges::all_of(query_.only, [&](const auto& wanted) {
        if (wanted.first == MailKey::category && record.type != RecordType::b) return true;
        if (is_of_reply(wanted.first) && record.type != RecordType::b && record.type != RecordType::t) return true;
        if (asked == Asked::but_origin && is_origin(wanted.first)) return true;
        return base::iequals(key_of(wanted.first, record), wanted.second);
    });
}

MailCounts* MailTally::group_of(const Record& record) {
    if (query_.by == MailKey::none) return nullptr;
    if (is_of_failures(query_.by) && !has_failed(record)) return nullptr;
    return group(key_of(query_.by, record));
}

// Whether the record is of the failures that the metric is about.
bool MailTally::has_failed(const Record& record) const {
    const bool deferred = record.type == RecordType::t && query_.metric == MailMetric::deferral;
    return record.type == RecordType::b || (deferred && is_of_reply(query_.by));
}

// What was met before the window is no news in it.
void MailTally::note_before(const Record& record) {
    ++observation_.records_before;
    if (!has_failed(record) || mta::classes::is_local(record, verdict_of(record).bounce_class) || !passes(record))
        return;
    const std::string label = label_of(key_of(query_.by, record));
    if (observation_.groups_before.size() < max_mail_groups) observation_.groups_before.insert(label);
}

std::string MailTally::label_of(std::string_view key) const {
    if (key.empty()) return "none";
    if (query_.by == MailKey::reply) return std::string(key);
    std::string label = mta::classes::readable_name(key);
    return is_domain(query_.by) ? base::to_lower(label) : label;
}

MailCounts* MailTally::group(std::string_view key) {
    const auto known = groups_.find(key);
    if (known != groups_.end()) return known->second;
    const std::string label = label_of(key);
    if (observation_.groups.size() >= max_mail_groups && !observation_.groups.contains(label)) {
        observation_.groups_folded = true;
        return &observation_.groups["other"];
    }
    MailCounts* counts = &observation_.groups[label];
    if (groups_.size() < max_remembered) groups_.emplace(key, counts);
    return counts;
}

std::string_view MailTally::category_of(const Record& record) {
    return mta::classes::category_of(record, patterns_ ? &*patterns_ : nullptr);
}

std::string_view MailTally::provider_of(const Record& record) {
    const mta::classes::ProviderTable& table = classes_.providers;
    if (record.type == RecordType::f) return table.name(mta::classes::provider_of_complaint(table, record));
    const mta::classes::RecipientNames names = mta::classes::recipient_names_of(record);
    scratch_.assign(names.domain);
    scratch_ += '\n';
    scratch_ += names.mx;
    const auto known = providers_.find(scratch_);
    mta::classes::ProviderId by_names = mta::classes::other_provider;
    if (known != providers_.end()) {
        by_names = known->second;
    } else {
        by_names = mta::classes::provider_by_names(table, names);
        if (providers_.size() < max_remembered) providers_.emplace(scratch_, by_names);
    }
    return table.name(mta::classes::provider_of(table, record, by_names));
}

std::string_view MailTally::key_of(MailKey key, const Record& record) {
    switch (key) {
        case MailKey::vmta:
        case MailKey::relay:
            return mta::classes::vmta_of(record);
        case MailKey::pool:
            return mta::classes::pool_of(record);
        case MailKey::provider:
            return provider_of(record);
        case MailKey::sender_domain:
            return mta::classes::sender_domain_of(record);
        case MailKey::recipient_domain:
            return mta::classes::recipient_domain_of(record);
        case MailKey::job:
            return mta::classes::job_of(record, job_cells_);
        case MailKey::source_ip:
            return record.raw(Column::dlv_source_ip);
        case MailKey::category:
            return mta::classes::category_name(category_of(record));
        case MailKey::reason:
            return name(verdict_of(record).reply_class);
        case MailKey::code:
            return code_of(record);
        case MailKey::reply:
            return reply_of(record);
        case MailKey::none:
            break;
    }
    return {};
}

std::string_view MailTally::code_of(const Record& record) {
    const mta::classes::ReplyCodes codes =
        mta::classes::reply_codes(record.raw(Column::dsn_status), record.raw(Column::dsn_diag));
    reply_scratch_ = codes.enhanced_size > 0 ? std::string(codes.enhanced_code())
                     : codes.code > 0        ? std::to_string(codes.code)
                                             : std::string();
    return reply_scratch_;
}

// "unknown-user: 550 5.1.1 <<address>>: User unknown".
std::string_view MailTally::reply_of(const Record& record) {
    const std::string_view diag = record.raw(Column::dsn_diag);
    reply_scratch_ = name(verdict_of(record).reply_class);
    reply_scratch_ += ": ";
    reply_scratch_ += mta::classes::reply_template(diag.empty() ? record.raw(Column::dsn_status) : diag);
    return reply_scratch_;
}

}  // namespace mtawatch::probe::bounce_rate
