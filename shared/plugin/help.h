// Texts of --help and --version, and the whole option table of a plugin.
#pragma once

#include <string>
#include <string_view>

#include "shared/plugin/check.h"

namespace mtawatch::plugin {

// The version of the whole bundle, from CMakeLists.txt.
[[nodiscard]] std::string_view version();
// "check_dnsbl".
[[nodiscard]] std::string program_name(const Check& check);
// The common options and the check's own, in the order in which they are shown.
[[nodiscard]] OptionTable whole_table(const Check& check);
[[nodiscard]] std::string help_text(const Check& check);     // at most 80 columns
[[nodiscard]] std::string version_text(const Check& check);  // one line

}  // namespace mtawatch::plugin
