#include "exporter/exposition/exposition.h"

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "exporter/exposition/metric_families.h"
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

void append_label(std::string& out, bool first, std::string_view name, std::string_view value) {
    out += first ? '{' : ',';
    out += name;
    out += "=\"";
    append_label_value(out, value);
    out += '"';
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
    for (std::size_t i = 0; i < label_names.size(); ++i) append_label(head, i == 0, label_names[i], label_values[i]);
    head += label_names.empty() ? " " : "} ";
    return head;
}

std::string le_text(double bound) {
    std::string text;
    append_double(text, bound);
    // OpenMetrics wants the canonical float; the same spelling in both formats keeps one series one series.
    if (std::isfinite(bound) && text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

bool ExpositionWriter::begin(const Metric& entry) {
    if (!begun_.emplace(entry.name).second) return false;
    const bool openmetrics = format_ == Format::openmetrics;
    const bool cut = openmetrics && entry.type == MetricType::counter;
    const std::string_view family = cut ? without_total(entry.name) : entry.name;
    std::string& out = *out_;
    out.append("# HELP ").append(family) += ' ';
    append_help(out, entry.help, format_);
    out.append("\n# TYPE ").append(family).append(" ").append(name_of(entry.type)) += '\n';
    if (openmetrics && !entry.unit.empty()) out.append("# UNIT ").append(family).append(" ").append(entry.unit) += '\n';
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

void ExpositionWriter::sample_at(std::string_view head, std::uint64_t value, std::int64_t unix_seconds) {
    out_->append(head);
    append_integer(*out_, value);
    *out_ += ' ';
    append_integer(*out_, unix_seconds);
    // Text 0.0.4 counts milliseconds, OpenMetrics seconds.
    *out_ += format_ == Format::openmetrics ? "\n" : "000\n";
}

void ExpositionWriter::family(const prometheus::MetricFamily& family) {
    if (family.metric.empty()) return;
    const Metric& entry = metric(family.name);
    if (family.type != client_type(entry)) {
        throw std::logic_error(family.name + " was collected with another type than the catalogue's");
    }
    if (!begin(entry)) return;
    for (const prometheus::ClientMetric& series : family.metric) {
        *out_ += family.name;
        for (const auto& label : series.label) {
            append_label(*out_, &label == &series.label.front(), label.name, label.value);
        }
        sample(series.label.empty() ? " " : "} ", value_of(family.type, series));
    }
}

void ExpositionWriter::finish() {
    if (format_ == Format::openmetrics) *out_ += "# EOF\n";
}

void write_by_label(ExpositionWriter& writer, std::string_view name, std::string_view label,
                    const std::vector<std::pair<std::string_view, std::uint64_t>>& values) {
    writer.begin(metric(name));
    const std::array<std::string_view, 1> labels{label};
    for (const auto& [value, count] : values) {
        const std::array<std::string_view, 1> label_values{value};
        writer.sample(line_head(name, labels, label_values), count);
    }
}

}  // namespace mtawatch::exporter::exposition
