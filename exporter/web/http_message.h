// Conversion between Beast's HTTP messages and those of the pages, with the limits and refusals of the wire.
#pragma once

#include <optional>

#include "exporter/web/asio.h"
#include "exporter/web/message.h"

namespace mtawatch::exporter::web {

using RequestParser = http::request_parser<http::string_body>;
using WireResponse = http::response<http::span_body<const char>>;

// Far more than any scraper sends, credentials included.
inline constexpr std::uint32_t max_header_bytes = 16U << 10U;
// No page takes a body; a small one is read and dropped.
inline constexpr std::uint64_t max_body_bytes = 4096;

void set_limits(RequestParser& parser);

[[nodiscard]] Request request_of(const RequestParser::value_type& message);

// The answer to a request that could not be read, or nothing where the connection is simply over.
[[nodiscard]] std::optional<Response> refusal_of(beast::error_code error);
// The answer to a request that is not to be read further than its header:
// - one whose body's end is not told by Content-Length. No request of ours has a body. Beast knows "chunked" alone,
//   takes a request with any other coding for one without a body, and would read its body as the next request; Beast
//   1.74 ends the program in an assertion when the last, empty chunk arrives byte by byte;
// - one without exactly one Host, which whoever stands between us and the client may read in another way (RFC 9112
//   section 3.2). HTTP/1.0 needs none;
// - one that expects anything but "100-continue" of us (RFC 9110 section 10.1.1).
[[nodiscard]] std::optional<Response> refusal_of_header(const RequestParser& parser);

// Whether the client waits for "100 Continue" before it sends the body that it has announced.
[[nodiscard]] bool waits_to_go_on(const RequestParser& parser);

// Refers to the body of `response`, which must stay as long. `head` leaves it out and keeps its length.
[[nodiscard]] WireResponse wire_response(const Response& response, bool head, bool keep_alive,
                                         const std::vector<std::pair<std::string, std::string>>& extra_headers);

}  // namespace mtawatch::exporter::web
