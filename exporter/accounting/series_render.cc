#include "exporter/accounting/series_render.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace mtawatch::exporter {
namespace {

// The unchanging pieces of a family's lines: `name{a="` … `",b="` … `"} `.
struct LinePieces {
    std::array<std::string, kMaxLabels + 1> before;
    std::size_t labels = 0;
};

LinePieces pieces_of(std::string_view metric_name, std::string_view suffix, const std::vector<Kind>& labels) {
    LinePieces pieces;
    pieces.labels = labels.size();
    std::string text = std::string(metric_name) + std::string(suffix);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        text += i == 0 ? "{" : "\",";
        text += name(labels[i]);
        text += "=\"";
        pieces.before[i] = std::move(text);
        text.clear();
    }
    pieces.before[labels.size()] = "\"";
    return pieces;
}

// One line built on the stack: every text is at most kMaxTextBytes, names and labels are our own.
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
    std::array<char, kMaxLabels*(kMaxTextBytes + 64) + 256> bytes_;
    std::size_t size_ = 0;
};

void add_head(LineBuffer& line, const LinePieces& pieces, const TextPool& texts, const TextId* key) {
    for (std::size_t i = 0; i < pieces.labels; ++i) {
        line.add(pieces.before[i]);
        line.add(texts.text(key[i]));
    }
    line.add(pieces.before[pieces.labels]);
}

class SampleWriter {
  public:
    SampleWriter(ExpositionWriter& writer, std::optional<std::int64_t> unix_seconds) : out_(writer.out()) {
        if (!unix_seconds) return;
        end_ = " " + std::to_string(*unix_seconds) + (writer.format() == Format::openmetrics ? "" : "000");
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

void render_counts(ExpositionWriter& writer, const SeriesStore& store, Family family, bool bytes,
                   const FamilyCopy& copy, std::optional<std::int64_t> unix_seconds) {
    const FamilyShape& shape = store.shape(family);
    const LinePieces pieces = pieces_of(bytes ? kBytesMetric : shape.metric->name, "", shape.labels);
    const std::size_t width = copy.rows == 0 ? 1 : copy.counts.size() / copy.rows;
    SampleWriter samples(writer, unix_seconds);
    LineBuffer line;
    for (std::size_t row = 0; row < copy.rows; ++row) {
        if (family == Family::last_delivery && copy.counts[row] == 0) continue;  // no delivery said when it was
        line.clear();
        add_head(line, pieces, store.texts(), copy.keys.data() + row * pieces.labels);
        samples.write(line, "} ", copy.counts[row * width + (bytes ? 1 : 0)]);
    }
}

void render_histogram(ExpositionWriter& writer, const SeriesStore& store, Family family, const FamilyCopy& copy,
                      std::optional<std::int64_t> unix_seconds) {
    const FamilyShape& shape = store.shape(family);
    const LinePieces buckets = pieces_of(shape.metric->name, "_bucket", shape.labels);
    const LinePieces sum = pieces_of(shape.metric->name, "_sum", shape.labels);
    const LinePieces count = pieces_of(shape.metric->name, "_count", shape.labels);
    std::vector<std::string> closes;
    for (const std::uint32_t bound : histogram_bounds(*shape.metric))
        closes.push_back(",le=\"" + le_text(bound) + "\"} ");
    closes.emplace_back(",le=\"+Inf\"} ");
    SampleWriter samples(writer, unix_seconds);
    LineBuffer line;
    for (std::size_t row = 0; row < copy.rows; ++row) {
        const TextId* key = copy.keys.data() + row * buckets.labels;
        const std::uint64_t* counts = copy.counts.data() + row * kDelayWidth;
        if (std::all_of(counts, counts + kDelayWidth - 1, [](std::uint64_t n) { return n == 0; })) continue;
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < closes.size(); ++i) {
            cumulative += counts[i];
            line.clear();
            add_head(line, buckets, store.texts(), key);
            samples.write(line, closes[i], cumulative);
        }
        line.clear();
        add_head(line, sum, store.texts(), key);
        samples.write(line, "} ", counts[kDelayWidth - 1]);
        line.clear();
        add_head(line, count, store.texts(), key);
        samples.write(line, "} ", cumulative);
    }
}

void begin(ExpositionWriter& writer, std::string_view metric_name) { writer.begin(metric(metric_name)); }

void render_records(ExpositionWriter& writer, const Totals& totals) {
    constexpr std::string_view kRecords = "pmta_accounting_records_total";
    constexpr std::string_view kNewest = "pmta_last_record_timestamp_seconds";
    constexpr std::array<std::string_view, 1> kLabel{"record_type"};
    begin(writer, kRecords);
    for (std::size_t i = 0; i < kCountedTypes; ++i) {
        const std::array<std::string_view, 1> type{name(static_cast<mta::RecordType>(i))};
        writer.sample(line_head(kRecords, kLabel, type), totals.records[i]);
    }
    bool begun = false;
    for (std::size_t i = 0; i < kCountedTypes; ++i) {
        if (totals.last_record[i] == 0) continue;
        if (!begun) begin(writer, kNewest);
        begun = true;
        const std::array<std::string_view, 1> type{name(static_cast<mta::RecordType>(i))};
        writer.sample(line_head(kNewest, kLabel, type), totals.last_record[i]);
    }
}

}  // namespace

