// Listen address of the exporter: ":10925", "192.0.2.1:10925", "[2001:db8::1]:10925", "localhost:10925" or
// "unix:/path".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::exporter::web {

struct ListenAddress {
    std::string host;        // "" is every address of the machine, IPv4 and IPv6
    std::uint16_t port = 0;  // 0 lets the kernel choose
    std::string unix_path;   // not empty: a unix socket, and host and port mean nothing
    bool operator==(const ListenAddress&) const = default;
};

// Usage error without the option's name that quotes the text and says what to write instead.
[[nodiscard]] base::Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace mtawatch::exporter::web
