#include "exporter/series/text_pool.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace mtawatch::exporter::series {

TextPool::~TextPool() {
    for (char** chunk : chunks_) delete[] chunk;
}

char* TextPool::allocate(std::size_t size_class) {
    std::vector<char*>& free = free_bytes_[size_class];
    if (!free.empty()) {
        char* bytes = free.back();
        free.pop_back();
        return bytes;
    }
    const std::size_t size = size_class * step;
    if (block_used_ + size > block_bytes) {
        blocks_.push_back(std::make_unique<char[]>(block_bytes));
        block_used_ = 0;
    }
    char* bytes = blocks_.back().get() + block_used_;
    block_used_ += size;
    return bytes;
}

TextId TextPool::add(std::string_view text) {
    text = text.substr(0, max_text_bytes);
    TextId id = 0;
    if (free_ids_.empty()) {
        id = next_;
        const std::size_t chunk = id / chunk_texts;
        if (chunk >= chunks) throw std::length_error("more label values than any budget allows");
        if (chunks_[chunk] == nullptr) chunks_[chunk] = new char*[chunk_texts];
        ++next_;
    } else {
        id = free_ids_.back();
        free_ids_.pop_back();
    }
    char* bytes = allocate(size_class(text.size()));
    const auto size = static_cast<std::uint16_t>(text.size());
    std::memcpy(bytes, &size, sizeof size);
    // An empty view may have no address.
    if (!text.empty()) std::memcpy(bytes + header_text, text.data(), text.size());
    chunks_[id / chunk_texts][id % chunk_texts] = bytes;
    return id;
}

void TextPool::release(TextId id) {
    char* bytes = chunks_[id / chunk_texts][id % chunk_texts];
    free_bytes_[size_class(text(id).size())].push_back(bytes);
    free_ids_.push_back(id);
}

}  // namespace mtawatch::exporter::series
