// DMARC policy discovery for a domain: the tree walk of RFC 9989 section 4.10, and beside it what a receiver with a
// public-suffix list (RFC 7489) would decide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/dmarc_record.h"
#include "shared/auth/dns_cache.h"
#include "shared/auth/public_suffix.h"

namespace mtawatch::auth {

// Section 4.10: a name of more labels than this is cut to one less before the second query.
inline constexpr std::size_t dmarc_max_queries = 8;

// One name that was asked.
struct DmarcStep {
    std::string name;                      // without _dmarc.
    std::optional<DmarcRecord> record;     // absent: none, or more than one
    std::size_t records = 0;               // DMARC records found; more than one are all discarded
    std::size_t other_texts = 0;           // TXT records beside them
    std::vector<std::string> near_misses;  // other TXT records that were meant to be one ("V=dmarc1", leading blank)
    std::vector<std::string> cnames;       // targets that _dmarc.<name> leads to
    std::uint32_t ttl = 0;                 // seconds, of the TXT records; 0 without any
    std::string failure;                   // why the lookup failed; "" when it did not
};

struct DmarcWalk {
    std::vector<DmarcStep> steps;                   // the domain itself first
    std::string organizational_domain;              // "" when a lookup that decides it failed
    [[nodiscard]] const DmarcStep* failed() const;  // the first failed step, or null
};

// `domain` as dns::ascii_name() gives it.
[[nodiscard]] DmarcWalk walk_dmarc(DnsCache& dns, const std::string& domain);

struct DmarcDecision {
    std::string record_domain;          // whose record applies; "" when none does
    std::optional<DmarcRecord> record;  // that record
    std::optional<DmarcPolicy> policy;  // for this very domain, t=y not yet taken into account; absent: no DMARC
    std::string tag;                    // which tag gave it: "p", "sp", "np"
    bool inherited = false;             // the record is another name's
    bool domain_exists = true;          // else np= counts; looked up only for an inherited record with np=
    std::string failure;                // why it could not be decided; "" when it could
};

// What receivers on RFC 9989 decide.
[[nodiscard]] DmarcDecision decide_dmarc(DnsCache& dns, const std::string& domain, const DmarcWalk& walk);

// What receivers on RFC 7489 decide: the domain's own record, else that of the registrable domain.
[[nodiscard]] DmarcDecision decide_dmarc_by_suffix_list(DnsCache& dns, const std::string& domain);

// Whether what SPF or DKIM proves for `identifier` counts for the From domain `author` (RFC 9989 section 4.4): the same
// name, or with relaxed alignment names of one organizational domain. Nothing when a lookup that decides it failed.
[[nodiscard]] std::optional<bool> dmarc_aligned(DnsCache& dns, const std::string& author, const std::string& identifier,
                                                bool strict);

// Whether nobody has registered the domain that a name belongs to, as far as the DNS says: nothing has its name.
[[nodiscard]] bool is_unregistered(DnsCache& dns, const std::string& name);

// Whether `destination` agrees to take reports about `policy_domain` (RFC 9990 section 4). Own destinations (same
// organizational domain) need no consent.
enum class Consent { not_needed, given, missing, unseen };
[[nodiscard]] Consent report_consent(DnsCache& dns, const std::string& policy_domain, const std::string& policy_org,
                                     const std::string& destination);

}  // namespace mtawatch::auth
