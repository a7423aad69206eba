#include "shared/mta/logs/record_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

namespace mtawatch::mta::logs {

using base::fail;

std::string_view name(ScanError error) {
    static constexpr std::array<std::string_view, scan_error_count> names{
        "no_header", "columns", "unclosed_quote", "timestamp", "type", "header", "oversized", "cut_off"};
    return names[static_cast<std::size_t>(error)];
}

std::uint64_t ScanCounts::malformed() const {
    return std::accumulate(errors.begin(), errors.end(), std::uint64_t{0}) - of(ScanError::oversized);
}

std::size_t RecordReader::push(std::string_view bytes) {
    const auto room = space();
    const std::size_t count = std::min(room.size(), bytes.size());
    if (count > 0) std::memcpy(room.data(), bytes.data(), count);
    commit(count);
    return count;
}

base::Result<void> RecordReader::recall(std::string_view memory) {
    if (memory.empty()) return {};
    return fail(base::Fault::malformed, "{} bytes of memory for a format that keeps none", memory.size());
}

}  // namespace mtawatch::mta::logs
