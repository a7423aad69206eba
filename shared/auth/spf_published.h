// Which SPF records does a domain publish, and in what form? Used by the linter, before it reads what they say.
#pragma once

#include <string>

#include "shared/auth/spf_lint.h"

namespace mtawatch::auth {

// Fills records, ttl, answer_bytes and the findings about them: absent, several, near misses, size, time to live. A
// failed lookup is a finding of weight unseen.
void read_published_spf(DnsCache& dns, const std::string& domain, SpfLint& lint);

}  // namespace mtawatch::auth
