// What an operator writes for a domain, host, address or URL, told from every other kind of thing: one function for the
// options of all plugins and for the exporter's configuration.
#pragma once

#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::base {

enum class TargetKind {
    domain,   // a name of at least two labels: example.com
    name,     // a name that may have one label: a host, a selector, a zone
    host,     // a name or an IP address, without a port; an IPv6 address may be in brackets
    address,  // one IP address
    network,  // an IP address or a network such as 192.0.2.0/24
    target,   // a name, an IP address or a network
    url,      // http:// or https:// with a host
    mailbox,  // user@domain; "" is the null sender
};

// Usage error in one sentence that quotes the text, says what it is instead (a URL, a mail address, a list, a host with
// a port, something in brackets or quotation marks, a wildcard, …) and what to write. Names may have letters of any
// script, digits, '-', '_' and dots; what is quoted back to write has been looked at by the same rule.
[[nodiscard]] Result<void> expect_target(std::string_view text, TargetKind kind);

}  // namespace mtawatch::base
