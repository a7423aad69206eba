#include "shared/mta/logs/log_lines.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "shared/base/text.h"
#include "shared/mta/logs/record_reader.h"

namespace mtawatch::mta::logs {

LogLines::LogLines(std::size_t longest) : longest_(longest), buffer_(longest + scan_chunk_bytes + padding) {}

void LogLines::resume(std::uint64_t offset) {
    offset_ = offset;
    begin_ = end_ = 0;
    finished_ = skipping_ = false;
}

std::span<char> LogLines::space() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    offset_ += begin_;
    end_ -= begin_;
    begin_ = 0;
    return {buffer_.data() + end_, std::min(buffer_.size() - padding - end_, scan_chunk_bytes)};
}

LogLines::Step LogLines::next(std::string_view& line) {
    const char* const from = buffer_.data() + begin_;
    const auto* newline = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_));
    if (newline == nullptr) return without_newline(line);
    const auto length = static_cast<std::size_t>(newline - from);
    begin_ += length + 1;
    if (skipping_ || length > longest_) {
        skipping_ = false;
        return Step::oversized;
    }
    line = {from, length};
    return Step::line;
}

LogLines::Step LogLines::without_newline(std::string_view& line) {
    if (end_ - begin_ > longest_) {  // its bytes are dropped as they come
        if (!skipping_) skip_offset_ = offset_ + begin_;
        skipping_ = true;
        begin_ = end_;
    }
    if (!finished_ || (begin_ == end_ && !skipping_)) return Step::none;
    line = {buffer_.data() + begin_, end_ - begin_};
    begin_ = end_;
    if (!skipping_) return Step::last_line;
    skipping_ = false;
    return Step::oversized;
}

RecordBatch::RecordBatch(std::size_t columns, std::size_t room)
    : cells_(bytes + room), ends_((record_total + 1) * columns + 1) {
    records_.reserve(record_total + 1);
    clear();
}

void RecordBatch::clear() {
    records_.clear();
    used_ = 0;
    ends_[0] = static_cast<std::uint32_t>(-1);
    ends_used_ = first_ = 1;
}

void RecordBatch::cell(std::string_view text) { cell({}, text); }

void RecordBatch::cell(std::string_view prefix, std::string_view text) {
    char* const end = std::ranges::copy(text, std::ranges::copy(prefix, cells_.data() + used_).out).out;
    used_ = static_cast<std::size_t>(end - cells_.data());
    ends_[ends_used_++] = static_cast<std::uint32_t>(used_++);
}

void RecordBatch::lower_cell(std::string_view text) {
    std::ranges::transform(text, cells_.data() + used_, base::lower);
    used_ += text.size();
    ends_[ends_used_++] = static_cast<std::uint32_t>(used_++);
}

void RecordBatch::number_cell(std::uint64_t number) {
    std::array<char, 24> digits{};
    const char* const end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    cell({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void RecordBatch::add(RecordType type, std::int64_t time, const ColumnMap& map) {
    Record& record = records_.emplace_back(cells_.data(), ends_.data() + first_, &map);
    record.type = type;
    record.time = time;
    first_ = ends_used_;
}

}  // namespace mtawatch::mta::logs
