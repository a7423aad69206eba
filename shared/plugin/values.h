// Readers of option values, one per kind, used when parsing and when a check asks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/clock.h"
#include "shared/base/result.h"
#include "shared/plugin/options.h"

namespace mtawatch::plugin {

// Usage errors without the option's name: '"abc" is no whole number'.
[[nodiscard]] base::Result<std::int64_t> read_integer(const Option& option, std::string_view text);
[[nodiscard]] base::Result<double> read_number(const Option& option, std::string_view text);
// RFC 3339 section 5.6 with 'T' or one blank between date and time, and an offset or Z.
[[nodiscard]] base::Result<base::WallTime> read_time(std::string_view text);

struct Timeout {
    std::chrono::milliseconds length{};
    State state = State::unknown;
};
// "10", "2.5" or "10:critical".
[[nodiscard]] base::Result<Timeout> read_timeout(std::string_view text);

// Whether the text is a value of the option's kind.
[[nodiscard]] base::Result<void> accept_value(const Option& option, std::string_view text);

// The metavar of the option or of its kind; "" for a flag.
[[nodiscard]] std::string_view metavar(const Option& option);
// A stable word for the kind: "duration".
[[nodiscard]] std::string_view name(Kind kind);

}  // namespace mtawatch::plugin
