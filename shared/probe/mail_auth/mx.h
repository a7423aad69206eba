// Probe of MX records: whether a domain has mail hosts, whether they exist, and whether they are the expected ones.
#pragma once

#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/base/ip.h"
#include "shared/base/result.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

struct MxQuery {
    std::vector<std::string> domains;
    std::vector<std::string> expected;  // hosts that each domain must have; empty: any
    world::ResolverChoice resolver;
};

struct MxHost {
    unsigned preference = 0;
    std::string name;
    std::vector<base::IpAddress> addresses;
    std::string cname;  // where it leads to, which it must not; "" when it has its own addresses
};

struct MxLook {
    std::string domain;
    std::vector<MxHost> hosts;  // by preference
    bool null_mx = false;       // RFC 7505: takes no mail, and says so
    bool implicit = false;      // no MX record: mail goes to the domain's own address (RFC 5321 section 5.1)
    Findings findings;
};

struct MxObservation {
    std::vector<MxLook> domains;
};

// `domain` and `expected` as dns::ascii_name() gives them.
[[nodiscard]] MxLook observe_mx(const std::string& domain, const std::vector<std::string>& expected,
                                auth::DnsCache& dns);
// Fault::usage for a name that is none.
[[nodiscard]] base::Result<MxObservation> mx(const MxQuery& query, const base::Deadline& deadline, world::World& world);

[[nodiscard]] std::string to_json(const MxObservation& observation);

}  // namespace mtawatch::probe::mail_auth
