// Builder of prometheus-cpp metric families: names, types, help texts and label names come from the catalogue.
#pragma once

#include <prometheus/metric_family.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/exposition/catalogue.h"

namespace mtawatch::exporter::exposition {

using MetricFamilies = std::vector<prometheus::MetricFamily>;

// Counter or Gauge. A histogram is a programming error (std::logic_error): the accounting store writes its own.
[[nodiscard]] prometheus::MetricType client_type(const Metric& entry);

// A family without series.
[[nodiscard]] prometheus::MetricFamily empty_family(const Metric& entry);

// One series. `labels` are the values in the order of the catalogue's label names; a wrong number of them is a
// programming error (std::logic_error).
[[nodiscard]] prometheus::ClientMetric series_of(const Metric& entry, std::vector<std::string> labels, double value);

// Adds one series to its family, which is added too where it is missing. What could not be seen is not added: an absent
// series, never a 0. A name that the catalogue lacks is a programming error (std::logic_error).
void add_series(MetricFamilies& families, std::string_view name, std::vector<std::string> labels, double value);
// The same, or nothing where there is no value.
void add_series(MetricFamilies& families, std::string_view name, std::vector<std::string> labels,
                std::optional<double> value);

// The value of a series of such a family.
[[nodiscard]] double value_of(prometheus::MetricType type, const prometheus::ClientMetric& series);

}  // namespace mtawatch::exporter::exposition
