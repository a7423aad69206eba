#include "shared/auth/address_count.h"

#include <algorithm>
#include <utility>

#include "shared/base/bytes.h"

namespace mtawatch::auth {

namespace {

using Span = std::pair<std::uint64_t, std::uint64_t>;  // first and last, both inside

// The numbers in all spans together; as a double, because 2^64 of them are possible.
double total(std::vector<Span> spans) {
    std::ranges::sort(spans);
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

bool holds(const base::IpNetwork& outer, const base::IpNetwork& inner) {
    return outer.prefix <= inner.prefix && outer.contains(inner.base);
}

bool are_halves(const base::IpNetwork& a, const base::IpNetwork& b) {
    if (a.prefix != b.prefix || a.prefix == 0 || a.base.is_v4() != b.base.is_v4() || a.base == b.base) return false;
    return base::IpNetwork::of(a.base, a.prefix - 1).contains(b.base);
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

std::vector<base::IpNetwork> merged_networks(std::vector<base::IpNetwork> networks) {
    std::ranges::sort(networks, [](const base::IpNetwork& a, const base::IpNetwork& b) {
        return a.base == b.base ? a.prefix < b.prefix : a.base < b.base;
    });
    std::vector<base::IpNetwork> out;
    for (const base::IpNetwork& network : networks) {
        if (!out.empty() && holds(out.back(), network)) continue;
        out.push_back(network);
        // Two halves make a whole, which may be the second half of a larger one.
        while (out.size() > 1 && are_halves(out[out.size() - 2], out.back())) {
            out.pop_back();
            out.back() = base::IpNetwork::of(out.back().base, out.back().prefix - 1);
        }
    }
    return out;
}

std::vector<base::IpNetwork> networks_beyond(const std::vector<base::IpNetwork>& networks,
                                             const std::vector<base::IpNetwork>& others) {
    const std::vector<base::IpNetwork> whole = merged_networks(others);
    std::vector<base::IpNetwork> beyond = merged_networks(networks);
    std::erase_if(beyond, [&whole](const base::IpNetwork& network) {
        return std::ranges::any_of(whole, [&network](const base::IpNetwork& other) { return holds(other, network); });
    });
    return beyond;
}

}  // namespace mtawatch::auth
