// Where are the quotes, commas and newlines in 64 bytes? One bit a byte, by SSE2 or by plain 64-bit words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mtawatch::mta {

inline constexpr std::size_t kBlock = 64;

// Bit i stands for byte i of the block.
struct BlockBits {
    std::uint64_t quotes = 0;
    std::uint64_t commas = 0;
    std::uint64_t newlines = 0;
    bool operator==(const BlockBits&) const = default;
};

// The path for every CPU: eight words, each compared as a whole.
struct PortableBits {
    [[nodiscard]] static BlockBits of(const char* block) {
        BlockBits bits;
        for (unsigned word = 0; word < 8; ++word) {
            std::uint64_t bytes = 0;
            std::memcpy(&bytes, block + std::size_t{8} * word, 8);
            if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
            bits.quotes |= equal(bytes, '"') << (8 * word);
            bits.commas |= equal(bytes, ',') << (8 * word);
            bits.newlines |= equal(bytes, '\n') << (8 * word);
        }
        return bits;
    }

  private:
    // Bit i is set where byte i equals `wanted`; exact, with no carry between bytes.
    [[nodiscard]] static std::uint64_t equal(std::uint64_t bytes, char wanted) {
        constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7fU;
        const std::uint64_t difference = bytes ^ (0x0101010101010101U * static_cast<std::uint8_t>(wanted));
        const std::uint64_t zero = ~(((difference & low7) + low7) | difference | low7);
        return ((zero >> 7) * 0x0102040810204080U) >> 56;
    }
};

#if defined(__SSE2__)
struct VectorBits {
    [[nodiscard]] static BlockBits of(const char* block) {
        BlockBits bits;
        for (unsigned part = 0; part < 4; ++part) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + std::size_t{16} * part));
            bits.quotes |= equal(bytes, '"') << (16 * part);
            bits.commas |= equal(bytes, ',') << (16 * part);
            bits.newlines |= equal(bytes, '\n') << (16 * part);
        }
        return bits;
    }

  private:
    [[nodiscard]] static std::uint64_t equal(__m128i bytes, char wanted) {
        return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
    }
};
#else
using VectorBits = PortableBits;
#endif

// Bit i is the parity of bits 0..i: set from an opening quote up to the byte before its closing one.
[[nodiscard]] inline std::uint64_t prefix_xor(std::uint64_t bits) {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;
    return bits;
}

// std::popcount is a library call on the x86-64 baseline, which has no instruction for it.
[[nodiscard]] inline unsigned count_bits(std::uint64_t bits) {
    bits -= (bits >> 1) & 0x5555555555555555U;
    bits = (bits & 0x3333333333333333U) + ((bits >> 2) & 0x3333333333333333U);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fU;
    return static_cast<unsigned>((bits * 0x0101010101010101U) >> 56);
}

}  // namespace mtawatch::mta
