// Parser of report addresses: rua= and ruf= of DMARC (RFC 9989) and TLS-RPT (RFC 8460).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/finding.h"

namespace mtawatch::auth {

struct ReportUri {
    std::string text;       // as written, without blanks around it
    std::string scheme;     // lower case: "mailto", "https"
    std::string domain;     // mailto: the mailbox's domain; https: the host; lower case; "" when it cannot be read
    bool has_size = false;  // mailto with "!10m", as RFC 7489 had it
    [[nodiscard]] bool valid() const { return !domain.empty(); }
};

// The comma-separated URIs of a value; each that is no URI, or of a scheme nobody supports, is also a finding, which
// names the tag.
[[nodiscard]] std::vector<ReportUri> parse_report_uris(std::string_view value, std::string_view tag, bool https_too,
                                                       Findings& findings);

// The addresses that a value was meant to have, each once: "a@x" is "mailto:a@x", so are "mailto://a@x" and "<a@x>";
// blanks stand for commas. What is no address even so is left out.
[[nodiscard]] std::vector<std::string> mended_report_uris(std::string_view value, bool https_too);

}  // namespace mtawatch::auth
