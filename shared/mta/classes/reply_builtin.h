// The built-in rules: reply_rules.yml, laid out by the build (make_reply_table).
#pragma once

#include "shared/mta/classes/reply_table.h"

namespace mtawatch::mta::classes {

[[nodiscard]] const ReplyTable& reply_builtin();

}  // namespace mtawatch::mta::classes
