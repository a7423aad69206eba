// Any bytes that PowerMTA may write into our pipe: cut into records, they are the bytes that came, however they came.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/pipe/spool.h"

using namespace mtawatch::exporter::pipe;

namespace {

std::vector<std::string> cut(std::string_view bytes, std::size_t piece, std::string& rest) {
    std::vector<std::string> records;
    RecordSplitter splitter;
    while (!bytes.empty()) {
        const auto next = bytes.substr(0, piece);
        splitter.add(next);
        bytes.remove_prefix(next.size());
        while (const auto record = splitter.next()) records.emplace_back(*record);
    }
    rest = splitter.rest();
    return records;
}

}  // namespace

// The first byte is the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::string left;
    std::string left_of_pieces;
    const auto records = cut(bytes, std::max<std::size_t>(bytes.size(), 1), left);
    if (cut(bytes, 1U + data[0], left_of_pieces) != records || left != left_of_pieces) std::abort();

    constexpr mtawatch::base::WallTime now{std::chrono::seconds(1'700'000'000)};
    ArrivalStamp stamp;
    std::string joined;
    for (const std::string& record : records) {
        if (!record.ends_with('\n')) std::abort();
        joined += record;
        std::string stamped;
        stamp.append(record, now, stamped);
        // Whatever is added stands behind what came, without its line end, and the line ends.
        const std::string_view line = std::string_view(record).substr(0, record.find_last_not_of("\r\n") + 1);
        if (!std::string_view(stamped).starts_with(line) || !stamped.ends_with('\n')) std::abort();
    }
    if (joined + left != bytes) std::abort();
    return 0;
}
