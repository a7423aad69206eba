// URLs: parsing, printing and following a Location header.
#include <algorithm>

#include "shared/base/ip.h"
#include "shared/base/text.h"
#include "shared/http/client.h"

namespace mtawatch::http {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_url_bytes = 8192;  // what common servers accept as a request line
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

// "host", "host:port", "[v6]:port" into `url`.
Result<void> read_authority(std::string_view authority, std::string_view whole, Url& url) {
    if (authority.find('@') != std::string_view::npos) {
        return fail(Fault::usage, "the URL holds a user name or password; take it out and use the option for it");
    }
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) {
            return fail(Fault::usage, "{}: the [IPv6 address] has no closing bracket", whole);
        }
        url.host = base::to_lower(authority.substr(1, end - 1));
        if (const auto address = base::IpAddress::parse(url.host); !address || address->is_v4()) {
            return fail(Fault::usage, "{}: the brackets hold no IPv6 address", whole);
        }
        port = authority.substr(end + 1);
    } else {
        const auto colon = authority.find(':');
        url.host = base::to_lower(authority.substr(0, colon));
        port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
    }
    if (url.host.find_first_of("[]") != std::string::npos) {
        return fail(Fault::usage, "{}: brackets stand around an IPv6 address only", whole);
    }
    if (url.host.empty()) return fail(Fault::usage, "{}: the URL names no host", whole);
    if (port.empty()) return {};
    const auto number = port.starts_with(':') ? base::to_number<std::uint16_t>(port.substr(1)) : std::nullopt;
    if (!number || *number == 0) return fail(Fault::usage, "{}: the port must be a number from 1 to 65535", whole);
    url.port = *number;
    return {};
}

// RFC 3986 section 5.2.4, on the path alone.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    const auto segments = base::split(path.substr(1), '/');
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const bool last = i + 1 == segments.size();
        if (segments[i] == "..") {
            if (!kept.empty()) kept.pop_back();
            if (last) kept.emplace_back();
        } else if (segments[i] == ".") {
            if (last) kept.emplace_back();
        } else {
            kept.push_back(segments[i]);
        }
    }
    std::string clean;
    for (const auto segment : kept) clean.append("/").append(segment);
    return clean.empty() ? "/" : clean;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
    if (text.size() > max_url_bytes) return fail(Fault::usage, "the URL is longer than {} bytes", max_url_bytes);
    const auto end = text.find("://");
    Url url;
    if (end != std::string_view::npos && base::iequals(text.substr(0, end), "https")) {
        url.tls = true;
        url.port = https_port;
    } else if (end != std::string_view::npos && base::iequals(text.substr(0, end), "http")) {
        url.port = http_port;
    } else {
        return fail(Fault::usage, "{}: write the URL as http://host/path or https://host/path",
                    base::one_line(text, max_url_bytes));
    }
    if (!is_plain(text)) {
        return fail(Fault::usage, "{}: a URL holds no blanks, control or non-ASCII characters; percent-encode them",
                    base::one_line(text, max_url_bytes));
    }
    const std::string_view rest = text.substr(end + 3);
    const auto path = std::min(rest.find_first_of("/?#"), rest.size());
    if (auto done = read_authority(rest.substr(0, path), text, url); !done) return fail(done.error());
    std::string_view target = rest.substr(path);
    target = target.substr(0, target.find('#'));
    url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return url;
}

std::string to_string(const Url& url) {
    std::string text = url.tls ? "https://" : "http://";
    text += base::url_host(url.host);
    if (url.port != (url.tls ? https_port : http_port)) text += ":" + std::to_string(url.port);
    return text + url.target;
}

Result<Url> follow(const Url& base_url, std::string_view location) {
    location = base::trim(location);
    const auto bad = [&](std::string_view why) {
        return fail(Fault::malformed, "the redirect to \"{}\" cannot be followed: {}", base::one_line(location, 200),
                    why);
    };
    if (location.empty()) return bad("it is empty");
    if (location.size() > max_url_bytes || !is_plain(location)) return bad("it is no URL");
    const auto scheme_end = location.find_first_of(":/?#");
    if (scheme_end != std::string_view::npos && location[scheme_end] == ':') {
        auto absolute = parse_url(location);
        if (!absolute) return bad("it is no http or https URL");
        return absolute;
    }
    if (location.starts_with("//")) {
        auto absolute = parse_url((base_url.tls ? "https:" : "http:") + std::string(location));
        if (!absolute) return bad("it is no URL");
        return absolute;
    }
    Url url = base_url;
    location = location.substr(0, location.find('#'));
    const auto query = std::min(location.find('?'), location.size());
    const std::string_view path = location.substr(0, query);
    const std::string base_path = base_url.target.substr(0, base_url.target.find('?'));
    std::string merged = base_path;
    if (path.starts_with('/')) merged = path;
    if (!path.empty() && !path.starts_with('/')) {
        merged = base_path.substr(0, base_path.rfind('/') + 1) + std::string(path);
    }
    url.target = without_dots(merged) + std::string(location.substr(query));
    return url;
}

}  // namespace mtawatch::http
