// String pool of label values: short texts by number, packed tightly, at addresses that never move.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace mtawatch::exporter::series {

using TextId = std::uint32_t;

// A label value is cut to 128 bytes; escaped, every one of them may take two.
inline constexpr std::size_t kMaxLabelBytes = 128;
inline constexpr std::size_t kMaxTextBytes = 2 * kMaxLabelBytes;

// One writer. text() of an id that was handed out before may be called from another thread meanwhile: neither bytes
// nor the table of addresses move. Texts are kept as they are given, the caller knows which are equal.
class TextPool {
  public:
    TextPool() = default;
    TextPool(const TextPool&) = delete;
    TextPool& operator=(const TextPool&) = delete;
    ~TextPool();

    // At most kMaxTextBytes; what is longer is cut.
    TextId add(std::string_view text);
    // The number and the bytes may be given to another text from now on.
    void release(TextId id);
    [[nodiscard]] std::string_view text(TextId id) const {
        const char* entry = chunks_[id / kChunkTexts][id % kChunkTexts];
        std::uint16_t size = 0;
        static_assert(sizeof size == kHeader);
        __builtin_memcpy(&size, entry, sizeof size);
        return {entry + kHeader, size};
    }
    // For prefetching: where the address of a text is stored.
    [[nodiscard]] const char* const* address(TextId id) const { return &chunks_[id / kChunkTexts][id % kChunkTexts]; }
    // One more than the largest number ever handed out.
    [[nodiscard]] TextId end() const { return next_; }

  private:
    static constexpr std::size_t kChunkTexts = 8192;
    static constexpr std::size_t kChunks = 2048;  // 16 million texts: past any sum of budgets
    static constexpr std::size_t kHeader = 2;
    static constexpr std::size_t kStep = 8;  // sizes are rounded up to it, so a released place fits another text
    static constexpr std::size_t kClasses = (kMaxTextBytes + kHeader + kStep - 1) / kStep + 1;
    static constexpr std::size_t kBlockBytes = 64U << 10U;

    [[nodiscard]] static std::size_t size_class(std::size_t text_size) {
        return (text_size + kHeader + kStep - 1) / kStep;
    }
    char* allocate(std::size_t size_class);

    std::array<char**, kChunks> chunks_{};
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t block_used_ = kBlockBytes;
    std::array<std::vector<char*>, kClasses> free_bytes_;
    std::vector<TextId> free_ids_;
    TextId next_ = 0;
};

}  // namespace mtawatch::exporter::series
