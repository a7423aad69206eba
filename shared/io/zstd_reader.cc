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
    explicit State(ByteSource from) : source(std::move(from)), context(ZSTD_createDCtx()), input(input_bytes) {}

    ByteSource source;
    std::unique_ptr<ZSTD_DCtx, FreeContext> context;
    std::vector<char> input;
    std::size_t at = 0;
    std::size_t end = 0;
    bool between = true;  // no frame has begun, or the last one is whole
    bool any = false;
    std::uint64_t position = 0;
};

ZstdReader::ZstdReader(ByteSource source) : state_(std::make_unique<State>(std::move(source))) {}
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

Compression compression_of(std::string_view first_bytes) {
    if (first_bytes.size() < 4) return Compression::none;
    if (first_bytes.starts_with("\x1f\x8b")) return Compression::gzip;
    if (first_bytes.starts_with("\x28\xb5\x2f\xfd")) return Compression::zstd;
    // A skippable frame (RFC 8878 section 3.1.2).
    const bool skippable =
        (static_cast<unsigned char>(first_bytes[0]) & 0xf0U) == 0x50U && first_bytes.substr(1, 3) == "\x2a\x4d\x18";
    return skippable ? Compression::zstd : Compression::none;
}

AnyReader::AnyReader(ByteSource source) : source_(std::move(source)) {}

base::Result<void> AnyReader::choose() {
    std::array<char, 4> first{};
    std::size_t have = 0;
    while (have < first.size()) {
        const auto got = source_(std::span(first).subspan(have));
        if (!got) return fail(got.error());
        if (*got == 0) break;
        have += *got;
    }
    chosen_ = true;
    compression_ = compression_of({first.data(), have});
    // What was read to choose by comes first again, in one piece with what follows.
    source_ = [first, have, at = std::size_t{0},
               rest = std::move(source_)](std::span<char> into) mutable -> base::Result<std::size_t> {
        if (at == have) return rest(into);
        const std::size_t count = std::min(have - at, into.size());
        std::memcpy(into.data(), first.data() + at, count);
        at += count;
        if (at < have || count == into.size()) return count;
        const auto more = rest(into.subspan(count));
        if (!more) return fail(more.error());
        return count + *more;
    };
    if (compression_ == Compression::gzip) reader_.emplace<GzipReader>(std::move(source_));
    if (compression_ == Compression::zstd) reader_.emplace<ZstdReader>(std::move(source_));
    return {};
}

base::Result<std::size_t> AnyReader::read(std::span<char> into) {
    if (!chosen_) {
        if (const auto done = choose(); !done) return fail(done.error());
    }
    if (auto* gzip = std::get_if<GzipReader>(&reader_)) return gzip->read(into);
    if (auto* zstd = std::get_if<ZstdReader>(&reader_)) return zstd->read(into);
    return source_(into);
}

bool AnyReader::complete() const {
    if (const auto* gzip = std::get_if<GzipReader>(&reader_)) return gzip->complete();
    if (const auto* zstd = std::get_if<ZstdReader>(&reader_)) return zstd->complete();
    return true;
}

}  // namespace mtawatch::io
