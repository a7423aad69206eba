// Adds the accounting files, pipes and log that PowerMTA's own configuration names to the exporter's configuration.
#pragma once

#include <string>
#include <string_view>

#include "exporter/config.h"
#include "shared/mta/documents/pmta_config.h"

namespace mtawatch::exporter {

// Adds the accounting files, move-to folders, spools of our pipes and the log that `pmta` names to what is followed.
// Where several sections log the same record type only one of them is counted, and a note names the others. Notes also
// say which of the types that alerts need (d b t f) are logged nowhere.
void add_pmta_sources(const mta::documents::PmtaConfig& pmta, ExporterConfig& config);

// The pattern of the files that pmta_acct_pipe writes when it is started like this. Fault::configuration says why there
// are none: it is another program, or the arguments are wrong.
[[nodiscard]] base::Result<std::string> spool_glob(std::string_view command);

}  // namespace mtawatch::exporter
