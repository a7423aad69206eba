// Feeds any bytes to the reader that finds out a file's compression: it ends, whatever they are, and says the same in
// small pieces.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "shared/io/byte_source.h"

using namespace mtawatch;

namespace {

constexpr std::size_t enough_bytes = 1U << 18U;  // a few bytes can stand for gigabytes

std::string read(std::string_view bytes, std::size_t piece) {
    const auto reader = io::decompressed(
        [bytes, piece](std::span<char> into) mutable -> base::Result<std::size_t> {
            const std::size_t count = std::min({piece, into.size(), bytes.size()});
            std::memcpy(into.data(), bytes.data(), count);
            bytes.remove_prefix(count);
            return count;
        },
        "");
    std::string text;
    std::string into(64U << 10U, '\0');
    while (text.size() < enough_bytes) {
        const auto got = reader->read(into);
        if (!got || *got == 0) return text + (got ? reader->complete() ? " whole" : " cut" : " damaged");
        text.append(into, 0, *got);
    }
    text.resize(enough_bytes);
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string whole = read(bytes, size + 1);
    const std::string pieces = read(bytes, 3);
    // How much came before the damage may depend on the pieces.
    if (whole != pieces && !(whole.ends_with(" damaged") && pieces.ends_with(" damaged"))) {
        std::fprintf(stderr, "pieces change the text\n");
        std::abort();
    }
    return 0;
}
