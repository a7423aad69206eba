// Top-k counter: Space-Saving (Metwally, Agrawal, El Abbadi 2005). Exact while there are at most `capacity` different
// keys, afterwards the largest ones with a stated error, in constant memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::mta::documents {

class SpaceSaving {
  public:
    struct Entry {
        std::string key;
        std::uint64_t count = 0;  // never less than the truth
        std::uint64_t error = 0;  // at most this much too high
    };

    explicit SpaceSaving(std::size_t capacity);

    void add(std::string_view key, std::uint64_t weight = 1);
    // Largest first, equal ones by key; at most `limit`.
    [[nodiscard]] std::vector<Entry> top(std::size_t limit) const;
    // A key that is not in the answer came at most this often; 0 while every key is counted exactly.
    [[nodiscard]] std::uint64_t max_error() const { return max_error_; }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct Stale {
        std::uint64_t count;
        std::uint32_t entry;
    };
    [[nodiscard]] std::size_t slot_of(std::string_view key, std::uint64_t hash) const;
    void insert(std::string_view key, std::uint64_t hash, std::uint32_t entry);
    void remove(std::uint32_t entry);
    std::uint32_t pop_smallest();

    std::size_t capacity_;
    std::vector<Entry> entries_;
    std::vector<std::uint64_t> hashes_;  // of entries_
    std::vector<std::uint32_t> slots_;   // open addressing, entry + 1; 0 is free
    std::vector<Stale> heap_;            // smallest count first; a count may lag behind the entry's
    std::uint64_t max_error_ = 0;
};

}  // namespace mtawatch::mta::documents