FamilyCopy copy_family(const SeriesStore& store, Family family) {
    const SeriesTable& table = store.table(family);
    return {table.keys(), table.counts(), table.size()};
}

void render_family(ExpositionWriter& writer, const SeriesStore& store, Family family, bool bytes,
                   const FamilyCopy& copy, std::optional<std::int64_t> unix_seconds) {
    if (family == Family::delivery_delay) {
        render_histogram(writer, store, family, copy, unix_seconds);
    } else {
        render_counts(writer, store, family, bytes, copy, unix_seconds);
    }
}

void render_store(ExpositionWriter& writer, const SeriesStore& store, TurnLock& lock) {
    Totals totals;
    {
        const ReaderTurn turn(lock);
        totals = store.totals;
    }
    render_records(writer, totals);
    for (std::size_t i = 0; i < kFamilies; ++i) {
        const auto family = static_cast<Family>(i);
        FamilyCopy copy;
        {
            const ReaderTurn turn(lock);
            store.enter_reader();
            copy = copy_family(store, family);
        }
        if (copy.rows != 0) {
            writer.begin(*store.shape(family).metric);
            render_family(writer, store, family, false, copy, std::nullopt);
            if (family == Family::deliveries) {
                begin(writer, kBytesMetric);
                render_family(writer, store, family, true, copy, std::nullopt);
            }
        }
        store.leave_reader();
    }
}

void render_store_health(ExpositionWriter& writer, const SeriesStore& store, TurnLock& lock) {
    constexpr std::array<std::string_view, 1> kLabel{"family"};
    constexpr std::array<std::string_view, 2> kFoldedLabels{"family", "label"};
    std::array<std::uint32_t, kFamilies> sizes{};
    SeriesStore::FoldedCounts folded;
    SeriesStore::RetiredCounts retired;
    {
        const ReaderTurn turn(lock);
        for (std::size_t i = 0; i < kFamilies; ++i) sizes[i] = store.table(static_cast<Family>(i)).size();
        folded = store.folded;
        retired = store.retired;
    }
    const auto each = [&](std::string_view metric_name, auto&& wanted, auto&& value) {
        begin(writer, metric_name);
        for (std::size_t i = 0; i < kFamilies; ++i) {
            const FamilyShape& shape = store.shape(static_cast<Family>(i));
            const std::array<std::string_view, 1> family{shape.metric->name};
            if (shape.enabled && wanted(shape)) writer.sample(line_head(metric_name, kLabel, family), value(i));
        }
    };
    const auto all = [](const FamilyShape&) { return true; };
    each("pmta_exporter_series", all, [&](std::size_t i) { return std::uint64_t{sizes[i]}; });
    each(
        "pmta_exporter_series_limit", [](const FamilyShape& shape) { return shape.limit != 0; },
        [&](std::size_t i) { return std::uint64_t{store.shape(static_cast<Family>(i)).limit}; });
    each(
        "pmta_exporter_retired_records_total", [](const FamilyShape& shape) { return shape.retired_by.has_value(); },
        [&](std::size_t i) { return retired[i]; });
    constexpr std::string_view kFolded = "pmta_exporter_label_values_folded_total";
    begin(writer, kFolded);
    for (std::size_t i = 0; i < kFamilies; ++i) {
        const FamilyShape& shape = store.shape(static_cast<Family>(i));
        for (std::size_t label = 0; shape.enabled && label < shape.labels.size(); ++label) {
            if (!is_open(shape.labels[label])) continue;
            const std::array<std::string_view, 2> values{shape.metric->name, name(shape.labels[label])};
            writer.sample(line_head(kFolded, kFoldedLabels, values), folded[i][label]);
        }
    }
}

}  // namespace mtawatch::exporter
