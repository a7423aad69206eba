// postqueue -j: the same bytes in one piece and in small ones must give the same answer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "shared/mta/documents/postfix_queue.h"

namespace {

std::optional<mtawatch::mta::documents::PostfixListing> read(std::string_view bytes, std::size_t piece) {
    mtawatch::mta::documents::PostfixQueueReader reader;
    while (!bytes.empty()) {
        const auto next = bytes.substr(0, piece);
        if (!reader.push(next)) return std::nullopt;
        bytes.remove_prefix(next.size());
    }
    if (!reader.end_of_run()) return std::nullopt;
    return reader.take(100);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = read(bytes, std::max<std::size_t>(size, 1));
    const auto pieces = read(bytes, 13);
    if (whole.has_value() != pieces.has_value()) std::abort();
    if (whole && (whole->messages() != pieces->messages() || whole->bytes() != pieces->bytes())) std::abort();
    return 0;
}
