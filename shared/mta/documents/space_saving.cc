#include "shared/mta/documents/space_saving.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace mtawatch::mta::documents {

namespace {

// std::hash of a string view is fast enough here, and its seed is fixed: an attacker who sends colliding domains makes
// this slow by the length of one probe chain in `capacity` entries, never large.
std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>()(key); }

}  // namespace

SpaceSaving::SpaceSaving(std::size_t capacity)
    : capacity_(std::max<std::size_t>(capacity, 1)), slots_(std::bit_ceil(capacity_ * 2)) {}

std::size_t SpaceSaving::slot_of(std::string_view key, std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash & mask;
    while (slots_[slot] != 0) {
        const std::uint32_t entry = slots_[slot] - 1;
        if (hashes_[entry] == hash && entries_[entry].key == key) break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

void SpaceSaving::insert(std::string_view key, std::uint64_t hash, std::uint32_t entry) {
    slots_[slot_of(key, hash)] = entry + 1;
}

// Closes the gap (backward shift), so that no chain breaks and no tombstones pile up.
void SpaceSaving::remove(std::uint32_t entry) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t gap = slot_of(entries_[entry].key, hashes_[entry]);
    slots_[gap] = 0;
    for (std::size_t next = (gap + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
        const std::size_t home = hashes_[slots_[next] - 1] & mask;
        if (((next - home) & mask) < ((next - gap) & mask)) continue;
        slots_[gap] = slots_[next];
        slots_[next] = 0;
        gap = next;
    }
}

std::uint32_t SpaceSaving::pop_smallest() {
    const auto later = [](const Stale& a, const Stale& b) { return a.count > b.count; };
    if (heap_.empty()) {
        for (std::uint32_t i = 0; i < entries_.size(); ++i) heap_.push_back({entries_[i].count, i});
        std::ranges::make_heap(heap_, later);
    }
    for (;;) {
        std::ranges::pop_heap(heap_, later);
        Stale& smallest = heap_.back();
        const std::uint64_t now = entries_[smallest.entry].count;
        if (smallest.count == now) return smallest.entry;  // stays at the back for the caller to refill
        smallest.count = now;
        std::ranges::push_heap(heap_, later);
    }
}

void SpaceSaving::add(std::string_view key, std::uint64_t weight) {
    const std::uint64_t hash = hash_of(key);
    const std::size_t slot = slot_of(key, hash);
    if (slots_[slot] != 0) {
        entries_[slots_[slot] - 1].count += weight;
        return;
    }
    if (entries_.size() < capacity_) {
        entries_.push_back({std::string(key), weight, 0});
        hashes_.push_back(hash);
        slots_[slot] = static_cast<std::uint32_t>(entries_.size());
        return;
    }
    const std::uint32_t victim = pop_smallest();
    remove(victim);
    Entry& entry = entries_[victim];
    max_error_ = std::max(max_error_, entry.count);
    entry.error = entry.count;
    entry.count += weight;
    entry.key.assign(key);
    hashes_[victim] = hash;
    insert(key, hash, victim);
    heap_.back() = {entry.count, victim};
    std::ranges::push_heap(heap_, [](const Stale& a, const Stale& b) { return a.count > b.count; });
}

std::vector<SpaceSaving::Entry> SpaceSaving::top(std::size_t limit) const {
    std::vector<Entry> sorted = entries_;
    std::ranges::sort(
        sorted, [](const Entry& a, const Entry& b) { return a.count != b.count ? a.count > b.count : a.key < b.key; });
    if (sorted.size() > limit) sorted.resize(limit);
    return sorted;
}

}  // namespace mtawatch::mta::documents
