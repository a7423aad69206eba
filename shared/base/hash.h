// Fast 64-bit hash of bytes and numbers for our own tables and fingerprints. Not cryptographic: never for secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mtawatch::base {

// The two halves of a 128-bit product folded: every input bit reaches every output bit.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

inline constexpr std::uint64_t hash_seed = 0x9e3779b97f4a7c15U;
inline constexpr std::uint64_t hash_step = 0xd6e8feb86659fd93U;

// Loads that stay inside the text: the last one overlaps the one before it.
[[nodiscard]] inline std::uint64_t load8(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}
[[nodiscard]] inline std::uint64_t load_up_to_8(const char* at, std::size_t size) {
    if (size >= 4) {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::memcpy(&first, at, sizeof first);
        std::memcpy(&last, at + size - sizeof last, sizeof last);
        return std::uint64_t{first} << 32U | last;
    }
    if (size == 0) return 0;
    const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(at[i])}; };
    return byte(0) << 16U | byte(size / 2) << 8U | byte(size - 1);
}

// The same on every machine of ours (little endian) and in every version: fingerprints in state files depend on it.
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = hash_seed) {
    std::uint64_t state = seed ^ (bytes.size() * hash_step);
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    if (left <= 8) return mix(state ^ load_up_to_8(at, left), hash_step ^ left);
    while (left > 16) {
        state = mix(state ^ load8(at), hash_step ^ load8(at + 8));
        at += 16;
        left -= 16;
    }
    // 9 to 16 bytes, or the last 16 of a longer text.
    const char* end = at + left;
    if (bytes.size() >= 16) return mix(state ^ load8(end - 16), hash_seed ^ load8(end - 8));
    return mix(state ^ load8(at), hash_seed ^ load8(end - 8));
}

// Whether two texts of the same size are equal; in line, because label values are short.
[[nodiscard]] inline bool same_bytes(const char* a, const char* b, std::size_t size) {
    if (size <= 8) return load_up_to_8(a, size) == load_up_to_8(b, size);
    std::size_t at = 0;
    for (; at + 8 < size; at += 8) {
        if (load8(a + at) != load8(b + at)) return false;
    }
    return load8(a + size - 8) == load8(b + size - 8);
}

}  // namespace mtawatch::base
