#include "exporter/series/value_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "shared/base/text.h"
#include "shared/mta/classes/attribution.h"

namespace mtawatch::exporter::series {
namespace {

constexpr std::size_t first_places = 64;

static_assert(max_label_bytes == mta::classes::max_name_bytes);

// Classes of bytes: 0 stands as it is, 1 is an ASCII capital, 2 needs care.
constexpr std::array<std::uint8_t, 256> make_byte_classes() {
    std::array<std::uint8_t, 256> classes{};
    for (std::size_t c = 0; c < 256; ++c) classes[c] = c < 0x20 || c >= 0x7f || c == '"' || c == '\\' ? 2 : 0;
    for (std::size_t c = 'A'; c <= 'Z'; ++c) classes[c] = 1;
    return classes;
}
constexpr std::array<std::uint8_t, 256> byte_classes = make_byte_classes();

// Texts that differ from the cells they stand for are kept under another hash than those cells may have.
constexpr std::uint32_t changed_text = 0x5bd1e995U;

}  // namespace

std::string_view label_text(std::string_view raw, bool lower, char (&scratch)[max_text_bytes]) {
    std::uint8_t worst = 0;
    for (const char c : raw) worst |= byte_classes[static_cast<unsigned char>(c)];
    if (raw.size() <= max_label_bytes && (worst == 0 || (worst == 1 && !lower))) return raw;
    if (raw.size() <= max_label_bytes && worst == 1) {
        std::ranges::transform(raw, scratch, base::lower);
        return {scratch, raw.size()};
    }
    std::size_t size = 0;
    for (const char c : mta::classes::readable_name(raw)) {
        if (c == '"' || c == '\\') scratch[size++] = '\\';
        scratch[size++] = lower ? base::lower(c) : c;
    }
    return {scratch, size};
}

ValueTable::ValueTable(TextPool& pool, std::uint32_t limit, bool lower)
    : pool_(&pool), limit_(limit), lower_(lower), places_(first_places) {
    const std::string_view other = pool.text(other_text);
    const std::uint32_t hash = hash_of(other);
    places_[place_of(hash, other)] = {hash, other_text, 0};
}

// Whether the text came out of label_text as some cell went in decides its hash; both are told by the text alone.
std::uint32_t ValueTable::hash_of(std::string_view text) const {
    char scratch[max_text_bytes];
    const bool plain = label_text(text, lower_, scratch) == text;
    return plain ? plain_hash(text) : plain_hash(text) ^ changed_text;
}

TextId ValueTable::find_cleaned(std::string_view raw, std::uint32_t now) {
    char scratch[max_text_bytes];
    const std::string_view text = label_text(raw, lower_, scratch);
    const std::uint32_t hash = hash_of(text);
    Entry& entry = places_[place_of(hash, text)];
    if (entry.text != no_text) {
        entry.last_seen = std::max(entry.last_seen, now);
        return entry.text;
    }
    if (size_ >= limit_) return folded_text;
    return insert(hash, text, now);
}

TextId ValueTable::find(std::string_view raw) const { return places_[place(raw)].text; }

std::uint32_t ValueTable::place(std::string_view raw) const {
    char scratch[max_text_bytes];
    const std::string_view text = label_text(raw, lower_, scratch);
    return static_cast<std::uint32_t>(place_of(hash_of(text), text));
}

TextId ValueTable::restore(std::string_view text, std::uint32_t last_seen) {
    const std::uint32_t hash = hash_of(text);
    const Entry& entry = places_[place_of(hash, text)];
    if (entry.text != no_text) return entry.text;
    return insert(hash, text, last_seen);
}

TextId ValueTable::insert(std::uint32_t hash, std::string_view text, std::uint32_t last_seen) {
    if ((std::size_t{size_} + 2) * 3 > places_.size() * 2) {
        std::vector<Entry> entries;
        entries.reserve(size_ + 1);
        std::ranges::copy_if(places_, std::back_inserter(entries), [](const Entry& e) { return e.text != no_text; });
        places_.resize(places_.size() * 2);
        rebuild(entries);
    }
    const TextId id = pool_->add(text);
    places_[place_of(hash, text)] = {hash, id, last_seen};
    ++size_;
    return id;
}

void ValueTable::rebuild(const std::vector<Entry>& entries) {
    std::ranges::fill(places_, Entry{});
    const std::size_t mask = places_.size() - 1;
    size_ = 0;
    for (const Entry& entry : entries) {
        std::size_t place = entry.hash & mask;
        while (places_[place].text != no_text) place = (place + 1) & mask;
        places_[place] = entry;
        if (entry.text != other_text) ++size_;
    }
}

}  // namespace mtawatch::exporter::series
