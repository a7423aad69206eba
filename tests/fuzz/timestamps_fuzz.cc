// Feeds lines of any bytes to one time stamp parser: what it remembers must never change an answer.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/base/text.h"
#include "shared/mta/logs/timestamps.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    mta::logs::TimestampParser remembering(mta::logs::Zone::utc());
    for (const std::string_view line : base::split({reinterpret_cast<const char*>(data), size}, '\n')) {
        mta::logs::TimestampParser fresh(mta::logs::Zone::utc());
        const auto expected = fresh.parse(line);
        if (remembering.parse(line) != expected) std::abort();
        if (expected && remembering.had_offset() != fresh.had_offset()) std::abort();
        if (mta::logs::is_timestamp(line) != expected.has_value()) std::abort();
    }
    return 0;
}
