#include "exporter/series/series_table.h"

#include <algorithm>

namespace mtawatch::exporter::series {
namespace {

constexpr std::size_t first_places = 32;

}  // namespace

SeriesTable::SeriesTable(std::size_t arity, std::size_t width)
    : arity_(arity), width_(width), index_(first_places, none) {}

std::uint32_t SeriesTable::add(const TextId* key, std::uint32_t birth) {
    if ((std::size_t{size_} + 1) * 4 > index_.size() * 3) reindex(index_.size() * 2);
    const std::uint32_t row = size_++;
    keys_.insert(keys_.end(), key, key + arity_);
    counts_.resize(counts_.size() + width_);
    births_.push_back(birth);
    index_[place_of(key)] = row;
    return row;
}

std::vector<BirthRun> SeriesTable::births_after(std::uint32_t page) const {
    std::vector<BirthRun> runs;
    for (std::uint32_t row = first_born_after(page); row < size_; ++row) {
        if (runs.empty() || runs.back().birth != births_[row]) runs.push_back({row, births_[row]});
    }
    return runs;
}

bool SeriesTable::restore_births(std::span<const BirthRun> runs) {
    BirthRun before{0, 0};
    for (const BirthRun& run : runs) {
        const bool follows = run.birth > before.birth && (&run == runs.data() || run.row > before.row);
        if (!follows || run.row >= size_) return false;
        before = run;
    }
    for (const BirthRun& run : runs) std::fill(births_.begin() + run.row, births_.end(), run.birth);
    return true;
}

void SeriesTable::move_row(std::uint32_t from, std::uint32_t to) {
    std::copy_n(keys_.data() + from * arity_, arity_, keys_.data() + to * arity_);
    std::copy_n(counts_.data() + from * width_, width_, counts_.data() + to * width_);
    births_[to] = births_[from];
}

void SeriesTable::shrink(std::uint32_t size) {
    size_ = size;
    keys_.resize(size * arity_);
    counts_.resize(size * width_);
    births_.resize(size);
    reindex(index_.size());
}

void SeriesTable::reindex(std::size_t places) {
    index_.assign(places, none);
    for (std::uint32_t row = 0; row < size_; ++row) index_[place_of(keys_.data() + row * arity_)] = row;
}

}  // namespace mtawatch::exporter::series
