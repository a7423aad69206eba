// Opens connections to numeric addresses and unix sockets. Names are resolved above (shared/dns), never here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shared/io/stream.h"

namespace mtawatch::io {

// `address` is a numeric IPv4 or IPv6 address (no brackets), or an absolute path of a unix socket (port ignored).
struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
    bool operator==(const Endpoint&) const = default;
};

// "192.0.2.1:25", "[2001:db8::1]:25" or the path.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);
// "192.0.2.1", "192.0.2.1:25", "2001:db8::1" or "[2001:db8::1]:25". Usage error for anything else, names included.
[[nodiscard]] base::Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port);

class Connector {
  public:
    Connector() = default;
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;
    virtual ~Connector() = default;
    // Faults: refused (closed port, unreachable network or host), timeout (no answer before the deadline), usage (not a
    // numeric address). Safe to call from several threads.
    [[nodiscard]] virtual base::Result<std::unique_ptr<Stream>> connect(const Endpoint& endpoint,
                                                                        const base::Deadline& deadline) = 0;
};

// Real TCP and unix sockets (close-on-exec, TCP_NODELAY).
[[nodiscard]] std::unique_ptr<Connector> make_tcp_connector();

}  // namespace mtawatch::io
