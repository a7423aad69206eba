// Compresses a text to zstd as KumoMTA writes its log segments: flushed as it grows, with its end only once the segment
// is closed.
#pragma once

#include <zstd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mtawatch::test {

inline std::string zstd_text(std::string_view text, bool closed = true) {
    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };
    const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    std::string bytes(ZSTD_compressBound(text.size()) + 64, '\0');
    ZSTD_inBuffer input{text.data(), text.size(), 0};
    ZSTD_outBuffer output{bytes.data(), bytes.size(), 0};
    const auto left = ZSTD_compressStream2(context.get(), &output, &input, closed ? ZSTD_e_end : ZSTD_e_flush);
    if (left != 0) throw std::runtime_error("the text did not fit");
    bytes.resize(output.pos);
    return bytes;
}

}  // namespace mtawatch::test
