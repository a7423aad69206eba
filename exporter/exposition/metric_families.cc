#include "exporter/exposition/metric_families.h"

#include <algorithm>
#include <stdexcept>

namespace mtawatch::exporter::exposition {

prometheus::MetricType client_type(const Metric& entry) {
    switch (entry.type) {
        case MetricType::counter:
            return prometheus::MetricType::Counter;
        case MetricType::gauge:
            return prometheus::MetricType::Gauge;
        case MetricType::histogram:
            break;
    }
    throw std::logic_error(std::string(entry.name) + " is a histogram, which only the accounting store writes");
}

prometheus::MetricFamily empty_family(const Metric& entry) {
    return {std::string(entry.name), std::string(entry.help), client_type(entry), {}};
}

prometheus::ClientMetric series_of(const Metric& entry, std::vector<std::string> labels, double value) {
    const auto names = label_names(entry);
    if (labels.size() != names.size()) {
        throw std::logic_error(std::string(entry.name) + " was published with " + std::to_string(labels.size()) +
                               " labels, the catalogue has " + std::string(entry.labels));
    }
    prometheus::ClientMetric series;
    series.label.reserve(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        series.label.push_back({std::string(names[i]), std::move(labels[i])});
    }
    if (client_type(entry) == prometheus::MetricType::Counter) {
        series.counter.value = value;
    } else {
        series.gauge.value = value;
    }
    return series;
}

void add_series(MetricFamilies& families, std::string_view name, std::vector<std::string> labels, double value) {
    const Metric& entry = metric(name);
    auto series = series_of(entry, std::move(labels), value);
    auto family = std::ranges::find(families, name, &prometheus::MetricFamily::name);
    if (family == families.end()) family = families.insert(family, empty_family(entry));
    family->metric.push_back(std::move(series));
}

void add_series(MetricFamilies& families, std::string_view name, std::vector<std::string> labels,
                std::optional<double> value) {
    if (value) add_series(families, name, std::move(labels), *value);
}

double value_of(prometheus::MetricType type, const prometheus::ClientMetric& series) {
    return type == prometheus::MetricType::Counter ? series.counter.value : series.gauge.value;
}

}  // namespace mtawatch::exporter::exposition
