#include "shared/auth/tls_rpt.h"

#include <fmt/core.h>

#include <algorithm>

#include "shared/auth/record_text.h"
#include "shared/auth/tag_list.h"
#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {
constexpr std::string_view version = "v=TLSRPTv1";
}

bool is_tls_rpt_record(std::string_view text) {
    if (!text.starts_with(version)) return false;
    const std::string_view rest = base::trim(text.substr(version.size()));
    return rest.empty() || rest.front() == ';';
}

TlsRptRecord parse_tls_rpt_record(std::string_view text) {
    TlsRptRecord record;
    const TagList list = parse_tag_list(text);
    record.findings = list.findings;
    const std::string* destinations = list.find("rua");
    if (destinations == nullptr || destinations->empty()) {
        record.findings.add(Weight::broken, "no-rua", "rua= is missing, so no report is sent",
                            "write v=TLSRPTv1; rua=mailto:ADDRESS");
        return record;
    }
    record.destinations = parse_report_uris(*destinations, "rua", true, record.findings);
    // One address that works is enough for a record to be of use (section 3: unsupported ones are skipped).
    const bool any = std::ranges::any_of(record.destinations, [](const ReportUri& uri) { return uri.valid(); });
    if (any) {
        for (Finding& finding : record.findings.items) {
            if (finding.code == "bad-uri") finding.weight = Weight::weak;
        }
    }
    return record;
}

std::optional<std::string> mended_tls_rpt_record(std::string_view given) {
    const std::string text = plain_record_text(given);
    if (!base::icontains(text.substr(0, 16), version.substr(2))) return std::nullopt;
    const std::size_t rua = base::to_lower(text).find("rua");
    if (rua == std::string::npos) return std::nullopt;
    std::string value = text.substr(rua + 3);
    value.erase(0, value.find_first_not_of(" =:"));
    std::ranges::replace(value, ';', ' ');
    const auto uris = mended_report_uris(value, true);
    if (uris.empty()) return std::nullopt;
    return fmt::format("{}; rua={}", version, base::join(uris, ","));
}

}  // namespace mtawatch::auth
