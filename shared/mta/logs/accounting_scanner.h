// Streaming parser of PowerMTA's accounting CSV: piece by piece, without copying, at memory speed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/mta/logs/record.h"
#include "shared/mta/logs/record_reader.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::logs {

// A record of PowerMTA is under 4 KiB in practice; past this a file is damaged, and memory must not grow with it.
inline constexpr std::size_t max_record_bytes = 256U << 10U;
// The union of all record types with dozens of header_ columns has under 200.
inline constexpr std::size_t max_record_columns = 1024;
// A line that should begin a record shows its type and time within this many bytes.
inline constexpr std::size_t record_start_bytes = 1024;

// AVX2, the x86-64 baseline, and plain words, which other CPUs take anyway.
enum class ScanPath : std::uint8_t { widest, baseline, portable };
inline constexpr std::array<ScanPath, 3> scan_paths{ScanPath::widest, ScanPath::baseline, ScanPath::portable};
[[nodiscard]] std::string_view name(ScanPath path);

struct ScannerOptions {
    Zone zone = Zone::machine();  // of stamps without an offset
    // What a type code means in these files, beside PowerMTA's own meaning: {"r", RecordType::d}.
    std::map<std::string, RecordType, std::less<>> record_types;
    // The type of every record of a file without a type column; by default its columns decide.
    std::optional<RecordType> untyped;
    // Any text is a type, `other` unless record_types has it: in tables of other programs, where nothing else may be
    // taken for damage. Otherwise only a word is.
    bool any_type = false;
    // Columns that Record shows as custom0…, at most custom_column_count ("header_X-job").
    std::vector<std::string> custom_columns;
    // More names for a column, beside the built-in ones (timestamp, bodySize, feedback_type, diag_code, diag_text).
    std::map<std::string, Column, std::less<>> aliases;
    // Which instructions look for separators. Other than the widest that the CPU has only for the tests that hold
    // them to the same answers, and for finding out which of them is at fault.
    ScanPath path = ScanPath::widest;
};

// Rules: a header is a line whose first cell is "type", or (files without a type column) one that names columns; it
// may stand anywhere and holds until the next. Columns by name in any order and case; the first of equal names counts,
// a name before an alias of it; unknown ones are skipped. LF or CRLF. Every quote opens or closes; commas inside
// quotes are data. A newline inside quotes ends the record if the next line begins a record or is a header; else it is
// data. A UTF-8 byte order mark and blank lines are skipped.
class AccountingScanner final : public RecordReader {
  public:
    explicit AccountingScanner(ScannerOptions options = {});

    [[nodiscard]] std::span<char> space() override;
    void commit(std::size_t count) override { end_ += count; }
    // A batch is about 16 KiB of file.
    [[nodiscard]] std::span<const Record> next() override;
    void finish() override { finished_ = true; }
    [[nodiscard]] std::uint64_t consumed() const override { return skipping_ ? skip_offset_ : offset_ + begin_; }
    [[nodiscard]] std::uint64_t committed() const override { return offset_ + end_; }
    [[nodiscard]] const ScanCounts& counts() const override { return counts_; }

    // The header line in force, as it stands in the file without its line end and byte order mark; empty before any.
    [[nodiscard]] const std::string& header() const override { return header_; }
    // Where each column stands under that header.
    [[nodiscard]] const ColumnMap& columns() const { return map_; }
    // Whether the header names timeLogged (or its alias); without it Record::time is timeQueued.
    [[nodiscard]] bool has_time_logged() const;

    void reset() override;
    void resume(std::string_view header, std::uint64_t offset) override;

  private:
    enum class LineStart : std::uint8_t { no, yes, undecided };
    struct Row {
        std::uint32_t last;  // index in ends_ of its newline
        bool unclosed;       // the newline stood inside quotes and ended the record all the same
    };

    void scan_window();
    template <class Bits>
    void scan_plain_blocks(std::size_t limit);
    void scan_wide_blocks(std::size_t limit);
    std::size_t scan_block(std::size_t at, std::size_t valid);
    void add_separators(std::size_t at, std::uint64_t separators, std::uint64_t newlines);
    [[nodiscard]] LineStart line_start(std::size_t at) const;
    void keep_partial_line();
    void drop_consumed();

    void walk_rows();
    void walk_line(std::uint32_t* first, std::uint32_t* last, bool unclosed, ScanError misfit);
    [[nodiscard]] bool try_header(std::string_view line);
    void refuse(std::string_view line, ScanError error);
    [[nodiscard]] std::uint32_t* without_carriage_return(std::uint32_t* first, std::uint32_t*& last);
    [[nodiscard]] std::optional<RecordType> type_of(std::string_view code) const;
    void use_header(std::string_view line);
    void begin_skipping();
    void skip_oversized();
    void walk_last_line();
    void fail(ScanError error) { ++counts_.errors[static_cast<std::size_t>(error)]; }

    ScannerOptions options_;
    TimestampParser times_;
    ScanCounts counts_;
    std::array<RecordType, record_type_count> coded_types_{};  // the eight codes after options_.record_types

    std::vector<char> buffer_;
    std::uint64_t offset_ = 0;       // file offset of buffer_[0]
    std::size_t begin_ = 0;          // first byte of the first line that has not been walked
    std::size_t scan_ = 0;           // first byte that has not been scanned for separators
    std::size_t end_ = 0;            // end of the committed bytes
    bool inside_ = false;            // scan_ is inside quotes
    bool waiting_ = false;           // scan_ is a newline inside quotes, and the line after it decides
    bool paused_ = false;            // scan_ is such a newline too, and the lines before it are to be walked first
    bool skipping_ = false;          // inside a record longer than the limit
    std::uint64_t skip_offset_ = 0;  // where that record began
    bool finished_ = false;

    std::string header_;
    ColumnMap map_{};
    std::size_t header_columns_ = 0;  // 0: no header yet
    Column time_column_ = Column::time_logged;
    std::optional<RecordType> file_type_;  // of every record of a file without a type column

    std::vector<std::uint32_t> ends_;  // separators from begin_ on, as indexes into buffer_; ends_[0] is begin_ - 1
    std::size_t ends_used_ = 1;
    std::vector<std::uint32_t> cr_ends_;  // the separators of lines that end in CR LF, with the CR as the last one
    std::size_t cr_used_ = 0;
    std::vector<Row> rows_;
    std::size_t rows_used_ = 0;
    std::size_t row_ = 0;        // the first of them that has not been walked
    bool header_waits_ = false;  // it is a header, and records before it are to be handed out first
    std::vector<Record> records_;
};

}  // namespace mtawatch::mta::logs
