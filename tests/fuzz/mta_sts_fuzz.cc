// Feeds any bytes to the readers of MTA-STS records and policies.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/auth/mta_sts.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auth::StsRecord record = auth::parse_sts_record(text);
    if (record.id.empty() && !record.findings.has(auth::Weight::broken)) std::abort();
    const auth::StsPolicy policy = auth::parse_sts_policy(text);
    if (policy.findings.usable() && (!policy.mode || !policy.max_age)) std::abort();
    for (const std::string& pattern : policy.mx) static_cast<void>(auth::sts_covers(pattern, "mail.example.com"));
    return 0;
}
