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
inline constexpr std::size_t max_label_bytes = 128;
inline constexpr std::size_t max_text_bytes = 2 * max_label_bytes;

// One writer. text() of an id that was handed out before may be called from another thread meanwhile: neither bytes
// nor the table of addresses move. Texts are kept as they are given, the caller knows which are equal.
class TextPool {
  public:
    TextPool() = default;
    TextPool(const TextPool&) = delete;
    TextPool& operator=(const TextPool&) = delete;
    ~TextPool();

    // At most max_text_bytes; what is longer is cut.
    TextId add(std::string_view text);
    // The number and the bytes may be given to another text from now on.
    void release(TextId id);
    [[nodiscard]] std::string_view text(TextId id) const {
        const char* entry = chunks_[id / chunk_texts][id % chunk_texts];
        std::uint16_t size = 0;
        static_assert(sizeof size == header_text);
        __builtin_memcpy(&size, entry, sizeof size);
        return {entry + header_text, size};
    }
    // For prefetching: where the address of a text is stored.
    [[nodiscard]] const char* const* address(TextId id) const { return &chunks_[id / chunk_texts][id % chunk_texts]; }
    // One more than the largest number ever handed out.
    [[nodiscard]] TextId end() const { return next_; }

  private:
    static constexpr std::size_t chunk_texts = 8192;
    static constexpr std::size_t chunks = 2048;  // 16 million texts: past any sum of budgets
    static constexpr std::size_t header_text = 2;
    static constexpr std::size_t step = 8;  // sizes are rounded up to it, so a released place fits another text
    static constexpr std::size_t classes = (max_text_bytes + header_text + step - 1) / step + 1;
    static constexpr std::size_t block_bytes = 64U << 10U;

    [[nodiscard]] static std::size_t size_class(std::size_t text_size) {
        return (text_size + header_text + step - 1) / step;
    }
    char* allocate(std::size_t size_class);

    std::array<char**, chunks> chunks_{};
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t block_used_ = block_bytes;
    std::array<std::vector<char*>, classes> free_bytes_;
    std::vector<TextId> free_ids_;
    TextId next_ = 0;
};

}  // namespace mtawatch::exporter::series
