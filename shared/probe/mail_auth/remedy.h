// Lines to publish, with what the same probe would see once they are published: so that a check can judge both, and say
// a line only where it mends something and breaks nothing.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "shared/auth/finding.h"
#include "shared/auth/publication.h"

namespace mtawatch::probe::mail_auth {

using auth::Publication;

template <class Observation>
struct Remedy {
    std::vector<Publication> lines;  // published together
    std::shared_ptr<const Observation> after;
};

// Findings that no line to publish changes, in what would be seen, too. `findings_of` gives them of an observation.
template <class Observation, class FindingsOf>
void add_to_all(std::vector<Remedy<Observation>>& remedies, const auth::Findings& findings, FindingsOf findings_of) {
    for (Remedy<Observation>& remedy : remedies) {
        auto after = std::make_shared<Observation>(*remedy.after);
        findings_of(*after).add(findings);
        remedy.after = std::move(after);
    }
}

}  // namespace mtawatch::probe::mail_auth
