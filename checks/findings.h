// Plugin state of the findings in a published record (SPF, DKIM, DMARC, MTA-STS, TLSRPT, reverse DNS): one rule for all
// checks of mail authentication.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "shared/plugin/report.h"
#include "shared/probe/mail_auth/findings.h"

namespace mtawatch::checks {

// A failed lookup is UNKNOWN, an absent record CRITICAL, a weak one WARNING.
[[nodiscard]] inline plugin::State state_of(probe::mail_auth::Weight weight) {
    switch (weight) {
        case probe::mail_auth::Weight::note:
            return plugin::State::ok;
        case probe::mail_auth::Weight::weak:
            return plugin::State::warning;
        case probe::mail_auth::Weight::unseen:
            return plugin::State::unknown;
        case probe::mail_auth::Weight::absent:
        case probe::mail_auth::Weight::broken:
            return plugin::State::critical;
    }
    return plugin::State::unknown;
}

// Notes are shown with -v and judge nothing. `subject` stands in front of every line ("example.net"). What to do is
// said where `after`, the findings that a line to publish would leave, still has the finding, or is null.
inline void judge_findings(plugin::Report& report, const probe::mail_auth::Findings& findings, std::string_view subject,
                           const probe::mail_auth::Findings* after = nullptr) {
    for (const probe::mail_auth::Finding& finding : findings.items) {
        const bool stays = after == nullptr || std::ranges::find(after->items, finding) != after->items.end();
        std::string text = fmt::format("{}: {}", subject, stays ? finding.with_remedy() : finding.text);
        if (finding.weight == probe::mail_auth::Weight::note) {
            report.note(1, std::move(text));
        } else {
            report.add(state_of(finding.weight), std::move(text));
        }
    }
}

}  // namespace mtawatch::checks
