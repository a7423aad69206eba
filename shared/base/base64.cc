#include "shared/base/base64.h"

#include <array>
#include <cstdint>

#include "shared/base/text.h"

namespace mtawatch::base {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::uint8_t i = 0; i < 64; ++i) values.at(static_cast<std::uint8_t>(alphabet.at(i))) = i;
    return values;
}
constexpr std::array<std::uint8_t, 256> values_of = make_values();

}  // namespace

std::optional<std::string> decode_base64(std::string_view text, Base64Reading reading) {
    const bool lenient = reading == Base64Reading::lenient;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 3);
    std::uint32_t held = 0;  // bits not yet written, right-aligned
    unsigned held_bits = 0;  // 0, 2, 4 or 6
    std::size_t digits = 0;
    std::size_t padding = 0;
    for (const char c : text) {
        if (lenient && is_blank(c)) continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        const std::uint8_t value = values_of.at(static_cast<std::uint8_t>(c));
        if (value == no_digit || padding > 0) return std::nullopt;
        ++digits;
        held = (held << 6U | value) & 0xfffU;
        held_bits += 6;
        if (held_bits >= 8) {
            held_bits -= 8;
            bytes += static_cast<char>(held >> held_bits & 0xffU);
        }
    }
    const std::size_t wanted = digits % 4 == 0 ? 0 : 4 - digits % 4;
    if (wanted == 3 || padding > wanted) return std::nullopt;  // one digit alone is no byte
    if (lenient) return bytes;
    const bool spare_bits_zero = (held & ((1U << held_bits) - 1)) == 0;
    if (padding != wanted || !spare_bits_zero) return std::nullopt;
    return bytes;
}

std::string encode_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::string_view group = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8U | (i < group.size() ? static_cast<std::uint8_t>(group[i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) text += i <= group.size() ? alphabet[bits >> (18 - 6 * i) & 0x3fU] : '=';
    }
    return text;
}

}  // namespace mtawatch::base
