// Accounting record in one MTA-neutral form for every reader: zero-copy views of named columns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtawatch::mta::logs {

// What happened. The first eight are PowerMTA's own codes; an unknown code is `other`. `diagnostic` is a line of a
// separate diagnostic file (no type column, a reply and no verdict): never counted as a second bounce.
enum class RecordType : std::uint8_t { d, b, t, tq, r, rb, rs, f, other, diagnostic };
inline constexpr std::size_t record_type_count = 10;

// "d" … "other", "diagnostic".
[[nodiscard]] std::string_view name(RecordType type);
// The record type of one of PowerMTA's eight codes (lower case), or nothing.
[[nodiscard]] std::optional<RecordType> record_type_of_code(std::string_view code);

// The columns that any reader of ours looks at; all others are skipped. Names in a file are compared without case.
// custom0… are those that ScannerOptions::custom_columns names, in its order.
enum class Column : std::uint8_t {
    type,
    time_logged,
    time_queued,
    total_seconds_queued,
    orig,
    rcpt,
    orcpt,
    dsn_action,
    dsn_status,
    dsn_diag,
    dsn_mta,
    dsn_reporting_mta,
    bounce_cat,
    src_type,
    src_mta,
    rcv_source_ip,
    rcv_smtp_user,
    dlv_type,
    dlv_source_ip,
    dlv_destination_ip,
    dlv_size,
    dlv_tls_protocol,
    dlv_tls_cipher,
    vmta,
    vmta_pool,
    job_id,
    env_id,
    queue,
    feedback_type,
    format,
    user_agent,
    reporting_mta,
    reported_domain,
    header_from,
    header_return_path,
    custom0,
};
inline constexpr std::size_t custom_column_count = 8;
inline constexpr std::size_t column_count = static_cast<std::size_t>(Column::custom0) + custom_column_count;
[[nodiscard]] constexpr Column custom_column(std::size_t index) {
    return static_cast<Column>(static_cast<std::size_t>(Column::custom0) + index);
}
// The name in PowerMTA's header line, e.g. "dlvSourceIp"; "custom0" … for the custom ones.
[[nodiscard]] std::string_view name(Column column);

// Where each column stands in a record; absent_column when the file does not have it.
inline constexpr std::uint16_t absent_column = std::numeric_limits<std::uint16_t>::max();
using ColumnMap = std::array<std::uint16_t, column_count>;

inline constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();

// One record: valid until its reader is asked for more. Copies are cheap (40 bytes) and share the bytes.
class Record {
  public:
    Record() = default;
    // `ends[i]` is where cell i ends (its comma or line end), counted from `base`; ends[-1] exists and is one less than
    // where the first cell begins (modulo 2^32). `map` never names a cell that does not exist.
    Record(const char* base, const std::uint32_t* ends, const ColumnMap* map) : base_(base), ends_(ends), map_(map) {}

    RecordType type = RecordType::other;
    // timeLogged (timeQueued in files without it) in seconds since 1970; no_time when the cell is empty or the file
    // has neither column.
    std::int64_t time = no_time;

    // Whether the file has this column at all.
    [[nodiscard]] bool has(Column column) const { return map_ != nullptr && (*map_)[index(column)] != absent_column; }
    // The cell as it stands, without enclosing quotes; doubled quotes stay doubled. Empty when the column is absent.
    // Equal cells have equal raw bytes in practice, so this is what a cache is keyed with.
    [[nodiscard, gnu::always_inline]] std::string_view raw(Column column) const {
        const std::string_view bytes = cell(column);
        if (bytes.size() >= 2 && bytes.front() == '"' && bytes.back() == '"') return bytes.substr(1, bytes.size() - 2);
        return bytes;
    }
    // The cell with doubled quotes undone; `scratch` holds the bytes where that needed a copy.
    [[nodiscard]] std::string_view text(Column column, std::string& scratch) const;

  private:
    friend class RecordCopies;
    static constexpr std::size_t index(Column column) { return static_cast<std::size_t>(column); }
    [[nodiscard, gnu::always_inline]] std::string_view cell(Column column) const {
        const std::uint16_t at = map_ == nullptr ? absent_column : (*map_)[index(column)];
        if (at == absent_column) return {};
        const std::uint32_t* end = ends_ + at;
        const std::uint32_t begin = end[-1] + 1;
        return {base_ + begin, *end - begin};
    }

    const char* base_ = nullptr;
    const std::uint32_t* ends_ = nullptr;
    const ColumnMap* map_ = nullptr;
};

// A record that owns its bytes, for readers of other formats and for tests.
class OwnedRecord {
  public:
    OwnedRecord(RecordType type, std::int64_t time, const std::vector<std::pair<Column, std::string>>& cells);
    [[nodiscard]] Record view() const;

  private:
    std::string bytes_;
    std::vector<std::uint32_t> ends_;
    ColumnMap map_;
    RecordType type_;
    std::int64_t time_;
};

// The recipient's domain, as written: after the last '@' of rcpt, else the part of `queue` before its last '/'.
// Empty when neither says. A ".rollup" queue name is no domain and is not returned.
[[nodiscard]] std::string_view recipient_domain(std::string_view rcpt, std::string_view queue);
// After the last '@' of an address, without a closing '>'; empty for the null sender and for text without '@'.
[[nodiscard]] std::string_view address_domain(std::string_view address);
// "mx.example.net" of "mx.example.net (192.0.2.1)".
[[nodiscard]] std::string_view host_of(std::string_view mta);

}  // namespace mtawatch::mta::logs
