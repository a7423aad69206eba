// Reader of PowerMTA's configuration, as far as we need it: its accounting files, log and bounce patterns, and which of
// the files count for which record types.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::mta::documents {

// One <acct-file> section. Defaults are PowerMTA's own.
struct AcctFile {
    static constexpr std::size_t all_columns = 1000;  // more than there are

    std::string path;  // "/var/log/pmta/acct.csv"; empty for a pipe
    std::string pipe;  // "/usr/bin/program --args" of an <acct-file |…>; empty for a file
    std::set<logs::RecordType> records{logs::RecordType::d, logs::RecordType::b};
    std::string move_to;                // folder for finished files; empty: they stay
    bool queue_filter = false;          // logs only what some queues deliver
    std::size_t columns = all_columns;  // how many columns record-fields names, at least
    std::string file;                   // where the section stands
    std::size_t line = 0;

    // As the section's head shows it: the path, or "|" and the program.
    [[nodiscard]] std::string name() const { return pipe.empty() ? path : "|" + pipe; }
    // The files that PowerMTA makes of it, as a pattern: "/var/log/pmta/acct-[0-9]*.csv"; empty for a pipe.
    [[nodiscard]] std::string glob() const;
};

struct PmtaConfig {
    std::vector<AcctFile> acct_files;
    std::string log_file;              // of log-file; empty where there is none
    std::string bounce_patterns_file;  // where <bounce-category-patterns> stands; empty where there is none
    std::vector<std::string> notes;    // what could not be used, with file and line
};

using ReadFile = std::function<base::Result<std::string>(const std::string& path)>;

// Follows include directives; directives that we do not know are passed over, as PowerMTA's versions differ. An include
// that cannot be read is a note. Errors: an <acct-file> without its end, includes deeper than 8 or more than 1000 of
// them, more than 64 MiB in all.
[[nodiscard]] base::Result<PmtaConfig> read_pmta_config(const std::string& path, const ReadFile& read);

// Which section counts for which record types: where several log the same type exactly one counts, else a record would
// be counted twice. A file before a pipe, one without queue-filter before one with it, most columns first, else the
// first.
struct CountedFile {
    const AcctFile* source = nullptr;
    std::set<logs::RecordType> types;  // those it feeds; empty: another feeds all of its types
};
// In the order of the sections; JSON files and pipes to programs that `our_pipe` does not know feed nothing. The result
// points into `config`.
[[nodiscard]] std::vector<CountedFile> choose_acct_files(const PmtaConfig& config,
                                                         const std::function<bool(const AcctFile&)>& our_pipe);

}  // namespace mtawatch::mta::documents
