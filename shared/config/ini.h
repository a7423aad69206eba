// Parser of ini files, in the format that the monitoring plugins read for --extra-opts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::config {

struct IniEntry {
    std::string key;
    std::optional<std::string> value;  // absent for a key alone on its line
    std::size_t line = 0;
};

struct IniSection {
    std::string name;
    std::size_t line = 0;
    std::vector<IniEntry> entries;  // in file order; a key may come several times
};

// "[section]" lines, "key = value" or "key" lines, comments from '#' or ';' at the start of a line, values in one pair
// of quotes without them. Refused with file and line: anything else, an entry before the first section, two sections of
// one name.
[[nodiscard]] base::Result<std::vector<IniSection>> parse_ini(std::string_view text, std::string_view file);

}  // namespace mtawatch::config
