#include "shared/io/zstd_reader.h"

#include <zstd.h>

#include <array>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace mtawatch::io {
namespace {

using base::fail;

constexpr std::size_t input_bytes = 128U << 10U;

struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct ZstdReader::State {
    explicit State(ReadBytes from) : source(std::move(from)), context(ZSTD_createDCtx()), input(input_bytes) {}

    ReadBytes source;
    std::unique_ptr<ZSTD_DCtx, FreeContext> context;
    std::vector<char> input;
    std::size_t at = 0;
    std::size_t end = 0;
    bool between = true;  // no frame has begun, or the last one is whole
    bool any = false;
    std::uint64_t position = 0;
};

ZstdReader::ZstdReader(ReadBytes source) : state_(std::make_unique<State>(std::move(source))) {}
ZstdReader::ZstdReader(ZstdReader&&) noexcept = default;
ZstdReader& ZstdReader::operator=(ZstdReader&&) noexcept = default;
ZstdReader::~ZstdReader() = default;

bool ZstdReader::complete() const { return state_->any && state_->between; }
std::uint64_t ZstdReader::position() const { return state_->position; }

base::Result<std::size_t> ZstdReader::read(std::span<char> into) {
    State& state = *state_;
    for (;;) {
        bool ended = false;
        if (state.at == state.end) {
            const auto got = state.source(state.input);
            if (!got) return fail(got.error());
            state.at = 0;
            state.end = *got;
            ended = *got == 0;
            // A frame's last bytes of text may still wait inside.
            if (ended && state.between) return 0;
        }
        ZSTD_inBuffer input{state.input.data(), state.end, state.at};
        ZSTD_outBuffer output{into.data(), into.size(), 0};
        const std::size_t result = ZSTD_decompressStream(state.context.get(), &output, &input);
        if (ZSTD_isError(result) != 0) {
            return fail(base::Fault::malformed, "not zstd data, or damaged after {} decompressed bytes: {}",
                        state.position, ZSTD_getErrorName(result));
        }
        state.any = state.any || input.pos > state.at;
        state.at = input.pos;
        state.between = result == 0;
        state.position += output.pos;
        if (output.pos > 0 || into.empty()) return output.pos;
        if (ended) return 0;
    }
}

}  // namespace mtawatch::io
