#include "exporter/series/series_render.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace mtawatch::exporter::series {
namespace {

// The unchanging pieces of a family's lines: `name{a="` … `",b="` … `"} `.
struct LinePieces {
    std::array<std::string, max_labels + 1> before;
    std::array<std::size_t, max_labels> place{};  // of the label's value in a key
    std::size_t labels = 0;
};

// `names` has one for each value of a key, "" for a value that is not shown.
LinePieces pieces_of(std::string_view metric_name, std::string_view suffix,
                     const std::vector<std::string_view>& names) {
    LinePieces pieces;
    std::string text = std::string(metric_name) + std::string(suffix);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].empty()) continue;
        text += pieces.labels == 0 ? "{" : "\",";
        text += names[i];
        text += "=\"";
        pieces.place[pieces.labels] = i;
        pieces.before[pieces.labels++] = std::move(text);
        text.clear();
    }
    pieces.before[pieces.labels] = "\"";
    return pieces;
}

// One line built on the stack: every text is at most max_text_bytes, names and labels are our own.
class LineBuffer {
  public:
    void clear() { size_ = 0; }
    void add(std::string_view text) {
        std::memcpy(bytes_.data() + size_, text.data(), text.size());
        size_ += text.size();
    }
    void add(std::uint64_t value) {
        const auto end = std::to_chars(bytes_.data() + size_, bytes_.data() + bytes_.size(), value).ptr;
        size_ = static_cast<std::size_t>(end - bytes_.data());
    }
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

  private:
    std::array<char, max_labels*(max_text_bytes + 64) + 256> bytes_;
    std::size_t size_ = 0;
};

void add_head(LineBuffer& line, const LinePieces& pieces, const TextPool& texts, const TextId* key) {
    for (std::size_t i = 0; i < pieces.labels; ++i) {
        line.add(pieces.before[i]);
        line.add(texts.text(key[pieces.place[i]]));
    }
    line.add(pieces.before[pieces.labels]);
}

class SampleWriter {
  public:
    SampleWriter(exposition::ExpositionWriter& writer, std::optional<std::int64_t> unix_seconds) : out_(writer.out()) {
        if (!unix_seconds) return;
        end_ = " " + std::to_string(*unix_seconds) + (writer.format() == exposition::Format::openmetrics ? "" : "000");
    }
    // `close` ends the labels: `} ` after their last quote, with `le` where it is needed.
    void write(LineBuffer& line, std::string_view close, std::uint64_t value) {
        line.add(close);
        line.add(value);
        line.add(end_);
        line.add("\n");
        out_.append(line.view());
    }

  private:
    std::string& out_;
    std::string end_;
};

void render_counts(exposition::ExpositionWriter& writer, const SeriesStore& store, Family family, bool bytes,
                   const FamilyCopy& copy, std::optional<std::int64_t> unix_seconds) {
    const FamilyShape& shape = store.shape(family);
    const exposition::Metric& shown = bytes ? prefixed(store.format(), bytes_metric) : *shape.metric;
    const LinePieces pieces = pieces_of(shown.name, "", shape.names);
    const std::size_t width = copy.rows == 0 ? 1 : copy.counts.size() / copy.rows;
    SampleWriter samples(writer, unix_seconds);
    LineBuffer line;
    for (std::size_t row = 0; row < copy.rows; ++row) {
        if (family == Family::last_delivery && copy.counts[row] == 0) continue;  // no delivery said when it was
        line.clear();
        add_head(line, pieces, store.texts(), copy.keys.data() + row * shape.labels.size());
        samples.write(line, "} ", row < copy.zero_from ? copy.counts[row * width + (bytes ? 1 : 0)] : 0);
    }
}

constexpr std::array<std::uint64_t, delay_width> no_delays{};

