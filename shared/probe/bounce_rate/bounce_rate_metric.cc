// The metrics of the bounce-rate probe: which mail each counts, and of which.
#include <array>
#include <cmath>

#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::probe::bounce_rate {
namespace {

constexpr std::array<std::string_view, 7> metric_names{"bounce",   "hard",      "soft",    "block",
                                                       "deferral", "complaint", "delivery"};

}  // namespace

std::string_view name(MailMetric metric) { return metric_names[static_cast<std::size_t>(metric)]; }

std::optional<MailMetric> mail_metric_of_name(std::string_view wanted) {
    for (std::size_t i = 0; i < metric_names.size(); ++i) {
        if (metric_names[i] == wanted) return static_cast<MailMetric>(i);
    }
    return std::nullopt;
}

std::uint64_t part(MailMetric metric, const MailCounts& counts) {
    switch (metric) {
        case MailMetric::bounce:
            return counts.bounced();
        case MailMetric::hard:
            return counts.hard;
        case MailMetric::soft:
            return counts.soft;
        case MailMetric::block:
            return counts.block;
        case MailMetric::deferral:
            return counts.deferred;
        case MailMetric::complaint:
            return counts.complaints;
        case MailMetric::delivery:
            break;
    }
    return counts.delivered;
}

std::uint64_t whole(MailMetric metric, const MailCounts& counts) {
    if (metric == MailMetric::complaint) return counts.delivered;
    const std::uint64_t ended = counts.delivered + counts.bounced();
    return metric == MailMetric::deferral ? ended + counts.deferred : ended;
}

std::optional<double> percent(MailMetric metric, const MailCounts& counts) {
    const auto of = static_cast<double>(whole(metric, counts));
    if (of == 0) return std::nullopt;
    // More digits than four say nothing about a count of messages, and fill the line.
    constexpr double digits = 1e4;
    return std::round(100 * digits * static_cast<double>(part(metric, counts)) / of) / digits;
}

MailCounts counts_of_group(const BounceRateObservation& seen, const MailCounts& group) {
    if (!is_of_failures(seen.by)) return group;
    MailCounts counts = group;
    // Puts the rest of the mail into the denominator, whatever the numerator of the metric is.
    counts.delivered = seen.total.delivered + seen.total.bounced() - group.bounced();
    if (seen.metric == MailMetric::deferral) counts.delivered += seen.total.deferred - group.deferred;
    return counts;
}

}  // namespace mtawatch::probe::bounce_rate
