// Numbers cut for display. Cut and not rounded, so that no limit looks reached before it is.
#pragma once

#include <cstdint>

namespace mtawatch::base {

// Towards zero: 99.97 is 99.9. For values within the range of std::int64_t after multiplication by ten.
[[nodiscard]] constexpr double one_decimal(double value) {
    return static_cast<double>(static_cast<std::int64_t>(value * 10)) / 10;
}

}  // namespace mtawatch::base
