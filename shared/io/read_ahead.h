// ByteSource that reads ahead in a thread of its own.
#pragma once

#include <memory>

#include "shared/io/byte_source.h"

namespace mtawatch::io {

// The same bytes, taken from `source` by a thread of its own a few pieces ahead: inflating and counting then use a core
// each. The thread ends with the object.
[[nodiscard]] std::unique_ptr<ByteSource> read_ahead(std::unique_ptr<ByteSource> source);

}  // namespace mtawatch::io
