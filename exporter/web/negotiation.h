// Content negotiation (RFC 9110 section 12.5), as far as scrapers use it: format and encoding that the client wants.
#pragma once

#include <string_view>

#include "exporter/exposition/exposition.h"

namespace mtawatch::exporter::web {

// OpenMetrics when the Accept header names application/openmetrics-text (version 1.0.0, 0.0.1 or none) with a weight
// that is not below that of text/plain and not 0; else text. Anything unreadable is text.
[[nodiscard]] exposition::Format wanted_format(std::string_view accept);

// Whether the Accept-Encoding header takes gzip (or *) with a weight above 0.
[[nodiscard]] bool takes_gzip(std::string_view accept_encoding);

}  // namespace mtawatch::exporter::web
