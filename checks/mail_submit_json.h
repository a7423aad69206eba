// The JSON form of what the probe mail_submit saw, for check_mail_submit.
#pragma once

#include <string>

#include "shared/probe/mail_server/mail_submit.h"

namespace mtawatch::checks {

// One object; docs/submission.md names the fields.
[[nodiscard]] std::string mail_submit_json(const probe::mail_server::MailSubmitObservation& seen);

}  // namespace mtawatch::checks
