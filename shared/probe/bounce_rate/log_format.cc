#include "shared/probe/bounce_rate/log_format.h"

#include <algorithm>
#include <array>

#include "shared/base/text.h"
#include "shared/mta/logs/accounting_header.h"

namespace mtawatch::probe::bounce_rate {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using mta::logs::Column;
constexpr std::array<std::string_view, 3> format_names{"pmta", "postfix", "kumomta"};

std::variant<mta::logs::AccountingScanner, mta::logs::PostfixLogReader, mta::logs::KumoLogReader> make_reader(
    const LogOptions& options) {
    switch (options.format) {
        case LogFormat::postfix:
            return mta::logs::PostfixLogReader(options.postfix);
        case LogFormat::kumomta:
            return mta::logs::KumoLogReader();
        case LogFormat::pmta:
            break;
    }
    return mta::logs::AccountingScanner(options.scanner);
}

// The two sides of every "a=b" between commas.
Result<std::vector<std::pair<std::string_view, std::string_view>>> pairs_of(std::string_view option,
                                                                            std::string_view text) {
    std::vector<std::pair<std::string_view, std::string_view>> pairs;
    for (const std::string_view piece : base::split(text, ',')) {
        const std::size_t equals = piece.find('=');
        const std::string_view left = base::trim(piece.substr(0, equals));
        const std::string_view right =
            equals == std::string_view::npos ? std::string_view() : base::trim(piece.substr(equals + 1));
        if (left.empty() || right.empty()) {
            return fail(Fault::usage, "--{} \"{}\": write NAME=NAME, separated by commas", option, piece);
        }
        pairs.emplace_back(left, right);
    }
    return pairs;
}

}  // namespace

std::string_view name(LogFormat format) { return format_names[static_cast<std::size_t>(format)]; }

std::optional<LogFormat> log_format_of_name(std::string_view wanted) {
    for (std::size_t i = 0; i < format_names.size(); ++i) {
        if (format_names[i] == wanted) return static_cast<LogFormat>(i);
    }
    return std::nullopt;
}

bool knows_key(LogFormat format, MailKey key) {
    switch (key) {
        case MailKey::relay:
            return format == LogFormat::postfix;
        case MailKey::pool:
        case MailKey::job:
        case MailKey::source_ip:
        case MailKey::category:
            return format != LogFormat::postfix;
        default:
            return true;
    }
}

LogText::LogText(const LogOptions& options) : reader_(make_reader(options)) {}

mta::logs::RecordReader& LogText::reader() {
    return std::visit([](auto& reader) -> mta::logs::RecordReader& { return reader; }, reader_);
}
const mta::logs::RecordReader& LogText::reader() const {
    return std::visit([](const auto& reader) -> const mta::logs::RecordReader& { return reader; }, reader_);
}

std::uint64_t LogText::own_lines() const {
    if (const auto* postfix = std::get_if<mta::logs::PostfixLogReader>(&reader_)) return postfix->own_lines();
    if (const auto* kumomta = std::get_if<mta::logs::KumoLogReader>(&reader_)) return kumomta->own_lines();
    return reader().counts().parsed + reader().counts().headers;
}

Result<LogFacts> LogText::header_facts(const std::string& path) const {
    const auto* scanner = std::get_if<mta::logs::AccountingScanner>(&reader_);
    if (scanner == nullptr) return LogFacts{};
    if (scanner->header().empty()) {
        return fail(Fault::malformed, "{}: no header line; is it an accounting file of PowerMTA?", path);
    }
    const auto has = [&](Column column) {
        return scanner->columns()[static_cast<std::size_t>(column)] != mta::logs::absent_column;
    };
    if (!has(Column::time_logged) && !has(Column::time_queued)) {
        return fail(Fault::malformed,
                    "{}: its header has neither timeLogged nor timeQueued, so its records cannot be placed in time; "
                    "add timeLogged to record-fields",
                    path);
    }
    return LogFacts{!has(Column::time_logged), has(Column::feedback_type) || has(Column::reported_domain)};
}

