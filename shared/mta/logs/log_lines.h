// Helpers shared by the readers of line-by-line logs: a line splitter, and a batch of records whose cells are written
// one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shared/mta/logs/record.h"

namespace mtawatch::mta::logs {

// Cuts bytes into lines in constant memory. The offsets are those of RecordReader.
class LogLines {
  public:
    // Behind every line as many bytes may be looked at, as simdjson wants.
    static constexpr std::size_t padding = 64;

    explicit LogLines(std::size_t longest);

    [[nodiscard]] std::span<char> space();
    void commit(std::size_t count) { end_ += count; }
    void finish() { finished_ = true; }
    void resume(std::uint64_t offset);
    [[nodiscard]] std::uint64_t consumed() const { return skipping_ ? skip_offset_ : offset_ + begin_; }
    [[nodiscard]] std::uint64_t committed() const { return offset_ + end_; }

    enum class Step : std::uint8_t {
        none,       // more bytes are needed
        line,       // without its line end
        last_line,  // of a finished file, which had no line end
        oversized,  // one that is longer than the limit
    };
    [[nodiscard]] Step next(std::string_view& line);

  private:
    [[nodiscard]] Step without_newline(std::string_view& line);

    std::size_t longest_;
    std::vector<char> buffer_;
    std::uint64_t offset_ = 0;  // file offset of buffer_[0]
    std::size_t begin_ = 0;     // first byte of the first line that has not been handed out
    std::size_t end_ = 0;
    bool finished_ = false;
    bool skipping_ = false;  // inside a line that is too long
    std::uint64_t skip_offset_ = 0;
};

// The records of a batch, their cells written one by one.
class RecordBatch {
  public:
    // `columns`: cells of a record at most; `room`: bytes that one record may need.
    RecordBatch(std::size_t columns, std::size_t room);

    void clear();
    [[nodiscard]] bool full() const { return records_.size() >= record_total || used_ >= bytes; }
    [[nodiscard]] std::span<const Record> records() const { return records_; }

    void cell(std::string_view text);
    // The two texts as one cell.
    void cell(std::string_view prefix, std::string_view text);
    void lower_cell(std::string_view text);
    void number_cell(std::uint64_t number);
    // The cells written since the last record, as `map` (which must outlive the batch) places them.
    void add(RecordType type, std::int64_t time, const ColumnMap& map);

  private:
    static constexpr std::size_t record_total = 256;
    static constexpr std::size_t bytes = 128U << 10U;

    std::vector<char> cells_;  // one after the other, each with a byte behind it
    std::size_t used_ = 0;
    std::vector<std::uint32_t> ends_;
    std::size_t ends_used_ = 1;
    std::size_t first_ = 1;  // the first cell of the record at hand
    std::vector<Record> records_;
};

// Cell i is columns[i].
template <class Columns>
[[nodiscard]] constexpr ColumnMap column_map(const Columns& columns, std::size_t count) {
    ColumnMap map{};
    for (std::uint16_t& place : map) place = absent_column;
    for (std::size_t i = 0; i < count; ++i) map[static_cast<std::size_t>(columns[i])] = static_cast<std::uint16_t>(i);
    return map;
}

}  // namespace mtawatch::mta::logs
