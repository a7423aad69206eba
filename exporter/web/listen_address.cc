#include "exporter/web/listen_address.h"

#include <sys/un.h>

#include "shared/base/text.h"

namespace mtawatch::exporter::web {
namespace {

using base::fail;

constexpr std::size_t max_unix_path = sizeof(sockaddr_un{}.sun_path) - 1;

base::Result<ListenAddress> unix_address(std::string_view text, std::string_view path) {
    if (!path.starts_with('/') || path.ends_with('/')) {
        return fail(base::Fault::usage, "\"{}\": write unix:/full/path/of/the.socket", text);
    }
    if (path.size() > max_unix_path) {
        return fail(base::Fault::usage, "\"{}\": the path has {} bytes, a socket takes {}", text, path.size(),
                    max_unix_path);
    }
    return ListenAddress{{}, 0, std::string(path)};
}

}  // namespace

base::Result<ListenAddress> parse_listen_address(std::string_view text) {
    if (text.starts_with("unix:")) return unix_address(text, text.substr(5));
    const std::size_t colon = text.rfind(':');
    const bool bracketed = text.starts_with('[');
    const std::size_t closing = text.find(']');
    if (colon == std::string_view::npos || (bracketed && closing + 1 != colon)) {
        return fail(base::Fault::usage, "\"{}\": write :PORT, HOST:PORT, [IPV6]:PORT or unix:/path", text);
    }
    const auto port = base::to_number<std::uint16_t>(text.substr(colon + 1));
    if (!port) {
        return fail(base::Fault::usage, "\"{}\": the port must be a number from 0 to 65535", text);
    }
    const std::string_view host = bracketed ? text.substr(1, closing - 1) : text.substr(0, colon);
    if (!bracketed && host.find(':') != std::string_view::npos) {
        return fail(base::Fault::usage, "\"{}\": write an IPv6 address in brackets: [{}]:{}", text, host, *port);
    }
    return ListenAddress{std::string(host), *port, {}};
}

}  // namespace mtawatch::exporter::web
