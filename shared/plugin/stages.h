// The stages of a run, shared by run() and by the program around it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/plugin/run.h"

namespace mtawatch::plugin {

// Either options to run with, or the answer already (help, version, a bad command line).
struct Prepared {
    std::optional<Options> options;
    Outcome answer;
};
[[nodiscard]] Prepared prepare(const Check& check, const std::vector<std::string>& arguments,
                               const RunContext& context);
// Never throws.
[[nodiscard]] Outcome execute(const Check& check, const Options& options, const RunContext& context);
// The answer of a run that did not end: why, after how long, while doing what.
[[nodiscard]] Report cut_short(const Options& options, std::string_view why, const RunContext& context);
[[nodiscard]] Outcome rendered(const Check& check, const Report& report, bool json, int verbosity);

}  // namespace mtawatch::plugin
