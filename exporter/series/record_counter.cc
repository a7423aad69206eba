#include "exporter/series/record_counter.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "exporter/series/prefetch.h"
#include "shared/base/hash.h"
#include "shared/base/text.h"

namespace mtawatch::exporter::series {
namespace {

constexpr TextId not_yet = no_text - 1;

// The number in a cell, 0 where it is none: dlvSize is documented for d records only.
std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// The first decimal digit; 1 for a fraction above 0 and below 0.1.
std::int64_t tenths(std::string_view decimals) {
    if (decimals.find_first_of("123456789") == std::string_view::npos) return 0;
    return std::max<std::int64_t>(1, decimals.front() - '0');
}

// No e-mail address becomes a label: of a user named like one, its domain.
std::string_view no_address(std::string_view text) {
    const std::size_t at = text.rfind('@');
    return at == std::string_view::npos ? text : text.substr(at + 1);
}

constexpr std::array<std::uint32_t, delay_bounds> bounds{1,    5,     15,    30,    60,     300,    900,
                                                         3600, 14400, 43200, 86400, 172800, 259200, 432000};

void add_delay(std::uint64_t* histogram, std::int64_t seconds, std::int64_t tenths) {
    std::size_t bucket = 0;
    // A part of a second is more than the bound before it; sums are whole seconds, rounded.
    const std::int64_t reached = seconds + (tenths == 0 ? 0 : 1);
    for (const std::uint32_t bound : bounds) bucket += reached > bound ? 1U : 0U;
    ++histogram[bucket];
    histogram[delay_width - 1] += static_cast<std::uint64_t>(seconds + (tenths >= 5 ? 1 : 0));
}

}  // namespace

mta::logs::ScannerOptions scanner_options(const CountSettings& settings) {
    mta::logs::ScannerOptions options = settings.scanner;
    options.custom_columns = mta::classes::job_columns(settings.job_columns).custom;
    return options;
}

RecordCounter::RecordCounter(const CountSettings& settings, SeriesStore& store)
    : settings_(settings),
      store_(store),
      classifier_(settings.reply_rules),
      queued_times_(settings.scanner.zone),
      job_cells_(mta::classes::job_columns(settings.job_columns).cells),
      providers_(provider_places),
      replies_(reply_answers),
      delivery_rows_(row_memos),
      sender_rows_(row_memos),
      source_rows_(row_memos),
      reply_rows_(row_memos),
      routes_(row_memos) {
    for (const std::string& provider : settings.providers->names()) provider_words_.push_back(store.word(provider));
    for (std::size_t i = 0; i < mta::classes::bounce_class_count; ++i) {
        bounce_words_[i] = store.word(name(static_cast<mta::classes::BounceClass>(i)));
    }
    for (std::size_t i = 0; i < mta::classes::reply_classes; ++i) {
        reply_words_[i] = store.word(name(static_cast<mta::classes::ReplyClass>(i)));
    }
    if (!settings.bounce_patterns_text.empty()) {
        // The configuration was refused if these could not be read.
        auto patterns =
            mta::classes::BouncePatterns::parse(settings.bounce_patterns_text, settings.bounce_patterns_file);
        if (patterns) patterns_ = std::move(*patterns);
    }
    code_words_.fill(not_yet);
    code_words_[0] = store.word("none");
}

void RecordCounter::count(std::span<const mta::logs::Record> records, std::int64_t now) {
    std::array<ProviderKey, ahead> keys;
    while (!records.empty()) {
        const auto some = records.first(std::min(ahead, records.size()));
        for (std::size_t i = 0; i < some.size(); ++i) keys[i] = provider_key(some[i]);
        if (store_.enabled(Family::recipient_domain_deliveries)) fetch_recipients({keys.data(), some.size()});
        for (std::size_t i = 0; i < some.size(); ++i) count_one(some[i], keys[i], now);
        records = records.subspan(some.size());
    }
}

void RecordCounter::fetch_recipients(std::span<const ProviderKey> keys) {
    std::array<std::uint32_t, ahead> hashes{};
    for (std::size_t i = 0; i < keys.size(); ++i) hashes[i] = ValueTable::plain_hash(keys[i].names.domain);
    store_.fetch(Kind::recipient_domain, Family::recipient_domain_deliveries, {hashes.data(), keys.size()});
}

void RecordCounter::count_one(const mta::logs::Record& record, const ProviderKey& key, std::int64_t now) {
    ++store_.totals.records[index_of(record.type)];
    const std::int64_t time = advance_time(record, now);
    if (generation_ != store_.generation()) forget_rows();
    switch (record.type) {
        case mta::logs::RecordType::d:
            delivery(record, key, time);
            break;
        case mta::logs::RecordType::b:
            bounce(record, key);
            break;
        case mta::logs::RecordType::t:
            transient(record, key);
            break;
        case mta::logs::RecordType::tq:
            queue_transient(record, key);
            break;
        case mta::logs::RecordType::r:
            receipt(record);
            break;
        case mta::logs::RecordType::rb:
            remote_bounce(record, key);
            break;
        case mta::logs::RecordType::f:
            complaint(record);
            break;
        case mta::logs::RecordType::diagnostic:
            diagnostic(record, key);
            break;
        case mta::logs::RecordType::rs:
        case mta::logs::RecordType::other:
            break;
    }
}

// The record's time if it may move the newest ones, else no_time.
std::int64_t RecordCounter::advance_time(const mta::logs::Record& record, std::int64_t now) {
    if (record.time == mta::logs::no_time) return mta::logs::no_time;
    if (record.time > now + future_slack_seconds) {
        ++store_.totals.future_stamps;
        return mta::logs::no_time;
    }
    std::int64_t& newest = store_.totals.last_record[index_of(record.type)];
    newest = std::max(newest, record.time);
    store_.advance(record.time);
    return record.time;
}

RecordCounter::ProviderKey RecordCounter::provider_key(const mta::logs::Record& record) const {
    const mta::classes::RecipientNames names = mta::classes::recipient_names_of(record);
    const std::uint64_t hash = base::hash_bytes(names.mx, base::hash_bytes(names.domain));
    prefetch(&providers_[hash % provider_places]);
    return {names, hash};
}

TextId RecordCounter::provider(const ProviderKey& key, const mta::logs::Record& record) {
    const auto& [names, hash] = key;
    const mta::classes::ProviderTable& table = *settings_.providers;
    ProviderAnswers& answers = providers_[hash % provider_places];
    mta::classes::ProviderId id = mta::classes::other_provider;
    if (((answers[0] ^ hash) & ~provider_id_bits) == 0) {
        id = static_cast<mta::classes::ProviderId>(answers[0]);
    } else if (((answers[1] ^ hash) & ~provider_id_bits) == 0) {
        id = static_cast<mta::classes::ProviderId>(answers[1]);
    } else {
        id = mta::classes::provider_by_names(table, names);
        answers = {(hash & ~provider_id_bits) | id, answers[0]};
    }
    return provider_words_[mta::classes::provider_of(table, record, id)];
}

RecordCounter::Common RecordCounter::common(const mta::logs::Record& record, const ProviderKey& key) {
    const Route r = route(record);
    return {r.vmta, r.pool, r.source, provider(key, record), key.names.domain};
}

// The cells are PowerMTA's own words, so nobody chooses them to share a hash of 64 bits. Values that were folded are
// not remembered: each record is to be counted as folded.
RecordCounter::Route RecordCounter::route(const mta::logs::Record& record) {
    const std::string_view vmta = mta::classes::vmta_of(record);
    const std::string_view pool = mta::classes::pool_of(record);
    const std::string_view source = record.raw(Cell::dlv_source_ip);
    const std::uint64_t hash = base::hash_bytes(source, base::hash_bytes(pool, base::hash_bytes(vmta)));
    Route& memo = routes_[hash % row_memos];
    if (memo.hash == hash && store_.touch_value(Kind::source_ip, memo.source, memo.source_place)) return memo;
    Route route{hash, store_.value(Kind::vmta, vmta), store_.value(Kind::pool, pool),
                store_.value(Kind::source_ip, source), 0};
    if (route.vmta == folded_text || route.pool == folded_text || route.source == folded_text) return route;
    route.source_place = store_.place(Kind::source_ip, source);
    memo = route;
    return memo;
}

RecordCounter::ReplyAnswer RecordCounter::verdict(const mta::logs::Record& record) {
    const std::string_view status = record.raw(Cell::dsn_status);
    const std::string_view diag = record.raw(Cell::dsn_diag);
    const std::uint64_t hash = base::hash_bytes(diag, base::hash_bytes(status));
    ReplyAnswer& known = replies_[hash % reply_answers];
    if (known.hash != hash) {
        const mta::classes::ReplyVerdict said = classifier_.classify(status, diag);
        known = {hash, said.reply_class, said.bounce_class};
    }
    return known;
}

TextId RecordCounter::sender(const mta::logs::Record& record) {
    return store_.value(Kind::sender_domain, mta::classes::sender_domain_of(record));
}

TextId RecordCounter::job(const mta::logs::Record& record) {
    return store_.value(Kind::job_id, mta::classes::job_of(record, job_cells_));
}

RecordCounter::BounceWords RecordCounter::bounce_words(const mta::logs::Record& record, const ReplyAnswer& answer) {
    const std::string_view category = mta::classes::category_of(record, patterns_ ? &*patterns_ : nullptr);
    const mta::classes::BounceClass bounce_class =
        mta::classes::bounce_class_of(record, settings_.bounce_classes, category, answer.bounce_class);
    return {store_.value(Kind::category, mta::classes::category_name(category)), bounce_words_[index_of(bounce_class)]};
}

void RecordCounter::delivery(const mta::logs::Record& record, const ProviderKey& key, std::int64_t time) {
    if (mta::classes::is_local(record)) {
        ++*row(Family::local_deliveries, store_.value(Kind::delivery_type, record.raw(Cell::dlv_type)));
        return;
    }
    const Common c = common(record, key);
    const std::optional<Delay> delay = delay_of(record, time);
    const DeliveryRows rows = delivery_rows(c, delay.has_value());
    std::uint64_t* deliveries = store_.counts(Family::deliveries, rows.deliveries);
    ++deliveries[0];
    deliveries[1] += number(record.raw(Cell::dlv_size));
    if (delay) add_delay(store_.counts(Family::delivery_delay, rows.delay), delay->seconds, delay->tenths);
    reply(record, c.provider);
    if (record.has(Cell::dlv_tls_protocol)) {
        const std::string_view protocol = record.raw(Cell::dlv_tls_protocol);
        const TextId id = protocol.empty() ? code_words_[0] : store_.value(Kind::protocol, protocol);
        ++*row(Family::tls_deliveries, c.provider, id);
    }
    if (time > 0) {
        std::uint64_t* newest = store_.counts(Family::last_delivery, rows.newest);
        *newest = std::max(*newest, static_cast<std::uint64_t>(time));
    }
    const SenderRows from = sender_rows(sender(record), c.provider);
    ++*store_.counts(Family::sender_deliveries, from.deliveries);
    ++*store_.counts(Family::sender_lifetime, from.lifetime);
    const SourceRows source = source_rows(c.source);
    ++*store_.counts(Family::source_ip_deliveries, source.deliveries);
    if (source.origin != SeriesTable::none) {
        std::uint64_t* origin = store_.origins().counts(source.origin);
        origin[0] = c.vmta;
        origin[1] = c.pool;
    }
    if (store_.enabled(Family::job_deliveries)) {
        ++*row(Family::job_deliveries, job(record));
    }
    if (store_.enabled(Family::recipient_domain_deliveries)) {
        ++*row(Family::recipient_domain_deliveries, store_.value(Kind::recipient_domain, c.rcpt_domain));
    }
}

// A remembered row serves only combinations that were not folded: folding counts every record.
RecordCounter::DeliveryRows RecordCounter::delivery_rows(const Common& c, bool with_delay) {
    const std::uint64_t vmta_pool = pair(c.vmta, c.pool);
    DeliveryRows& memo =
        delivery_rows_[base::mix(vmta_pool ^ c.provider * base::hash_seed, base::hash_step) % row_memos];
    const bool known = memo.vmta_pool == vmta_pool && memo.provider == c.provider;
    if (known && (memo.delay != SeriesTable::none || !with_delay)) return memo;
    DeliveryRows rows{vmta_pool, c.provider, 0, SeriesTable::none, 0};
    std::array<TextId, 3> deliveries{c.vmta, c.pool, c.provider};
    std::array<TextId, 2> delay{c.provider, c.pool};
    std::array<TextId, 1> newest{c.pool};
    rows.deliveries = store_.row_number(Family::deliveries, deliveries.data());
    if (with_delay) rows.delay = store_.row_number(Family::delivery_delay, delay.data());
    rows.newest = store_.row_number(Family::last_delivery, newest.data());
    const bool folded = deliveries[0] != c.vmta || deliveries[1] != c.pool || delay[1] != c.pool || newest[0] != c.pool;
    if (!folded) memo = rows;
    return rows;
}

RecordCounter::SenderRows RecordCounter::sender_rows(TextId from, TextId provider) {
    const std::uint64_t key = pair(from, provider);
    SenderRows& memo = sender_rows_[base::mix(key, base::hash_step) % row_memos];
    if (memo.sender_provider == key) return memo;
    SenderRows rows{key, 0, 0};
    std::array<TextId, 2> deliveries{from, provider};
    std::array<TextId, 1> lifetime{from};
    rows.deliveries = store_.row_number(Family::sender_deliveries, deliveries.data());
    rows.lifetime = store_.row_number(Family::sender_lifetime, lifetime.data());
    if (deliveries[0] == from && lifetime[0] == from) memo = rows;
    return rows;
}

RecordCounter::SourceRows RecordCounter::source_rows(TextId source) {
    SourceRows& memo = source_rows_[source % row_memos];
    if (memo.source == source) return memo;
    SourceRows rows{source, 0, 0};
    TextId key = source;
    rows.deliveries = store_.row_number(Family::source_ip_deliveries, &key);
    rows.origin = store_.origin_row(source);
    if (key == source) memo = rows;
    return rows;
}

void RecordCounter::forget_rows() {
    std::ranges::fill(delivery_rows_, DeliveryRows{});
    std::ranges::fill(sender_rows_, SenderRows{});
    std::ranges::fill(source_rows_, SourceRows{});
    std::ranges::fill(reply_rows_, ReplyRow{});
    std::ranges::fill(routes_, Route{});
    generation_ = store_.generation();
}

// A record that says neither how long it was queued nor from when has no part in the histogram.
std::optional<RecordCounter::Delay> RecordCounter::delay_of(const mta::logs::Record& record, std::int64_t time) {
    const std::string_view total = record.raw(Cell::total_seconds_queued);
    if (!total.empty()) {
        const std::size_t point = total.find('.');
        return Delay{static_cast<std::int64_t>(std::min<std::uint64_t>(number(total), UINT32_MAX)),
                     point == std::string_view::npos ? 0 : tenths(total.substr(point + 1))};
    }
    if (time == mta::logs::no_time || record.raw(Cell::time_logged).empty()) return std::nullopt;
    const auto queued = queued_times_.parse(record.raw(Cell::time_queued));
    if (!queued) return std::nullopt;
    return Delay{std::max<std::int64_t>(0, time - *queued), 0};
}

void RecordCounter::reply(const mta::logs::Record& record, TextId provider) {
    const std::string_view status = record.raw(Cell::dsn_status);
    const std::string_view diag = record.raw(Cell::dsn_diag);
    ReplyRow seen{{}, base::hash_bytes(status), provider, 0};
    const bool has_front = diag.size() >= sizeof seen.front;
    if (has_front) std::memcpy(seen.front.data(), diag.data(), sizeof seen.front);
    ReplyRow& memo =
        reply_rows_[base::mix(seen.front[0] ^ seen.status_hash, seen.front[1] ^ std::uint64_t{provider} << 20U) %
                    row_memos];
    if (has_front && memo.provider == provider && memo.status_hash == seen.status_hash &&
        memo.front[0] == seen.front[0] && memo.front[1] == seen.front[1]) {
        ++*store_.counts(Family::replies, memo.row);
        return;
    }
    const mta::classes::ReplyCodes codes = mta::classes::reply_codes(status, diag);
    bool folded = false;
    seen.row = reply_row(codes, provider, folded);
    ++*store_.counts(Family::replies, seen.row);
    if (has_front && codes.looked <= sizeof seen.front && !folded) memo = seen;
}

std::uint32_t RecordCounter::reply_row(const mta::classes::ReplyCodes& codes, TextId provider, bool& folded) {
    TextId& code = code_words_[codes.code < code_words_.size() ? codes.code : 0];
    if (code == not_yet) code = store_.word(std::to_string(codes.code));
    const TextId enhanced =
        codes.enhanced_size == 0 ? code_words_[0] : store_.value(Kind::enhanced_code, codes.enhanced_code());
    std::array<TextId, 3> labels{provider, code, enhanced};
    const std::uint32_t row = store_.row_number(Family::replies, labels.data());
    folded = labels[2] != enhanced;
    return row;
}

void RecordCounter::bounce(const mta::logs::Record& record, const ProviderKey& key) {
    const Common c = common(record, key);
    const ReplyAnswer answer = verdict(record);
    const auto [category, word] = bounce_words(record, answer);
    ++*row(Family::bounces, c.vmta, c.pool, c.provider, category, word);
    ++*row(Family::bounce_reasons, c.vmta, c.provider, reply_words_[index_of(answer.reason)]);
    reply(record, c.provider);
    const TextId from = sender(record);
    ++*row(Family::sender_bounces, from, word);
    ++*row(Family::sender_lifetime, from);
    ++*row(Family::source_ip_bounces, c.source, word);
    if (store_.enabled(Family::job_bounces)) {
        ++*row(Family::job_bounces, job(record), word);
    }
    if (store_.enabled(Family::recipient_domain_bounces)) {
        ++*row(Family::recipient_domain_bounces, store_.value(Kind::recipient_domain, c.rcpt_domain), word);
    }
}

void RecordCounter::transient(const mta::logs::Record& record, const ProviderKey& key) {
    if (mta::classes::is_local(record)) return;
    const Common c = common(record, key);
    const ReplyAnswer answer = verdict(record);
    ++*row(Family::transient_failures, c.vmta, c.pool, c.provider, reply_words_[index_of(answer.reason)]);
    // An operator's pause or own throttle is no receiver's reply and nobody's failure.
    if (answer.bounce_class == mta::classes::BounceClass::local) return;
    reply(record, c.provider);
    ++*row(Family::sender_transient_failures, sender(record));
    ++*row(Family::source_ip_transient_failures, c.source);
    if (store_.enabled(Family::job_transient_failures)) {
        ++*row(Family::job_transient_failures, job(record));
    }
    if (store_.enabled(Family::recipient_domain_transient_failures)) {
        ++*row(Family::recipient_domain_transient_failures, store_.value(Kind::recipient_domain, c.rcpt_domain));
    }
}

void RecordCounter::queue_transient(const mta::logs::Record& record, const ProviderKey& key) {
    ++*row(Family::queue_transient_failures, store_.value(Kind::vmta, mta::classes::vmta_of(record)),
           provider(key, record), reply_words_[index_of(verdict(record).reason)]);
}

void RecordCounter::receipt(const mta::logs::Record& record) {
    ++*row(Family::receipts, store_.value(Kind::vmta, mta::classes::vmta_of(record)),
           store_.value(Kind::source_type, record.raw(Cell::src_type)));
    const std::string_view user = record.raw(Cell::rcv_smtp_user);
    if (!user.empty()) ++*row(Family::smtp_user_receipts, store_.value(Kind::smtp_user, no_address(user)));
}

void RecordCounter::remote_bounce(const mta::logs::Record& record, const ProviderKey& key) {
    const auto [category, word] = bounce_words(record, verdict(record));
    ++*row(Family::remote_bounces, provider(key, record), category, word);
}

void RecordCounter::complaint(const mta::logs::Record& record) {
    const mta::classes::ProviderId provider = mta::classes::provider_of_complaint(*settings_.providers, record);
    SeriesStore::Origin origin{store_.value(Kind::vmta, mta::classes::vmta_of(record)),
                               store_.value(Kind::pool, mta::classes::pool_of(record))};
    const std::string_view source = record.raw(Cell::dlv_source_ip);
    if (const auto learned = source.empty() ? std::nullopt : store_.origin_of(source)) {
        const mta::classes::OriginGaps gaps = mta::classes::origin_gaps(record);
        if (gaps.vmta) origin.vmta = learned->vmta;
        if (gaps.pool) origin.pool = learned->pool;
    }
    const std::string_view feedback = record.raw(Cell::feedback_type);
    const TextId feedback_type = feedback.empty() ? other_text : store_.value(Kind::feedback_type, feedback);
    ++*row(Family::complaints, provider_words_[provider], feedback_type, origin.vmta, origin.pool);
    ++*row(Family::sender_complaints, sender(record));
    if (store_.enabled(Family::job_complaints)) {
        ++*row(Family::job_complaints, job(record));
    }
}

void RecordCounter::diagnostic(const mta::logs::Record& record, const ProviderKey& key) {
    ++*row(Family::diagnostics, store_.value(Kind::vmta, mta::classes::vmta_of(record)), provider(key, record),
           reply_words_[index_of(verdict(record).reason)]);
}

}  // namespace mtawatch::exporter::series
