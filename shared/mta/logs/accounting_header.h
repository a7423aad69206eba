// Header lines of accounting files: detection, mapping of column names, and record types of files without a type
// column.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/mta/logs/accounting_scanner.h"

namespace mtawatch::mta::logs {

inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// The cells of one line: every quote opens or closes, enclosing quotes taken off, a byte order mark in front skipped.
[[nodiscard]] std::vector<std::string_view> header_cells(std::string_view line);

// The column that a name stands for, compared without case; `alias` says whether it is a substitute for the name.
struct NamedColumn {
    Column column = Column::type;
    bool alias = false;
};
[[nodiscard]] std::optional<NamedColumn> column_of(std::string_view cell, const ScannerOptions& options);

// First cell "type", or at least two cells that name columns.
[[nodiscard]] bool is_header(const std::vector<std::string_view>& cells, const ScannerOptions& options);

// The first of equal names counts, and a name before an alias of it. A custom column may be a built-in one too.
[[nodiscard]] ColumnMap map_columns(const std::vector<std::string_view>& cells, const ScannerOptions& options);

// The type of every record of a file without a type column, as far as its columns alone decide:
// feedback columns are f, dsnReportingMta is rb, a diagnostic pair (diag_code, diag_text) without a bounce category
// is diagnostic, rcvSourceIp or srcType without any reply is r. Nothing when each record has to say.
[[nodiscard]] std::optional<RecordType> type_of_columns(const std::vector<std::string_view>& cells,
                                                        const ColumnMap& map);
// For the rest: dsnAction, else the class of dsnStatus, else bounceCat or dlvSize say what happened.
[[nodiscard]] RecordType type_of_untyped(const Record& record);

}  // namespace mtawatch::mta::logs
