// Size-class allocator for short strings with a fixed budget.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mtawatch::mta::logs {

class TextHeap {
  public:
    static constexpr std::uint32_t none = 0;          // the empty text
    static constexpr std::size_t longest = 1024 - 2;  // an address has at most 254 bytes, a host name 255

    // `limit` bytes in all.
    explicit TextHeap(std::size_t limit) : limit_(limit) { clear(); }

    // none for an empty text, one longer than longest, and when there is no room.
    [[nodiscard]] std::uint32_t store(std::string_view text);
    // Whether store() of a text of this length would find room.
    [[nodiscard]] bool has_room(std::size_t length) const;
    [[nodiscard]] std::string_view at(std::uint32_t place) const;
    void release(std::uint32_t place);
    void clear();
    // Whether so much is free in blocks that may be too small that it is worth storing all texts anew in an empty heap,
    // where what is free is one piece: blocks are cut up and never joined.
    [[nodiscard]] bool scattered() const { return free_bytes_ > limit_ / scattered_count; }
    [[nodiscard]] TextHeap empty_one() const { return TextHeap(limit_); }

  private:
    static constexpr std::size_t unit_bytes = 16;
    static constexpr std::size_t sizes = 7;            // 16 bytes to 1 KiB
    static constexpr std::size_t scattered_count = 8;  // an eighth: so that storing anew is seldom

    [[nodiscard]] static std::size_t size_class(std::size_t length);
    [[nodiscard]] bool carve(std::size_t bytes, std::uint32_t& place);

    std::size_t limit_;
    std::vector<char> bytes_;                  // each block: two bytes of length, the text
    std::size_t free_bytes_ = 0;               // in blocks that are not in use
    std::array<std::uint32_t, sizes> free_{};  // the first block of each size that is not in use; each names the next
};

}  // namespace mtawatch::mta::logs
