// Endpoints: numeric addresses with a port, as text.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

#include "shared/base/text.h"
#include "shared/io/connector.h"

namespace mtawatch::io {

namespace {

using base::fail;
using base::Fault;

bool is_address(int family, const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(family, text.c_str(), bytes.data()) == 1;
}

base::Failure refuse(std::string_view text) {
    return fail(Fault::usage, "\"{}\" is no address; write 192.0.2.1, 192.0.2.1:53, 2001:db8::1 or [2001:db8::1]:53",
                base::one_line(text, 100));
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
    if (!endpoint.address.empty() && endpoint.address.front() == '/') return endpoint.address;
    return fmt::format("{}:{}", base::url_host(endpoint.address), endpoint.port);
}

base::Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
    std::string address(text);
    std::string_view port;
    bool has_port = false;
    if (!text.empty() && text.front() == '[') {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return refuse(text);
        address = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        has_port = !rest.empty();
        if (has_port && rest.front() != ':') return refuse(text);
        port = has_port ? rest.substr(1) : rest;
        if (!is_address(AF_INET6, address)) return refuse(text);
    } else if (!is_address(AF_INET6, address)) {
        const std::size_t colon = text.find(':');
        has_port = colon != std::string_view::npos;
        address = text.substr(0, colon);
        if (has_port) port = text.substr(colon + 1);
        if (!is_address(AF_INET, address)) return refuse(text);
    }
    if (!has_port) return Endpoint{address, default_port};
    const auto number = base::to_number<std::uint16_t>(port);
    if (!number || *number == 0) {
        return fail(Fault::usage, "\"{}\": the port must be a number from 1 to 65535", base::one_line(text, 100));
    }
    return Endpoint{address, *number};
}

}  // namespace mtawatch::io
