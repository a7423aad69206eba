// Command-line parsing by getopt_long, and look-up of options by name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/options/options.h"

namespace mtawatch::options {

struct Given {
    const Option* option = nullptr;  // into the table
    std::optional<std::string> value;
    std::string place;  // "" on the command line
};

// In the order given. Usage error that names an unknown option (and the nearest one there is), a missing value, a value
// for a flag, or a stray argument.
[[nodiscard]] base::Result<std::vector<Given>> read_arguments(const OptionTable& table,
                                                              const std::vector<std::string>& arguments);

// "--warning", for messages.
[[nodiscard]] std::string dashed(const Option& option);
// The option of that long name or letter, or null.
[[nodiscard]] const Option* find_option(const OptionTable& table, std::string_view name);
// "; did you mean --window?" or "".
[[nodiscard]] std::string suggestion(const OptionTable& table, std::string_view name);

}  // namespace mtawatch::options
