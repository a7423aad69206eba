// Probe of forward-confirmed reverse DNS: whether the reverse name of each sending address leads back to it, and
// whether it is the name that the host says in HELO.
#pragma once

#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/base/ip.h"
#include "shared/base/result.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/mail_auth/remedy.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

struct FcrdnsQuery {
    std::vector<base::IpAddress> ips;
    std::string helo;            // "": not compared
    bool generic_names = false;  // names made of the address are the sender's own scheme and fine
    bool advise = false;         // work out what to publish, too
    world::ResolverChoice resolver;
};

// What more names than this say is of no use to a receiver.
inline constexpr std::size_t max_reverse_names = 10;

struct ReverseLook {
    base::IpAddress ip;
    std::vector<std::string> names;             // PTR
    std::vector<std::string> confirmed;         // of those, the ones that lead back to the address
    std::vector<Remedy<ReverseLook>> remedies;  // with advise, best first; its lines belong to one or two names
    Findings findings;
};

struct FcrdnsObservation {
    std::string helo;
    std::vector<ReverseLook> addresses;
};

// `helo` of the query as dns::ascii_name() gives it, or "".
[[nodiscard]] ReverseLook observe_reverse(const base::IpAddress& ip, const FcrdnsQuery& query, auth::DnsCache& dns);
// Fault::usage for a HELO that is no full name, and for an address that the Internet does not see.
[[nodiscard]] base::Result<FcrdnsObservation> fcrdns(const FcrdnsQuery& query, const base::Deadline& deadline,
                                                     world::World& world);

[[nodiscard]] std::string to_json(const FcrdnsObservation& observation);

}  // namespace mtawatch::probe::mail_auth
