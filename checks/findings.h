// How bad is what was found in a published record? One answer for all checks of mail authentication.
#pragma once

#include <string>
#include <string_view>

#include "shared/plugin/report.h"
#include "shared/probe/findings.h"

namespace mtawatch::checks {

// A failed lookup is UNKNOWN, an absent record CRITICAL, a weak one WARNING.
[[nodiscard]] inline plugin::State state_of(probe::Weight weight) {
    switch (weight) {
        case probe::Weight::note:
            return plugin::State::ok;
        case probe::Weight::weak:
            return plugin::State::warning;
        case probe::Weight::unseen:
            return plugin::State::unknown;
        case probe::Weight::absent:
        case probe::Weight::broken:
            return plugin::State::critical;
    }
    return plugin::State::unknown;
}

// Notes are shown with -v and judge nothing. `subject` stands in front of every line ("example.net").
inline void judge_findings(plugin::Report& report, const probe::Findings& findings, std::string_view subject) {
    for (const probe::Finding& finding : findings.items) {
        std::string text = fmt::format("{}: {}", subject, finding.text);
        if (finding.weight == probe::Weight::note) {
            report.note(1, std::move(text));
        } else {
            report.add(state_of(finding.weight), std::move(text));
        }
    }
}

}  // namespace mtawatch::checks
