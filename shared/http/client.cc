#include "shared/http/client.h"

#include <algorithm>
#include <utility>

#include "shared/base/base64.h"
#include "shared/base/text.h"
#include "shared/http/reader.h"

namespace mtawatch::http {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_reason_bytes = 200;

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return base::is_alpha(c) || base::is_digit(c) || marks.find(c) != std::string_view::npos;
    });
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

Result<std::string> request_text(const Request& request, const Url& url) {
    if (!is_token(request.method)) return fail(Fault::usage, "\"{}\" is no HTTP method", request.method);
    const bool default_port = url.port == (url.tls ? 443 : 80);
    std::string host = base::url_host(url.host);
    if (!default_port) host += ":" + std::to_string(url.port);
    std::string text = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + host +
                       "\r\nUser-Agent: mtawatch\r\nAccept-Encoding: identity\r\nConnection: close\r\n";
    for (const Header& header : request.headers) {
        if (!is_token(header.name) || has_control(header.value)) {  // the value may be a secret: it is not quoted
            return fail(Fault::usage, "the HTTP header \"{}\" has a control character or line break in it",
                        base::one_line(header.name, max_reason_bytes));
        }
        text += header.name + ": " + header.value + "\r\n";
    }
    if (request.basic_auth) {
        const BasicAuth& auth = *request.basic_auth;
        if (auth.user.find(':') != std::string::npos || has_control(auth.user) || has_control(auth.password)) {
            return fail(Fault::usage,
                        "the user name for the web server may hold no colon, and nothing a control character");
        }
        text += "Authorization: Basic " + base::encode_base64(auth.user + ":" + auth.password) + "\r\n";
    }
    if (!request.body.empty()) text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    return text + "\r\n" + request.body;
}

std::string without_colons(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        if (c != ':') plain += base::lower(c);
    }
    return plain;
}

// Why the policy does not accept this server; empty when it does.
std::string objection(const TlsPolicy& policy, const tls::Session& session, const std::string& name,
                      const tls::Context& context, const base::Clock& clock) {
    if (session.chain.empty()) return "the server showed no certificate";
    const tls::Certificate& own = session.chain.front();
    if (!policy.pinned_sha256.empty()) {
        if (without_colons(policy.pinned_sha256) == own.fingerprint) return {};
        return fmt::format("the certificate is not the pinned one: its SHA-256 is {}", own.fingerprint);
    }
    if (policy.insecure) return {};
    const auto verdict = tls::verify_chain(context, session.chain, base::unix_seconds(clock.wall()));
    if (!verdict.trusted()) return verdict.findings.front().text;
    if (!tls::is_for(own, name)) return fmt::format("the certificate is not for {}", name);
    return {};
}

struct Opened {
    std::unique_ptr<io::Stream> stream;  // null when `untrusted` says why
    std::string untrusted;
    std::optional<tls::Session> session;
};

Result<Opened> open(const Request& request, const Url& url, const Dial& dial, const base::Deadline& deadline) {
    auto plain = dial(url.host, url.port, deadline);
    if (!plain) return fail(plain.error());
    if (!url.tls) return Opened{std::move(*plain), {}, std::nullopt};
    const TlsPolicy& policy = request.tls;
    std::shared_ptr<const tls::Context> context = policy.context;
    if (!context) {
        const bool judged = !policy.insecure && policy.pinned_sha256.empty();
        tls::TrustSettings trust;
        if (!judged) trust.ca_directory.clear();
        auto made = tls::Context::make(trust);
        if (!made) return fail(made.error());
        context = *made;
    }
    const std::string name = policy.server_name.empty() ? url.host : policy.server_name;
    auto shaken = tls::shake_hands(std::move(*plain), *context, {name}, deadline);
    if (!shaken) return fail(shaken.error().at(to_string(url) + ": no TLS connection"));
    Opened opened;
    opened.session = shaken->session;
    if (!shaken->stream) return fail(Fault::refused, "{}: no TLS connection: {}", to_string(url), shaken->reason);
    opened.untrusted = objection(policy, shaken->stream->session(), name, *context, deadline.clock());
    if (opened.untrusted.empty()) opened.stream = std::move(shaken->stream);
    return opened;
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where to go next, or nothing: no redirect, or one that leaves the host or TLS.
std::optional<Url> next_of(const Response& response, const Url& url) {
    if (!is_redirect(response.status)) return std::nullopt;
    const auto location = response.header("Location");
    if (!location) return std::nullopt;
    auto next = follow(url, *location);
    if (!next || next->host != url.host || (url.tls && !next->tls)) return std::nullopt;
    return *next;
}

}  // namespace

std::optional<std::string_view> Response::header(std::string_view name) const {
    const auto at = std::ranges::find_if(headers, [&](const Header& h) { return base::iequals(h.name, name); });
    if (at == headers.end()) return std::nullopt;
    return at->value;
}

Result<Answer> fetch(const Request& request, const Dial& dial, const base::Deadline& deadline) {
    Answer answer;
    answer.url = request.url;
    for (;;) {
        const auto text = request_text(request, answer.url);
        if (!text) return fail(text.error());
        auto opened = open(request, answer.url, dial, deadline);
        if (!opened) return fail(opened.error());
        answer.tls = std::move(opened->session);
        answer.response.reset();
        answer.untrusted = std::move(opened->untrusted);
        if (!answer.untrusted.empty()) return answer;
        if (auto done = opened->stream->write(*text, deadline); !done) {
            return fail(done.error().at(to_string(answer.url)));
        }
        auto response = read_response(*opened->stream, {request.max_header_bytes, request.max_body_bytes},
                                      request.method == "HEAD", deadline);
        if (!response) return fail(response.error().at(to_string(answer.url)));
        answer.response = std::move(*response);
        auto next = next_of(*answer.response, answer.url);
        if (!next || answer.redirects.size() >= request.max_redirects) return answer;
        answer.redirects.push_back(
            {answer.response->status, base::one_line(*answer.response->header("Location"), max_reason_bytes)});
        answer.url = std::move(*next);
    }
}

}  // namespace mtawatch::http
