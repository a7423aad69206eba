// Settings of one feed: what is counted, from which files, and within which limits. Filled from the command line and
// the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/series/families.h"
#include "shared/mta/classes/bounce_class.h"
#include "shared/mta/classes/provider.h"
#include "shared/mta/classes/reply_class.h"
#include "shared/mta/logs/accounting_scanner.h"

namespace mtawatch::exporter::feed {

enum class Severity { info, warning, error };
// Takes one line for the operator: what happened, to which file, and what to do.
using LogLine = std::function<void(Severity severity, std::string_view text)>;

// One feed: files of one format, whose records are counted under its prefix.
struct AccountingSettings {
    series::RecordFormat format = series::RecordFormat::pmta;
    // Files to follow, as glob(7) patterns; the same names with ".gz" behind them are followed too. "-" is stdin (with
    // run_once only).
    std::vector<std::string> globs;
    // Folders to which PowerMTA moves finished files (move-to): files there whose name a glob's last part matches are
    // followed too.
    std::vector<std::string> moved_to;
    // By glob, the record types that are counted from its files, where PowerMTA logs a type to several files and only
    // one of them counts. From a glob that is not named all types are counted.
    std::map<std::string, std::set<mta::logs::RecordType>, std::less<>> feeds;
    // Of Postfix logs, only the lines of this instance (its syslog_name: "postfix-out"); empty: every one.
    std::string instance;
    // PowerMTA's own log, for pmta_log_events_total.
    std::vector<std::string> log_globs;

    mta::logs::ScannerOptions scanner;  // custom_columns is set from job_columns
    std::shared_ptr<const mta::classes::ProviderTable> providers =
        std::make_shared<const mta::classes::ProviderTable>(mta::classes::ProviderTable::builtin());
    mta::classes::BounceClasses bounce_classes;
    // PowerMTA's configuration with <bounce-category-patterns>, for bounces without a category; empty is none. The
    // text is that of the file and is known to be readable: every counting thread compiles its own.
    std::string bounce_patterns_file;
    std::string bounce_patterns_text;
    // Columns that name a job, the first non-empty one counts.
    std::vector<std::string> job_columns{"jobId", "header_X-job", "header_BatchId"};

    // Limit on a family's series by metric name, in place of the catalogue's.
    std::map<std::string, std::uint32_t, std::less<>> budgets;
    // Opt-in groups of the catalogue that are on: "job", "recipient_domain".
    std::set<std::string, std::less<>> groups;
    // Record types that the configuration names as logged: their families begin at 0 before the first record.
    std::set<mta::logs::RecordType> expected_types;
    // By record time, how long a value of a retiring group may be idle before its series end.
    std::chrono::hours idle_limit{24 * 7};

    // Where offsets and counters are kept; empty keeps none.
    std::string state_file;
    std::chrono::milliseconds state_interval{10'000};
    // How often the globs are matched anew; changes in between come by inotify.
    std::chrono::milliseconds rescan_interval{5'000};
    // A renamed or moved file that has not grown for so long is finished: a last line without newline counts then.
    std::chrono::milliseconds finished_after{60'000};
};

}  // namespace mtawatch::exporter::feed
