// Settings of counting: how records are understood, which families they feed, and how many series each may have.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "exporter/series/families.h"
#include "shared/mta/classes/attribution.h"
#include "shared/mta/classes/bounce_class.h"
#include "shared/mta/classes/provider.h"
#include "shared/mta/classes/reply_table.h"
#include "shared/mta/logs/accounting_scanner.h"

namespace mtawatch::exporter::series {

struct CountSettings {
    RecordFormat format = RecordFormat::pmta;
    mta::logs::ScannerOptions scanner;  // custom_columns is set from job_columns
    std::shared_ptr<const mta::classes::ProviderTable> providers =
        std::make_shared<const mta::classes::ProviderTable>(mta::classes::ProviderTable::builtin());
    mta::classes::BounceClasses bounce_classes;
    std::vector<mta::classes::ReplyRule> reply_rules;  // the operator's own, before the built-in ones
    // PowerMTA's configuration with <bounce-category-patterns>, for bounces without a category; empty is none. The
    // text is that of the file and is known to be readable: every counting thread compiles its own.
    std::string bounce_patterns_file;
    std::string bounce_patterns_text;
    // Columns that name a job, the first that does counts (mta::classes::job_of).
    std::vector<std::string> job_columns = mta::classes::default_job_columns();

    // Limit on a family's series by metric name, in place of the catalogue's.
    std::map<std::string, std::uint32_t, std::less<>> budgets;
    // Opt-in groups of the catalogue that are on: "job", "recipient_domain".
    std::set<std::string, std::less<>> groups;
    // Record types that the configuration names as logged: their families begin at 0 before the first record.
    std::set<mta::logs::RecordType> expected_types;
    // By record time, how long a value of a retiring group may be idle before its series end.
    std::chrono::hours idle_limit{24 * 7};
};

}  // namespace mtawatch::exporter::series
