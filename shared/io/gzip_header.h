// Parser of a gzip member's header (RFC 1952 section 2.3), a byte at a time, because it may come in any pieces.
// Internal to shared/io.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::io {

class GzipHeader {
  public:
    // Takes bytes of the header from the front and says how many; fewer than there are when the header is whole().
    // Fault::malformed: no gzip, a method or flag that the RFC does not know, or a wrong checksum of the header.
    [[nodiscard]] base::Result<std::size_t> take(std::string_view bytes);
    [[nodiscard]] bool whole() const { return part_ == Part::done; }

  private:
    enum class Part : std::uint8_t { fixed, extra_size, extra, name, comment, checksum, done };
    [[nodiscard]] bool fixed_byte(std::uint8_t byte);
    [[nodiscard]] bool parse_byte(std::uint8_t byte);
    void next_part();

    Part part_ = Part::fixed;
    std::uint8_t flags_ = 0;
    std::size_t count_ = 0;     // bytes of this part so far
    std::uint16_t number_ = 0;  // of two bytes, the lower first: the extra field's size, the checksum
    std::uint32_t crc_ = 0;     // of all before the checksum
};

}  // namespace mtawatch::io
