// The JSON form of what the probe mail_cert saw, for check_mail_cert.
#pragma once

#include <string>

#include "shared/probe/mail_server/mail_cert.h"

namespace mtawatch::checks {

// One object: {"at": seconds, "endpoints": [...]}; docs/certificates.md names the fields.
[[nodiscard]] std::string mail_cert_json(const probe::mail_server::MailCertObservation& observation);

}  // namespace mtawatch::checks
