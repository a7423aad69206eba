// Probe of TLSRPT: whether senders know where to report TLS failures to. RFC 8460.
#pragma once

#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/auth/tls_rpt.h"
#include "shared/base/result.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/mail_auth/remedy.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

struct TlsRptQuery {
    std::string domain;
    world::ResolverChoice resolver;
};

struct TlsRptObservation {
    std::string domain;
    std::string record;  // "" without one
    auth::TlsRptRecord read;
    std::vector<Remedy<TlsRptObservation>> remedies;  // only from tls_rpt()
    Findings findings;
};

[[nodiscard]] base::Result<TlsRptObservation> observe_tls_rpt(const std::string& domain, auth::DnsCache& dns);
// Fault::usage for a domain that is none.
[[nodiscard]] base::Result<TlsRptObservation> tls_rpt(const TlsRptQuery& query, const base::Deadline& deadline,
                                                      world::World& world);

// `publish`: the lines that a check advises.
[[nodiscard]] std::string to_json(const TlsRptObservation& observation, const std::vector<std::string>& publish = {});

}  // namespace mtawatch::probe::mail_auth
