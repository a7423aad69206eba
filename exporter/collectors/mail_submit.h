// Metrics of the probe mail_submit.
#pragma once

#include <string>

#include "exporter/collectors/collector.h"
#include "shared/probe/mail_server/mail_submit.h"

namespace mtawatch::exporter::collectors {

// mail_submit_accepted and mail_submit_phase_duration_seconds. A server that refuses, is silent or cannot be reached
// does not take mail, so that is a 0; where nothing was tried there is no series, and the look counts as failed.
[[nodiscard]] Published publish(const probe::mail_server::MailSubmitObservation& seen, const std::string& target);

// Every login with a wrong secret brings the account nearer to being locked, so this is not looked at every minute.
inline constexpr std::chrono::milliseconds submit_interval = std::chrono::minutes(15);

}  // namespace mtawatch::exporter::collectors
