// Advice for DMARC: the one record to publish, tried out in the zone as it would be with it.
#pragma once

#include <string>
#include <vector>

#include "shared/probe/mail_auth/dmarc.h"

namespace mtawatch::probe::mail_auth {

// Where a first record belongs: the registrable domain, or the name itself where the public-suffix list has none.
[[nodiscard]] std::string dmarc_home(const DmarcObservation& seen);

// Best first: the record that stands at the domain (or that applies to it) mended, with its policy raised to what the
// query wants where it was sound; several records as one; a text at the wrong name at the right one; where there is
// none, p=none with an address for reports. Empty when nothing is to be mended or no record can be added there.
[[nodiscard]] std::vector<Remedy<DmarcObservation>> dmarc_remedies(const DmarcQuery& query,
                                                                   const DmarcObservation& seen, auth::DnsCache& dns,
                                                                   const world::World& world);

}  // namespace mtawatch::probe::mail_auth
