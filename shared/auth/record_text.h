// The text of a record freed of what word processors, web pages and zone editors put into it.
#pragma once

#include <string>
#include <string_view>

namespace mtawatch::auth {

// Blanks of every kind as blanks, dashes of every kind as '-', without quotation marks, backslashes and zero-width
// characters: what an operator meant who pasted a record with them. Everything else as it is.
[[nodiscard]] std::string plain_record_text(std::string_view text);

}  // namespace mtawatch::auth
