// The linter's first step: fetches the SPF records that a domain publishes and judges their form (number, near misses,
// size).
#pragma once

#include <string>

#include "shared/auth/spf_lint.h"

namespace mtawatch::auth {

// Fills records, ttl, answer_bytes and the findings about them: absent, several, near misses, size, time to live. A
// failed lookup is a finding of weight unseen.
void read_published_spf(DnsCache& dns, const std::string& domain, SpfLint& lint);

}  // namespace mtawatch::auth
