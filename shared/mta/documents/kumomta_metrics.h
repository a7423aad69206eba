// Parser of KumoMTA's metrics: /metrics.json or the Prometheus text of /metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::mta::documents {

struct KumoCount {
    std::string name;
    double count = 0;
};

struct KumoSuspension {
    std::string source;
    std::string reason;
};

// Absent: KumoMTA does not have that metric. A metric without any series is an empty queue, so 0.
struct KumoMetrics {
    std::optional<double> scheduled;        // messages that wait for their time to be tried
    std::optional<double> ready;            // messages that wait for a connection
    std::vector<KumoCount> queues;          // scheduled, by queue, largest first
    std::vector<KumoCount> domains;         // scheduled, by domain
    std::vector<KumoCount> providers;       // scheduled and ready, by provider
    std::vector<KumoSuspension> suspended;  // sources that KumoMTA took out of use by itself
    std::optional<double> delivered;        // since the start, over all protocols
    std::optional<double> connections;
    bool truncated = false;  // more groups than max_kumomta_groups: the smallest were left out

    // Scheduled and ready together; absent unless both are known.
    [[nodiscard]] std::optional<double> messages() const;
};

inline constexpr std::size_t max_kumomta_bytes = 24U << 20U;  // some 500 000 series of the JSON
inline constexpr std::size_t max_kumomta_groups = 10'000;     // kept of each kind

// Tells JSON from text by the first byte. Takes the document, because JSON is read in place; beside it only the groups
// that are kept take room. Faults: auth (an HTML page), malformed (damaged, cut short, not KumoMTA's), limit.
[[nodiscard]] base::Result<KumoMetrics> read_kumomta_metrics(std::string bytes);

}  // namespace mtawatch::mta::documents
