#include "shared/mta/logs/accounting_scanner.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "shared/base/text.h"
#include "shared/mta/logs/accounting_header.h"
#include "shared/mta/logs/structural.h"

namespace mtawatch::mta::logs {
namespace {

// Small enough that a window's bytes, its separators and its records are still in the first-level cache when the
// records are handed out.
constexpr std::size_t window_bytes = 16U << 10U;

// Asked for every line, so the answer is nearly always in the first comparison. Four bytes from any byte of a line on
// may be read: the buffer goes on behind it.
bool first_cell_is_type(std::string_view line) {
    const bool quoted = line.front() == '"';
    std::uint32_t word = 0;
    std::memcpy(&word, line.data() + (quoted ? 1 : 0), 4);
    std::uint32_t wanted = 0;
    std::memcpy(&wanted, "type", 4);
    if ((word | 0x20202020U) != wanted) return false;  // lower case; no other byte becomes a letter of "type" by it
    const std::size_t comma = line.find(',');
    return base::iequals(line.substr(0, comma), quoted ? "\"type\"" : "type");
}

// Writes the positions of the bits of `separators`, and up to seven more: in groups of fixed size, because a loop that
// ends after each block's own number would be mispredicted in every block.
[[gnu::always_inline]] inline std::uint32_t* write_positions(std::uint32_t* out, std::uint32_t base,
                                                             std::uint64_t separators, unsigned count) {
    const auto write = [&](unsigned from, unsigned to) {
        for (unsigned i = from; i < to; ++i) {
            out[i] = base + static_cast<std::uint32_t>(std::countr_zero(separators));
            separators &= separators - 1;
        }
    };
    write(0, 4);
    if (count > 4) [[unlikely]] {
        write(4, 8);
        for (unsigned i = 8; i < count; i += 4) write(i, i + 4);
    }
    return out + count;
}

bool is_type_word(std::string_view code) {
    constexpr std::size_t longest = 32;
    return !code.empty() && code.size() <= longest && std::ranges::all_of(code, [](char c) {
        return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_';
    });
}

}  // namespace

std::string_view name(ScanPath path) {
    static constexpr std::array<std::string_view, scan_paths.size()> names{"widest", "baseline", "portable"};
    return names[static_cast<std::size_t>(path)];
}

AccountingScanner::AccountingScanner(ScannerOptions options)
    : options_(std::move(options)),
      times_(options_.zone),
      buffer_(max_record_bytes + scan_chunk_bytes + 2 * record_start_bytes + bits_block_bytes),
      // A window can hold a separator a byte, behind those of the line that it continues; add_separators writes a few
      // more than it keeps.
      ends_(max_record_columns + window_bytes + 2 * bits_block_bytes),
      cr_ends_(2 * ends_.size()) {  // each line's own, with the end of the line before it
    for (std::size_t i = 0; i < record_type_count; ++i) {
        coded_types_[i] = static_cast<RecordType>(i);
        const auto renamed = options_.record_types.find(name(coded_types_[i]));
        if (renamed != options_.record_types.end()) coded_types_[i] = renamed->second;
    }
    if (options_.path == ScanPath::widest && !WideBits::exist()) options_.path = ScanPath::baseline;
    rows_.resize(window_bytes + bits_block_bytes);  // a window can end a line with every byte
    reset();
}

void AccountingScanner::reset() { resume({}, 0); }

void AccountingScanner::resume(std::string_view header, std::uint64_t offset) {
    offset_ = offset;
    begin_ = scan_ = end_ = 0;
    inside_ = waiting_ = paused_ = skipping_ = finished_ = header_waits_ = false;
    ends_[0] = static_cast<std::uint32_t>(-1);
    ends_used_ = 1;
    rows_used_ = 0;
    row_ = 0;
    records_.clear();
    header_.clear();
    header_columns_ = 0;
    map_.fill(absent_column);
    if (!header.empty()) use_header(header);
}

bool AccountingScanner::has_time_logged() const {
    return map_[static_cast<std::size_t>(Column::time_logged)] != absent_column;
}

std::span<char> AccountingScanner::space() {
    drop_consumed();
    const std::size_t room = buffer_.size() - bits_block_bytes - end_;  // a block may be loaded from the last byte on
    return {buffer_.data() + end_, std::min(room, scan_chunk_bytes)};
}

std::span<const Record> AccountingScanner::next() {
    records_.clear();
    while (records_.empty()) {
        if (row_ < rows_used_) {
            walk_rows();
            continue;
        }
        keep_partial_line();
        if (scan_ - begin_ > max_record_bytes) begin_skipping();
        if (skipping_) {
            skip_oversized();
            if (skipping_) break;
            keep_partial_line();
        }
        if (scan_ == end_) {
            if (finished_ && begin_ < end_) walk_last_line();
            break;
        }
        scan_window();
        if (waiting_ && rows_used_ == 0) break;
    }
    return records_;
}

// Moves the separators of the line that is not complete yet to the front, so that the next window adds to them.
void AccountingScanner::keep_partial_line() {
    if (row_ < rows_used_) {  // lines that are scanned and not walked: they are scanned again
        scan_ = begin_;
        inside_ = waiting_ = false;
        ends_used_ = 1;
        rows_used_ = 0;
    }
    const std::size_t walked = rows_used_ == 0 ? 0 : rows_[rows_used_ - 1].last;
    rows_used_ = 0;
    row_ = 0;
    cr_used_ = 0;
    ends_[0] = static_cast<std::uint32_t>(begin_ - 1);
    // A line with more columns than any header may have is refused whatever its other columns are.
    const std::size_t kept = std::min(ends_used_ - walked - 1, max_record_columns + 1);
    if (walked > 0) std::copy_n(ends_.begin() + static_cast<std::ptrdiff_t>(walked) + 1, kept, ends_.begin() + 1);
    ends_used_ = kept + 1;
}

// Moves what is not walked yet to the front of the buffer.
void AccountingScanner::drop_consumed() {
    records_.clear();
    keep_partial_line();
    if (begin_ == 0) return;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    for (std::size_t i = 0; i < ends_used_; ++i) ends_[i] -= static_cast<std::uint32_t>(begin_);
    offset_ += begin_;
    scan_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
}

void AccountingScanner::scan_window() {
    waiting_ = paused_ = false;
    // Never past the limit of the line at hand, so that where a record is given up depends on the bytes alone, not on
    // how they came.
    const std::size_t limit = std::min({end_, scan_ + window_bytes, begin_ + max_record_bytes + 1});
    while (scan_ < limit && !waiting_ && !paused_) {
        switch (options_.path) {
            case ScanPath::widest:
                scan_wide_blocks(limit);
                break;
            case ScanPath::baseline:
                scan_plain_blocks<VectorBits>(limit);
                break;
            case ScanPath::portable:
                scan_plain_blocks<PortableBits>(limit);
                break;
        }
        if (scan_ < limit) scan_ = scan_block(scan_, std::min(limit - scan_, bits_block_bytes));
    }
}

// The hot loop: whole blocks up to the first that has a newline inside quotes. Works on copies of the members, which
// the compiler could not keep in registers.
template <class Bits>
[[gnu::always_inline]] inline void AccountingScanner::scan_plain_blocks(std::size_t limit) {
    const char* const buffer = buffer_.data();
    std::uint32_t* const first = ends_.data();
    std::uint32_t* out = first + ends_used_;
    Row* row = rows_.data() + rows_used_;
    std::uint64_t carry = inside_ ? ~std::uint64_t{0} : 0;
    std::size_t at = scan_;
    for (; at + bits_block_bytes <= limit; at += bits_block_bytes) {
        const BlockBits bits = Bits::of(buffer + at);
        const std::uint64_t inside = Bits::inside(bits.quotes) ^ carry;
        if ((bits.newlines & inside) != 0) [[unlikely]]
            break;
        const std::uint64_t separators = (bits.commas & ~inside) | bits.newlines;
        for (std::uint64_t newlines = bits.newlines; newlines != 0; newlines &= newlines - 1) {
            const std::uint64_t up_to = newlines ^ (newlines - 1);
            *row++ = {static_cast<std::uint32_t>(out - first) + Bits::count(separators & up_to) - 1, false};
        }
        out = write_positions(out, static_cast<std::uint32_t>(at), separators, Bits::count(separators));
        carry = std::uint64_t{0} - (inside >> 63);
    }
    scan_ = at;
    inside_ = carry != 0;
    ends_used_ = static_cast<std::size_t>(out - first);
    rows_used_ = static_cast<std::size_t>(row - rows_.data());
}

[[MTAWATCH_WIDE]] void AccountingScanner::scan_wide_blocks(std::size_t limit) { scan_plain_blocks<WideBits>(limit); }

// Adds the separators of up to 64 bytes and returns where to go on.
std::size_t AccountingScanner::scan_block(std::size_t at, std::size_t valid) {
    BlockBits bits = PortableBits::of(buffer_.data() + at);
    if (valid < bits_block_bytes) {
        const std::uint64_t mask = (std::uint64_t{1} << valid) - 1;
        bits.quotes &= mask;
        bits.commas &= mask;
        bits.newlines &= mask;
    }
    const std::uint64_t inside = prefix_xor(bits.quotes) ^ (inside_ ? ~std::uint64_t{0} : 0);
    std::uint64_t doubtful = bits.newlines & inside;
    while (doubtful != 0) [[unlikely]] {
            const auto bit = static_cast<unsigned>(std::countr_zero(doubtful));
            const std::uint64_t before = (std::uint64_t{1} << bit) - 1;
            const std::uint64_t newlines = bits.newlines & ~inside & before;
            // What begins a line depends on the header, which may be among the lines before this one: they go first.
            paused_ = rows_used_ > 0 || newlines != 0;
            const LineStart start = paused_ ? LineStart::undecided : line_start(at + bit + 1);
            if (start != LineStart::no) {
                const bool ends = start == LineStart::yes;
                const std::uint64_t newline = ends ? std::uint64_t{1} << bit : 0;
                add_separators(at, (bits.commas & ~inside & before) | newlines | newline, newlines | newline);
                if (ends) rows_[rows_used_ - 1].unclosed = true;
                inside_ = !ends;
                waiting_ = !ends && !paused_;
                return at + bit + (ends ? 1 : 0);
            }
            doubtful &= doubtful - 1;
        }
    const std::uint64_t newlines = bits.newlines & ~inside;
    add_separators(at, (bits.commas & ~inside) | newlines, newlines);
    inside_ = (inside >> 63) != 0;
    return at + valid;
}

void AccountingScanner::add_separators(std::size_t at, std::uint64_t separators, std::uint64_t newlines) {
    for (; newlines != 0; newlines &= newlines - 1) {
        const std::uint64_t up_to = newlines ^ (newlines - 1);
        rows_[rows_used_++] = {static_cast<std::uint32_t>(ends_used_ + count_bits(separators & up_to) - 1), false};
    }
    std::uint32_t* const first = ends_.data();
    const std::uint32_t* const end =
        write_positions(first + ends_used_, static_cast<std::uint32_t>(at), separators, count_bits(separators));
    ends_used_ = static_cast<std::size_t>(end - first);
}

// Whether the line at `at` begins a record or is a header: asked only for a newline inside quotes.
AccountingScanner::LineStart AccountingScanner::line_start(std::size_t at) const {
    const std::size_t type_cell = map_[static_cast<std::size_t>(Column::type)];
    const std::size_t time_cell = map_[static_cast<std::size_t>(time_column_)];
    const std::string_view line(buffer_.data() + at, std::min(end_ - at, record_start_bytes));
    const bool all = finished_ || line.size() == record_start_bytes;
    if (line.empty()) return finished_ ? LineStart::yes : LineStart::undecided;  // the file ends with this newline
    bool seen = false;
    bool inside = false;
    std::size_t begin = 0;
    std::size_t cell = 0;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        const bool last = i == line.size() || line[i] == '\n';
        if (i == line.size() && !all) return LineStart::undecided;
        if (!last && line[i] == '"') inside = !inside;
        if (!last && (line[i] != ',' || inside)) continue;
        std::string_view text = base::trim(line.substr(begin, i - begin));
        if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
        if (cell == 0 && base::iequals(text, name(Column::type))) return LineStart::yes;
        if (cell == type_cell) {
            if (!record_type_of_code(text) && !options_.record_types.contains(text)) return LineStart::no;
            seen = true;
        }
        if (cell == time_cell) {
            if (!is_timestamp(text)) return LineStart::no;
            seen = true;
        }
        const bool complete =
            (type_cell == absent_column || cell >= type_cell) && (time_cell == absent_column || cell >= time_cell);
        if (complete || last) return complete && seen ? LineStart::yes : LineStart::no;
        begin = i + 1;
        ++cell;
    }
    return LineStart::no;
}

