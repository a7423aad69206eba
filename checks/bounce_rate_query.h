// The options of check_bounce_rate, parsed into limits and a query of the probe bounce_rate.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "shared/plugin/check.h"
#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::checks {

// What a metric divides by what, in one place.
struct Metric {
    std::string_view name;
    std::string_view verb;  // "3.1 % bounced"
    std::string_view warning;
    std::string_view critical;
    std::uint64_t (*part)(const probe::bounce_rate::MailCounts&);
    std::uint64_t (*whole)(const probe::bounce_rate::MailCounts&);
};

// How an answer speaks of a format.
struct FormatWords {
    std::string_view program;
    std::string_view unlogged;  // what follows when a record type is not logged: {} the type, {} what to add
};
[[nodiscard]] const FormatWords& words_of(probe::bounce_rate::LogFormat format);

struct Limits {
    probe::bounce_rate::LogFormat format = probe::bounce_rate::LogFormat::pmta;
    bool table = false;
    Metric metric;
    plugin::Thresholds share;
    std::uint64_t min_volume = 100;
    std::chrono::seconds max_age{86400};
    plugin::State idle = plugin::State::unknown;
    probe::bounce_rate::MailKey by = probe::bounce_rate::MailKey::none;
};

[[nodiscard]] plugin::OptionTable bounce_rate_options();
// Faults of both: usage.
[[nodiscard]] base::Result<Limits> read_limits(const plugin::Options& given);
[[nodiscard]] base::Result<probe::bounce_rate::BounceRateQuery> read_query(const plugin::Options& given,
                                                                           const Limits& limits,
                                                                           const base::Clock& clock);

}  // namespace mtawatch::checks
