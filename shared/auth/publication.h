// Advice that can be pasted: a record to publish as a line of a zone file, and what would have to be true of the name
// for the line to be taken.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"

namespace mtawatch::auth {

struct Publication {
    std::string name;  // A-labels, without trailing dot
    dns::Type type = dns::Type::txt;
    std::string data;  // TXT: the whole text; A, AAAA: the address; PTR: the host, without trailing dot
    bool operator==(const Publication&) const = default;
};

// `example.com. IN TXT "v=spf1 -all"`: master file format (RFC 1035 section 5.1), a long text in strings of at most 255
// bytes (RFC 7208 section 3.3), everything that a zone file or a terminal could take for something else escaped.
[[nodiscard]] std::string zone_line(const Publication& record);

// Puts the record into a view: it takes the place of those TXT records at its name that `replaces` names, and of a PTR;
// addresses stand beside those that are there.
void publish(DnsCache& view, const Publication& record, const std::vector<std::string>& replaces);

// Why no record can be added at the name itself, in words: it is a CNAME, to which nothing may be added (RFC 1034
// section 3.6.2), or what a host answers comes from a wildcard, which a record of its own would switch off there (RFC
// 4592). Of a name that begins with an underscore nobody needs another record, so a wildcard does not matter.
[[nodiscard]] std::optional<std::string> cannot_publish(DnsCache& dns, const std::string& name);

}  // namespace mtawatch::auth
