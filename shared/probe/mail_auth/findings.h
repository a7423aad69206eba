// Findings of shared/auth as the probes' observations carry them, with their JSON form.
#pragma once

#include "shared/auth/finding.h"
#include "shared/base/json.h"

namespace mtawatch::probe::mail_auth {

using auth::Finding;
using auth::Findings;
using auth::Weight;

// "note", "weak", "unseen", "absent", "broken".
[[nodiscard]] std::string_view name(Weight weight);

// Members "problems" and "problem_codes" (everything but notes, side by side) and "notes", as texts, into an open
// object.
void write_findings(base::JsonWriter& json, const Findings& findings);

}  // namespace mtawatch::probe::mail_auth
