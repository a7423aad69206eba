// Loader of --extra-opts: options from an ini file, as in the monitoring plugins.
#pragma once

#include <string_view>

#include "shared/io/files.h"
#include "shared/options/options.h"

namespace mtawatch::plugin {

// Reads "[SECTION][@FILE]". Without SECTION the program's name; without FILE the first monitoring-plugins.ini or
// plugins.ini in the folders of `ini_path` (colon-separated) and then in the usual ones. Errors name the file.
[[nodiscard]] options::ExtraLoader extra_loader(std::string_view program, const io::Files& files,
                                                std::string_view ini_path);

}  // namespace mtawatch::plugin
