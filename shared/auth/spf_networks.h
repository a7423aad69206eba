// The addresses that an SPF record authorises: what is wrong with a network, and how the networks of all terms stand to
// each other.
#pragma once

#include <string>

#include "shared/auth/spf_lint.h"

namespace mtawatch::auth {

// Findings about the network of one ip4: or ip6: term. `place` stands in front of each ("in the record of x: ").
void judge_spf_network(const SpfTerm& term, const std::string& place, Findings& findings);

// Fills addresses and networks from the sources, puts these in order, and adds findings about overlaps and about terms
// that authorise everyone together.
void judge_spf_networks(SpfLint& lint);

}  // namespace mtawatch::auth
