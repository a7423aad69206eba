// Catalogue of all metrics: the one table that --catalog prints, docs/metrics.md is made from, and tests hold the
// metrics output, the alert rules and the dashboards against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::exporter::exposition {

enum class MetricType { counter, gauge, histogram };
[[nodiscard]] std::string_view name_of(MetricType type);

struct Metric {
    std::string_view name;
    MetricType type = MetricType::gauge;
    // The OpenMetrics unit, which is the end of the name (before _total): seconds, bytes, ratio, or "" for a plain
    // count.
    std::string_view unit;
    // One sentence for # HELP, without newlines.
    std::string_view help;
    // Label names in the order in which they are written, separated by commas; "" for a family of one series.
    std::string_view labels;
    // What switches the family on and how its values age; one of metric_groups().
    std::string_view group;
    // Default limit on the family's series, beyond which new label values are counted under "other"; 0 where the
    // label values are bounded by the configuration or by the code itself.
    std::uint32_t budget = 0;
};

struct MetricGroup {
    std::string_view name;
    std::string_view title;  // heading in docs/metrics.md
    std::string_view about;  // one or two sentences below it
    bool opt_in = false;     // counted only when the configuration turns the group on
    bool retires = false;    // a label value that was idle for 7 days ends its series
};

[[nodiscard]] std::span<const Metric> catalogue();
[[nodiscard]] std::span<const MetricGroup> metric_groups();
// The entry of that name, or null.
[[nodiscard]] const Metric* find_metric(std::string_view name);
// For code that publishes a metric it knows by name: a name that is not in the table is a programming error
// (std::logic_error, which the collectors' catch-all reports and every test meets).
[[nodiscard]] const Metric& metric(std::string_view name);
[[nodiscard]] const MetricGroup& group_of(const Metric& entry);
[[nodiscard]] std::vector<std::string_view> label_names(const Metric& entry);

// The upper bounds of a histogram family without +Inf, in its base unit; empty for other types.
[[nodiscard]] std::span<const std::uint32_t> histogram_bounds(const Metric& entry);

// The whole table as one JSON document: {"groups":[…],"metrics":[…]}, in table order.
[[nodiscard]] std::string catalogue_json();

}  // namespace mtawatch::exporter::exposition
