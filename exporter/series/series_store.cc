#include "exporter/series/series_store.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "exporter/series/prefetch.h"
#include "shared/base/hash.h"

namespace mtawatch::exporter::series {
namespace {

using base::fail;

// Idle values are looked for this often within the idle limit, so one lives at most 1/28 longer than it: 6 hours of 7
// days.
constexpr int sweeps_per_limit = 28;
// Values of a kind whose families have no budget of their own.
constexpr std::uint32_t default_values = 1024;

std::uint32_t limit_of(const CountSettings& settings, const exposition::Metric& entry) {
    const auto found = settings.budgets.find(entry.name);
    return found == settings.budgets.end() ? entry.budget : found->second;
}

Kind kind_of(std::string_view label) {
    for (std::size_t i = 0; i < kinds; ++i) {
        if (name(static_cast<Kind>(i)) == label) return static_cast<Kind>(i);
    }
    throw std::logic_error("no label kind is called " + std::string(label));
}

std::uint64_t hash_of(const FamilyShape& shape) {
    std::uint64_t hash = base::hash_bytes(shape.metric->name);
    hash = base::mix(hash ^ base::hash_bytes(shape.metric->labels), base::hash_step);
    for (const std::uint32_t bound : exposition::histogram_bounds(*shape.metric)) {
        hash = base::mix(hash ^ bound, base::hash_step);
    }
    return base::mix(hash ^ shape.limit, base::hash_step);
}

// Which of the key's labels are written, and as what.
std::vector<std::string_view> shown_names(const FamilyShape& shape, RecordFormat format) {
    const std::vector<std::string_view> own = exposition::label_names(*shape.metric);
    std::vector<std::string_view> names;
    std::size_t next = 0;
    for (const Kind kind : shape.labels) {
        const bool shown = next < own.size() && own[next] == name(kind, format);
        names.push_back(shown ? own[next++] : std::string_view());
    }
    if (next == 0 || next != own.size()) {
        throw std::logic_error("labels of " + std::string(shape.metric->name) + " do not fit its family");
    }
    return names;
}

FamilyShape shape_of(const CountSettings& settings, Family family) {
    FamilyShape shape;
    for (const std::string_view label : exposition::label_names(exposition::metric(metric_name(family)))) {
        shape.labels.push_back(kind_of(label));
    }
    shape.metric = metric_of(settings.format, family);
    if (shape.metric == nullptr) {
        shape.enabled = false;
        return shape;
    }
    shape.names = shown_names(shape, settings.format);
    shape.limit = limit_of(settings, *shape.metric);
    if (family == Family::deliveries) {
        shape.limit = std::min(shape.limit, limit_of(settings, prefixed(settings.format, bytes_metric)));
    }
    const exposition::MetricGroup& group = exposition::group_of(*shape.metric);
    shape.enabled = !group.opt_in || settings.groups.contains(group.name);
    if (group.retires) shape.retired_by = shape.labels.front();
    shape.hash = hash_of(shape);
    return shape;
}

std::size_t width_of(Family family) {
    if (family == Family::deliveries) return 2;
    return family == Family::delivery_delay ? delay_width : 1;
}

// The families that a record of the type always counts in.
std::vector<Family> families_of(mta::logs::RecordType type) {
    switch (type) {
        case mta::logs::RecordType::d:
            return {Family::deliveries};
        case mta::logs::RecordType::b:
            return {Family::bounces, Family::bounce_reasons};
        case mta::logs::RecordType::t:
            return {Family::transient_failures};
        case mta::logs::RecordType::tq:
            return {Family::queue_transient_failures};
        case mta::logs::RecordType::r:
            return {Family::receipts};
        case mta::logs::RecordType::rb:
            return {Family::remote_bounces};
        case mta::logs::RecordType::f:
            return {Family::complaints};
        case mta::logs::RecordType::diagnostic:
            return {Family::diagnostics};
        case mta::logs::RecordType::rs:
        case mta::logs::RecordType::other:
            break;
    }
    return {};
}

bool is_domain(Kind kind) { return kind == Kind::sender_domain || kind == Kind::recipient_domain; }

}  // namespace

SeriesStore::SeriesStore(const CountSettings& settings) : format_(settings.format), idle_limit_(settings.idle_limit) {
    texts_.add("other");
    texts_.add("other");
    std::array<std::uint32_t, kinds> limits{};
    for (std::size_t i = 0; i < family_count; ++i) {
        const auto family = static_cast<Family>(i);
        shapes_.push_back(shape_of(settings, family));
        const FamilyShape& shape = shapes_.back();
        tables_.emplace_back(shape.labels.size(), width_of(family));
        if (!shape.enabled) continue;
        for (const Kind kind : shape.labels) limits[index_of(kind)] = std::max(limits[index_of(kind)], shape.limit);
    }
    for (std::size_t i = 0; i < kinds; ++i) {
        values_.emplace_back(texts_, limits[i] == 0 ? default_values : limits[i], is_domain(static_cast<Kind>(i)));
    }
}

TextId SeriesStore::word(std::string_view text) {
    if (text == texts_.text(other_text)) return other_text;
    for (const auto& [known, id] : words_) {
        if (known == text) return id;
    }
    char scratch[max_text_bytes];
    const TextId id = texts_.add(label_text(text, false, scratch));
    words_.emplace_back(text, id);
    return id;
}

// Step by step for all of them: by the time the last was asked for, the first is there.
void SeriesStore::fetch(Kind kind, Family family, std::span<const std::uint32_t> hashes) const {
    const ValueTable& values = values_[index_of(kind)];
    const SeriesTable& table = tables_[index_of(family)];
    const auto known = [&](auto&& step) {
        for (const std::uint32_t hash : hashes) {
            const ValueTable::Entry& entry = values.first_place(hash);
            if (entry.hash == hash && entry.text != no_text) step(entry.text);
        }
    };
    for (const std::uint32_t hash : hashes) prefetch(&values.first_place(hash));
    known([&](TextId id) {
        prefetch(texts_.address(id));
        prefetch(&table.first_place(&id));
    });
    known([&](TextId id) {
        prefetch(*texts_.address(id));
        const std::uint32_t row = table.first_place(&id);
        if (row != SeriesTable::none) table.prefetch_row(row);
    });
}

std::uint32_t SeriesStore::add_row(Family family, TextId* key) {
    SeriesTable& table = tables_[index_of(family)];
    const FamilyShape& shape = shapes_[index_of(family)];
    auto& folded_labels = folded[index_of(family)];
    bool changed = false;
    for (std::size_t i = 0; i < shape.labels.size(); ++i) {
        if (key[i] != folded_text) continue;
        key[i] = other_text;
        ++folded_labels[i];
        changed = true;
    }
    std::uint32_t found = changed ? table.find(key) : SeriesTable::none;
    if (found == SeriesTable::none && shape.limit != 0 && table.size() >= shape.limit) {
        for (std::size_t i = 0; i < shape.labels.size(); ++i) {
            if (!is_open(shape.labels[i]) || key[i] == other_text) continue;
            key[i] = other_text;
            ++folded_labels[i];
        }
        found = table.find(key);
    }
    if (found != SeriesTable::none) return found;
    const std::uint32_t birth = baseline_ ? 0 : next_page_;
    if (birth > youngest()) youngest_.store(birth, std::memory_order_relaxed);
    return table.add(key, birth);
}

void SeriesStore::forget_counts() {
    for (std::size_t i = 0; i < family_count; ++i) {
        const auto family = static_cast<Family>(i);
        if (family == Family::last_delivery || family == Family::sender_lifetime) continue;
        tables_[i].zero_counts();
    }
    totals.records = {};
    folded = {};
    retired = {};
}

std::uint32_t SeriesStore::origin_row(TextId source_ip) {
    if (source_ip == folded_text || source_ip == other_text) return SeriesTable::none;
    const std::uint32_t found = origins_.find(&source_ip);
    return found != SeriesTable::none ? found : origins_.add(&source_ip);
}

void SeriesStore::learn_origin(TextId source_ip, Origin origin) {
    const std::uint32_t row = origin_row(source_ip);
    if (row == SeriesTable::none) return;
    std::uint64_t* counts = origins_.counts(row);
    counts[0] = origin.vmta;
    counts[1] = origin.pool;
}

std::optional<SeriesStore::Origin> SeriesStore::origin_of(std::string_view source_ip) const {
    const TextId id = values_[index_of(Kind::source_ip)].find(source_ip);
    if (id == no_text || id == other_text) return std::nullopt;
    const std::uint32_t found = origins_.find(&id);
    if (found == SeriesTable::none) return std::nullopt;
    const std::uint64_t* counts = origins_.counts().data() + found * origins_.width();
    return Origin{static_cast<TextId>(counts[0]), static_cast<TextId>(counts[1])};
}

void SeriesStore::add_expected_zeros(const std::set<mta::logs::RecordType>& types) {
    for (const mta::logs::RecordType type : types) {
        for (const Family family : families_of(type)) {
            if (!shapes_[index_of(family)].enabled) continue;
            std::array<TextId, max_labels> key{};
            key.fill(other_text);
            (void)row_number(family, key.data());
        }
    }
}

void SeriesStore::sweep() {
    const std::int64_t every = std::max<std::int64_t>(1, idle_limit_.count() / sweeps_per_limit);
    totals.next_sweep = totals.record_clock - totals.record_clock % every + every;
    if (readers_.load() == 0) {
        for (const TextId id : waiting_release_) texts_.release(id);
        waiting_release_.clear();
    }
    const std::int64_t idle_before = totals.record_clock - idle_limit_.count();
    if (idle_before <= 0) return;
    for (const Kind kind : {Kind::vmta, Kind::sender_domain, Kind::source_ip, Kind::job_id, Kind::recipient_domain}) {
        const bool retires = std::ranges::any_of(shapes_, [&](const auto& shape) { return shape.retired_by == kind; });
        if (retires) retire_kind(kind, static_cast<std::uint32_t>(idle_before));
    }
}

void SeriesStore::retire_kind(Kind kind, std::uint32_t idle_before) {
    std::unordered_set<TextId> idle;
    for (const ValueTable::Entry& entry : values_[index_of(kind)].places()) {
        const bool counts = entry.text != no_text && entry.text != other_text;
        if (counts && entry.last_seen < idle_before) idle.insert(entry.text);
    }
    if (idle.empty()) return;
    ++generation_;
    for (std::size_t i = 0; i < family_count; ++i) {
        if (shapes_[i].retired_by != kind) continue;
        tables_[i].remove_if([&](const TextId* key, const std::uint64_t* counts) {
            if (!idle.contains(key[0])) return false;
            retired[i] += counts[0];
            return true;
        });
    }
    if (kind == Kind::source_ip || kind == Kind::vmta) {
        origins_.remove_if([&](const TextId* key, const std::uint64_t* origin) {
            return idle.contains(kind == Kind::vmta ? static_cast<TextId>(origin[0]) : key[0]);
        });
    }
    // A domain with a lifetime series keeps its number: that family is never retired.
    if (kind == Kind::sender_domain) {
        std::erase_if(
            idle, [&](TextId id) { return tables_[index_of(Family::sender_lifetime)].find(&id) != SeriesTable::none; });
    }
    values_[index_of(kind)].remove_if([&](const ValueTable::Entry& entry) { return idle.contains(entry.text); });
    waiting_release_.insert(waiting_release_.end(), idle.begin(), idle.end());
}

base::Result<void> check_settings(const CountSettings& settings) {
    for (const auto& [metric_name, limit] : settings.budgets) {
        const exposition::Metric* entry = exposition::find_metric(metric_name);
        if (entry == nullptr || entry->budget == 0 || !metric_name.starts_with(prefix(settings.format))) {
            return fail(base::Fault::configuration, "budget for {}: no family of that name has one; see --catalog",
                        metric_name);
        }
        if (limit == 0) {
            return fail(base::Fault::configuration, "budget for {}: write at least 1", metric_name);
        }
    }
    for (const std::string& group : settings.groups) {
        const std::vector<std::string_view> known = opt_in_groups(settings.format);
        if (std::ranges::find(known, std::string_view(group)) == known.end()) {
            return fail(base::Fault::configuration, "group {}: not an opt-in group; see --catalog", group);
        }
    }
    return {};
}

}  // namespace mtawatch::exporter::series
