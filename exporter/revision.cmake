# Writes OUTPUT with the revision that is being built; the file changes only when the revision does.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR revision STREQUAL "")
  set(revision unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
// Which revision is this build of?
#pragma once

#include <string_view>

namespace mtawatch::exporter {

inline constexpr std::string_view revision = "@revision@";

}  // namespace mtawatch::exporter
]])