void AccountingScanner::begin_skipping() {
    skipping_ = true;
    skip_offset_ = offset_ + begin_;
    begin_ = scan_;
    ends_used_ = 1;
}

// Drops bytes up to the line end that ends the record: any outside quotes, inside them one before a record or header.
void AccountingScanner::skip_oversized() {
    while (scan_ < end_) {
        const void* found = std::memchr(buffer_.data() + scan_, '\n', end_ - scan_);
        if (found == nullptr) break;
        const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
        const LineStart start = inside_ ? line_start(newline + 1) : LineStart::yes;
        begin_ = scan_ = start == LineStart::undecided ? newline : newline + 1;
        if (start == LineStart::undecided) return;
        if (start == LineStart::no) continue;
        skipping_ = inside_ = false;
        fail(ScanError::oversized);
        return;
    }
    begin_ = scan_ = end_;
    if (!finished_) return;
    skipping_ = inside_ = false;
    fail(ScanError::oversized);
}

void AccountingScanner::walk_rows() {
    for (; row_ < rows_used_; ++row_) {
        const std::uint32_t first = row_ == 0 ? 1 : rows_[row_ - 1].last + 1;
        const std::uint32_t last = rows_[row_].last;
        const std::uint32_t newline = ends_[last];
        walk_line(&ends_[first], &ends_[last], rows_[row_].unclosed, ScanError::columns);
        if (header_waits_) break;
        begin_ = newline + 1;
    }
    header_waits_ = false;
}

