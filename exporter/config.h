// Configuration of the exporter, joined from the command line, the configuration file and PowerMTA's own configuration.
#pragma once

#include <string>
#include <vector>

#include "exporter/collectors/collector.h"
#include "exporter/feed/feed_settings.h"
#include "exporter/options.h"
#include "shared/base/result.h"

namespace mtawatch::exporter {

struct ExporterConfig {
    feed::FeedSettings accounting;   // PowerMTA's accounting files
    feed::FeedSettings postfix_log;  // each follows nothing unless its section or its option names files
    feed::FeedSettings kumomta_log;
    // Those of them that follow something.
    [[nodiscard]] std::vector<feed::FeedSettings> feeds() const;
    std::vector<collectors::Task> tasks;
    bool zero_first = true;   // web.first_value: a series is 0 to a scraper before it has a value
    std::string pmta_config;  // PowerMTA's own configuration; empty: not looked at
    // What an operator should know of, though it stops nothing: "…: no acct-file logs f records".
    std::vector<std::string> notes;
};

// Reads the files that the options name. Errors (Fault::configuration, not_found, permission) name file, line and key.
// Files named by --acct come beside those of the configuration.
[[nodiscard]] base::Result<ExporterConfig> load_config(const Options& options);

// The YAML text of `file` alone, for tests and for load_config().
[[nodiscard]] base::Result<ExporterConfig> parse_config(std::string_view text, const std::string& file);

}  // namespace mtawatch::exporter
