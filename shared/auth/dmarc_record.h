// Parser of DMARC records. RFC 9989 section 4.7, with notes where RFC 7489 receivers read them differently.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/finding.h"
#include "shared/auth/report_uri.h"

namespace mtawatch::auth {

enum class DmarcPolicy { none, quarantine, reject };  // in rising strength
[[nodiscard]] std::string_view name(DmarcPolicy policy);

enum class DmarcPsd { unsaid, yes, no };

// Whether a TXT record is a DMARC record: "v=DMARC1", its value in exactly this case, then a semicolon or the end.
[[nodiscard]] bool is_dmarc_record(std::string_view text);

struct DmarcRecord {
    std::string text;
    // Absent when the tag is missing or its value is no policy.
    std::optional<DmarcPolicy> p;
    std::optional<DmarcPolicy> sp;
    std::optional<DmarcPolicy> np;
    // False: p is missing or bad, or sp or np is bad, and no rua is there to save it: no DMARC at all. With an rua it
    // counts as p=none; p, sp and np are absent then.
    bool applies = true;
    bool test_mode = false;  // t=y: a receiver applies the next weaker policy
    DmarcPsd psd = DmarcPsd::unsaid;
    bool strict_dkim = false;  // adkim=s
    bool strict_spf = false;   // aspf=s
    std::vector<ReportUri> rua;
    std::vector<ReportUri> ruf;
    Findings findings;
};

// Reads a record that is_dmarc_record() accepts.
[[nodiscard]] DmarcRecord parse_dmarc_record(std::string_view text);

// One step weaker, as t=y asks for: reject becomes quarantine, quarantine none.
[[nodiscard]] DmarcPolicy weakened(DmarcPolicy policy);

}  // namespace mtawatch::auth
