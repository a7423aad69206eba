#include "shared/io/gzip_header.h"

#include <isa-l/crc.h>

#include <array>

namespace mtawatch::io {
namespace {

using base::fail;

constexpr std::uint8_t has_checksum = 2;
constexpr std::uint8_t has_extra = 4;
constexpr std::uint8_t has_name = 8;
constexpr std::uint8_t has_comment = 16;
constexpr std::uint8_t reserved = 0xe0;  // "must give an error indication if any reserved bit is non-zero"
constexpr std::size_t fixed_bytes = 10;

}  // namespace

base::Result<std::size_t> GzipHeader::take(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size() && !whole()) {
        const auto byte = static_cast<std::uint8_t>(bytes[taken]);
        ++taken;
        const bool summed = part_ != Part::checksum;
        if (summed) crc_ = crc32_gzip_refl(crc_, &byte, 1);
        if (parse_byte(byte)) continue;
        return fail(base::Fault::malformed, "{}", summed ? "no gzip header" : "the checksum of its header is wrong");
    }
    return taken;
}

bool GzipHeader::parse_byte(std::uint8_t byte) {
    switch (part_) {
        case Part::fixed:
            return fixed_byte(byte);
        case Part::extra_size:
        case Part::checksum:
            number_ = static_cast<std::uint16_t>(number_ | byte << (8 * count_));
            if (++count_ < 2) return true;
            if (part_ == Part::checksum && number_ != static_cast<std::uint16_t>(crc_)) return false;
            next_part();
            return true;
        case Part::extra:
            if (++count_ == number_) next_part();
            return true;
        case Part::name:
        case Part::comment:
            if (byte == 0) next_part();
            return true;
        case Part::done:
            break;
    }
    return false;
}

bool GzipHeader::fixed_byte(std::uint8_t byte) {
    constexpr std::array<std::uint8_t, 3> magic{0x1f, 0x8b, 8};  // 8 is the only method that there is: deflate
    constexpr std::size_t flags_at = 3;
    if (count_ < magic.size() && byte != magic[count_]) return false;
    if (count_ == flags_at) flags_ = byte;
    if (count_ == flags_at && (byte & reserved) != 0) return false;
    if (++count_ == fixed_bytes) next_part();
    return true;
}

// The parts come in the order of the enumeration, as far as the flags name them.
void GzipHeader::next_part() {
    const bool empty_extra = part_ == Part::extra_size && number_ == 0;
    count_ = 0;
    for (;;) {
        part_ = static_cast<Part>(static_cast<std::uint8_t>(part_) + 1);
        if (part_ == Part::done) return;
        if (part_ == Part::extra_size && (flags_ & has_extra) != 0) break;
        if (part_ == Part::extra && (flags_ & has_extra) != 0 && !empty_extra) return;
        if (part_ == Part::name && (flags_ & has_name) != 0) return;
        if (part_ == Part::comment && (flags_ & has_comment) != 0) return;
        if (part_ == Part::checksum && (flags_ & has_checksum) != 0) break;
    }
    number_ = 0;
}

}  // namespace mtawatch::io
