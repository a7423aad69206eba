// SIMD search for quotes, commas and newlines in a block of 64 bytes: one bit a byte, by AVX2, by SSE2 or by plain
// 64-bit words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mtawatch::mta::logs {

inline constexpr std::size_t bits_block_bytes = 64;

// Bit i stands for byte i of the block.
struct BlockBits {
    std::uint64_t quotes = 0;
    std::uint64_t commas = 0;
    std::uint64_t newlines = 0;
    bool operator==(const BlockBits&) const = default;
};

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

// The path for every CPU: eight words, each compared as a whole.
struct PortableBits {
    [[nodiscard]] static std::uint64_t inside(std::uint64_t quotes) { return prefix_xor(quotes); }
    [[nodiscard]] static unsigned count(std::uint64_t bits) { return count_bits(bits); }
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

#if defined(__x86_64__)
// The path of the x86-64 baseline.
struct VectorBits {
    [[nodiscard]] static std::uint64_t inside(std::uint64_t quotes) { return prefix_xor(quotes); }
    [[nodiscard]] static unsigned count(std::uint64_t bits) { return count_bits(bits); }
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

// For CPUs since 2013: twice the width, and one instruction each for what takes the others six and twelve. May be
// called only where it exists(), from functions that carry MTAWATCH_WIDE.
#define MTAWATCH_WIDE gnu::target("avx2,bmi,bmi2,popcnt,pclmul")
struct WideBits {
    [[nodiscard]] static bool exist() {
        return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
               __builtin_cpu_supports("bmi2") != 0 && __builtin_cpu_supports("popcnt") != 0 &&
               __builtin_cpu_supports("pclmul") != 0;
    }
    [[nodiscard, MTAWATCH_WIDE]] static BlockBits of(const char* block) {
        BlockBits bits;
        for (unsigned part = 0; part < 2; ++part) {
            const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + std::size_t{32} * part));
            bits.quotes |= equal(bytes, '"') << (32 * part);
            bits.commas |= equal(bytes, ',') << (32 * part);
            bits.newlines |= equal(bytes, '\n') << (32 * part);
        }
        return bits;
    }
    // A product without carries by all ones is the parity of all bits below.
    [[nodiscard, MTAWATCH_WIDE]] static std::uint64_t inside(std::uint64_t quotes) {
        const __m128i product =
            _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(quotes)), _mm_set1_epi8(-1), 0);
        return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
    }
    [[nodiscard, MTAWATCH_WIDE]] static unsigned count(std::uint64_t bits) {
        return static_cast<unsigned>(_mm_popcnt_u64(bits));
    }

  private:
    [[nodiscard, MTAWATCH_WIDE]] static std::uint64_t equal(__m256i bytes, char wanted) {
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(wanted))));
    }
};
#else
#define MTAWATCH_WIDE
using VectorBits = PortableBits;
struct WideBits : PortableBits {
    [[nodiscard]] static bool exist() { return false; }
};
#endif

}  // namespace mtawatch::mta::logs