void AccountingScanner::walk_last_line() {
    ends_[ends_used_] = static_cast<std::uint32_t>(end_);
    walk_line(&ends_[1], &ends_[ends_used_], inside_, ScanError::cut_off);
    begin_ = scan_ = end_;
    ends_used_ = 1;
    inside_ = false;
}

// Moves the separators of a CR LF line aside, because its last cell ends before the CR while the next line begins
// after the LF.
std::uint32_t* AccountingScanner::without_carriage_return(std::uint32_t* first, std::uint32_t*& last) {
    std::uint32_t* copy = cr_ends_.data() + cr_used_;
    std::copy(first - 1, last + 1, copy);
    cr_used_ += static_cast<std::size_t>(last - first) + 2;
    last = copy + 1 + (last - first);
    --*last;
    return copy + 1;
}

// One line, whose separators are first..last. `misfit` is what it is counted as when its cells do not fit.
void AccountingScanner::walk_line(std::uint32_t* first, std::uint32_t* last, bool unclosed, ScanError misfit) {
    const char* base = buffer_.data();
    const std::uint32_t begin = first[-1] + 1;
    if (*last > begin && base[*last - 1] == '\r') first = without_carriage_return(first, last);
    if (*last == begin) return;  // a blank line
    const std::string_view line(base + begin, *last - begin);
    if (header_columns_ == 0 || first_cell_is_type(line)) {
        if (!unclosed && try_header(line)) return;
        if (header_columns_ == 0) return fail(ScanError::no_header);
    }
    if (unclosed) return fail(misfit == ScanError::columns ? ScanError::unclosed_quote : misfit);
    if (static_cast<std::size_t>(last - first) + 1 != header_columns_) return refuse(line, misfit);

    Record record(base, first, &map_);
    if (map_[0] == absent_column) {
        record.type = file_type_ ? *file_type_ : type_of_untyped(record);
    } else if (const auto type = type_of(record.raw(Column::type))) {
        record.type = *type;
    } else {
        return refuse(line, ScanError::type);
    }
    if (const std::string_view time = record.raw(time_column_); !time.empty()) {
        const auto seconds = times_.parse(time);
        if (!seconds) return refuse(line, ScanError::timestamp);
        record.time = *seconds;
    }
    ++counts_.parsed;
    records_.push_back(record);
}

