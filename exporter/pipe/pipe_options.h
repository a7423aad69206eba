// Command-line options of pmta_acct_pipe, for the program itself and for whoever reads how PowerMTA starts it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/pipe/spool.h"
#include "shared/base/result.h"
#include "shared/options/help.h"

namespace mtawatch::exporter::pipe {

// The option table, and what --help and the man page say beside it.
[[nodiscard]] options::Program pipe_program();

// The arguments without the program's name, by the rules of options::Options; of an option that is given twice the
// later one counts.
[[nodiscard]] base::Result<options::Options> parse_pipe_options(const std::vector<std::string>& arguments);

// What options other than --help and --version say.
[[nodiscard]] SpoolSettings spool_settings(const options::Options& given);

}  // namespace mtawatch::exporter::pipe
