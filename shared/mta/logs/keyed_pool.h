// Fixed-capacity hash table (open addressing, 64-bit keys) whose entries keep their numbers until they are removed.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace mtawatch::mta::logs {

inline constexpr std::uint32_t no_entry = std::numeric_limits<std::uint32_t>::max();

// An Entry has members `key` (a hash: its low bits choose the place) and `next`, which links entries that are not in
// use. An entry keeps its number until it is removed.
template <class Entry>
class KeyedPool {
  public:
    explicit KeyedPool(std::size_t limit) : limit_(limit) { clear(); }

    [[nodiscard]] std::size_t size() const { return used_; }
    [[nodiscard]] bool full() const { return used_ >= limit_; }
    [[nodiscard]] Entry& operator[](std::uint32_t number) { return entries_[number]; }
    [[nodiscard]] const Entry& operator[](std::uint32_t number) const { return entries_[number]; }

    // no_entry when there is none.
    [[nodiscard]] std::uint32_t find(std::uint64_t key) const {
        for (std::size_t at = key & mask(); slots_[at] != no_entry; at = (at + 1) & mask()) {
            if (entries_[slots_[at]].key == key) return slots_[at];
        }
        return no_entry;
    }
    // A new entry with a key that is not in use; no_entry when the pool is full.
    [[nodiscard]] std::uint32_t add(std::uint64_t key) {
        if (full()) return no_entry;
        if (2 * (used_ + 1) > slots_.size()) grow();
        std::uint32_t number = free_;
        if (number == no_entry) {
            number = static_cast<std::uint32_t>(entries_.size());
            entries_.emplace_back();
        } else {
            free_ = entries_[number].next;
            entries_[number] = Entry{};
        }
        entries_[number].key = key;
        ++used_;
        place(number);
        return number;
    }
    void remove(std::uint32_t number) {
        std::size_t hole = entries_[number].key & mask();
        while (slots_[hole] != number) hole = (hole + 1) & mask();
        // What stands behind the hole moves into it if its own place is not behind the hole too.
        for (std::size_t at = (hole + 1) & mask(); slots_[at] != no_entry; at = (at + 1) & mask()) {
            const std::size_t home = entries_[slots_[at]].key & mask();
            if (((at - home) & mask()) < ((at - hole) & mask())) continue;
            slots_[hole] = slots_[at];
            hole = at;
        }
        slots_[hole] = no_entry;
        entries_[number].next = free_;
        free_ = number;
        --used_;
    }
    void clear() {
        entries_.clear();
        slots_.assign(first_slots, no_entry);
        free_ = no_entry;
        used_ = 0;
    }

  private:
    static constexpr std::size_t first_slots = 64;

    [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
    void place(std::uint32_t number) {
        std::size_t at = entries_[number].key & mask();
        while (slots_[at] != no_entry) at = (at + 1) & mask();
        slots_[at] = number;
    }
    void grow() {
        std::vector<std::uint32_t> old(slots_.size() * 2, no_entry);
        old.swap(slots_);
        for (const std::uint32_t number : old) {
            if (number != no_entry) place(number);
        }
        // Doubling beyond the limit would only cost memory.
        entries_.reserve(std::min(limit_, slots_.size() / 2));
    }

    std::size_t limit_;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> slots_;  // entry numbers, by key, with linear probing; at most half of them in use
    std::uint32_t free_ = no_entry;     // the first entry that is not in use
    std::size_t used_ = 0;
};

}  // namespace mtawatch::mta::logs
