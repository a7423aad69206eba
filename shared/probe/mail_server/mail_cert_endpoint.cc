// Certificate endpoints: parsing of -e, and of -H, -p and --starttls.
#include <algorithm>
#include <array>

#include "shared/base/target_text.h"
#include "shared/base/text.h"
#include "shared/probe/mail_server/mail_cert.h"

namespace mtawatch::probe::mail_server {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using smtp::Protocol;

struct Scheme {
    std::string_view name;
    std::uint16_t port;
    std::optional<Protocol> starttls;
};

constexpr std::array<Scheme, 10> schemes{{{"smtp", 25, Protocol::smtp},
                                          {"submission", 587, Protocol::smtp},
                                          {"smtps", 465, std::nullopt},
                                          {"lmtp", 24, Protocol::lmtp},
                                          {"imap", 143, Protocol::imap},
                                          {"imaps", 993, std::nullopt},
                                          {"pop3", 110, Protocol::pop3},
                                          {"pop3s", 995, std::nullopt},
                                          {"sieve", 4190, Protocol::sieve},
                                          {"https", 443, std::nullopt}}};

std::string known_schemes() {
    std::string text;
    for (const Scheme& scheme : schemes) text += std::string(scheme.name) + " ";
    return text + "file";
}

Result<std::uint16_t> read_port(std::string_view digits, std::string_view whole) {
    const auto port = base::to_number<std::uint16_t>(digits);
    if (!port || *port == 0) {
        return fail(Fault::usage, "{}: the port \"{}\" is not a number from 1 to 65535", whole, digits);
    }
    return *port;
}

// "host", "host:port", "[v6]", "[v6]:port".
Result<void> read_host(std::string_view authority, CertEndpoint& endpoint) {
    std::string_view rest;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) {
            return fail(Fault::usage, "{}: the [IPv6 address] has no closing bracket", endpoint.text);
        }
        endpoint.host = authority.substr(1, end - 1);
        rest = authority.substr(end + 1);
    } else if (std::ranges::count(authority, ':') > 1) {
        return fail(Fault::usage, "{}: write an IPv6 address in brackets: {}://[2001:db8::1]", endpoint.text,
                    endpoint.scheme);
    } else {
        endpoint.host = authority.substr(0, authority.find(':'));
        rest = authority.substr(endpoint.host.size());
    }
    if (endpoint.host.empty()) return fail(Fault::usage, "{}: the endpoint names no host", endpoint.text);
    if (auto done = base::expect_target(endpoint.host, base::TargetKind::host); !done) {
        return fail(Fault::usage, "{}: {}", endpoint.text, done.error().what);
    }
    if (rest.empty()) return {};
    if (!rest.starts_with(':')) return fail(Fault::usage, "{}: what follows the address is no port", endpoint.text);
    const auto port = read_port(rest.substr(1), endpoint.text);
    if (!port) return fail(port.error());
    endpoint.port = *port;
    return {};
}

Result<CertEndpoint> file_endpoint(std::string_view path, std::string_view text) {
    if (!path.starts_with('/')) {
        return fail(Fault::usage, "{}: write an absolute path with three slashes: file:///etc/ssl/mail.pem", text);
    }
    CertEndpoint endpoint;
    endpoint.scheme = "file";
    endpoint.path = path;
    endpoint.text = text;
    return endpoint;
}

}  // namespace

Result<CertEndpoint> parse_cert_endpoint(std::string_view text) {
    const std::string shown = base::one_line(text, 300);
    const auto end = text.find("://");
    if (end == std::string_view::npos) {
        return fail(Fault::usage, "{}: write the endpoint as SCHEME://HOST[:PORT]; schemes: {}", shown,
                    known_schemes());
    }
    const std::string scheme = base::to_lower(text.substr(0, end));
    std::string_view rest = text.substr(end + 3);
    if (scheme == "file") return file_endpoint(rest, text);
    const auto* known = std::ranges::find_if(schemes, [&](const Scheme& one) { return one.name == scheme; });
    if (known == schemes.end()) {
        return fail(Fault::usage, "{}: unknown scheme \"{}\"; there are: {}", shown, base::one_line(scheme, 50),
                    known_schemes());
    }
    CertEndpoint endpoint{
        .scheme = scheme, .host = {}, .port = known->port, .starttls = known->starttls, .path = {}, .text = shown};
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.find_first_of("/?#@ \t\r\n") != std::string_view::npos) {
        return fail(Fault::usage, "{}: an endpoint is a host and a port, without user, path or blanks", shown);
    }
    if (auto done = read_host(rest, endpoint); !done) return fail(done.error());
    return endpoint;
}

Result<CertEndpoint> cert_endpoint(const std::string& host, std::uint16_t port, std::string_view starttls) {
    const auto* found = std::ranges::find_if(schemes, [&](const Scheme& one) {
        return starttls.empty() ? one.port == port : one.name == starttls && one.starttls.has_value();
    });
    if (found == schemes.end()) {
        return fail(Fault::usage,
                    "port {} does not tell which protocol it speaks; add --starttls PROTOCOL, or write "
                    "--endpoint smtps://{}:{} for TLS from the first byte",
                    port, host, port);
    }
    return parse_cert_endpoint(std::string(found->name) + "://" + base::url_host(host) +
                               (port == found->port ? "" : ":" + std::to_string(port)));
}

}  // namespace mtawatch::probe::mail_server
