// Reads any bytes as a range: a range that is accepted reads back from its canonical form and judges alike.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/plugin/range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using mtawatch::plugin::Range;
    const auto range = Range::parse(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!range) return 0;
    const auto again = Range::parse(range->canonical());
    if (!again || again->start() != range->start() || again->end() != range->end()) __builtin_trap();
    for (const double value : {-1.0, 0.0, 0.5, 10.0, 1e9}) {
        if (again->alerts(value) != range->alerts(value)) __builtin_trap();
        if (range->alerts(value) && range->reason(value).empty()) __builtin_trap();
    }
    return 0;
}
