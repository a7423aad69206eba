// Comparison of every path of the accounting scanner with the reference reader, shared by the fuzz target of short
// files and the one of long records.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/reference_reader.h"

namespace mtawatch::fuzz {

// Each bit of `choice` but the lowest turns an option on.
inline mta::logs::ScannerOptions scanner_options(std::uint8_t choice) {
    mta::logs::ScannerOptions options;
    options.zone = mta::logs::Zone::utc();
    if ((choice & 2U) != 0) options.custom_columns = {"header_X-job", "rcpt"};
    if ((choice & 4U) != 0) options.record_types = {{"r", mta::logs::RecordType::d}};
    if ((choice & 8U) != 0) options.untyped = mta::logs::RecordType::b;
    options.any_type = (choice & 16U) != 0;
    if ((choice & 32U) != 0) {
        options.aliases = {{"when", mta::logs::Column::time_logged}, {"kind", mta::logs::Column::type}};
    }
    return options;
}

// A scanner reads file after file, as in the exporter; making one costs more than reading a short file.
inline mta::logs::AccountingScanner& scanner_of(std::uint8_t choice, mta::logs::ScanPath path) {
    static std::map<std::pair<std::uint8_t, mta::logs::ScanPath>, mta::logs::AccountingScanner> scanners;
    const std::pair key(static_cast<std::uint8_t>(choice & 62U), path);
    if (const auto found = scanners.find(key); found != scanners.end()) return found->second;
    mta::logs::ScannerOptions options = scanner_options(choice);
    options.path = path;
    return scanners.try_emplace(key, std::move(options)).first->second;
}

inline void demand_same(const test::ReadFile& expected, const test::ReadFile& got, mta::logs::ScanPath path,
                        const char* how) {
    const std::string differs = test::difference(expected, got);
    if (differs.empty()) return;
    std::fprintf(stderr, "%s path, %s: %s\n", std::string(name(path)).c_str(), how, differs.c_str());
    std::abort();
}

// The lowest bit of `choice` says whether the file is finished; `cut` of 255 parts of it are read before an
// interruption.
inline void compare_paths(std::string_view file, std::uint8_t choice, std::uint8_t cut,
                          const std::vector<std::size_t>& pieces) {
    const bool finished = (choice & 1U) != 0;
    const auto expected = test::read_slowly(file, scanner_options(choice), finished);
    for (const mta::logs::ScanPath path : mta::logs::scan_paths) {
        mta::logs::AccountingScanner& scanner = scanner_of(choice, path);
        demand_same(expected, test::read_in_pieces(scanner, file, finished, pieces), path, "in pieces");
        const std::size_t at = file.size() * cut / 255U;
        demand_same(expected, test::read_interrupted(scanner, file, finished, pieces, at), path, "interrupted");
    }
}

}  // namespace mtawatch::fuzz
