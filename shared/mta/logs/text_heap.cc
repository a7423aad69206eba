#include "shared/mta/logs/text_heap.h"

#include <algorithm>
#include <cstring>

namespace mtawatch::mta::logs {

std::size_t TextHeap::size_class(std::size_t length) {
    std::size_t number = 0;
    while ((kUnit << number) < length + 2) ++number;
    return number;
}

void TextHeap::clear() {
    bytes_.assign(kUnit, '\0');  // place 0 is the empty text
    free_.fill(kNone);
    free_bytes_ = 0;
}

bool TextHeap::has_room(std::size_t length) const {
    if (length == 0 || length > kLongest) return true;
    const std::size_t number = size_class(length);
    if (bytes_.size() + (kUnit << number) <= limit_) return true;
    return std::any_of(free_.begin() + static_cast<std::ptrdiff_t>(number), free_.end(),
                       [](std::uint32_t first) { return first != kNone; });
}

bool TextHeap::carve(std::size_t bytes, std::uint32_t& place) {
    if (bytes_.size() + bytes > limit_) return false;
    place = static_cast<std::uint32_t>(bytes_.size() / kUnit);
    if (bytes_.size() + bytes > bytes_.capacity()) bytes_.reserve(std::min(limit_, bytes_.capacity() * 2 + bytes));
    bytes_.resize(bytes_.size() + bytes);
    return true;
}

std::uint32_t TextHeap::store(std::string_view text) {
    if (text.empty() || text.size() > kLongest) return kNone;
    const std::size_t wanted = size_class(text.size());
    std::uint32_t place = kNone;
    if (free_[wanted] != kNone) {
        place = free_[wanted];
        std::memcpy(&free_[wanted], bytes_.data() + place * kUnit, sizeof place);
        free_bytes_ -= kUnit << wanted;
    } else if (!carve(kUnit << wanted, place)) {
        // A larger block serves; its second half and what is left of that become blocks of their own.
        std::size_t larger = wanted + 1;
        while (larger < kSizes && free_[larger] == kNone) ++larger;
        if (larger >= kSizes) return kNone;
        place = free_[larger];
        std::memcpy(&free_[larger], bytes_.data() + place * kUnit, sizeof place);
        free_bytes_ -= kUnit << wanted;
        while (larger-- > wanted) {
            const auto half = static_cast<std::uint32_t>(place + (std::size_t{1} << larger));
            std::memcpy(bytes_.data() + half * kUnit, &free_[larger], sizeof half);
            free_[larger] = half;
        }
    }
    const auto length = static_cast<std::uint16_t>(text.size());
    std::memcpy(bytes_.data() + place * kUnit, &length, sizeof length);
    std::memcpy(bytes_.data() + place * kUnit + 2, text.data(), text.size());
    return place;
}

std::string_view TextHeap::at(std::uint32_t place) const {
    std::uint16_t length = 0;
    std::memcpy(&length, bytes_.data() + place * kUnit, sizeof length);
    return {bytes_.data() + place * kUnit + 2, length};
}

void TextHeap::release(std::uint32_t place) {
    if (place == kNone) return;
    const std::size_t number = size_class(at(place).size());
    std::memcpy(bytes_.data() + place * kUnit, &free_[number], sizeof place);
    free_[number] = place;
    free_bytes_ += kUnit << number;
}

}  // namespace mtawatch::mta::logs
