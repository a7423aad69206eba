// IP addresses and networks: IPv4 and IPv6 as plain values that compare, print and count.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::base {

// An IPv4 or IPv6 address without scope. Orders IPv4 before IPv6, then by value.
class IpAddress {
  public:
    IpAddress() = default;  // 0.0.0.0
    [[nodiscard]] static IpAddress v4(std::uint32_t host_order);
    [[nodiscard]] static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
    // 16 bytes in network order. An IPv4-mapped one stays IPv6; see unmapped().
    [[nodiscard]] static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);
    // Exactly 4 or 16 bytes in network order (the data of an A or AAAA record), else nothing.
    [[nodiscard]] static std::optional<IpAddress> from_bytes(std::string_view bytes);
    // Strict presentation form (inet_pton): no blanks, no brackets, no scope, no octal, no short forms.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

    [[nodiscard]] bool is_v4() const { return v4_; }
    [[nodiscard]] bool is_v6() const { return !v4_; }
    // Host order; 0 for IPv6.
    [[nodiscard]] std::uint32_t v4_value() const;
    // 4 or 16 bytes in network order.
    [[nodiscard]] std::string bytes() const;
    // RFC 5952 form.
    [[nodiscard]] std::string to_string() const;
    // ::ffff:192.0.2.1 as 192.0.2.1, everything else as it is.
    [[nodiscard]] IpAddress unmapped() const;
    [[nodiscard]] bool is_loopback() const;
    // The address after this one; the last one wraps to zero.
    [[nodiscard]] IpAddress next() const;

    [[nodiscard]] bool operator==(const IpAddress&) const = default;
    [[nodiscard]] std::strong_ordering operator<=>(const IpAddress& other) const;

  private:
    friend struct IpNetwork;
    std::array<std::uint8_t, 16> bytes_{};  // IPv4 in the first four
    bool v4_ = true;
};

// An address with a prefix length; the host bits are zero.
struct IpNetwork {
    IpAddress base;
    unsigned prefix = 32;

    // "192.0.2.0/24", "2001:db8::/48" or a single address. Usage error that names the text, also for host bits that
    // are set ("write 192.0.2.0/24").
    [[nodiscard]] static Result<IpNetwork> parse(std::string_view text);
    // The network of `address` with that many bits; `prefix` beyond the family's width is cut to it.
    [[nodiscard]] static IpNetwork of(const IpAddress& address, unsigned prefix);
    // IPv4 and IPv6 never contain each other.
    [[nodiscard]] bool contains(const IpAddress& address) const;
    [[nodiscard]] IpAddress last() const;  // with all host bits set
    // Number of addresses; nothing if it is more than 2^63.
    [[nodiscard]] std::optional<std::uint64_t> size() const;
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] bool operator==(const IpNetwork&) const = default;
};

// Why an address cannot be seen from the Internet ("private (RFC 1918)", "loopback", "link-local", …), or nothing
// for a public one. Documentation ranges (RFC 5737, RFC 3849) count as public, so that examples can be run.
[[nodiscard]] std::optional<std::string_view> not_public(const IpAddress& address);

}  // namespace mtawatch::base
