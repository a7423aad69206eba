#include "shared/auth/address_count.h"

#include <algorithm>
#include <utility>

#include "shared/base/bytes.h"

namespace mtawatch::auth {

namespace {

using Span = std::pair<std::uint64_t, std::uint64_t>;  // first and last, both inside

// The numbers in all spans together; as a double, because 2^64 of them are possible.
double total(std::vector<Span> spans) {
    std::sort(spans.begin(), spans.end());
    double sum = 0;
    bool any = false;
    std::uint64_t reached = 0;  // the last number counted
    for (const auto& [first, last] : spans) {
        if (any && last <= reached) continue;
        const std::uint64_t from = any && first <= reached ? reached + 1 : first;
        sum += static_cast<double>(last - from) + 1;
        reached = last;
        any = true;
    }
    return sum;
}

// The numbers of `width` bits that share the first `prefix` bits of `value`.
Span span_of(std::uint64_t value, unsigned prefix, unsigned width) {
    const unsigned free_bits = prefix >= width ? 0 : width - prefix;
    const std::uint64_t mask = free_bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << free_bits) - 1;
    return {value & ~mask, value | mask};
}

}  // namespace

AddressCount count_addresses(const std::vector<base::IpNetwork>& networks) {
    std::vector<Span> v4;
    std::vector<Span> v6;
    for (const base::IpNetwork& network : networks) {
        if (network.base.is_v4()) {
            v4.push_back(span_of(network.base.v4_value(), network.prefix, 32));
            continue;
        }
        const std::string bytes = network.base.bytes();
        v6.push_back(span_of(base::ByteReader(bytes).u64(), network.prefix, 64));
    }
    return {static_cast<std::uint64_t>(total(std::move(v4))), total(std::move(v6))};
}

}  // namespace mtawatch::auth
