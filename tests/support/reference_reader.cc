#include "tests/support/reference_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "shared/base/text.h"
#include "shared/mta/logs/accounting_header.h"

namespace mtawatch::test {
namespace {

using mta::logs::ScanError;

class SlowReader {
  public:
    SlowReader(std::string_view file, const mta::logs::ScannerOptions& options, bool finished)
        : file_(file), options_(options), finished_(finished), times_(options.zone) {}

    ReadFile read() {
        std::size_t begin = 0;
        while (begin < file_.size()) {
            const auto next = one_line(begin);
            if (!next) break;
            begin = *next;
        }
        return std::move(out_);
    }

  private:
    // Handles the line at `begin` and returns where the next one begins; nothing when it is not complete.
    std::optional<std::size_t> one_line(std::size_t begin) {
        bool inside = false;
        for (std::size_t i = begin; i < file_.size(); ++i) {
            if (i - begin > mta::logs::max_record_bytes) return oversized(i, inside);
            if (file_[i] == '"') inside = !inside;
            if (file_[i] != '\n') continue;
            if (inside) {
                const auto start = begins_line(i + 1);
                if (!start) return std::nullopt;
                if (!*start) continue;
            }
            line(file_.substr(begin, i - begin), inside, ScanError::columns);
            return i + 1;
        }
        if (file_.size() - begin > mta::logs::max_record_bytes) return oversized(file_.size(), inside);
        if (finished_) line(file_.substr(begin), inside, ScanError::cut_off);
        return std::nullopt;
    }

    std::optional<std::size_t> oversized(std::size_t from, bool inside) {
        for (std::size_t i = from; i < file_.size(); ++i) {
            if (file_[i] != '\n') continue;
            if (inside) {
                const auto start = begins_line(i + 1);
                if (!start) return std::nullopt;
                if (!*start) continue;
            }
            fail(ScanError::oversized);
            return i + 1;
        }
        if (finished_) fail(ScanError::oversized);
        return std::nullopt;
    }

    // Whether a record or a header begins at `at`; nothing when more of the file is needed.
    std::optional<bool> begins_line(std::size_t at) const {
        std::string_view rest = file_.substr(at).substr(0, mta::logs::record_start_bytes);
        if (rest.empty()) return finished_ ? std::optional(true) : std::nullopt;
        bool inside = false;
        bool ended = false;
        std::vector<std::string> cells(1);
        std::vector<bool> complete;
        for (const char c : rest) {
            if (c == '\n') {
                ended = true;
                break;
            }
            if (c == '"') inside = !inside;
            if (c == ',' && !inside) {
                cells.emplace_back();
            } else {
                cells.back().push_back(c);
            }
        }
        if (finished_ || rest.size() == mta::logs::record_start_bytes) ended = true;
        std::size_t known = ended ? cells.size() : cells.size() - 1;
        const auto cell = [&](std::size_t i) {
            std::string_view text = base::trim(cells[i]);
            if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
            return text;
        };
        if (known > 0 && base::iequals(cell(0), "type")) return true;
        const std::size_t type_cell = place(mta::logs::Column::type);
        const std::size_t time_cell = place(time_column());
        if (type_cell != mta::logs::absent_column && type_cell < known && !is_type(cell(type_cell))) return false;
        if (time_cell != mta::logs::absent_column && time_cell < known && !mta::logs::is_timestamp(cell(time_cell))) {
            return false;
        }
        std::size_t needed = 1;
        if (type_cell != mta::logs::absent_column) needed = std::max(needed, type_cell + 1);
        if (time_cell != mta::logs::absent_column) needed = std::max(needed, time_cell + 1);
        if (known < needed) return ended ? std::optional(false) : std::nullopt;
        return type_cell != mta::logs::absent_column || time_cell != mta::logs::absent_column;
    }

    bool is_type(std::string_view text) const {
        return mta::logs::record_type_of_code(text) || options_.record_types.contains(text);
    }

    std::size_t place(mta::logs::Column column) const { return map_[static_cast<std::size_t>(column)]; }
    mta::logs::Column time_column() const {
        const bool queued = place(mta::logs::Column::time_logged) == mta::logs::absent_column &&
                            place(mta::logs::Column::time_queued) != mta::logs::absent_column;
        return queued ? mta::logs::Column::time_queued : mta::logs::Column::time_logged;
    }

    static std::vector<std::string> split(std::string_view line) {
        std::vector<std::string> cells(1);
        bool inside = false;
        for (const char c : line) {
            if (c == '"') inside = !inside;
            if (c == ',' && !inside) {
                cells.emplace_back();
            } else {
                cells.back().push_back(c);
            }
        }
        return cells;
    }

