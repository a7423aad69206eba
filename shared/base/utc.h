// Seconds since 1970 as text in UTC, as operators, logs and JSON readers write it (RFC 3339).
#pragma once

#include <cstdint>
#include <string>

namespace mtawatch::base {

[[nodiscard]] std::string utc_time(std::int64_t seconds);  // "2026-07-30T12:00:00Z"
[[nodiscard]] std::string utc_date(std::int64_t seconds);  // "2026-07-30"

}  // namespace mtawatch::base
