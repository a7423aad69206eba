// Collector and metrics of the probe dnsbl: blocklist lookups of our addresses and domains, the same as in check_dnsbl.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "exporter/collectors/collector.h"
#include "shared/base/ip.h"
#include "shared/probe/dnsbl/dnsbl.h"

namespace mtawatch::exporter::collectors {

// Reads the section:
//   addresses: [192.0.2.1, 192.0.2.0/28, mx.example.com]   one task each; a name means all its addresses
//   domains: [example.com]                                 one task each
//   from_accounting: true          the addresses in dlvSourceIp as one more task (default: true when no addresses
//                                  and no domains are named)
//   nat: {10.1.2.3: 203.0.113.5}   what the Internet sees of a local address; other private ones are skipped
//   lists: [zen.spamhaus.org, bl.example=advisory]   default: the built-in set; as -l of check_dnsbl
//   list_file: FILE                as --list-file
//   dns_servers: [192.0.2.53]      default: the system's
//   min_answers: 50                percent; a look in which fewer lists could tell counts as failed
//   self_test: true, concurrency: 100, interval: 15m, timeout: 60s
[[nodiscard]] base::Result<std::vector<Task>> dnsbl_tasks(const config::Node& section);

// mail_dnsbl_listed for every list that could tell (allow lists are left out), mail_dnsbl_lists for every target.
// A target about which fewer than `min_answers` percent of the lists could tell makes the look a failed one.
[[nodiscard]] Published publish_dnsbl(const probe::dnsbl::DnsblObservation& seen, double min_answers);

// The addresses that the accounting saw, as the Internet sees them: `nat` applied, private and unreadable ones left
// out, sorted, each once, at most probe::dnsbl::max_dnsbl_targets.
[[nodiscard]] std::vector<base::IpAddress> public_addresses(const std::vector<std::string>& seen,
                                                            const std::map<base::IpAddress, base::IpAddress>& nat);

}  // namespace mtawatch::exporter::collectors
