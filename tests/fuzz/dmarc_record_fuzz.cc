// Feeds any bytes to the reader of DMARC records; a record that does not apply never carries a policy.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/auth/dmarc_record.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (!auth::is_dmarc_record(text)) return 0;
    const auth::DmarcRecord record = auth::parse_dmarc_record(text);
    if (!record.applies && (record.p || record.sp || record.np)) std::abort();
    if (!record.p && !record.findings.has(auth::Weight::broken)) std::abort();
    return 0;
}
