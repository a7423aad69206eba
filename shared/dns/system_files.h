// Parsers of resolv.conf(5) and hosts(5). They take text: reading the files is the caller's work.
#pragma once

#include <string_view>
#include <vector>

#include "shared/base/ip.h"
#include "shared/dns/transport.h"

namespace mtawatch::dns {

// The settings with the nameserver lines, max_servers at most, and `options trust-ad` of resolv.conf(5) added. A line
// that cannot be read is passed over, as the C library does.
[[nodiscard]] ResolverSettings with_resolv_conf(std::string_view text, ResolverSettings settings);

// The addresses that hosts(5) gives a name, in any case: each once, IPv4 first.
[[nodiscard]] std::vector<base::IpAddress> hosts_addresses(std::string_view text, std::string_view name);

}  // namespace mtawatch::dns
