#include "shared/probe/mail_auth/findings.h"

namespace mtawatch::probe::mail_auth {

std::string_view name(Weight weight) {
    switch (weight) {
        case Weight::note:
            return "note";
        case Weight::weak:
            return "weak";
        case Weight::unseen:
            return "unseen";
        case Weight::absent:
            return "absent";
        case Weight::broken:
            return "broken";
    }
    return "note";
}

void write_findings(base::JsonWriter& json, const Findings& findings) {
    const auto list = [&](const char* key, bool notes, auto text_of) {
        json.key(key).array();
        for (const Finding& finding : findings.items) {
            if ((finding.weight == Weight::note) == notes) json.value(text_of(finding));
        }
        json.end();
    };
    list("problems", false, [](const Finding& finding) { return finding.with_remedy(); });
    list("problem_codes", false, [](const Finding& finding) { return std::string(finding.code); });
    list("notes", true, [](const Finding& finding) { return finding.with_remedy(); });
}

}  // namespace mtawatch::probe::mail_auth
