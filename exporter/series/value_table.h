// Hash table from a cell's text to its number in the text pool: one for each kind of label, bounded, asked once per
// record and column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "exporter/series/text_pool.h"
#include "shared/base/hash.h"

namespace mtawatch::exporter::series {

// The two texts that every pool begins with, in this order: a value named "other", and one that a full table sends
// there. They read the same; the second is counted as folded where it becomes part of a series.
inline constexpr TextId other_text = 0;
inline constexpr TextId folded_text = 1;
inline constexpr TextId no_text = 0xffffffffU;

// The form in which a value is kept and written: valid UTF-8, at most max_label_bytes, escaped as in the metrics
// output. `scratch` holds the bytes where the raw text needed a change; `lower` maps ASCII capitals (domains).
[[nodiscard]] std::string_view label_text(std::string_view raw, bool lower, char (&scratch)[max_text_bytes]);

class ValueTable {
  public:
    struct Entry {
        std::uint32_t hash = 0;
        TextId text = no_text;  // no_text: empty place
        std::uint32_t last_seen = 0;
    };

    // `limit` values besides "other"; domains are compared without case.
    ValueTable(TextPool& pool, std::uint32_t limit, bool lower);

    // The number of a raw cell, new if there is room, else folded_text. `now` is record time.
    [[nodiscard]] TextId find_or_add(std::string_view raw, std::uint32_t now) {
        // A cell that reads like a kept text needs no cleaning: texts that were changed have another hash.
        Entry& entry = places_[place_of(plain_hash(raw), raw)];
        if (entry.text == no_text) return find_cleaned(raw, now);
        if (entry.last_seen < now) entry.last_seen = now;
        return entry.text;
    }
    // Only looks: no_text when unknown.
    [[nodiscard]] TextId find(std::string_view raw) const;
    // Where in places() the value of a raw cell stands, for a caller that remembers it.
    [[nodiscard]] std::uint32_t place(std::string_view raw) const;
    // The value `id` was met again; false when it does not stand at `place` any more.
    [[nodiscard]] bool touch(TextId id, std::uint32_t place, std::uint32_t now) {
        if (place >= places_.size() || places_[place].text != id) return false;
        if (places_[place].last_seen < now) places_[place].last_seen = now;
        return true;
    }
    // For fetching ahead: the hash under which a cell that needs no cleaning is kept, and the place where it is looked
    // for first.
    [[nodiscard]] static std::uint32_t plain_hash(std::string_view text) {
        const std::uint64_t hash = base::hash_bytes(text);
        return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
    }
    [[nodiscard]] const Entry& first_place(std::uint32_t hash) const { return places_[hash & (places_.size() - 1)]; }

    // Puts back what a checkpoint had: the text as it is kept, which is not there yet.
    TextId restore(std::string_view text, std::uint32_t last_seen);

    [[nodiscard]] std::uint32_t size() const { return size_; }
    [[nodiscard]] const std::vector<Entry>& places() const { return places_; }
    // Takes out every value for which `drop(entry)` holds.
    template <class Drop>
    void remove_if(Drop&& drop) {
        std::vector<Entry> kept;
        kept.reserve(size_);
        for (const Entry& entry : places_) {
            if (entry.text != no_text && !drop(entry)) kept.push_back(entry);
        }
        rebuild(kept);
    }

  private:
    [[nodiscard]] std::size_t place_of(std::uint32_t hash, std::string_view text) const {
        const std::size_t mask = places_.size() - 1;
        std::size_t place = hash & mask;
        while (places_[place].text != no_text && !(places_[place].hash == hash && same(places_[place].text, text))) {
            place = (place + 1) & mask;
        }
        return place;
    }
    [[nodiscard]] bool same(TextId id, std::string_view text) const {
        const std::string_view kept = pool_->text(id);
        return kept.size() == text.size() && base::same_bytes(kept.data(), text.data(), text.size());
    }
    [[nodiscard]] TextId find_cleaned(std::string_view raw, std::uint32_t now);
    [[nodiscard]] std::uint32_t hash_of(std::string_view text) const;
    TextId insert(std::uint32_t hash, std::string_view text, std::uint32_t last_seen);
    void rebuild(const std::vector<Entry>& entries);

    TextPool* pool_;
    std::uint32_t limit_;
    bool lower_;
    std::uint32_t size_ = 0;
    std::vector<Entry> places_;  // a power of two, linear probing
};

}  // namespace mtawatch::exporter::series
