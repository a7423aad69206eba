#include "shared/base/duration.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "shared/base/text.h"

namespace mtawatch::base {

namespace {

using std::chrono::milliseconds;

// Milliseconds of a unit, 0 if it is none.
std::int64_t unit_length(std::string_view unit) {
    if (unit == "ms") return 1;
    if (unit == "s") return 1000;
    if (unit == "m" || unit == "min") return 60'000;
    if (unit == "h") return 3'600'000;
    if (unit == "d") return 86'400'000;
    if (unit == "w") return 604'800'000;
    return 0;
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
    std::int64_t total = 0;
    std::int64_t previous = std::numeric_limits<std::int64_t>::max();
    std::size_t at = 0;
    const auto refuse = [&](std::string_view why) {
        return fail(Fault::usage, "'{}' is not a duration ({}); write for example 90s, 10m, 1h30m or 2d",
                    one_line(text, 60), why);
    };
    if (text.empty()) return refuse("it is empty");
    while (at < text.size()) {
        std::size_t digits = at;
        while (digits < text.size() && is_digit(text[digits])) ++digits;
        std::size_t end = digits;
        while (end < text.size() && is_alpha(text[end])) ++end;
        const auto number = to_number<std::int64_t>(text.substr(at, digits - at));
        if (!number) return refuse("a number is missing or too large");
        if (end == digits) return refuse("the unit is missing");
        const std::int64_t unit = unit_length(text.substr(digits, end - digits));
        if (unit == 0) return refuse("unknown unit");
        if (unit >= previous) return refuse("units go from large to small, each once");
        if (*number > (longest_duration.count() - total) / unit) return refuse("more than fifty years");
        total += *number * unit;
        previous = unit;
        at = end;
    }
    return milliseconds(total);
}

std::string human_duration(std::chrono::seconds length) {
    std::int64_t left = length.count();
    const std::string sign = left < 0 ? "-" : "";
    if (left < 0) left = -left;
    const std::int64_t days = left / 86'400;
    const std::int64_t hours = left / 3'600 % 24;
    const std::int64_t minutes = left / 60 % 60;
    const auto pair = [&](std::int64_t a, std::string_view unit_a, std::int64_t b, std::string_view unit_b) {
        return b == 0 ? fmt::format("{}{} {}", sign, a, unit_a)
                      : fmt::format("{}{} {} {} {}", sign, a, unit_a, b, unit_b);
    };
    if (days > 0) return pair(days, "d", hours, "h");
    if (hours > 0) return pair(hours, "h", minutes, "min");
    if (minutes > 0) return pair(minutes, "min", left % 60, "s");
    return fmt::format("{}{} s", sign, left);
}

}  // namespace mtawatch::base
