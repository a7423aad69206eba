// HTTP/1.1 client: one request over a Stream, plain or TLS, under one deadline. Redirects, status and certificate are
// facts in the answer; the caller decides what they mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/stream.h"
#include "shared/tls/client.h"

namespace mtawatch::http {

struct Url {
    bool tls = false;
    std::string host;  // as written, lower case; an IPv6 address without brackets
    std::uint16_t port = 80;
    std::string target = "/";  // path and query, percent-encoded, without fragment
    bool operator==(const Url&) const = default;
};

// "http://host[:port]/path?query" or https. Usage error for another scheme, user information (a password does not
// belong in a URL), a bad port, blanks and control characters.
[[nodiscard]] base::Result<Url> parse_url(std::string_view text);
[[nodiscard]] std::string to_string(const Url& url);
// Where a Location header points, absolute or relative to `base` (RFC 3986 section 5). Fault::malformed.
[[nodiscard]] base::Result<Url> follow(const Url& base, std::string_view location);

struct Header {
    std::string name;
    std::string value;
};

struct BasicAuth {
    std::string user;
    std::string password;
};

// How the server's certificate is judged before anything is sent to it.
struct TlsPolicy {
    // Trusted authorities; needed unless `insecure` or a pin is set (it is still used for the handshake then, and a
    // context without system authorities is made where it is null).
    std::shared_ptr<const tls::Context> context;
    bool insecure = false;      // take any certificate
    std::string pinned_sha256;  // take exactly this certificate: SHA-256 of its DER in hexadecimal, colons allowed
    std::string server_name;    // SNI and the name to verify; empty: the URL's host
};

struct Request {
    Url url;
    std::string method = "GET";
    std::vector<Header> headers = {};  // beyond Host, User-Agent, Accept-Encoding and Connection, which are ours
    std::string body = {};             // sent with Content-Length when not empty
    std::optional<BasicAuth> basic_auth = {};
    TlsPolicy tls = {};
    std::size_t max_header_bytes = 64U << 10U;
    std::size_t max_body_bytes = 16U << 20U;
    // Redirects followed, 0 for none. Only to the same host, and never from https to http: headers and credentials
    // go along, so they may not go elsewhere.
    unsigned max_redirects = 0;
};

struct Response {
    int status = 0;
    std::string reason;
    std::vector<Header> headers;  // in order, values trimmed
    std::string body;             // decoded from chunks
    // The first header of that name, without regard to case.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

struct Redirect {
    int status = 0;
    std::string location;  // as sent, one line
};

struct Answer {
    std::optional<Response> response;  // the last one; absent when the certificate was not accepted
    std::string untrusted;             // why the certificate was not accepted; nothing was sent then
    std::vector<Redirect> redirects;   // those that were followed; one not followed is the response itself
    Url url;                           // where the response came from
    std::optional<tls::Session> tls;   // absent over plain TCP
};

// Opens a connection to a host and port: resolves names, tries addresses; shared/probe and tests supply it.
using Dial = std::function<base::Result<std::unique_ptr<io::Stream>>(const std::string& host, std::uint16_t port,
                                                                     const base::Deadline& deadline)>;

// Faults: those of the dial; timeout (no answer in time); refused (closed before an answer, or no TLS there); malformed
// (not HTTP, or cut short); limit (header or body too large); usage (a header with a line break).
[[nodiscard]] base::Result<Answer> fetch(const Request& request, const Dial& dial, const base::Deadline& deadline);

}  // namespace mtawatch::http
