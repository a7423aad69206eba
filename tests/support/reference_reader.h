// Reference implementation of the accounting scanner's rules, a character at a time on the whole text, to hold the fast
// paths against.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/mta/logs/accounting_scanner.h"

namespace mtawatch::test {

struct ReadRecord {
    mta::logs::RecordType type = mta::logs::RecordType::other;
    std::int64_t time = mta::logs::no_time;
    std::vector<std::string> cells;  // by Column, unescaped
    bool operator==(const ReadRecord&) const = default;
};

struct ReadFile {
    std::vector<ReadRecord> records;
    mta::logs::ScanCounts counts;
    std::string header;
};

// Line by line, nothing remembered but the header. `finished` is AccountingScanner::finish().
[[nodiscard]] ReadFile read_slowly(std::string_view file, const mta::logs::ScannerOptions& options, bool finished);

// The scanner's answer for the same text, handed over in pieces of these sizes in turn (0 counts as 1).
[[nodiscard]] ReadFile read_in_pieces(std::string_view file, const mta::logs::ScannerOptions& options, bool finished,
                                      const std::vector<std::size_t>& pieces);

// The same by a scanner that has read other files before, and with the reading broken off after `cut` bytes and taken
// up again where the scanner says that it was, as after a restart of the exporter.
[[nodiscard]] ReadFile read_in_pieces(mta::logs::AccountingScanner& scanner, std::string_view file, bool finished,
                                      const std::vector<std::size_t>& pieces);
[[nodiscard]] ReadFile read_interrupted(mta::logs::AccountingScanner& scanner, std::string_view file, bool finished,
                                        const std::vector<std::size_t>& pieces, std::size_t cut);

// Where the two differ, in words; empty when they agree.
[[nodiscard]] std::string difference(const ReadFile& expected, const ReadFile& got);

}  // namespace mtawatch::test
