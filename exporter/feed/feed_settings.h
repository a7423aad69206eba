// Settings of one feed: files of one format, whose records are counted under its prefix. Filled from the command line
// and the configuration.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "exporter/files/follow_settings.h"
#include "exporter/series/count_settings.h"

namespace mtawatch::exporter::feed {

struct FeedSettings {
    files::FollowSettings follow;
    series::CountSettings count;

    // By glob, the record types that its files are counted for, where PowerMTA logs a type to several files and only
    // one of them counts. A glob that is not named counts all its types.
    std::map<std::string, std::set<mta::logs::RecordType>, std::less<>> types_by_glob;
    // Of Postfix logs, only the lines of this instance (its syslog_name: "postfix-out"); empty: every one.
    std::string instance;
    // PowerMTA's own log, for pmta_log_events_total.
    std::vector<std::string> log_globs;

    // Where offsets and counters are kept; empty keeps none.
    std::string state_file;
    std::chrono::milliseconds state_interval{10'000};
};

}  // namespace mtawatch::exporter::feed
