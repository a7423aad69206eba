// Feeds any bytes to the reader of SPF records; a record without faults must read the same when written again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/auth/spf_record.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = "v=spf1 " + std::string(reinterpret_cast<const char*>(data), size);
    const auth::SpfRecord record = auth::parse_spf_record(text);
    if (!record.valid()) return 0;
    std::string again = "v=spf1";
    for (const auth::SpfTerm& term : record.mechanisms) again += " " + term.written;
    const auth::SpfRecord second = auth::parse_spf_record(again);
    if (!second.valid() || second.mechanisms.size() != record.mechanisms.size()) std::abort();
    return 0;
}
