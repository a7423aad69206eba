#include "shared/plugin/check.h"

#include <fmt/format.h>

namespace mtawatch::plugin {

std::string program_name(const Check& check) { return fmt::format("check_{}", check.name); }

options::Program program_of(const Check& check) {
    return {.name = program_name(check),
            .purpose = check.purpose,
            .options = options::options_of({check.options, common_options()}),
            .example = check.example,
            .notes =
                "A RANGE is [@]start:end and alerts outside it (with @ inside): 10 is above 10,\n"
                "10: below 10, ~:10 above 10 with any lower value allowed, 5:10 outside 5 to 10.\n"
                "A DURATION is numbers with units: 90s, 10m, 1h30m, 2d.\n"
                "Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n"};
}

}  // namespace mtawatch::plugin
