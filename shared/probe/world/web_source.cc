#include "shared/probe/world/web_source.h"

#include "shared/base/text.h"
#include "shared/http/client.h"
#include "shared/io/files.h"
#include "shared/mta/documents/pmta_document.h"
#include "shared/probe/world/dial.h"
#include "shared/probe/world/secret_file.h"

namespace mtawatch::probe::world {

namespace {

using base::fail;
using base::Fault;
using base::Result;

// A monitor is near: one that has not accepted the connection by then will not do so later.
constexpr auto connect_timeout = std::chrono::seconds(3);
constexpr std::size_t max_location = 200;  // of a redirect's target in a message
constexpr unsigned max_redirects = 3;      // http to https, / to /ui, and one to spare
// Fixed, because nothing that is sent in a form comes from outside: no value can hold it.
constexpr std::string_view boundary = "mtawatch-form-4b1f0c";

Result<void> add_secrets(World& world, const WebSource& source, http::Request& request) {
    if (source.api_key_file) {
        auto key = read_secret(world, *source.api_key_file);
        if (!key) return fail(key.error());
        request.headers.push_back({"X-API-Key", *key});
    }
    if (source.basic_auth_file) {
        auto pair = read_secret(world, *source.basic_auth_file);
        if (!pair) return fail(pair.error());
        const auto colon = pair->find(':');
        if (colon == std::string::npos) {
            return fail(Fault::configuration, "{}: write user:password on one line", *source.basic_auth_file);
        }
        request.basic_auth = http::BasicAuth{pair->substr(0, colon), pair->substr(colon + 1)};
    }
    return {};
}

void add_form(const WebRequest& wanted, http::Request& request) {
    if (wanted.form.empty()) return;
    request.method = "POST";
    request.headers.push_back({"Content-Type", fmt::format("multipart/form-data; boundary={}", boundary)});
    for (const auto& [name, value] : wanted.form) {
        request.body +=
            fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", boundary, name, value);
    }
    request.body += fmt::format("--{}--\r\n", boundary);
}

Result<http::Request> prepare(World& world, const WebSource& source, const WebRequest& wanted) {
    auto url = http::parse_url(source.url);
    if (!url) return fail(url.error());
    http::Request request;
    request.url = *url;
    if (!wanted.target.empty()) request.url.target = wanted.target;
    request.max_body_bytes = wanted.max_body;
    request.max_redirects = wanted.form.empty() ? max_redirects : 0;
    request.tls.insecure = source.insecure;
    if (source.certificate_pin) request.tls.pinned_sha256 = *source.certificate_pin;
    if (!source.insecure && !source.certificate_pin) {
        auto context = tls::Context::make({});
        if (!context) return fail(context.error());
        request.tls.context = *context;
    }
    if (auto done = add_secrets(world, source, request); !done) return fail(done.error());
    add_form(wanted, request);
    return request;
}

// Another address that a server names, without a password and without what follows '?': both may be secrets.
std::string shown_location(std::string_view location) {
    std::string shown(location.substr(0, location.find_first_of("?#")));
    const std::size_t slashes = shown.find("//");
    if (slashes != std::string::npos) {
        const std::size_t host = slashes + 2;
        const std::size_t at = std::string_view(shown).substr(0, shown.find('/', host)).rfind('@');
        if (at != std::string::npos && at >= host) shown.erase(host, at + 1 - host);
    }
    return base::one_line(shown, max_location);
}

}  // namespace

base::Result<WebReply> ask_web(World& world, const WebSource& source, const WebRequest& wanted,
                               const base::Deadline& deadline) {
    auto request = prepare(world, source, wanted);
    if (!request) return fail(request.error());
    const auto connect = [&world](const std::string& host, std::uint16_t port, const base::Deadline& until) {
        return make_dial(world, {})(host, port, until.within(connect_timeout));
    };
    // A form goes where a request without one is redirected to: a POST is not repeated by a redirect.
    auto answer = http::fetch(*request, connect, deadline);
    if (!answer) {
        const std::string asked = http::to_string(request->url);
        return fail(answer.error().what.starts_with(asked) ? answer.error() : answer.error().at(asked));
    }
    const std::string where = http::to_string(answer->url);
    if (!answer->response) {
        return fail(Fault::auth,
                    "{}: the certificate is not accepted: {}; pin it with --certificate-pin, or accept any with "
                    "--insecure",
                    where, answer->untrusted);
    }
    const int status = answer->response->status;
    std::string location;
    if (status >= 300 && status < 400) location = shown_location(answer->response->header("Location").value_or(""));
    if (!wanted.form.empty() && !location.empty()) {
        return fail(Fault::auth, "{} redirects to {}: give that as --url", where, location);
    }
    return WebReply{status, std::move(answer->response->body), where, std::move(location)};
}

base::Result<std::string> ask_web_ok(World& world, const WebSource& source, const WebRequest& request,
                                     std::string_view remedy, const base::Deadline& deadline) {
    auto reply = ask_web(world, source, request, deadline);
    if (!reply) return fail(reply.error());
    if (reply->status == 200) return std::move(reply->body);
    const std::string& where = reply->url;
    if (reply->status == 401) return fail(Fault::auth, "{}: a user and password are wanted (--basic-auth-file)", where);
    if (reply->status == 403) return fail(Fault::permission, "{}: access denied (403): {}", where, remedy);
    if (reply->status == 404) return fail(Fault::not_found, "{}: there is no such page (404)", where);
    if (!reply->location.empty()) {
        return fail(Fault::malformed,
                    "{}: redirects to {} (status {}) instead of answering; give --url the address that answers", where,
                    reply->location, reply->status);
    }
    return fail(Fault::malformed, "{}: answered with status {}", where, reply->status);
}

}  // namespace mtawatch::probe::world
