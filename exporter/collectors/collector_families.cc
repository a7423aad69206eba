// Families, the values that one run of a collector's task publishes.
#include <algorithm>
#include <stdexcept>

#include "exporter/collectors/collector.h"
#include "exporter/exposition/catalogue.h"

namespace mtawatch::exporter::collectors {

void Families::add(std::string_view name, std::vector<std::string> labels, double value) {
    const exposition::Metric& entry = exposition::metric(name);
    if (labels.size() != exposition::label_names(entry).size()) {
        throw std::logic_error(std::string(name) + " was published with " + std::to_string(labels.size()) +
                               " labels, the catalogue has " + std::string(entry.labels));
    }
    std::vector<Sample>& samples = samples_[std::string(name)];
    const auto same = std::ranges::find(samples, labels, &Sample::labels);
    if (same != samples.end()) {
        same->value = value;
    } else {
        samples.push_back({std::move(labels), value});
    }
}

void Families::add(std::string_view name, std::vector<std::string> labels, std::optional<double> value) {
    if (value) add(name, std::move(labels), *value);
}

std::optional<double> Families::value(std::string_view name, const std::vector<std::string>& labels) const {
    const auto family = samples_.find(name);
    if (family == samples_.end()) return std::nullopt;
    const auto same = std::ranges::find(family->second, labels, &Sample::labels);
    if (same == family->second.end()) return std::nullopt;
    return same->value;
}

}  // namespace mtawatch::exporter::collectors
