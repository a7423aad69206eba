// Words of a reply as numbers: what the index of reply_table.h is built from and searched by.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "shared/mta/classes/reply_text.h"

namespace mtawatch::mta::classes {

constexpr std::size_t front_bytes = 4;  // of a word that may go on
constexpr std::size_t step = sizeof(std::uint64_t);
static_assert(step <= reply_padding);
constexpr std::uint64_t blanks = 0x2020202020202020U;
constexpr std::uint64_t lows = 0x0101010101010101U;
constexpr std::uint64_t highs = 0x8080808080808080U;
constexpr std::uint64_t hash_factor = 0x9E3779B97F4A7C15U;
constexpr std::uint64_t front_factor = 0xC2B2AE3D27D4EB4FU;

inline std::uint64_t load(const char* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}

inline std::uint32_t hash_end(std::uint64_t hash) {
    return static_cast<std::uint32_t>((hash ^ hash >> 29U) * hash_factor >> 32U);
}

inline std::uint32_t hash_pair(std::uint64_t first, std::uint64_t second) {
    return hash_end((first << 1U | first >> 63U) * front_factor ^ second);
}

// Texts are read eight bytes at a time, up to seven beyond their end.
inline std::string padded(std::string text) { return text.append(step, '\0'); }

// Calls `word` with each word's hash, and `key` with where what an entry may be found by begins, and its hash: of the
// word; of the front of a long one; of the word and the one before it. `step` bytes behind the text can be read.
template <class Word, class Key>
void each_word(std::string_view text, const Word& word, const Key& key) {
    std::size_t before = 0;
    std::uint64_t hash_before = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = ++at;  // behind the blank
        std::uint64_t hash = 0;
        std::uint64_t part = load(text.data() + at);
        std::uint64_t ends = 0;
        for (;;) {
            const std::uint64_t apart = part ^ blanks;
            ends = (apart - lows) & ~apart & highs;
            if (ends != 0 || at + step > text.size()) break;
            hash = (hash ^ part) * hash_factor;
            hash ^= hash >> 32U;
            at += step;
            part = load(text.data() + at);
        }
        std::size_t rest = ends == 0 ? step : static_cast<std::size_t>(std::countr_zero(ends)) / 8;
        rest = std::min(rest, text.size() - at);
        if (rest < step) part &= (std::uint64_t{1} << (8 * rest)) - 1;
        hash = (hash ^ part) * hash_factor;
        hash ^= hash >> 32U;
        at += rest;
        const std::uint32_t whole = hash_end(hash);
        word(whole);
        key(begin, whole);
        if (at - begin >= front_bytes) {
            std::uint32_t front = 0;
            std::memcpy(&front, text.data() + begin, sizeof front);
            key(begin, hash_end(front * front_factor));
        }
        if (before != 0) key(before, hash_pair(hash_before, hash));
        before = begin;
        hash_before = hash;
    }
}

// The hash of one word as each_word() has it, and that of its front.
inline std::uint32_t hash_of(std::string_view word) {
    std::uint32_t found = 0;
    const std::string text = padded(" " + std::string(word));
    each_word(
        {text.data(), word.size() + 1}, [&](std::uint32_t hash) { found = hash; }, [](std::size_t, std::uint32_t) {});
    return found;
}

inline std::uint32_t hash_of_front(std::string_view word) {
    std::uint32_t front = 0;
    std::memcpy(&front, word.data(), sizeof front);
    return hash_end(front * front_factor);
}

}  // namespace mtawatch::mta::classes
