// What every transport has in common: names of types and deliveries, servers as text, replies in order.
#include <fmt/format.h>

#include "shared/base/text.h"
#include "shared/dns/transport.h"

namespace mtawatch::dns {

using base::fail;
std::string_view name(Type type) {
    switch (type) {
        case Type::a:
            return "A";
        case Type::ns:
            return "NS";
        case Type::cname:
            return "CNAME";
        case Type::soa:
            return "SOA";
        case Type::ptr:
            return "PTR";
        case Type::mx:
            return "MX";
        case Type::txt:
            return "TXT";
        case Type::aaaa:
            return "AAAA";
        case Type::tlsa:
            return "TLSA";
        case Type::spf:
            return "SPF";
    }
    return "unknown";
}

std::string_view name(Delivery delivery) {
    switch (delivery) {
        case Delivery::answered:
            return "answered";
        case Delivery::servfail:
            return "SERVFAIL";
        case Delivery::refused:
            return "REFUSED";
        case Delivery::other_code:
            return "error code";
        case Delivery::timeout:
            return "timeout";
        case Delivery::unreachable:
            return "unreachable";
        case Delivery::deadline:
            return "out of time";
        case Delivery::bad_name:
            return "bad name";
    }
    return "unknown";
}

std::string Server::to_string() const {
    if (port == 53) return address.to_string();
    return address.is_v4() ? fmt::format("{}:{}", address.to_string(), port)
                           : fmt::format("[{}]:{}", address.to_string(), port);
}

base::Result<Server> parse_server(std::string_view text) {
    const auto bad = [text](std::string_view reason) {
        return fail(base::Fault::usage, "DNS server \"{}\" {}: write an address, 192.0.2.1:5300 or [2001:db8::1]:5300",
                    base::one_line(text, 100), reason);
    };
    std::string_view host = text;
    std::optional<std::string_view> port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return bad("has no closing bracket");
        host = text.substr(1, end - 1);
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && rest.front() != ':') return bad("is not an address with a port");
        if (!rest.empty()) port = rest.substr(1);
    } else if (const std::size_t colon = text.find(':');
               colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    Server server;
    const auto address = base::IpAddress::parse(host);
    if (!address || (text.starts_with('[') && address->is_v4())) return bad("is not an IP address");
    server.address = *address;
    if (port) {
        const auto number = base::to_number<std::uint16_t>(*port);
        if (!number || *number == 0) return bad("has a port that is not a number from 1 to 65535");
        server.port = *number;
    }
    return server;
}

std::vector<Reply> Transport::exchange_many(std::span<const Question> questions, const base::Deadline& deadline) {
    std::vector<Reply> replies(questions.size());
    exchange_each(questions, deadline, [&replies](std::size_t i, Reply reply) { replies[i] = std::move(reply); });
    return replies;
}

}  // namespace mtawatch::dns