    static std::string unescape(const std::string& cell) {
        if (cell.size() < 2 || cell.front() != '"' || cell.back() != '"') return cell;
        std::string text;
        for (std::size_t i = 1; i + 1 < cell.size(); ++i) {
            text.push_back(cell[i]);
            if (cell[i] == '"' && i + 2 < cell.size() && cell[i + 1] == '"') ++i;
        }
        return text;
    }

    void line(std::string_view bytes, bool unclosed, ScanError misfit) {
        if (bytes.ends_with('\r')) bytes.remove_suffix(1);
        if (bytes.empty()) return;
        const auto cells = split(bytes);
        const bool typed_header = base::iequals(unescape(cells[0]), "type");
        if (!unclosed && (columns_ == 0 || typed_header)) {
            if (header(bytes)) return;
        }
        if (columns_ == 0) return fail(ScanError::no_header);
        if (unclosed) return fail(misfit == ScanError::columns ? ScanError::unclosed_quote : misfit);
        if (cells.size() != columns_) return refuse(bytes, misfit);
        record(bytes, cells);
    }

    void record(std::string_view bytes, const std::vector<std::string>& cells) {
        const auto text = [&](mta::logs::Column column) {
            return place(column) == mta::logs::absent_column ? std::string() : unescape(cells[place(column)]);
        };
        ReadRecord record;
        for (std::size_t i = 0; i < mta::logs::column_count; ++i) {
            record.cells.push_back(text(static_cast<mta::logs::Column>(i)));
        }
        const std::string code = raw(cells, mta::logs::Column::type);
        std::vector<std::pair<mta::logs::Column, std::string>> owned;
        for (std::size_t i = 0; i < mta::logs::column_count; ++i) {
            const auto column = static_cast<mta::logs::Column>(i);
            if (place(column) != mta::logs::absent_column) owned.emplace_back(column, raw(cells, column));
        }
        if (place(mta::logs::Column::type) == mta::logs::absent_column) {
            const auto fixed = options_.untyped
                                   ? options_.untyped
                                   : mta::logs::type_of_columns(mta::logs::header_cells(out_.header), map_);
            record.type =
                fixed ? *fixed : mta::logs::type_of_untyped(mta::logs::OwnedRecord(record.type, 0, owned).view());
        } else if (options_.record_types.contains(code)) {
            record.type = options_.record_types.find(code)->second;
        } else if (const auto known = mta::logs::record_type_of_code(code)) {
            record.type = *known;
        } else if (options_.any_type) {
            record.type = mta::logs::RecordType::other;
        } else if (code.empty() || code.size() > 32 || base::iequals(code, "type") ||
                   !std::ranges::all_of(
                       code, [](char c) { return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_'; })) {
            return refuse(bytes, ScanError::type);
        }
        if (const std::string time = raw(cells, time_column()); !time.empty()) {
            const auto seconds = times_.parse(time);
            if (!seconds) return refuse(bytes, ScanError::timestamp);
            record.time = *seconds;
        }
        ++out_.counts.parsed;
        out_.records.push_back(std::move(record));
    }

    std::string raw(const std::vector<std::string>& cells, mta::logs::Column column) const {
        if (place(column) == mta::logs::absent_column) return {};
        const std::string& cell = cells[place(column)];
        if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') return cell.substr(1, cell.size() - 2);
        return cell;
    }

    bool header(std::string_view bytes) {
        const auto cells = mta::logs::header_cells(bytes);
        if (!mta::logs::is_header(cells, options_)) {
            if (!base::iequals(cells.front(), "type")) return false;
            out_.header.clear();
            columns_ = 0;
            map_.fill(mta::logs::absent_column);
            fail(ScanError::header);
            return true;
        }
        if (bytes.starts_with(mta::logs::byte_order_mark)) bytes.remove_prefix(3);
        out_.header = bytes;
        columns_ = cells.size();
        map_ = mta::logs::map_columns(mta::logs::header_cells(bytes), options_);
        ++out_.counts.headers;
        return true;
    }

    void refuse(std::string_view bytes, ScanError error) {
        if (!header(bytes)) fail(error);
    }
    void fail(ScanError error) { ++out_.counts.errors[static_cast<std::size_t>(error)]; }

    std::string_view file_;
    const mta::logs::ScannerOptions& options_;
    bool finished_;
    mta::logs::TimestampParser times_;
    ReadFile out_;
    std::size_t columns_ = 0;
    mta::logs::ColumnMap map_ = [] {
        mta::logs::ColumnMap map;
        map.fill(mta::logs::absent_column);
        return map;
    }();
};

void collect(mta::logs::AccountingScanner& scanner, ReadFile& out) {
    std::string scratch;
    for (auto records = scanner.next(); !records.empty(); records = scanner.next()) {
        for (const mta::logs::Record& record : records) {
            ReadRecord read;
            read.type = record.type;
            read.time = record.time;
            for (std::size_t i = 0; i < mta::logs::column_count; ++i) {
                read.cells.emplace_back(record.text(static_cast<mta::logs::Column>(i), scratch));
            }
            out.records.push_back(std::move(read));
        }
    }
}

void push(mta::logs::AccountingScanner& scanner, std::string_view bytes, const std::vector<std::size_t>& pieces,
          ReadFile& out) {
    std::size_t piece = 0;
    while (!bytes.empty()) {
        const std::size_t wanted =
            pieces.empty() ? bytes.size() : std::max<std::size_t>(1, pieces[piece++ % pieces.size()]);
        bytes.remove_prefix(scanner.push(bytes.substr(0, wanted)));
        collect(scanner, out);
    }
}

mta::logs::ScanCounts difference_of(const mta::logs::ScanCounts& after, const mta::logs::ScanCounts& before) {
    mta::logs::ScanCounts counts = after;
    counts.parsed -= before.parsed;
    counts.headers -= before.headers;
    for (std::size_t i = 0; i < mta::logs::scan_error_count; ++i) counts.errors[i] -= before.errors[i];
    return counts;
}

void finish(mta::logs::AccountingScanner& scanner, bool finished, ReadFile& out) {
    if (finished) scanner.finish();
    collect(scanner, out);
    out.header = scanner.header();
}

}  // namespace

ReadFile read_slowly(std::string_view file, const mta::logs::ScannerOptions& options, bool finished) {
    return SlowReader(file, options, finished).read();
}

ReadFile read_in_pieces(std::string_view file, const mta::logs::ScannerOptions& options, bool finished,
                        const std::vector<std::size_t>& pieces) {
    mta::logs::AccountingScanner scanner(options);
    return read_in_pieces(scanner, file, finished, pieces);
}

ReadFile read_in_pieces(mta::logs::AccountingScanner& scanner, std::string_view file, bool finished,
                        const std::vector<std::size_t>& pieces) {
    ReadFile out;
    const mta::logs::ScanCounts before = scanner.counts();
    scanner.reset();
    push(scanner, file, pieces, out);
    finish(scanner, finished, out);
    out.counts = difference_of(scanner.counts(), before);
    return out;
}

ReadFile read_interrupted(mta::logs::AccountingScanner& scanner, std::string_view file, bool finished,
                          const std::vector<std::size_t>& pieces, std::size_t cut) {
    ReadFile out;
    const mta::logs::ScanCounts before = scanner.counts();
    scanner.reset();
    push(scanner, file.substr(0, cut), pieces, out);
    finish(scanner, false, out);
    const std::uint64_t consumed = scanner.consumed();
    scanner.resume(std::string(scanner.header()), consumed);
    push(scanner, file.substr(static_cast<std::size_t>(consumed)), pieces, out);
    finish(scanner, finished, out);
    out.counts = difference_of(scanner.counts(), before);
    return out;
}

std::string difference(const ReadFile& expected, const ReadFile& got) {
    for (std::size_t i = 0; i < std::min(expected.records.size(), got.records.size()); ++i) {
        const ReadRecord& a = expected.records[i];
        const ReadRecord& b = got.records[i];
        if (a == b) continue;
        for (std::size_t c = 0; c < mta::logs::column_count; ++c) {
            if (a.cells[c] == b.cells[c]) continue;
            return fmt::format("record {} column {}: \"{}\" became \"{}\"", i, c, a.cells[c].substr(0, 200),
                               b.cells[c].substr(0, 200));
        }
        return fmt::format("record {}: type {} time {} became {} {}", i, name(a.type), a.time, name(b.type), b.time);
    }
    if (expected.records.size() != got.records.size()) {
        return fmt::format("{} records became {}", expected.records.size(), got.records.size());
    }
    for (std::size_t i = 0; i < mta::logs::scan_error_count; ++i) {
        if (expected.counts.errors[i] == got.counts.errors[i]) continue;
        return fmt::format("errors {}: {} became {}", name(static_cast<ScanError>(i)), expected.counts.errors[i],
                           got.counts.errors[i]);
    }
    if (expected.counts.headers != got.counts.headers || expected.counts.parsed != got.counts.parsed) {
        return fmt::format("{} headers and {} records became {} and {}", expected.counts.headers,
                           expected.counts.parsed, got.counts.headers, got.counts.parsed);
    }
    return expected.header == got.header ? "" : fmt::format("header \"{}\" became \"{}\"", expected.header, got.header);
}

}  // namespace mtawatch::test
