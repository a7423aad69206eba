#include "shared/mta/logs/text_heap.h"

#include <algorithm>
#include <cstring>

namespace mtawatch::mta::logs {

std::size_t TextHeap::size_class(std::size_t length) {
    std::size_t number = 0;
    while ((unit_bytes << number) < length + 2) ++number;
    return number;
}

void TextHeap::clear() {
    bytes_.assign(unit_bytes, '\0');  // place 0 is the empty text
    free_.fill(none);
    free_bytes_ = 0;
}

bool TextHeap::has_room(std::size_t length) const {
    if (length == 0 || length > longest) return true;
    const std::size_t number = size_class(length);
    if (bytes_.size() + (unit_bytes << number) <= limit_) return true;
    return std::any_of(free_.begin() + static_cast<std::ptrdiff_t>(number), free_.end(),
                       [](std::uint32_t first) { return first != none; });
}

bool TextHeap::carve(std::size_t bytes, std::uint32_t& place) {
    if (bytes_.size() + bytes > limit_) return false;
    place = static_cast<std::uint32_t>(bytes_.size() / unit_bytes);
    if (bytes_.size() + bytes > bytes_.capacity()) bytes_.reserve(std::min(limit_, bytes_.capacity() * 2 + bytes));
    bytes_.resize(bytes_.size() + bytes);
    return true;
}

std::uint32_t TextHeap::store(std::string_view text) {
    if (text.empty() || text.size() > longest) return none;
    const std::size_t wanted = size_class(text.size());
    std::uint32_t place = none;
    if (free_[wanted] != none) {
        place = free_[wanted];
        std::memcpy(&free_[wanted], bytes_.data() + place * unit_bytes, sizeof place);
        free_bytes_ -= unit_bytes << wanted;
    } else if (!carve(unit_bytes << wanted, place)) {
        // A larger block serves; its second half and what is left of that become blocks of their own.
        std::size_t larger = wanted + 1;
        while (larger < sizes && free_[larger] == none) ++larger;
        if (larger >= sizes) return none;
        place = free_[larger];
        std::memcpy(&free_[larger], bytes_.data() + place * unit_bytes, sizeof place);
        free_bytes_ -= unit_bytes << wanted;
        while (larger-- > wanted) {
            const auto half = static_cast<std::uint32_t>(place + (std::size_t{1} << larger));
            std::memcpy(bytes_.data() + half * unit_bytes, &free_[larger], sizeof half);
            free_[larger] = half;
        }
    }
    const auto length = static_cast<std::uint16_t>(text.size());
    std::memcpy(bytes_.data() + place * unit_bytes, &length, sizeof length);
    std::memcpy(bytes_.data() + place * unit_bytes + 2, text.data(), text.size());
    return place;
}

std::string_view TextHeap::at(std::uint32_t place) const {
    std::uint16_t length = 0;
    std::memcpy(&length, bytes_.data() + place * unit_bytes, sizeof length);
    return {bytes_.data() + place * unit_bytes + 2, length};
}

void TextHeap::release(std::uint32_t place) {
    if (place == none) return;
    const std::size_t number = size_class(at(place).size());
    std::memcpy(bytes_.data() + place * unit_bytes, &free_[number], sizeof place);
    free_[number] = place;
    free_bytes_ += unit_bytes << number;
}

}  // namespace mtawatch::mta::logs
