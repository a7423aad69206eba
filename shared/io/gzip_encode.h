// Gzip compression of a text for HTTP clients. Fast rather than small: level 1 of ISA-L.
#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::io {

// One gzip member (RFC 1952). Fault::limit for more than 2 GiB, Fault::internal when the library refuses.
[[nodiscard]] base::Result<std::string> gzip_encode(std::string_view bytes);

}  // namespace mtawatch::io
