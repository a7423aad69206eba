#include "shared/mta/logs/accounting_header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shared/base/text.h"

namespace mtawatch::mta::logs {
namespace {

// Names of plainer files that are written by other tools in PowerMTA's manner.
constexpr std::array<std::pair<std::string_view, Column>, 5> builtin_aliases{{
    {"timestamp", Column::time_logged},
    {"bodySize", Column::dlv_size},
    {"feedback_type", Column::feedback_type},
    {"diag_code", Column::dsn_status},
    {"diag_text", Column::dsn_diag},
}};

std::string_view without_quotes(std::string_view cell) {
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') return cell.substr(1, cell.size() - 2);
    return cell;
}

bool names_any(const std::vector<std::string_view>& cells, std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(cells, [&](std::string_view cell) {
        return std::ranges::any_of(names, [&](std::string_view name) { return base::iequals(cell, name); });
    });
}

}  // namespace

std::vector<std::string_view> header_cells(std::string_view line) {
    if (line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    std::vector<std::string_view> cells;
    std::size_t begin = 0;
    bool inside = false;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        if (i == line.size() || (line[i] == ',' && !inside)) {
            cells.push_back(without_quotes(line.substr(begin, i - begin)));
            begin = i + 1;
        } else if (line[i] == '"') {
            inside = !inside;
        }
    }
    return cells;
}

std::optional<NamedColumn> column_of(std::string_view cell, const ScannerOptions& options) {
    if (cell.empty()) return std::nullopt;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Column::custom0); ++i) {
        const auto column = static_cast<Column>(i);
        if (base::iequals(cell, name(column))) return NamedColumn{column, false};
    }
    for (const auto& [alias, column] : builtin_aliases) {
        if (base::iequals(cell, alias)) return NamedColumn{column, true};
    }
    for (const auto& [alias, column] : options.aliases) {
        if (base::iequals(cell, alias)) return NamedColumn{column, true};
    }
    return std::nullopt;
}

bool is_header(const std::vector<std::string_view>& cells, const ScannerOptions& options) {
    if (cells.empty() || cells.size() > max_record_columns) return false;
    if (base::iequals(cells.front(), name(Column::type))) return true;
    const auto named =
        std::ranges::count_if(cells, [&](std::string_view cell) { return column_of(cell, options).has_value(); });
    return named >= 2;
}

ColumnMap map_columns(const std::vector<std::string_view>& cells, const ScannerOptions& options) {
    ColumnMap map;
    map.fill(absent_column);
    for (const bool aliases : {false, true}) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const auto named = column_of(cells[i], options);
            if (!named || named->alias != aliases) continue;
            auto& place = map[static_cast<std::size_t>(named->column)];
            if (place == absent_column) place = static_cast<std::uint16_t>(i);
        }
    }
    for (std::size_t custom = 0; custom < std::min(options.custom_columns.size(), custom_column_count); ++custom) {
        const auto found = std::ranges::find_if(
            cells, [&](std::string_view cell) { return base::iequals(cell, options.custom_columns[custom]); });
        if (found == cells.end()) continue;
        map[static_cast<std::size_t>(custom_column(custom))] = static_cast<std::uint16_t>(found - cells.begin());
    }
    return map;
}

std::optional<RecordType> type_of_columns(const std::vector<std::string_view>& cells, const ColumnMap& map) {
    const auto has = [&](Column column) { return map[static_cast<std::size_t>(column)] != absent_column; };
    if (has(Column::feedback_type) || has(Column::reported_domain) || names_any(cells, {"repSourceIp"})) {
        return RecordType::f;
    }
    if (has(Column::dsn_reporting_mta)) return RecordType::rb;
    if (has(Column::dsn_action)) return std::nullopt;
    if (!has(Column::bounce_cat) && names_any(cells, {"diag_code", "diag_text"})) return RecordType::diagnostic;
    const bool reply = has(Column::dsn_status) || has(Column::dsn_diag) || has(Column::bounce_cat);
    if (!reply && (has(Column::rcv_source_ip) || (has(Column::src_type) && !has(Column::dlv_source_ip)))) {
        return RecordType::r;
    }
    return std::nullopt;
}

RecordType type_of_untyped(const Record& record) {
    const std::string_view action = record.raw(Column::dsn_action);
    if (base::iequals(action, "relayed") || base::iequals(action, "delivered")) return RecordType::d;
    if (base::iequals(action, "failed")) return RecordType::b;
    if (base::iequals(action, "delayed")) return RecordType::t;
    const std::string_view status = record.raw(Column::dsn_status);
    if (status.starts_with('2')) return RecordType::d;
    if (status.starts_with('4')) return RecordType::t;
    if (status.starts_with('5')) return RecordType::b;
    const std::string_view category = record.raw(Column::bounce_cat);
    if (!category.empty()) return base::iequals(category, "success") ? RecordType::d : RecordType::b;
    if (!record.raw(Column::dlv_size).empty()) return RecordType::d;
    return RecordType::other;
}

}  // namespace mtawatch::mta::logs
