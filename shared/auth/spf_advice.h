// Advice for SPF: the one record to publish for a domain in place of what is there, tried out before anyone sees it.
#pragma once

#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/auth/spf_lint.h"
#include "shared/base/ip.h"

namespace mtawatch::auth {

struct SpfWish {
    std::vector<base::IpAddress> senders;  // addresses that must pass; those no receiver can see are left out
    bool strict_end = false;               // the record has to end in -all; else ~all will do
};

// A record that passed the linter and the evaluator in the zone as it would be with it.
struct SpfOffer {
    std::string record;
    std::vector<std::string> replaces;  // the texts at the domain that it stands for
};

// The offers for a domain whose published state is `lint`, best first; empty when there is nothing to mend, when no
// record can be added at the name, or when nothing passes its own lint. Each has one record, no broken finding, at most
// 10 lookups and 2 void ones; every wished sender passes by it, and so does every address that passes today. What the
// operator wrote is kept as far as it works: terms that find nothing, stand twice, lead nowhere or name private
// networks go; `all` goes to the end, and a missing or neutral one becomes ~all. A record that lets everyone pass is
// never mended: nobody but its owner knows who sends.
[[nodiscard]] std::vector<SpfOffer> spf_offers(DnsCache& dns, const std::string& domain, const SpfLint& lint,
                                               const SpfWish& wish);

}  // namespace mtawatch::auth
