// Hash table of one family's series: label values as key, 64-bit counts as value, rows in flat arrays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exporter/series/prefetch.h"
#include "exporter/series/text_pool.h"
#include "shared/base/hash.h"

namespace mtawatch::exporter::series {

inline constexpr std::size_t max_labels = 5;

// The rows of one table from `row` up to those of the next run were born before page `birth` was begun and after the
// page before it (SeriesStore::begin_page).
struct BirthRun {
    std::uint32_t row = 0;
    std::uint32_t birth = 0;
    bool operator==(const BirthRun&) const = default;
};

// Rows in order of first appearance, so births never fall from one row to the next. A row is `arity` label values and
// `width` 64-bit counts, in two flat arrays that are copied as they are for a scrape or a checkpoint. 8 bytes a count,
// 4 a label, 4 for the birth and about 7 for the index.
class SeriesTable {
  public:
    static constexpr std::uint32_t none = 0xffffffffU;

    SeriesTable(std::size_t arity, std::size_t width);

    [[nodiscard]] std::uint32_t find(const TextId* key) const { return index_[place_of(key)]; }
    // For prefetching: the slot in which a row of that key is searched for first.
    [[nodiscard]] const std::uint32_t& first_place(const TextId* key) const {
        return index_[hash(key, arity_) & (index_.size() - 1)];
    }
    void prefetch_row(std::uint32_t row) const {
        prefetch(keys_.data() + row * arity_);
        prefetch(counts_.data() + row * width_);
    }
    // The row is not there yet. `birth` is that of the last row or more; 0 is "always there".
    std::uint32_t add(const TextId* key, std::uint32_t birth = 0);
    // Rows from this number on were born after page `page` was begun: they are not on it.
    [[nodiscard]] std::uint32_t first_born_after(std::uint32_t page) const {
        const auto row = std::ranges::upper_bound(births_, page);
        return static_cast<std::uint32_t>(row - births_.begin());
    }
    [[nodiscard]] std::vector<BirthRun> births_after(std::uint32_t page) const;
    // Puts back what births_after() gave. False, and nothing changed, for runs that cannot be of this table.
    [[nodiscard]] bool restore_births(std::span<const BirthRun> runs);
    void zero_counts() { std::ranges::fill(counts_, 0); }
    [[nodiscard]] std::uint64_t* counts(std::uint32_t row) { return counts_.data() + row * width_; }

    [[nodiscard]] std::size_t arity() const { return arity_; }
    [[nodiscard]] std::size_t width() const { return width_; }
    [[nodiscard]] std::uint32_t size() const { return size_; }
    [[nodiscard]] const std::vector<TextId>& keys() const { return keys_; }
    [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }

    // Takes out the rows for which `drop(key, counts)` holds; the others keep their order.
    template <class Drop>
    void remove_if(Drop&& drop) {
        std::uint32_t kept = 0;
        for (std::uint32_t row = 0; row < size_; ++row) {
            const TextId* key = keys_.data() + row * arity_;
            std::uint64_t* counts = counts_.data() + row * width_;
            if (drop(key, counts)) continue;
            if (kept != row) move_row(row, kept);
            ++kept;
        }
        if (kept != size_) shrink(kept);
    }

  private:
    [[nodiscard]] static std::uint64_t hash(const TextId* key, std::size_t arity) {
        std::uint64_t state = base::hash_seed;
        for (std::size_t i = 0; i < arity; ++i) state = base::mix(state ^ key[i], base::hash_step);
        return state;
    }
    [[nodiscard]] std::size_t place_of(const TextId* key) const {
        const std::size_t mask = index_.size() - 1;
        std::size_t place = hash(key, arity_) & mask;
        while (index_[place] != none && !same(index_[place], key)) place = (place + 1) & mask;
        return place;
    }
    [[nodiscard]] bool same(std::uint32_t row, const TextId* key) const {
        const TextId* own = keys_.data() + row * arity_;
        for (std::size_t i = 0; i < arity_; ++i) {
            if (own[i] != key[i]) return false;
        }
        return true;
    }
    void move_row(std::uint32_t from, std::uint32_t to);
    void shrink(std::uint32_t size);
    void reindex(std::size_t places);

    std::size_t arity_;
    std::size_t width_;
    std::uint32_t size_ = 0;
    std::vector<TextId> keys_;
    std::vector<std::uint64_t> counts_;
    std::vector<std::uint32_t> births_;
    std::vector<std::uint32_t> index_;  // a power of two, linear probing
};

}  // namespace mtawatch::exporter::series
