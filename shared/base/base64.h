// Base64 decoder and encoder (RFC 4648 section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mtawatch::base {

enum class Base64Reading {
    strict,   // no blanks, full padding, unused bits zero (RFC 4648 section 3.5)
    lenient,  // blanks, tabs and line ends anywhere (DKIM folds its values), missing padding, unused bits of any value
};

// The bytes, or nothing where the text is not base64. Empty text is empty bytes.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text, Base64Reading reading);
// With padding, on one line.
[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace mtawatch::base
