#include "shared/base/utc.h"

#include <fmt/format.h>

#include <chrono>

namespace mtawatch::base {

std::string utc_date(std::int64_t seconds) {
    const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
    const std::chrono::year_month_day date(day);
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

std::string utc_time(std::int64_t seconds) {
    const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
    const std::chrono::hh_mm_ss clock(time - std::chrono::floor<std::chrono::days>(time));
    return fmt::format("{}T{:02}:{:02}:{:02}Z", utc_date(seconds), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

}  // namespace mtawatch::base
