// Parser of TLSRPT records: where senders report TLS failures to. RFC 8460 section 3.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "shared/auth/finding.h"
#include "shared/auth/report_uri.h"

namespace mtawatch::auth {

// Whether a TXT record is a TLSRPT record: it begins with v=TLSRPTv1 and a semicolon.
[[nodiscard]] bool is_tls_rpt_record(std::string_view text);

struct TlsRptRecord {
    std::vector<ReportUri> destinations;
    Findings findings;
};
[[nodiscard]] TlsRptRecord parse_tls_rpt_record(std::string_view text);

// The record that a text was meant to be, with the addresses that can be read; nothing without any.
[[nodiscard]] std::optional<std::string> mended_tls_rpt_record(std::string_view text);

}  // namespace mtawatch::auth
