// Reads one HTTP response from a Stream within limits. Keeps Boost.Beast's headers in one source.
#pragma once

#include <cstddef>

#include "shared/http/client.h"

namespace mtawatch::http {

struct ReadLimits {
    std::size_t header_bytes = 0;  // also of a trailer, and of what stands beside a chunk's size
    std::size_t body_bytes = 0;
};

// `head_request`: the answer has no body whatever its headers say. Interim 1xx answers are skipped.
[[nodiscard]] base::Result<Response> read_response(io::Stream& stream, const ReadLimits& limits, bool head_request,
                                                   const base::Deadline& deadline);

}  // namespace mtawatch::http
