// Probe of SPF: what a domain's record says, and whether our sending addresses pass.
#pragma once

#include <string>
#include <vector>

#include "shared/auth/spf_check_host.h"
#include "shared/auth/spf_lint.h"
#include "shared/base/ip.h"
#include "shared/base/result.h"
#include "shared/probe/mail_auth/authoritative.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/mail_auth/remedy.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

struct SpfQuery {
    std::string domain;                // as given; a malformed one has the result none
    std::vector<base::IpAddress> ips;  // each is evaluated
    std::string sender;                // "" is the null sender
    std::string helo;
    bool check_helo = false;     // evaluate the HELO identity beside the sender's (RFC 7208 section 2.3)
    bool advise = false;         // work out what to publish, too; costs time only where something is to be mended
    bool strict_end = false;     // with advise: the record has to end in -all
    bool authoritative = false;  // ask every authoritative server, too, and for records of the obsolete type SPF
    world::ResolverChoice resolver;
};

struct SpfPass {
    base::IpAddress ip;
    std::string sender;
    std::string helo;
    auth::SpfEvaluation evaluation;
};

struct SpfObservation {
    std::string domain;
    auth::SpfLint lint;
    std::vector<SpfPass> evaluations;
    std::vector<SpfPass>
        helo_evaluations;             // with check_helo, where the HELO name is another one; side by side with them
    std::vector<ServerView> servers;  // with authoritative
    // With advise, best first: one record at the domain, one at the HELO name.
    std::vector<Remedy<SpfObservation>> remedies;
    std::vector<Remedy<SpfObservation>> helo_remedies;
};

// One run's view over a cache that other readers share (the exporter's one pass).
[[nodiscard]] SpfObservation observe_spf(const SpfQuery& query, auth::DnsCache& dns, const world::World& world);

// Fault::usage for a domain that is none, unless addresses are to be evaluated.
[[nodiscard]] base::Result<SpfObservation> spf(const SpfQuery& query, const base::Deadline& deadline,
                                               world::World& world);

// "-all", "~all", "?all", "+all" or "none", as it applies in the end.
[[nodiscard]] std::string effective_all(const SpfObservation& observation);
// `publish`: the lines that a check advises.
[[nodiscard]] std::string to_json(const SpfObservation& observation, const std::vector<std::string>& publish = {});

// What JSON gives as explanation when a domain fails a sender without saying why.
inline constexpr std::string_view spf_default_explanation = "DEFAULT";

}  // namespace mtawatch::probe::mail_auth
