// Boost 1.74's Asio needs <utility> before its own headers under GCC 12 in C++20.
#include <utility>
// clang-format off
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
// clang-format on

#include <algorithm>
#include <cstdint>
#include <limits>

#include "shared/base/text.h"
#include "shared/http/reader.h"

namespace mtawatch::http {
namespace {

namespace beast = boost::beast;
using base::fail;
using base::Fault;
using base::Result;
using Parser = beast::http::response_parser<beast::http::string_body>;

constexpr std::size_t read_size = 16U << 10U;  // one TLS record
// A body beyond this gets room for all that it may have, so that it is not copied, and held twice, as it grows. What it
// does not fill of that room costs nothing.
constexpr std::size_t large_body = 1U << 20U;
constexpr std::size_t shortest_chunk = 5;  // "0" CRLF CRLF: less cannot end a chunked body
constexpr std::string_view no_answer = "the server closed the connection without an answer";
constexpr std::size_t max_shown = 60;  // of an answer that is not HTTP
constexpr int max_interim = 10;        // 1xx answers in front of the real one (RFC 9110 section 15.2)

// The first line, for whoever has to find out what it is that answers there; empty where it is one of HTTP.
std::string beginning(const beast::flat_buffer& buffer) {
    const std::string_view bytes(static_cast<const char*>(buffer.data().data()), buffer.size());
    if (bytes.starts_with("HTTP/")) return {};
    return base::one_line(bytes.substr(0, bytes.find_first_of("\r\n")), max_shown);
}

// `first`: how the answer begins, before anything of it was understood; headers may hold secrets.
base::Failure explain(const beast::error_code& code, const ReadLimits& limits, const std::string& first) {
    using beast::http::error;
    if (code == error::header_limit) {
        return fail(Fault::limit, "the answer's header is larger than {} bytes", limits.header_bytes);
    }
    if (code == error::body_limit || code == error::buffer_overflow) {
        return fail(Fault::limit, "the answer's body is larger than {} bytes", limits.body_bytes);
    }
    if (code == error::partial_message) return fail(Fault::malformed, "the answer is cut short");
    if (first.empty()) return fail(Fault::malformed, "the answer is not HTTP: {}", code.message());
    return fail(Fault::malformed, "the answer is not HTTP: '{}' ({})", first, code.message());
}

// Hands what has been read to the parser; false when it wants more bytes first: it has the whole of a header, of a
// chunk's size with its extension, and of the trailer in view before it takes anything of them.
Result<bool> parse_some(Parser& parser, beast::flat_buffer& buffer, const ReadLimits& limits) {
    beast::error_code code;
    while (!parser.is_done() && buffer.size() > 0) {
        // Beast 1.74 asserts that it never sees less of a last chunk, but a slow server sends it byte by byte.
        if (parser.is_header_done() && parser.chunked() && buffer.size() < shortest_chunk) return false;
        const std::string first = parser.got_some() ? "" : beginning(buffer);
        const std::size_t used = parser.put(buffer.data(), code);
        buffer.consume(used);
        const bool header_alone = parser.is_header_done() && !parser.eager();
        if (header_alone && parser.content_length().value_or(0) > limits.body_bytes) {
            return explain(beast::http::error::body_limit, limits, {});
        }
        if (header_alone) parser.eager(true);
        std::string& body = parser.get().body();
        if (body.size() > large_body && body.capacity() < limits.body_bytes) body.reserve(limits.body_bytes);
        if (code == beast::http::error::need_more) return false;
        if (code) return explain(code, limits, first);
        if (used == 0 && !parser.is_done()) return false;
    }
    return parser.is_done();
}

Result<void> read_message(io::Stream& stream, Parser& parser, beast::flat_buffer& buffer, const ReadLimits& limits,
                          const base::Deadline& deadline) {
    for (;;) {
        const auto done = parse_some(parser, buffer, limits);
        if (!done) return fail(done.error());
        if (*done) return {};
        const std::size_t room = buffer.max_size() - buffer.size();
        if (room == 0) {
            return fail(Fault::limit, "the answer's trailer or a chunk's extension is larger than {} bytes",
                        limits.header_bytes);
        }
        const auto space = buffer.prepare(std::min(read_size, room));
        const auto count = stream.read_some({static_cast<char*>(space.data()), space.size()}, deadline);
        // Reset, or TLS broken off.
        if (!count && count.error().fault == Fault::refused && parser.got_some()) {
            return fail(Fault::malformed, "the answer is cut short: {}", count.error().what);
        }
        if (!count && count.error().fault == Fault::refused) return fail(count.error().at(no_answer));
        if (!count) return fail(count.error());
        buffer.commit(*count);
        if (*count > 0) continue;
        if (!parser.got_some()) return fail(Fault::refused, "{}", no_answer);
        beast::error_code code;
        parser.put_eof(code);
        if (code) return explain(code, limits, {});
        return {};
    }
}

Response response_of(Parser& parser) {
    auto message = parser.release();
    Response response;
    response.status = static_cast<int>(message.result_int());
    response.reason = std::string(message.reason().data(), message.reason().size());
    for (const auto& field : message) {
        response.headers.push_back({std::string(field.name_string().data(), field.name_string().size()),
                                    std::string(field.value().data(), field.value().size())});
    }
    response.body = std::move(message.body());
    return response;
}

}  // namespace

Result<Response> read_response(io::Stream& stream, const ReadLimits& limits, bool head_request,
                               const base::Deadline& deadline) {
    // A header beyond its limit is refused by the parser, so only trailers and extensions fill this.
    beast::flat_buffer buffer(limits.header_bytes + read_size);
    for (int i = 0; i <= max_interim; ++i) {
        Parser parser;
        // The header alone first: where bytes of the body follow it at once, Beast 1.74 makes room for all of an
        // announced length before it looks at the limit.
        parser.eager(false);
        parser.skip(head_request);
        parser.header_limit(static_cast<std::uint32_t>(
            std::min<std::size_t>(limits.header_bytes, std::numeric_limits<std::uint32_t>::max())));
        parser.body_limit(limits.body_bytes);
        if (auto done = read_message(stream, parser, buffer, limits, deadline); !done) return fail(done.error());
        const auto status = parser.get().result_int();
        if (status >= 200 || status == 101) return response_of(parser);
    }
    return fail(Fault::malformed, "more than {} interim answers", max_interim);
}

}  // namespace mtawatch::http
