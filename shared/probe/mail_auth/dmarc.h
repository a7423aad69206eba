// Probe of DMARC: the policy that receivers apply to a domain's mail, the record that it comes from, and findings about
// that record.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/auth/dmarc_walk.h"
#include "shared/base/result.h"
#include "shared/probe/mail_auth/authoritative.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/mail_auth/remedy.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

struct DmarcQuery {
    std::string domain;
    std::vector<std::string> spf_domains;               // of the bounce addresses that mail from this domain has
    std::vector<std::string> dkim_domains;              // d= of the signatures that it carries
    bool authoritative = false;                         // ask every authoritative server, too
    bool advise = false;                                // work out what to publish, too
    auth::DmarcPolicy least = auth::DmarcPolicy::none;  // with advise: the policy to raise an existing record to
    world::ResolverChoice resolver;
};

// Whether what SPF or DKIM proves counts for the From domain (RFC 9989 section 4.4).
struct DmarcAlignment {
    bool spf = false;     // else DKIM
    std::string domain;   // A-labels
    bool strict = false;  // the names must be the same; else their organizational domains
    std::string organizational_domain;
    std::optional<bool> aligned;  // absent when it could not be looked up
};

struct DmarcObservation {
    std::string domain;
    auth::DmarcWalk walk;
    auth::DmarcDecision decision;                       // of receivers on RFC 9989
    auth::DmarcDecision by_suffix_list;                 // of receivers on RFC 7489
    std::string registrable_domain;                     // by the public-suffix list; "" for a suffix itself
    std::optional<auth::DmarcPolicy> subdomain_policy;  // for existing names below the domain that publish nothing
    std::vector<DmarcAlignment> alignments;             // of the query's domains; none without a record
    std::vector<Remedy<DmarcObservation>> remedies;     // with advise: one record, best first
    Findings findings;  // without the strength of the policy, which is for the reader to judge
};

[[nodiscard]] base::Result<DmarcObservation> observe_dmarc(const DmarcQuery& query, auth::DnsCache& dns,
                                                           const world::World& world);
// Fault::usage for a domain that is none.
[[nodiscard]] base::Result<DmarcObservation> dmarc(const DmarcQuery& query, const base::Deadline& deadline,
                                                   world::World& world);

// The policy that receivers act on: that of the record, one step weaker with t=y.
[[nodiscard]] std::optional<auth::DmarcPolicy> effective_policy(const DmarcObservation& observation);
// `publish`: the lines that a check advises.
[[nodiscard]] std::string to_json(const DmarcObservation& observation, const std::vector<std::string>& publish = {});

}  // namespace mtawatch::probe::mail_auth
