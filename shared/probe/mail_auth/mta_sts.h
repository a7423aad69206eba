// Probe of MTA-STS: a domain's record, its policy over HTTPS, and the mail hosts that it covers. RFC 8461.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/auth/mta_sts.h"
#include "shared/base/result.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/mail_auth/remedy.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

struct MtaStsQuery {
    std::string domain;
    std::string ca_file;  // "": the system's authorities
    world::ResolverChoice resolver;
};

struct MtaStsObservation {
    std::string domain;
    std::string record;  // "" without one
    std::string id;
    std::string url;                     // where the policy is
    bool fetched = false;                // an answer with status 200 came
    std::string policy_text;             // as served
    auth::StsPolicy policy;              // read from it
    std::vector<std::string> hosts;      // mail hosts
    std::vector<std::string> uncovered;  // of those, the ones that no mx line covers
    std::vector<Remedy<MtaStsObservation>> remedies;
    Findings findings;
};

// Asks the DNS through a cache that others share, and fetches the policy.
[[nodiscard]] base::Result<MtaStsObservation> observe_mta_sts(const MtaStsQuery& query, auth::DnsCache& dns,
                                                              world::World& world);
// Faults: usage (no domain), those of reading the CA file.
[[nodiscard]] base::Result<MtaStsObservation> mta_sts(const MtaStsQuery& query, const base::Deadline& deadline,
                                                      world::World& world);

// `publish`: the lines that a check advises.
[[nodiscard]] std::string to_json(const MtaStsObservation& observation, const std::vector<std::string>& publish = {});

}  // namespace mtawatch::probe::mail_auth
