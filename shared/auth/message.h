// Parser of a mail message into header fields and body. RFC 5322, as far as a signature covers it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::auth {

// Larger ones are refused: no receiver takes them, and they would have to fit into memory.
inline constexpr std::size_t max_message_bytes = 64U << 20U;
// More header fields than this in one message are an attack on whoever reads them.
inline constexpr std::size_t max_header_fields = 2000;

struct HeaderField {
    std::string name;   // as written, without blanks before the colon
    std::string value;  // everything after the colon, folding kept, without the final CRLF
    std::string raw;    // the whole field without the final CRLF
};

struct Message {
    std::vector<HeaderField> fields;
    std::string body;      // with CRLF line ends
    bool bare_lf = false;  // line ends were LF and are CRLF now, as mail is on the wire
    [[nodiscard]] std::size_t count(std::string_view name) const;
    [[nodiscard]] const HeaderField* find(std::string_view name) const;  // the first one, or null
};

// A leading mbox line ("From …") is left out. Faults: limit (too large, too many fields), malformed (a header line
// that is no field, with its number).
[[nodiscard]] base::Result<Message> parse_message(std::string_view bytes);

// The value on one line, folding undone (RFC 5322 section 2.2.3).
[[nodiscard]] std::string unfolded(std::string_view value);

// The domain of the mailbox in a From field, lower case; "" when there is none or more than one mailbox.
[[nodiscard]] std::string from_domain(const Message& message);

}  // namespace mtawatch::auth
