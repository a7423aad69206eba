// Lookup of the one TXT record that a protocol wants at a name, told from the others there.
#pragma once

#include <string>
#include <string_view>

#include "shared/auth/dns_cache.h"
#include "shared/probe/mail_auth/findings.h"

namespace mtawatch::probe::mail_auth {

// What a protocol calls its record, how it knows it, and what to do where there is none.
struct TxtKind {
    std::string_view name;  // "TLSRPT"
    bool (*is_record)(std::string_view);
    std::string_view version;  // "v=TLSRPTv1": a record that only resembles it is named
    std::string remedy;        // what to do where there is none
};

// The one record at `name`, or "" with a finding: absent, several, nearly right, or not to be seen.
[[nodiscard]] std::string find_txt_record(const std::string& name, const TxtKind& kind, auth::DnsCache& dns,
                                          Findings& findings);

}  // namespace mtawatch::probe::mail_auth
