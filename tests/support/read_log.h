// Records that a RecordReader makes of a text, printed as one line each.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "shared/mta/logs/record_reader.h"

namespace mtawatch::test {

// "d 1795225500 rcpt=a@b.example vmta=mx.example.net …", the columns in the order of mta::logs::Column; an empty one is
// left out, and one that the record does not have too.
inline std::string record_line(const mta::logs::Record& record) {
    std::string line = fmt::format("{} {}", name(record.type), record.time);
    for (std::size_t i = 0; i < mta::logs::column_count; ++i) {
        const auto column = static_cast<mta::logs::Column>(i);
        if (!record.raw(column).empty()) line += fmt::format(" {}={}", name(column), record.raw(column));
    }
    return line;
}

// All records of a text that comes in pieces of this size; `finished` is RecordReader::finish().
inline std::vector<std::string> record_lines(mta::logs::RecordReader& reader, std::string_view text,
                                             bool finished = true, std::size_t piece = mta::logs::scan_chunk_bytes) {
    std::vector<std::string> lines;
    const auto drain = [&] {
        for (auto records = reader.next(); !records.empty(); records = reader.next()) {
            for (const mta::logs::Record& record : records) lines.push_back(record_line(record));
        }
    };
    while (!text.empty()) {
        text.remove_prefix(reader.push(text.substr(0, piece)));
        drain();
    }
    if (finished) reader.finish();
    drain();
    return lines;
}

// The reader's errors: "columns 1, timestamp 2"; "none".
inline std::string errors_of(const mta::logs::RecordReader& reader) {
    std::string text;
    for (std::size_t i = 0; i < mta::logs::scan_error_count; ++i) {
        const auto error = static_cast<mta::logs::ScanError>(i);
        if (const auto count = reader.counts().of(error); count > 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name(error), count);
        }
    }
    return text.empty() ? "none" : text;
}

}  // namespace mtawatch::test
