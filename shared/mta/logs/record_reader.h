// Interface of the log readers: bytes in, records out, the same for every log format.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::mta::logs {

// How much a reader should put in at once: measured best between 64 and 256 KiB.
inline constexpr std::size_t scan_chunk_bytes = 128U << 10U;

// Why a line was no record. Names are stable: they become a metric label.
enum class ScanError : std::uint8_t {
    no_header,       // before any header line: nobody knows what its cells mean
    columns,         // more or fewer cells than the header has
    unclosed_quote,  // a quote that was never closed: the line end decided (metrics: a stray quote costs one record)
    timestamp,       // its time stamp cannot be read
    type,            // its type cell is empty or no word
    header,          // a header line of more than max_record_columns: its lines are no_header
    oversized,       // longer than the format's limit
    cut_off,         // the last line of a finished file, without a newline and without all of its columns
};
inline constexpr std::size_t scan_error_count = 8;
[[nodiscard]] std::string_view name(ScanError error);

struct ScanCounts {
    std::uint64_t parsed = 0;
    std::uint64_t headers = 0;
    std::array<std::uint64_t, scan_error_count> errors{};

    [[nodiscard]] std::uint64_t of(ScanError error) const { return errors[static_cast<std::size_t>(error)]; }
    // Every line that was neither a record nor a header, the oversized ones apart (blank lines count nowhere).
    [[nodiscard]] std::uint64_t malformed() const;
};

// One file or stream after another. Use:
//
//     while ((n = read(fd, reader.space())) > 0) {
//         reader.commit(n);
//         for (auto records = reader.next(); !records.empty(); records = reader.next()) count(records);
//     }
//     reader.finish();  // finished files only
//     for (auto records = reader.next(); !records.empty(); records = reader.next()) count(records);
//
// Constant memory whatever comes. Not safe for several threads.
class RecordReader {
  public:
    RecordReader(const RecordReader&) = delete;
    RecordReader& operator=(const RecordReader&) = delete;
    virtual ~RecordReader() = default;

    // Where the next bytes go: at least scan_chunk_bytes once next() has returned an empty batch. Asking for it ends
    // the life of records returned before.
    [[nodiscard]] virtual std::span<char> space() = 0;
    // Copies as much of `bytes` as there is room for and returns how much that was; for callers with bytes in hand.
    std::size_t push(std::string_view bytes);
    // `count` bytes have been put at the front of space().
    virtual void commit(std::size_t count) = 0;
    // The next complete records, in file order; empty when all of them have been handed out and more bytes are
    // needed. Records are valid until the next call of next(), space() or push().
    [[nodiscard]] virtual std::span<const Record> next() = 0;
    // The file will not grow: next() then hands out a last line without a newline too, if it is whole.
    virtual void finish() = 0;

    // Bytes of complete lines that next() has dealt with, from where the reader began. After next() returned an empty
    // batch this is the offset to resume at: nothing before it is pending, nothing after it has been counted.
    [[nodiscard]] virtual std::uint64_t consumed() const = 0;
    // Bytes committed so far, from the same start.
    [[nodiscard]] virtual std::uint64_t committed() const = 0;
    [[nodiscard]] virtual const ScanCounts& counts() const = 0;
    // What resume() needs of the lines before an offset: a header line in force; empty in formats without one.
    [[nodiscard]] virtual const std::string& header() const = 0;

    // Begins another file at its first byte. Counts and memory go on.
    virtual void reset() = 0;
    // Begins at byte `offset` of a file, which must be the start of a line, under `header`. consumed() continues from
    // `offset`.
    virtual void resume(std::string_view header, std::uint64_t offset) = 0;

    // The reader's state beyond the current line, over all of its files (a mail log says who sent a message and where
    // it went in different lines): to be saved together with the offsets. Empty in formats whose lines do not depend on
    // each other.
    [[nodiscard]] virtual std::string memory() const { return {}; }
    // Takes that over. Fault::malformed, with the memory empty, for bytes that memory() has not written.
    [[nodiscard]] virtual base::Result<void> recall(std::string_view memory);

  protected:
    RecordReader() = default;
    RecordReader(RecordReader&&) = default;
    RecordReader& operator=(RecordReader&&) = default;
};

}  // namespace mtawatch::mta::logs
