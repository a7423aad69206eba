// Reader of a log in the format that was asked for (PowerMTA, a table, Postfix, KumoMTA). The one place where the
// formats that check_bounce_rate knows differ.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "shared/base/result.h"
#include "shared/mta/logs/accounting_scanner.h"
#include "shared/mta/logs/kumomta_log.h"
#include "shared/mta/logs/postfix_log.h"
#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::probe::bounce_rate {

struct LogOptions {
    LogFormat format = LogFormat::pmta;
    mta::logs::ScannerOptions scanner;     // of pmta
    mta::logs::PostfixLogOptions postfix;  // of postfix
    // Columns of a table that is not PowerMTA's: our column and the table's name of it. Not empty: the first line of
    // every source is the table's header.
    std::vector<std::pair<mta::logs::Column, std::string>> table;
};

// What reading one source showed beside its records.
struct LogFacts {
    bool queue_times = false;        // no timeLogged: timeQueued was used
    bool complaint_columns = false;  // columns that only f records fill: they are logged here
};

// A reader of the wanted format.
class LogText {
  public:
    explicit LogText(const LogOptions& options);

    [[nodiscard]] mta::logs::RecordReader& reader();
    [[nodiscard]] const mta::logs::RecordReader& reader() const;
    // Lines that were of this format, whatever they said.
    [[nodiscard]] std::uint64_t own_lines() const;
    // What the header in force says. Fault::malformed when its records cannot be placed in time. Formats without a
    // header have nothing to say.
    [[nodiscard]] base::Result<LogFacts> header_facts(const std::string& path) const;

  private:
    std::variant<mta::logs::AccountingScanner, mta::logs::PostfixLogReader, mta::logs::KumoLogReader> reader_;
};

// "it looks like a log of Postfix: --format postfix" by the beginning of a text; "" when it looks like nothing known,
// or like `wanted`.
[[nodiscard]] std::string likely_format(std::string_view text, LogFormat wanted);

// PowerMTA's header for a table whose header is `line`. Fault::configuration naming the table's columns when one is
// missing.
[[nodiscard]] base::Result<std::string> table_header(std::string_view line, const LogOptions& options);

// The option values "timeLogged=created_at,type=status" and "sent=d,failed=b". Fault::usage.
[[nodiscard]] base::Result<std::vector<std::pair<mta::logs::Column, std::string>>> parse_table(std::string_view text);
[[nodiscard]] base::Result<std::map<std::string, mta::logs::RecordType, std::less<>>> parse_types(
    std::string_view text);

}  // namespace mtawatch::probe::bounce_rate
