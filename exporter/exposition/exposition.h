// Writer of metric families as Prometheus text format 0.0.4 or OpenMetrics 1.0.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/exposition/catalogue.h"
#include "exporter/exposition/page_view.h"

namespace prometheus {
struct MetricFamily;
}

namespace mtawatch::exporter::exposition {

enum class Format { text, openmetrics };

// The Content-Type that belongs to the format.
[[nodiscard]] std::string_view content_type(Format format);

// Appends the value as it stands between the quotes of a label: \ " and newline escaped, every invalid UTF-8 byte
// replaced by U+FFFD (one such byte would make Prometheus drop the whole scrape).
void append_label_value(std::string& out, std::string_view value);

// `name{a="x",b="y"} ` with the trailing blank: all of a line that never changes, rendered once per series. A counter's
// name carries its _total; the head is the same in both formats. Without labels: `name `.
[[nodiscard]] std::string line_head(std::string_view name, std::span<const std::string_view> label_names,
                                    std::span<const std::string_view> label_values);

// A bucket bound as both formats write it: "900.0", "0.5", "+Inf".
[[nodiscard]] std::string le_text(double bound);

// Appends to one string that the caller owns. All lines of a family follow its begin(); a family is begun once.
class ExpositionWriter {
  public:
    // `view` is of the reader that the page is for, and outlives the writer; without one every value is shown as it is.
    ExpositionWriter(Format format, std::string& out, PageView* view = nullptr)
        : format_(format), out_(&out), view_(view) {}

    [[nodiscard]] Format format() const { return format_; }
    [[nodiscard]] std::string& out() { return *out_; }
    [[nodiscard]] PageView* view() { return view_; }

    // # HELP and # TYPE (in OpenMetrics # UNIT too). False, and nothing written, when the family was begun before: its
    // lines would make the whole page unreadable for Prometheus, so the caller leaves them out.
    bool begin(const Metric& entry);

    // One line. `head` comes from line_head().
    void sample(std::string_view head, std::uint64_t value);
    void sample(std::string_view head, std::int64_t value);
    void sample(std::string_view head, double value);
    // The same with the time it was true, in Unix seconds (for backfilling only: a live scrape has no time stamps).
    void sample_at(std::string_view head, std::uint64_t value, std::int64_t unix_seconds);

    // A whole family of prometheus-cpp: header and lines. A family without series writes nothing, and neither does one
    // that was begun before. A name that the catalogue lacks, or another type than its, is a programming error
    // (std::logic_error).
    void family(const prometheus::MetricFamily& family);

    // Ends the output: "# EOF" in OpenMetrics, nothing in text.
    void finish();

  private:
    Format format_;
    std::string* out_;
    PageView* view_;
    std::set<std::string, std::less<>> begun_;
};

// A family of counts with one label: a line for each value.
void write_by_label(ExpositionWriter& writer, std::string_view name, std::string_view label,
                    const std::vector<std::pair<std::string_view, std::uint64_t>>& values);

}  // namespace mtawatch::exporter::exposition