void render_histogram(exposition::ExpositionWriter& writer, const SeriesStore& store, Family family,
                      const FamilyCopy& copy, std::optional<std::int64_t> unix_seconds) {
    const FamilyShape& shape = store.shape(family);
    const LinePieces buckets = pieces_of(shape.metric->name, "_bucket", shape.names);
    const LinePieces sum = pieces_of(shape.metric->name, "_sum", shape.names);
    const LinePieces count = pieces_of(shape.metric->name, "_count", shape.names);
    std::vector<std::string> closes;
    for (const std::uint32_t bound : exposition::histogram_bounds(*shape.metric)) {
        closes.push_back(",le=\"" + exposition::le_text(bound) + "\"} ");
    }
    closes.emplace_back(",le=\"+Inf\"} ");
    SampleWriter samples(writer, unix_seconds);
    LineBuffer line;
    for (std::size_t row = 0; row < copy.rows; ++row) {
        const TextId* key = copy.keys.data() + row * shape.labels.size();
        const std::uint64_t* counts = copy.counts.data() + row * delay_width;
        if (std::all_of(counts, counts + delay_width - 1, [](std::uint64_t n) { return n == 0; })) continue;
        if (row >= copy.zero_from) counts = no_delays.data();
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < closes.size(); ++i) {
            cumulative += counts[i];
            line.clear();
            add_head(line, buckets, store.texts(), key);
            samples.write(line, closes[i], cumulative);
        }
        line.clear();
        add_head(line, sum, store.texts(), key);
        samples.write(line, "} ", counts[delay_width - 1]);
        line.clear();
        add_head(line, count, store.texts(), key);
        samples.write(line, "} ", cumulative);
    }
}

void render_records(exposition::ExpositionWriter& writer, const Totals& totals, RecordFormat format) {
    const exposition::Metric& records = prefixed(format, records_metric);
    const exposition::Metric& newest = prefixed(format, newest_record_metric);
    constexpr std::array<std::string_view, 1> label_names{"record_type"};
    writer.begin(records);
    for (const mta::logs::RecordType type : record_types(format)) {
        const std::array<std::string_view, 1> value{name(type)};
        writer.sample(exposition::line_head(records.name, label_names, value), totals.records[index_of(type)]);
    }
    bool begun = false;
    for (const mta::logs::RecordType type : record_types(format)) {
        if (totals.last_record[index_of(type)] == 0) continue;
        if (!begun) writer.begin(newest);
        begun = true;
        const std::array<std::string_view, 1> value{name(type)};
        writer.sample(exposition::line_head(newest.name, label_names, value), totals.last_record[index_of(type)]);
    }
}

// How much is copied in one turn: it holds up the reading for a fraction of a millisecond. Each turn may also wait as
// long for the reading, so one turn per family would make a scrape ten times as long.
constexpr std::size_t bytes_a_turn = 1U << 20U;

// A family without series is left out.
void render_copy(exposition::ExpositionWriter& writer, const SeriesStore& store, Family family,
                 const FamilyCopy& copy) {
    if (copy.rows == 0 || store.shape(family).metric == nullptr) return;
    writer.begin(*store.shape(family).metric);
    render_family(writer, store, family, false, copy, std::nullopt);
    if (family != Family::deliveries) return;
    writer.begin(prefixed(store.format(), bytes_metric));
    render_family(writer, store, family, true, copy, std::nullopt);
}

}  // namespace

void copy_family(const SeriesStore& store, Family family, FamilyCopy& copy, std::uint32_t seen) {
    const SeriesTable& table = store.table(family);
    copy.keys = table.keys();
    copy.counts = table.counts();
    copy.rows = table.size();
    copy.zero_from = family == Family::last_delivery ? copy.rows : table.first_born_after(seen);
}

// resize() rather than reserve(): the pages are there only once they were written.
std::size_t reserve_family(const SeriesStore& store, Family family, std::size_t rows, FamilyCopy& copy) {
    const SeriesTable& table = store.table(family);
    copy.keys.resize(rows * table.arity());
    copy.counts.resize(rows * table.width());
    return copy.keys.size() * sizeof(TextId) + copy.counts.size() * sizeof(std::uint64_t);
}

void render_family(exposition::ExpositionWriter& writer, const SeriesStore& store, Family family, bool bytes,
                   const FamilyCopy& copy, std::optional<std::int64_t> unix_seconds) {
    if (family == Family::delivery_delay) {
        render_histogram(writer, store, family, copy, unix_seconds);
    } else {
        render_counts(writer, store, family, bytes, copy, unix_seconds);
    }
}

