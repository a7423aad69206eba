// A fast 64-bit hash of bytes and numbers for our own tables and fingerprints. Not for untrusted secrets.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace mtawatch::exporter {

// The two halves of a 128-bit product folded: every input bit reaches every output bit.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

inline constexpr std::uint64_t kHashSeed = 0x9e3779b97f4a7c15U;
inline constexpr std::uint64_t kHashStep = 0xd6e8feb86659fd93U;

// The same on every machine of ours (little endian) and in every version: fingerprints in state files depend on it.
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = kHashSeed) {
    std::uint64_t state = seed ^ (bytes.size() * kHashStep);
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    while (left >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        state = mix(state ^ word, kHashStep);
        at += 8;
        left -= 8;
    }
    std::uint64_t tail = 0;
    if (left != 0) {
        for (std::size_t i = 0; i < left; ++i) tail |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
        state = mix(state ^ tail, kHashStep);
    }
    return mix(state, kHashSeed);
}

}  // namespace mtawatch::exporter
