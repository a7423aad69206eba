#include "exporter/exposition/exposition.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <array>
#include <charconv>
#include <cmath>

#include "shared/base/text.h"

namespace mtawatch::exporter::exposition {
namespace {

// Longer than any target or path that we publish; what is longer is cut rather than sent with every scrape.
constexpr std::size_t max_label_bytes = 1024;

bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 && c != '\\' && c != '"' && c != '\n' && c != '\0';
}

// HELP has no quotes around it: text 0.0.4 escapes \ and newline, OpenMetrics the double quote too.
void append_help(std::string& out, std::string_view help, Format format) {
    for (const char c : help) {
        if (c == '\\' || (c == '"' && format == Format::openmetrics)) out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
}

template <typename Number>
void append_integer(std::string& out, Number value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_double(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
    } else if (std::isinf(value)) {
        out += value > 0 ? "+Inf" : "-Inf";
    } else {
        std::array<char, 32> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
    }
}

std::string_view without_total(std::string_view name) {
    constexpr std::string_view total = "_total";
    return name.ends_with(total) ? name.substr(0, name.size() - total.size()) : name;
}

MetricType type_of(prometheus::MetricType type) {
    switch (type) {
        case prometheus::MetricType::Counter:
            return MetricType::counter;
        case prometheus::MetricType::Histogram:
            return MetricType::histogram;
        default:
            return MetricType::gauge;
    }
}

// `name{labels` with the labels of a prometheus-cpp metric, closed by the caller.
std::string open_head(std::string_view name, const prometheus::ClientMetric& metric) {
    std::string head(name);
    char before = '{';
    for (const auto& label : metric.label) {
        head += before;
        head += label.name;
        head += "=\"";
        append_label_value(head, label.value);
        head += '"';
        before = ',';
    }
    return head;
}

}  // namespace

std::string_view content_type(Format format) {
    return format == Format::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                         : "text/plain; version=0.0.4; charset=utf-8";
}

void append_label_value(std::string& out, std::string_view value) {
    bool plain = value.size() <= max_label_bytes;
    for (const char c : value) plain = plain && is_plain(c);
    if (plain) {
        out += value;
        return;
    }
    for (const char c : base::clean_utf8(value, max_label_bytes)) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
}

std::string line_head(std::string_view name, std::span<const std::string_view> label_names,
                      std::span<const std::string_view> label_values) {
    std::string head(name);
    for (std::size_t i = 0; i < label_names.size(); ++i) {
        head += i == 0 ? '{' : ',';
        head += label_names[i];
        head += "=\"";
        append_label_value(head, label_values[i]);
        head += '"';
    }
    if (!label_names.empty()) head += '}';
    head += ' ';
    return head;
}

std::string le_text(double bound) {
    std::string text;
    append_double(text, bound);
    // OpenMetrics wants the canonical float; the same spelling in both formats keeps one series one series.
    if (std::isfinite(bound) && text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

bool ExpositionWriter::begin(const Metric& entry) { return begin(entry.name, entry.type, entry.unit, entry.help); }

bool ExpositionWriter::begin(std::string_view name, MetricType type, std::string_view unit, std::string_view help) {
    if (!begun_.emplace(name).second) return false;
    const bool openmetrics = format_ == Format::openmetrics;
    const std::string_view family = openmetrics && type == MetricType::counter ? without_total(name) : name;
    std::string& out = *out_;
    out.append("# HELP ").append(family) += ' ';
    append_help(out, help, format_);
    out.append("\n# TYPE ").append(family).append(" ").append(name_of(type)) += '\n';
    if (openmetrics && !unit.empty()) out.append("# UNIT ").append(family).append(" ").append(unit) += '\n';
    return true;
}

void ExpositionWriter::sample(std::string_view head, std::uint64_t value) {
    out_->append(head);
    append_integer(*out_, value);
    *out_ += '\n';
}

void ExpositionWriter::sample(std::string_view head, std::int64_t value) {
    out_->append(head);
    append_integer(*out_, value);
    *out_ += '\n';
}

void ExpositionWriter::sample(std::string_view head, double value) {
    out_->append(head);
    append_double(*out_, value);
    *out_ += '\n';
}

void ExpositionWriter::end_line(std::int64_t unix_seconds) {
    *out_ += ' ';
    append_integer(*out_, unix_seconds);
    // Text 0.0.4 counts milliseconds, OpenMetrics seconds.
    *out_ += format_ == Format::openmetrics ? "\n" : "000\n";
}

void ExpositionWriter::sample_at(std::string_view head, std::uint64_t value, std::int64_t unix_seconds) {
    out_->append(head);
    append_integer(*out_, value);
    end_line(unix_seconds);
}

void ExpositionWriter::sample_at(std::string_view head, double value, std::int64_t unix_seconds) {
    out_->append(head);
    append_double(*out_, value);
    end_line(unix_seconds);
}

void ExpositionWriter::family(const prometheus::MetricFamily& family) {
    if (family.metric.empty()) return;
    const Metric* known = find_metric(family.name);
    const MetricType type = known != nullptr ? known->type : type_of(family.type);
    const bool fresh = known != nullptr ? begin(*known) : begin(family.name, type, "", family.help);
    if (!fresh) return;
    for (const prometheus::ClientMetric& metric : family.metric) client_metric(family.name, type, metric);
}

void ExpositionWriter::client_metric(const std::string& name, MetricType type, const prometheus::ClientMetric& metric) {
    if (type == MetricType::histogram) return histogram(name, metric);
    std::string head = open_head(name, metric);
    head += metric.label.empty() ? " " : "} ";
    sample(head, type == MetricType::counter ? metric.counter.value : metric.gauge.value);
}

void ExpositionWriter::histogram(const std::string& name, const prometheus::ClientMetric& metric) {
    std::string head = open_head(name + "_bucket", metric);
    head += metric.label.empty() ? "{le=\"" : ",le=\"";
    bool infinite = false;
    for (const auto& bucket : metric.histogram.bucket) {
        infinite = infinite || std::isinf(bucket.upper_bound);
        sample(head + le_text(bucket.upper_bound) + "\"} ", std::uint64_t{bucket.cumulative_count});
    }
    if (!infinite) sample(head + "+Inf\"} ", std::uint64_t{metric.histogram.sample_count});
    const std::string close = metric.label.empty() ? " " : "} ";
    sample(open_head(name + "_sum", metric) + close, metric.histogram.sample_sum);
    sample(open_head(name + "_count", metric) + close, std::uint64_t{metric.histogram.sample_count});
}

void ExpositionWriter::finish() {
    if (format_ == Format::openmetrics) *out_ += "# EOF\n";
}

}  // namespace mtawatch::exporter::exposition
