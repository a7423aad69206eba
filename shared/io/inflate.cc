#include "shared/io/inflate.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "shared/io/descriptor.h"
#include "shared/io/gzip_header.h"
#include "shared/io/system_error.h"

namespace mtawatch::io {
namespace {

using base::fail;

// Read at once from the source: larger pieces gain nothing, smaller ones cost system calls.
constexpr std::size_t input_bytes = 128U << 10U;

base::Failure damaged(std::uint64_t position, std::string_view why) {
    return fail(base::Fault::malformed, "not gzip data, or damaged after {} decompressed bytes: {}", position, why);
}

}  // namespace

struct GzipReader::State {
    explicit State(ReadBytes from) : source(std::move(from)) { begin_member(); }

    void begin_member() {
        isal_inflate_init(&inflate);
        // The library reads a header with a checksum of its own wrongly when it comes in pieces.
        inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
        header = {};
    }
    [[nodiscard]] base::Result<bool> fill();
    [[nodiscard]] base::Result<bool> next_member();
    [[nodiscard]] base::Result<bool> read_header();
    ReadBytes source;
    GzipHeader header;
    inflate_state inflate{};
    std::array<char, input_bytes> input{};
    std::size_t at = 0;
    std::size_t end = 0;
    bool between = true;  // no member has begun, or the last one is whole
    bool any = false;     // a member has been read
    std::uint64_t position = 0;
};

// Whether there is a byte of input at `at`; false at the end of the source.
base::Result<bool> GzipReader::State::fill() {
    if (at < end) return true;
    const auto got = source(input);
    if (!got) return fail(got.error());
    at = 0;
    end = *got;
    return end > 0;
}

// Skips padding between members and begins the next one; false when there is none.
base::Result<bool> GzipReader::State::next_member() {
    for (;;) {
        auto more = fill();
        if (!more || !*more) return more;
        if (!any) break;
        while (at < end && input[at] == 0) ++at;
        if (at < end) break;
    }
    begin_member();
    between = false;
    any = true;
    return true;
}

// Whether the header of the member has been read; false at the end of the source.
base::Result<bool> GzipReader::State::read_header() {
    while (!header.whole()) {
        auto more = fill();
        if (!more || !*more) return more;
        const auto taken = header.take({input.data() + at, end - at});
        if (!taken) return damaged(position, taken.error().what);
        at += *taken;
    }
    return true;
}

GzipReader::GzipReader(ReadBytes source) : state_(std::make_unique<State>(std::move(source))) {}
GzipReader::GzipReader(GzipReader&&) noexcept = default;
GzipReader& GzipReader::operator=(GzipReader&&) noexcept = default;
GzipReader::~GzipReader() = default;

bool GzipReader::complete() const { return state_->any && state_->between; }
std::uint64_t GzipReader::position() const { return state_->position; }

base::Result<std::size_t> GzipReader::read(std::span<char> into) {
    State& state = *state_;
    const std::size_t room = std::min<std::size_t>(into.size(), std::numeric_limits<std::uint32_t>::max());
    std::size_t got = 0;
    while (got == 0 && room > 0) {
        if (state.between) {
            const auto began = state.next_member();
            if (!began) return fail(began.error());
            if (!*began) return 0;
        }
        const auto headed = state.read_header();
        if (!headed) return fail(headed.error());
        if (!*headed) return 0;
        // Output may still wait inside when the input is used up, so the library is asked before the end is believed.
        const auto more = state.fill();
        if (!more) return fail(more.error());
        inflate_state& inflate = state.inflate;
        inflate.next_in = reinterpret_cast<std::uint8_t*>(state.input.data() + state.at);
        inflate.avail_in = static_cast<std::uint32_t>(state.end - state.at);
        inflate.next_out = reinterpret_cast<std::uint8_t*>(into.data());
        inflate.avail_out = static_cast<std::uint32_t>(room);
        const int result = isal_inflate(&inflate);
        state.at = state.end - inflate.avail_in;
        got = room - inflate.avail_out;
        if (result == ISAL_INCORRECT_CHECKSUM) {
            return fail(base::Fault::malformed, "damaged gzip data: the checksum or length at its end is wrong");
        }
        if (result < 0) return damaged(state.position + got, "no deflate data");
        if (inflate.block_state == ISAL_BLOCK_FINISH) state.between = true;
        if (got == 0 && !state.between && !*more) return 0;
    }
    state.position += got;
    return got;
}

}  // namespace mtawatch::io
