#include "shared/base/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "shared/base/text.h"

namespace mtawatch::base {
namespace {

constexpr std::size_t width(bool v4) { return v4 ? 4 : 16; }

struct NamedNetwork {
    std::string_view network;
    std::string_view reason;
};

// RFC 6890 and the IANA special-purpose registries; what a mail server on the Internet cannot send from.
constexpr NamedNetwork special[] = {
    {"0.0.0.0/8", "this network (RFC 1122)"},
    {"10.0.0.0/8", "private (RFC 1918)"},
    {"100.64.0.0/10", "shared by carrier-grade NAT (RFC 6598)"},
    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "private (RFC 1918)"},
    {"192.168.0.0/16", "private (RFC 1918)"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved (RFC 1112)"},
    {"::/128", "unspecified"},
    {"::1/128", "loopback"},
    {"fc00::/7", "unique local (RFC 4193)"},
    {"fe80::/10", "link-local"},
    {"ff00::/8", "multicast"},
};

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
    IpAddress address;
    for (std::size_t i = 0; i < 4; ++i) {
        address.bytes_.at(i) = static_cast<std::uint8_t>(host_order >> (24 - 8 * i) & 0xffU);
    }
    return address;
}

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    IpAddress address;
    address.bytes_ = {a, b, c, d};
    return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
    IpAddress address;
    address.bytes_ = bytes;
    address.v4_ = false;
    return address;
}

std::optional<IpAddress> IpAddress::from_bytes(std::string_view bytes) {
    if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
    IpAddress address;
    std::memcpy(address.bytes_.data(), bytes.data(), bytes.size());
    address.v4_ = bytes.size() == 4;
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.empty() || text.size() > INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    const std::string terminated(text);
    IpAddress address;
    if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1) return address;
    address.v4_ = false;
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) return address;
    return std::nullopt;
}

std::uint32_t IpAddress::v4_value() const {
    std::uint32_t value = 0;
    if (v4_) {
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes_.at(i);
    }
    return value;
}

std::string IpAddress::bytes() const { return {bytes_.begin(), bytes_.begin() + static_cast<long>(width(v4_))}; }

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
}

IpAddress IpAddress::unmapped() const {
    constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (v4_ || !std::ranges::equal(mapped, std::span(bytes_).first<12>())) return *this;
    return v4(bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
}

bool IpAddress::is_loopback() const {
    const IpAddress plain = unmapped();
    if (plain.v4_) return plain.bytes_[0] == 127;
    return std::ranges::all_of(std::span(plain.bytes_).first<15>(), [](auto byte) { return byte == 0; }) &&
           plain.bytes_.back() == 1;
}

IpAddress IpAddress::next() const {
    IpAddress after = *this;
    for (std::size_t i = width(v4_); i-- > 0;) {
        if (++after.bytes_.at(i) != 0) break;
    }
    return after;
}

std::strong_ordering IpAddress::operator<=>(const IpAddress& other) const {
    if (v4_ != other.v4_) return v4_ ? std::strong_ordering::less : std::strong_ordering::greater;
    return bytes_ <=> other.bytes_;
}

IpNetwork IpNetwork::of(const IpAddress& address, unsigned prefix) {
    IpNetwork network{address, std::min(prefix, static_cast<unsigned>(8 * width(address.is_v4())))};
    for (std::size_t i = 0; i < width(address.is_v4()); ++i) {
        const unsigned first_bit = static_cast<unsigned>(8 * i);
        const unsigned kept = std::clamp(network.prefix, first_bit, first_bit + 8) - first_bit;
        network.base.bytes_.at(i) = static_cast<std::uint8_t>(network.base.bytes_.at(i) & (0xff00U >> kept));
    }
    return network;
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) {
        return fail(Fault::usage, "\"{}\" is not an IPv4 or IPv6 {}", one_line(text, 100),
                    slash == std::string_view::npos ? "address" : "network such as 192.0.2.0/24");
    }
    const auto bits = static_cast<unsigned>(8 * width(address->is_v4()));
    if (slash == std::string_view::npos) return of(*address, bits);
    const auto prefix = to_number<unsigned>(text.substr(slash + 1));
    if (!prefix || *prefix > bits) {
        return fail(Fault::usage, "\"{}\": the prefix length is a number from 0 to {}", one_line(text, 100), bits);
    }
    const IpNetwork network = of(*address, *prefix);
    if (network.base != *address) {
        return fail(Fault::usage, "\"{}\" has host bits set: write {}", one_line(text, 100), network.to_string());
    }
    return network;
}

IpAddress IpNetwork::last() const {
    IpAddress address = base;
    for (std::size_t i = 0; i < width(base.is_v4()); ++i) {
        const unsigned first_bit = static_cast<unsigned>(8 * i);
        const unsigned kept = std::clamp(prefix, first_bit, first_bit + 8) - first_bit;
        address.bytes_.at(i) = static_cast<std::uint8_t>(address.bytes_.at(i) | (0xffU >> kept));
    }
    return address;
}

bool IpNetwork::contains(const IpAddress& address) const {
    return address.is_v4() == base.is_v4() && of(address, prefix).base == base;
}

std::optional<std::uint64_t> IpNetwork::size() const {
    const auto host_bits = static_cast<unsigned>(8 * width(base.is_v4())) - prefix;
    if (host_bits > 63) return std::nullopt;
    return std::uint64_t{1} << host_bits;
}

std::string IpNetwork::to_string() const { return fmt::format("{}/{}", base.to_string(), prefix); }

std::optional<std::string_view> not_public(const IpAddress& address) {
    const IpAddress plain = address.unmapped();
    for (const auto& [network, reason] : special) {
        const auto parsed = IpNetwork::parse(network);
        if (parsed && parsed->contains(plain)) return reason;
    }
    return std::nullopt;
}

}  // namespace mtawatch::base
