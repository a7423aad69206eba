// Looks into metric families of prometheus-cpp.
#pragma once

#include <prometheus/metric_family.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::test {

using MetricFamilies = std::vector<prometheus::MetricFamily>;

// How many series the family of that name has; 0 without it.
[[nodiscard]] inline std::size_t series_in(const MetricFamilies& families, std::string_view name) {
    const auto family = std::ranges::find(families, name, &prometheus::MetricFamily::name);
    return family == families.end() ? 0 : family->metric.size();
}

// The value of the series with these label values; nothing where there is none.
[[nodiscard]] inline std::optional<double> value_in(const MetricFamilies& families, std::string_view name,
                                                    const std::vector<std::string>& labels) {
    const auto family = std::ranges::find(families, name, &prometheus::MetricFamily::name);
    if (family == families.end()) return std::nullopt;
    const auto series = std::ranges::find_if(family->metric, [&](const prometheus::ClientMetric& one) {
        return std::ranges::equal(one.label, labels, {}, &prometheus::ClientMetric::Label::value);
    });
    if (series == family->metric.end()) return std::nullopt;
    return family->type == prometheus::MetricType::Counter ? series->counter.value : series->gauge.value;
}

}  // namespace mtawatch::test
