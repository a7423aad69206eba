// Collector and metrics of mail authentication: SPF, DKIM, DMARC, MTA-STS, TLSRPT and reverse DNS, in one pass over the
// DNS for each domain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporter/collectors/collector.h"
#include "shared/probe/mail_auth/dkim.h"
#include "shared/probe/mail_auth/dmarc.h"
#include "shared/probe/mail_auth/fcrdns.h"
#include "shared/probe/mail_auth/mta_sts.h"
#include "shared/probe/mail_auth/spf.h"
#include "shared/probe/mail_auth/tls_rpt.h"

namespace mtawatch::exporter::collectors {

// Reads the section:
//   domains:                            one task each: a name alone, or
//     - domain: example.com
//       selectors: [mail2026]           DKIM keys
//       addresses: [192.0.2.10]         must pass SPF
//       sender: bounce@example.com      envelope sender; default postmaster@DOMAIN
//       helo: mail.example.com          default: the domain
//       mta_sts: true, tls_rpt: true    default: looked at where a record is published
//   addresses: [192.0.2.10]             reverse names; one task each
//   helo: mail.example.com              what the addresses say in HELO; default: not compared
//   dns_servers: [192.0.2.53], interval: 1h, timeout: 60s
[[nodiscard]] base::Result<std::vector<Task>> mail_auth_tasks(const config::Node& section);

// Everything that one task saw; a part that was not looked at is absent.
struct MailAuthSeen {
    std::optional<probe::mail_auth::SpfObservation> spf;
    std::vector<probe::mail_auth::DkimKeyLook> keys;
    std::optional<probe::mail_auth::DmarcObservation> dmarc;
    std::optional<probe::mail_auth::MtaStsObservation> mta_sts;
    std::optional<probe::mail_auth::TlsRptObservation> tls_rpt;
    std::optional<probe::mail_auth::ReverseLook> reverse;
};

// mail_spf_*, mail_dkim_*, mail_dmarc_*, mail_mta_sts_valid, mail_tls_rpt_valid, mail_fcrdns_valid. What a failed
// lookup hid has no series, and makes the look a failed one.
[[nodiscard]] Published publish(const MailAuthSeen& seen);

}  // namespace mtawatch::exporter::collectors
