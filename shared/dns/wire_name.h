// Domain names in uncompressed wire format (RFC 1035 3.1), to and from text. Internal to shared/dns.
#pragma once

#include <string>
#include <string_view>

namespace mtawatch::dns {

// An askable name, lower case, with length bytes and the root's zero: what ldns holds as an uncompressed name.
[[nodiscard]] std::string wire_name(std::string_view name);
// The other way; a dot or backslash inside a label becomes "\." or "\\", other odd bytes "\DDD". "" for the root and
// for bytes that are not a name.
[[nodiscard]] std::string text_name(std::string_view wire);

}  // namespace mtawatch::dns
