// Feeds any bytes to the reader of TLSRPT records; one without findings has an address to report to.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/auth/tls_rpt.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auth::TlsRptRecord record = auth::parse_tls_rpt_record({reinterpret_cast<const char*>(data), size});
    if (!record.findings.items.empty()) return 0;
    if (record.destinations.empty()) std::abort();
    for (const auth::ReportUri& uri : record.destinations) {
        if (!uri.valid()) std::abort();
    }
    return 0;
}
