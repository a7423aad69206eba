// Readers of option values, one per kind, used when parsing and when a program asks.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "shared/base/clock.h"
#include "shared/base/result.h"
#include "shared/options/options.h"

namespace mtawatch::options {

// Usage errors without the option's name: '"abc" is no whole number'.
[[nodiscard]] base::Result<std::int64_t> read_integer(const Option& option, std::string_view text);
[[nodiscard]] base::Result<double> read_number(const Option& option, std::string_view text);
// RFC 3339 section 5.6 with 'T' or one blank between date and time, and an offset or Z.
[[nodiscard]] base::Result<base::WallTime> read_time(std::string_view text);

// A bad value in quotes for a message, on one line and not too long.
[[nodiscard]] std::string quoted(std::string_view text);

// The metavar of the option or of its kind; "" for a flag.
[[nodiscard]] std::string_view metavar(const Option& option);

// The Kind::accept that a reader makes: its Error or nothing.
template <class T>
[[nodiscard]] base::Result<void> without_value(const base::Result<T>& value) {
    if (!value) return base::fail(value.error());
    return {};
}

// The value of an option that parse() has accepted; a default that cannot be read is a mistake in the table.
template <class T>
[[nodiscard]] T accepted(std::string_view name, base::Result<T> value) {
    if (!value) throw std::logic_error(fmt::format("--{}: {}", name, value.error().what));
    return *std::move(value);
}

}  // namespace mtawatch::options
