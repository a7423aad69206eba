#include "exporter/web/http_message.h"

#include "shared/base/text.h"

namespace mtawatch::exporter::web {
namespace {

constexpr std::string_view continuing = "100-continue";

std::string text_of(beast::string_view view) { return {view.data(), view.size()}; }

Response plain(unsigned status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

// The path of origin-form and of absolute-form, which every server has to take (RFC 9112, section 3.2.2).
std::string path_of(std::string_view target) {
    target = target.substr(0, target.find_first_of("?#"));
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!base::iequals(target.substr(0, scheme.size()), scheme)) continue;
        const std::size_t slash = target.find('/', scheme.size());
        return slash == std::string_view::npos ? "/" : std::string(target.substr(slash));
    }
    return std::string(target);
}

}  // namespace

void set_limits(RequestParser& parser) {
    parser.header_limit(max_header_bytes);
    parser.body_limit(max_body_bytes);
}

Request request_of(const RequestParser::value_type& message) {
    Request request;
    request.method = text_of(message.method_string());
    request.path = path_of(text_of(message.target()));
    request.accept = text_of(message[http::field::accept]);
    request.accept_encoding = text_of(message[http::field::accept_encoding]);
    request.authorization = text_of(message[http::field::authorization]);
    request.user_agent = text_of(message[http::field::user_agent]);
    request.scrapes = message.find("X-Prometheus-Scrape-Timeout-Seconds") != message.end();
    return request;
}

std::optional<Response> refusal_of(beast::error_code error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return plain(431, "The request's header is too long.\n");
    }
    if (error == http::error::body_limit) return plain(413, "The request's body is too long: send none.\n");
    const bool closed = error == http::error::end_of_stream || error == http::error::partial_message;
    if (!closed && error.category() == make_error_code(http::error::bad_method).category()) {
        return plain(400, "The request cannot be read.\n");
    }
    return std::nullopt;
}

std::optional<Response> refusal_of_header(const RequestParser& parser) {
    constexpr unsigned http_1_1 = 11;
    const auto& message = parser.get();
    if (message.find(http::field::transfer_encoding) != message.end()) {
        return plain(411, "The request has a body without a length: send none.\n");
    }
    const auto hosts = message.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && message.version() >= http_1_1)) {
        return plain(400, "The request needs one Host header.\n");
    }
    const auto expected = message.find(http::field::expect);
    if (expected != message.end() && !base::iequals(text_of(expected->value()), continuing)) {
        return plain(417, "The request expects what is not done here: expect nothing, or 100-continue.\n");
    }
    return std::nullopt;
}

bool waits_to_go_on(const RequestParser& parser) {
    constexpr unsigned http_1_1 = 11;  // an older client would take the interim answer for the answer
    return parser.get().version() >= http_1_1 && !parser.is_done() &&
           base::iequals(text_of(parser.get()[http::field::expect]), continuing);
}

WireResponse wire_response(const Response& response, bool head, bool keep_alive,
                           const std::vector<std::pair<std::string, std::string>>& extra_headers) {
    WireResponse wire{http::int_to_status(response.status), 11};
    wire.set(http::field::content_type, response.content_type);
    if (response.gzip) wire.set(http::field::content_encoding, "gzip");
    for (const auto& [name, value] : extra_headers) wire.set(name, value);
    for (const auto& [name, value] : response.headers) wire.set(name, value);
    wire.content_length(response.body.size());
    wire.keep_alive(keep_alive);
    if (!head) wire.body() = {response.body.data(), response.body.size()};
    return wire;
}

}  // namespace mtawatch::exporter::web
