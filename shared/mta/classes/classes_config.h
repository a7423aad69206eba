// Parser of what the exporter's configuration says about the meaning of records (providers, bounce classes, columns),
// which check_bounce_rate reads too, so that both mean the same.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/config/node.h"
#include "shared/mta/classes/attribution.h"
#include "shared/mta/classes/bounce_class.h"
#include "shared/mta/classes/bounce_patterns.h"
#include "shared/mta/classes/provider.h"
#include "shared/mta/classes/reply_table.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::mta::classes {

//   classes:
//     providers:
//       intranet: {domains: [corp.example, "*.corp.example"], mx: [mx.corp.example], rollup: [corp]}
//     bounce_classes: {hard: [our-bad-address], local: [our-own-stop-list]}
//     aliases: {sent_at: timeLogged}
//     record_types: {r: d}
//     bounce_patterns: /etc/pmta/config-defaults
//     replies: {our-partner: {text: "not in our contract", reason: policy}}
//   accounting:
//     job_columns: [jobId, header_X-job]
struct Classes {
    ProviderTable providers = ProviderTable::builtin();
    BounceClasses bounce_classes;
    std::map<std::string, logs::Column, std::less<>> aliases;           // for ScannerOptions
    std::map<std::string, logs::RecordType, std::less<>> record_types;  // for ScannerOptions
    std::vector<ReplyRule> reply_rules;                                 // looked at before the built-in ones, in order
    std::string bounce_patterns_file;  // PowerMTA's patterns, for bounces without a category; "" is none
    std::vector<std::string> job_columns = default_job_columns();  // of PowerMTA's files
};

// Reads the section itself into `into`, over what is there. Fault::configuration names file, line and key.
[[nodiscard]] base::Result<void> read_classes(const config::Node& section, Classes& into);

// The list accounting.job_columns itself. Fault::configuration names file, line and key.
[[nodiscard]] base::Result<void> read_job_columns(const config::Node& list, std::vector<std::string>& into);

// The `classes` section and accounting.job_columns of a whole configuration file; without them, the built-in words.
[[nodiscard]] base::Result<Classes> parse_classes(std::string_view text, std::string_view file);

}  // namespace mtawatch::mta::classes