std::string likely_format(std::string_view text, LogFormat wanted) {
    constexpr std::array<std::string_view, 3> looks{"an accounting file of PowerMTA", "a log of Postfix",
                                                    "a log of KumoMTA"};
    for (const LogFormat format : {LogFormat::kumomta, LogFormat::postfix, LogFormat::pmta}) {
        LogOptions options;
        options.format = format;
        options.scanner.zone = options.postfix.zone = mta::logs::Zone::utc();
        LogText other(options);
        for (std::string_view rest = text; !rest.empty() && other.own_lines() == 0;) {
            rest.remove_prefix(other.reader().push(rest));
            while (!other.reader().next().empty()) {
            }
        }
        if (other.own_lines() == 0) continue;
        if (format == wanted) return {};
        return fmt::format("it looks like {}: --format {}", looks[static_cast<std::size_t>(format)], name(format));
    }
    return {};
}

Result<std::string> table_header(std::string_view line, const LogOptions& options) {
    const auto cells = mta::logs::header_cells(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    std::vector<std::string> names;
    for (const std::string_view cell : cells) {
        // A column that happens to be called as one of ours must not be taken for it.
        const auto own = mta::logs::column_of(cell, options.scanner);
        const bool mapped =
            own && std::ranges::any_of(options.table, [&](const auto& pair) { return pair.first == own->column; });
        std::string name = mapped ? "-" : std::string(cell);
        std::ranges::replace_if(
            name, [](char c) { return c == ',' || c == '"' || c == '\n'; }, '_');
        names.push_back(std::move(name));
    }
    for (const auto& [column, wanted] : options.table) {
        const auto found = std::ranges::find_if(
            cells, [&, &wanted = wanted](std::string_view cell) { return base::iequals(cell, wanted); });
        if (found == cells.end()) {
            std::vector<std::string> shown(cells.begin(), cells.end());
            return fail(Fault::configuration, "--map {}={}: the table has no column \"{}\"; its header is {}",
                        name(column), wanted, wanted, base::one_line(base::join(shown, ", "), 300));
        }
        names[static_cast<std::size_t>(found - cells.begin())] = name(column);
    }
    return base::join(names, ",");
}

Result<std::vector<std::pair<Column, std::string>>> parse_table(std::string_view text) {
    const auto pairs = pairs_of("map", text);
    if (!pairs) return fail(pairs.error());
    std::vector<std::pair<Column, std::string>> table;
    for (const auto& [own, theirs] : *pairs) {
        std::optional<Column> column;
        for (std::size_t i = 0; i < static_cast<std::size_t>(Column::custom0) && !column; ++i) {
            if (base::iequals(own, name(static_cast<Column>(i)))) column = static_cast<Column>(i);
        }
        if (!column) {
            return fail(Fault::usage,
                        "--map {}={}: \"{}\" is no column of ours; write type, timeLogged, rcpt, orig, dsnStatus, "
                        "dsnDiag, bounceCat, dlvType, dlvSourceIp, vmta, vmtaPool or jobId",
                        own, theirs, own);
        }
        const auto twice = std::ranges::find_if(table, [&, &own_column = *column, &name = theirs](const auto& other) {
            return other.first == own_column || base::iequals(other.second, name);
        });
        if (twice != table.end()) {
            return fail(Fault::usage, "--map {}={}: {} is {} already", own, theirs, name(twice->first), twice->second);
        }
        table.emplace_back(*column, theirs);
    }
    return table;
}

Result<std::map<std::string, mta::logs::RecordType, std::less<>>> parse_types(std::string_view text) {
    const auto pairs = pairs_of("types", text);
    if (!pairs) return fail(pairs.error());
    std::map<std::string, mta::logs::RecordType, std::less<>> types;
    for (const auto& [theirs, code] : *pairs) {
        auto type = mta::logs::record_type_of_code(code);
        if (code == name(mta::logs::RecordType::other)) type = mta::logs::RecordType::other;
        if (!type) {
            return fail(Fault::usage,
                        "--types {}={}: write d (delivered), b (bounced), t (deferred), f (complaint) or other (not "
                        "counted)",
                        theirs, code);
        }
        types.insert_or_assign(std::string(theirs), *type);
    }
    return types;
}

}  // namespace mtawatch::probe::bounce_rate