// A line that is no record under this header may still be the next header.
void AccountingScanner::refuse(std::string_view line, ScanError error) {
    if (!try_header(line)) fail(error);
}

// Whether the line is a header. The records before it are handed out first, because they are read by the one before.
bool AccountingScanner::try_header(std::string_view line) {
    const auto cells = header_cells(line);
    const bool good = is_header(cells, options_);
    if (!good && !base::iequals(cells.front(), name(Column::type))) return false;
    header_waits_ = !records_.empty();
    if (header_waits_) return true;
    if (good) {
        use_header(line);
        ++counts_.headers;
        return true;
    }
    // What its lines mean is unknown now, so the header before it must not be used for them.
    header_.clear();
    header_columns_ = 0;
    map_.fill(absent_column);
    fail(ScanError::header);
    return true;
}

void AccountingScanner::use_header(std::string_view line) {
    if (line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    const auto cells = header_cells(line);
    header_ = line;
    header_columns_ = cells.size();
    map_ = map_columns(cells, options_);
    const auto has = [&](Column column) { return map_[static_cast<std::size_t>(column)] != absent_column; };
    const bool queued_only = !has(Column::time_logged) && has(Column::time_queued);
    time_column_ = queued_only ? Column::time_queued : Column::time_logged;
    file_type_ = options_.untyped ? options_.untyped : type_of_columns(cells, map_);
}

std::optional<RecordType> AccountingScanner::type_of(std::string_view code) const {
    if (code.size() == 1) {
        switch (code.front()) {
            case 'd':
                return coded_types_[static_cast<std::size_t>(RecordType::d)];
            case 'b':
                return coded_types_[static_cast<std::size_t>(RecordType::b)];
            case 't':
                return coded_types_[static_cast<std::size_t>(RecordType::t)];
            case 'r':
                return coded_types_[static_cast<std::size_t>(RecordType::r)];
            case 'f':
                return coded_types_[static_cast<std::size_t>(RecordType::f)];
            default:
                break;
        }
    }
    if (const auto type = record_type_of_code(code)) return coded_types_[static_cast<std::size_t>(*type)];
    const auto renamed = options_.record_types.find(code);
    if (renamed != options_.record_types.end()) return renamed->second;
    if (options_.any_type) return RecordType::other;
    if (!is_type_word(code) || base::iequals(code, name(Column::type))) return std::nullopt;
    return RecordType::other;
}

}  // namespace mtawatch::mta::logs
