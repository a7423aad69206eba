// Metrics of the probe mail_cert.
#pragma once

#include "exporter/collectors/collector.h"
#include "shared/probe/mail_server/mail_cert.h"

namespace mtawatch::exporter::collectors {

// mail_certificate_*. Position 0 is the server's own certificate, then the verified path up to the authority; of a
// file every certificate in order. A service that cannot be reached publishes nothing and counts as a failed look.
[[nodiscard]] Published publish(const probe::mail_server::MailCertObservation& observation);

}  // namespace mtawatch::exporter::collectors