std::uint32_t render_store(exposition::ExpositionWriter& writer, const SeriesStore& store, base::TurnLock& lock,
                           std::uint32_t seen) {
    Totals totals;
    std::uint32_t page = 0;
    std::array<std::size_t, family_count> rows{};
    {
        const base::ReaderTurn turn(lock);
        page = store.begin_page();
        totals = store.totals;
        for (std::size_t i = 0; i < family_count; ++i) rows[i] = store.table(static_cast<Family>(i)).size();
    }
    render_records(writer, totals, store.format());
    std::vector<FamilyCopy> copies(family_count);
    for (std::size_t begin = 0; begin < family_count;) {
        std::size_t end = begin;
        for (std::size_t bytes = 0; end < family_count && bytes < bytes_a_turn; ++end) {
            bytes += reserve_family(store, static_cast<Family>(end), rows[end], copies[end - begin]);
        }
        {
            const base::ReaderTurn turn(lock);
            store.enter_reader();
            for (std::size_t i = begin; i < end; ++i) {
                copy_family(store, static_cast<Family>(i), copies[i - begin], seen);
            }
        }
        for (std::size_t i = begin; i < end; ++i) render_copy(writer, store, static_cast<Family>(i), copies[i - begin]);
        store.leave_reader();
        begin = end;
    }
    return page;
}

void render_store_health(exposition::ExpositionWriter& writer, std::span<const LockedStore> stores) {
    struct Copy {
        const SeriesStore* store = nullptr;
        std::array<std::uint32_t, family_count> sizes{};
        SeriesStore::FoldedCounts folded;
        SeriesStore::RetiredCounts retired;
    };
    std::vector<Copy> copies(stores.size());
    for (std::size_t s = 0; s < stores.size(); ++s) {
        const SeriesStore& store = *(copies[s].store = stores[s].store);
        const base::ReaderTurn turn(*stores[s].lock);
        for (std::size_t i = 0; i < family_count; ++i) copies[s].sizes[i] = store.table(static_cast<Family>(i)).size();
        copies[s].folded = store.folded;
        copies[s].retired = store.retired;
    }
    // One metric: what `write` adds for every family that is counted, in all of the stores.
    const auto each = [&](std::string_view metric_name, auto&& write) {
        writer.begin(exposition::metric(metric_name));
        for (const Copy& copy : copies) {
            for (std::size_t i = 0; i < family_count; ++i) {
                const FamilyShape& shape = copy.store->shape(static_cast<Family>(i));
                if (shape.enabled) write(copy, shape, i);
            }
        }
    };
    const auto sample = [&](std::string_view metric_name, const FamilyShape& shape, std::uint64_t value) {
        constexpr std::array<std::string_view, 1> label_names{"family"};
        const std::array<std::string_view, 1> family{shape.metric->name};
        writer.sample(exposition::line_head(metric_name, label_names, family), value);
    };
    constexpr std::string_view series_metric = "pmta_exporter_series";
    constexpr std::string_view limit_metric = "pmta_exporter_series_limit";
    constexpr std::string_view retired_metric = "pmta_exporter_retired_records_total";
    constexpr std::string_view folded_metric = "pmta_exporter_label_values_folded_total";
    each(series_metric,
         [&](const Copy& copy, const auto& shape, std::size_t i) { sample(series_metric, shape, copy.sizes[i]); });
    each(limit_metric, [&](const Copy&, const FamilyShape& shape, std::size_t) {
        if (shape.limit != 0) sample(limit_metric, shape, shape.limit);
    });
    each(retired_metric, [&](const Copy& copy, const FamilyShape& shape, std::size_t i) {
        if (shape.retired_by) sample(retired_metric, shape, copy.retired[i]);
    });
    each(folded_metric, [&](const Copy& copy, const FamilyShape& shape, std::size_t i) {
        constexpr std::array<std::string_view, 2> label_names{"family", "label"};
        for (std::size_t label = 0; label < shape.labels.size(); ++label) {
            if (!is_open(shape.labels[label]) || shape.names[label].empty()) continue;
            const std::array<std::string_view, 2> values{shape.metric->name, shape.names[label]};
            writer.sample(exposition::line_head(folded_metric, label_names, values), copy.folded[i][label]);
        }
    });
}

}  // namespace mtawatch::exporter::series
