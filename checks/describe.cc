// Prints every plugin's option table as one JSON array: what packaging/generate.py and the contract test read, so that
// definitions, man pages and completion come from the tables that the plugins parse with.
#include <cstdio>

#include "shared/base/json.h"
#include "shared/base/last_resort.h"
#include "shared/plugin/check.h"

namespace mtawatch::checks {
// clang-format off
#define MTAWATCH_CHECK(name) plugin::Check name();
MTAWATCH_ALL_CHECKS
#undef MTAWATCH_CHECK
// clang-format on
}  // namespace mtawatch::checks

int main() {
    return mtawatch::base::run_main({.before = "describe_checks: "}, [] {
        mtawatch::base::JsonWriter json;
        json.array();
#define MTAWATCH_CHECK(name) \
    json.raw(mtawatch::options::describe(mtawatch::plugin::program_of(mtawatch::checks::name())));
        MTAWATCH_ALL_CHECKS
#undef MTAWATCH_CHECK
        json.end();
        return std::puts(json.take().c_str()) < 0 ? 1 : 0;
    });
}
