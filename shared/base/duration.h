// Durations as text: parses what a person writes ("90s", "1h30m", "2d") and formats what a person reads ("3 d 4 h").
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::base {

// One or more of a number and a unit (ms s m h d w), largest first, nothing between: "10m", "1h30m", "0s".
// A bare number is refused: it could be read two ways. So is more than longest_duration. Usage error otherwise, naming
// the text.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// Fifty years: nobody waits so long, and five of them still fit into the nanoseconds of a clock.
inline constexpr std::chrono::milliseconds longest_duration = std::chrono::hours(24) * 365 * 50;

// The two largest units, rounded down: "45 s", "12 min", "3 h 5 min", "4 d 2 h". Negative ones begin with '-'.
[[nodiscard]] std::string human_duration(std::chrono::seconds length);

}  // namespace mtawatch::base
