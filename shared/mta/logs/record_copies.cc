#include "shared/mta/logs/record_copies.h"

#include <algorithm>

namespace mtawatch::mta::logs {

bool RecordCopies::add(std::span<const Record> records) {
    if (records.empty()) return true;
    const ColumnMap& map = *records.front().map_;
    if (places_.empty()) {
        map_ = map;
        cells_ = 0;
        for (const std::uint16_t at : map) {
            if (at != absent_column) cells_ = std::max<std::size_t>(cells_, at + 1U);
        }
    } else if (map != map_) {
        return false;
    }
    for (const Record& record : records) {
        const std::uint32_t* from = record.ends_ - 1;
        const std::uint32_t begin = *from + 1;
        const std::uint32_t end = cells_ == 0 ? begin : from[cells_];
        const auto moved = static_cast<std::uint32_t>(bytes_.size()) - begin;
        bytes_.insert(bytes_.end(), record.base_ + begin, record.base_ + end);
        places_.push_back({record.type, record.time, ends_.size() + 1});
        const std::size_t first = ends_.size();
        ends_.resize(first + cells_ + 1);
        for (std::size_t i = 0; i <= cells_; ++i) ends_[first + i] = from[i] + moved;
    }
    return true;
}

std::span<const Record> RecordCopies::records() {
    records_.clear();
    for (const Place& place : places_) {
        Record record(bytes_.data(), ends_.data() + place.ends, &map_);
        record.type = place.type;
        record.time = place.time;
        records_.push_back(record);
    }
    return records_;
}

void RecordCopies::clear() {
    bytes_.clear();
    ends_.clear();
    places_.clear();
    records_.clear();
}

}  // namespace mtawatch::mta::logs
