// What a program says of itself, and what is made from that: the texts of --help and --version, and the JSON that man
// pages, completion and the Icinga and Nagios definitions are generated from.
#pragma once

#include <string>
#include <string_view>

#include "shared/options/options.h"

namespace mtawatch::options {

struct Program {
    std::string name;                   // "check_dnsbl"
    std::string_view purpose;           // one sentence without its full stop; the man page's NAME
    OptionTable options;                // all of them, in the order in which they are shown
    std::string_view description = {};  // more than the purpose says, in whole sentences
    std::string_view example = {};      // one line of real use
    std::string_view notes = {};        // closing lines of --help as they are, each with its newline
};

// The version of the whole bundle, from CMakeLists.txt.
[[nodiscard]] std::string_view version();

[[nodiscard]] std::string help_text(const Program& program);     // at most 80 columns; ends in a newline
[[nodiscard]] std::string version_text(const Program& program);  // one line with its newline

// Everything as one JSON object: what packaging/generate.py reads.
[[nodiscard]] std::string describe(const Program& program);

}  // namespace mtawatch::options
