// Parsers of MTA-STS: the TXT record, the policy file, and which hosts it covers. RFC 8461.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/finding.h"

namespace mtawatch::auth {

// One year in seconds, the most that a policy may say (section 3.2).
inline constexpr std::uint64_t sts_longest_max_age = 31'557'600;
// Senders need not read more of a policy (section 3.3 suggests 64 KiB).
inline constexpr std::size_t sts_max_policy_bytes = 64U << 10U;

// Whether a TXT record is an MTA-STS record: it begins with v=STSv1 and a semicolon (section 3.1).
[[nodiscard]] bool is_sts_record(std::string_view text);

struct StsRecord {
    std::string id;  // 1 to 32 letters and digits; "" when there is no valid one
    Findings findings;
};
[[nodiscard]] StsRecord parse_sts_record(std::string_view text);

enum class StsMode { none, testing, enforce };
[[nodiscard]] std::string_view name(StsMode mode);

struct StsPolicy {
    std::optional<StsMode> mode;  // absent when missing or no known word
    std::optional<std::uint64_t> max_age;
    std::vector<std::string> mx;  // patterns in lower case: "mail.example.net", "*.example.net"
    Findings findings;
};
[[nodiscard]] StsPolicy parse_sts_policy(std::string_view text);

// Whether the pattern covers a mail host; "*" stands for exactly one label (section 4.1).
[[nodiscard]] bool sts_covers(std::string_view pattern, std::string_view host);

}  // namespace mtawatch::auth
