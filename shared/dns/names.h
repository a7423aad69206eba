// Domain names: A-labels, reverse names and the limits of RFC 1035.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/ip.h"
#include "shared/base/result.h"

namespace mtawatch::dns {

inline constexpr std::size_t max_name_bytes = 253;  // RFC 1035 2.3.4, as text without the root dot
inline constexpr std::size_t max_label_bytes = 63;

// What a person writes ("B\u00fccher.example.", "mx.example.net") as it is asked in the DNS: A-labels by IDNA2008 for
// labels that are not ASCII, ASCII letters in lower case, no trailing dot. Usage error that names the text and what
// is wrong (empty label, label over 63 bytes, name over 253, blank or control character, not allowed by IDNA).
// Underscores are fine: service names need them. The root "." is refused.
[[nodiscard]] base::Result<std::string> ascii_name(std::string_view text);

// Whether a name that is already ASCII can be asked: length limits and no empty label; any octet but '.' in a label.
[[nodiscard]] bool askable(std::string_view name);

// Whether a name that is already ASCII can be that of a host or of a service: letters, digits, '-' and '_' in every
// label. Other octets are legal in the DNS, but no registry sells them and no operator means them.
[[nodiscard]] bool is_host_name(std::string_view name);

// "2.0.0.127" or 32 nibbles "2.0.0.0.…": what stands in front of a list zone, in-addr.arpa or ip6.arpa.
[[nodiscard]] std::string reversed_labels(const base::IpAddress& address);
// "2.0.0.127.in-addr.arpa" (RFC 1035 3.5), "….ip6.arpa" (RFC 3596 2.5).
[[nodiscard]] std::string reverse_name(const base::IpAddress& address);

// Labels from left to right; an ASCII name has no escapes here.
[[nodiscard]] std::vector<std::string_view> labels(std::string_view name);
// "a.b.c" -> "b.c"; "c" -> "".
[[nodiscard]] std::string_view parent(std::string_view name);
// Whether `name` is `ancestor` or below it; case does not matter.
[[nodiscard]] bool is_within(std::string_view name, std::string_view ancestor);

}  // namespace mtawatch::dns
