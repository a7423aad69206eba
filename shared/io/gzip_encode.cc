#include "shared/io/gzip_encode.h"

#include <isa-l/igzip_lib.h>

#include <cstdint>
#include <memory>

namespace mtawatch::io {
namespace {

using base::fail;

// The library counts bytes in 32 bits; nothing that is served comes near.
constexpr std::size_t max_input = std::size_t{1} << 31U;

}  // namespace

base::Result<std::string> gzip_encode(std::string_view bytes) {
    if (bytes.size() > max_input) return fail(base::Fault::limit, "more than 2 GiB to compress");
    // The state holds its hash tables, over 100 KiB: too large for a thread's stack.
    const auto stream = std::make_unique<isal_zstream>();
    std::string work(ISAL_DEF_LVL1_DEFAULT, '\0');
    std::string out;
    isal_deflate_init(stream.get());
    stream->gzip_flag = IGZIP_GZIP;
    stream->level = 1;
    stream->level_buf = reinterpret_cast<std::uint8_t*>(work.data());
    stream->level_buf_size = static_cast<std::uint32_t>(work.size());
    stream->end_of_stream = 1;
    // The library never writes to the input, it is only not declared const.
    stream->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
    stream->avail_in = static_cast<std::uint32_t>(bytes.size());
    while (stream->internal_state.state != ZSTATE_END) {
        const std::size_t have = out.size();
        // Metrics pages shrink to less than a tenth; grow by that much at a time.
        out.resize(have + bytes.size() / 8 + 4096);
        stream->next_out = reinterpret_cast<std::uint8_t*>(out.data() + have);
        stream->avail_out = static_cast<std::uint32_t>(out.size() - have);
        if (isal_deflate(stream.get()) != COMP_OK) return fail(base::Fault::internal, "compression failed");
        out.resize(out.size() - stream->avail_out);
    }
    return out;
}

}  // namespace mtawatch::io
