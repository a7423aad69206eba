// What other hosts and files say around SSH. The first byte picks the reader: a framed stream, which must read the same
// in any pieces, or a known_hosts file.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/ssh/frame.h"
#include "shared/ssh/known_hosts.h"

using namespace mtawatch;

namespace {

struct Read {
    std::string inside, noise;
    bool ended = false;
    std::optional<int> status;
    bool operator==(const Read&) const = default;
};

Read read(std::string_view stream, std::size_t piece) {
    Read read;
    ssh::FrameReader reader("~m~m", [&read](std::string_view bytes) { read.inside += bytes; });
    for (std::size_t at = 0; at < stream.size(); at += piece) reader.take(stream.substr(at, piece));
    read.noise = reader.noise();
    read.ended = reader.ended();
    read.status = reader.status();
    return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 4096) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    if (data[0] % 2 == 0) {
        const Read whole = read(text, size);
        if (!(read(text, 1U + data[1] % 9U) == whole) || (whole.status && !whole.ended)) std::abort();
        if (whole.ended && text.find("~m~m") == std::string_view::npos) std::abort();
        return 0;
    }
    for (const auto& line : ssh::read_known_hosts(text)) {
        if (line.names.empty() && (!line.type.empty() || line.marker == ssh::Marker::none)) std::abort();
    }
    return 0;
}
