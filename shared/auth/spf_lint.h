// SPF linter: lookup cost, authorised addresses and mistakes of a published record with everything it includes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/auth/address_count.h"
#include "shared/auth/dns_cache.h"
#include "shared/auth/finding.h"
#include "shared/auth/spf_record.h"

namespace mtawatch::auth {

// One record of the lookup tree.
struct SpfNode {
    std::string domain;
    std::string term;           // the include or redirect that led here; "" at the top
    std::string record;         // "" when there is none
    unsigned lookups = 0;       // terms that query, with everything below: what an evaluation to the end costs
    unsigned void_lookups = 0;  // those that find nothing, with everything below
    char all = 0;  // qualifier of what applies in the end: its `all`, or that of the redirect target; 0: none
    std::vector<SpfNode> children;
};

// What a term of a record costs with everything below it.
struct SpfCost {
    std::string term;
    unsigned lookups = 0;
};
// The terms of the node's own record that query, in its order.
[[nodiscard]] std::vector<SpfCost> spf_costs(const SpfNode& node);

// Where a network was authorised.
struct SpfSource {
    base::IpNetwork network;
    std::string term;      // as written
    std::string domain;    // whose record has it
    std::string top_term;  // the term of the domain's own record that leads there
};

struct SpfLint {
    SpfNode tree;
    std::vector<std::string> records;       // the SPF records found, as published; more than one is an error
    std::vector<std::string> near_misses;   // texts that were meant to be one
    std::uint32_t ttl = 0;                  // seconds; 0 without a record
    std::size_t answer_bytes = 0;           // all TXT records of the name together
    AddressCount addresses;                 // that pass
    std::vector<base::IpNetwork> networks;  // the same, merged
    std::vector<SpfSource> sources;         // the same, by term, in the order of addresses
    Findings findings;
    [[nodiscard]] const std::string* record() const { return records.empty() ? nullptr : &records.front(); }
};

// A record with more terms than the limit is followed a little further, to show all of its cost, but not without end.
inline constexpr unsigned spf_lint_max_lookups = 40;

// Asks side by side for what the terms of the domain's own record need, so that an evaluation and the lint that follow
// find it in the cache. `domain` as dns::ascii_name() gives it, as below.
void fetch_spf(DnsCache& dns, const std::string& domain);

[[nodiscard]] SpfLint lint_spf(DnsCache& dns, const std::string& domain);

}  // namespace mtawatch::auth
