// Definition of a check: a name, a purpose, an option table and one function; checks/check_<x>.cc defines one of these.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/options/help.h"
#include "shared/plugin/options.h"
#include "shared/plugin/report.h"

namespace mtawatch::probe::world {
struct World;
}

namespace mtawatch::plugin {

// checks/check_dnsbl.cc defines `plugin::Check dnsbl()` in mtawatch::checks; add_check(dnsbl) makes the rest of it.
struct Check {
    std::string_view name;         // without "check_": "dnsbl"
    std::string_view purpose;      // "Alerts when a sending address or a domain is on a blocklist"
    options::OptionTable options;  // its own and the groups it uses, without the common ones
    // Runs the probes and judges. The deadline is the target's share of -t. An Error becomes the state of its Fault
    // (state_of) with its text as the first line; what was seen before it is lost, so a check of many things reports
    // each failed probe as a detail of its own instead.
    std::function<base::Result<Report>(const Options&, const base::Deadline&, probe::world::World&)> run;
    std::string_view example = {};  // one line of real use for --help and the man page
};

// "check_dnsbl".
[[nodiscard]] std::string program_name(const Check& check);
// The check as --help, the parser and the generators see it: its own options, then the common ones.
[[nodiscard]] options::Program program_of(const Check& check);

}  // namespace mtawatch::plugin
