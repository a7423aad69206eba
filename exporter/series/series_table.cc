#include "exporter/series/series_table.h"

#include <algorithm>

namespace mtawatch::exporter::series {
namespace {

constexpr std::size_t first_places = 32;

}  // namespace

SeriesTable::SeriesTable(std::size_t arity, std::size_t width)
    : arity_(arity), width_(width), index_(first_places, none) {}

std::uint32_t SeriesTable::add(const TextId* key) {
    if ((std::size_t{size_} + 1) * 4 > index_.size() * 3) reindex(index_.size() * 2);
    const std::uint32_t row = size_++;
    keys_.insert(keys_.end(), key, key + arity_);
    counts_.resize(counts_.size() + width_);
    index_[place_of(key)] = row;
    return row;
}

void SeriesTable::move_row(std::uint32_t from, std::uint32_t to) {
    std::copy_n(keys_.data() + from * arity_, arity_, keys_.data() + to * arity_);
    std::copy_n(counts_.data() + from * width_, width_, counts_.data() + to * width_);
}

void SeriesTable::shrink(std::uint32_t size) {
    size_ = size;
    keys_.resize(size * arity_);
    counts_.resize(size * width_);
    reindex(index_.size());
}

void SeriesTable::reindex(std::size_t places) {
    index_.assign(places, none);
    for (std::uint32_t row = 0; row < size_; ++row) index_[place_of(keys_.data() + row * arity_)] = row;
}

}  // namespace mtawatch::exporter::series
