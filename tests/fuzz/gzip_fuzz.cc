// Any bytes as a gzip file: the text must not depend on how much is asked for at once.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "shared/io/inflate.h"

using namespace mtawatch;

namespace {

constexpr std::size_t enough = 1U << 17U;  // of the text of a small file that unpacks to a huge one

struct Outcome {
    std::string text;
    bool good = false;
    bool complete = false;
    bool operator==(const Outcome&) const = default;
};

// The text of what comes in pieces of `piece` bytes, asked for in pieces of `wanted`.
Outcome unpack(std::string_view packed, std::size_t piece, std::size_t wanted) {
    std::size_t at = 0;
    io::GzipReader reader([&](std::span<char> into) -> base::Result<std::size_t> {
        const std::size_t size = std::min({into.size(), packed.size() - at, piece});
        std::copy_n(packed.begin() + static_cast<std::ptrdiff_t>(at), size, into.begin());
        at += size;
        return size;
    });
    Outcome outcome;
    std::vector<char> buffer(wanted);
    while (outcome.text.size() < enough) {
        const auto got = reader.read(buffer);
        if (!got) return outcome;
        if (*got == 0) {
            outcome.good = true;
            outcome.complete = reader.complete();
            return outcome;
        }
        if (*got > buffer.size()) std::abort();
        outcome.text.append(buffer.data(), *got);
    }
    outcome.text.resize(enough);
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view packed(reinterpret_cast<const char*>(data), size);
    const Outcome whole = unpack(packed, packed.size() + 1, 65'536);
    const Outcome pieces = unpack(packed, 1 + packed.size() % 7, 509);
    // What came before the damage may end elsewhere; whether there is damage may not.
    if (whole.good != pieces.good || whole.complete != pieces.complete) std::abort();
    if (whole.good && whole.text != pieces.text) std::abort();
    return 0;
}
