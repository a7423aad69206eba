// Prints the option tables of pmta_exporter and pmta_acct_pipe as one JSON array: what packaging/generate.py and the
// contract test read beside that of checks/describe.cc.
#include <cstdio>

#include "exporter/options.h"
#include "exporter/pipe/pipe_options.h"
#include "shared/base/json.h"
#include "shared/base/last_resort.h"

int main() {
    using namespace mtawatch;
    return base::run_main({.before = "describe_exporter: "}, [] {
        base::JsonWriter json;
        json.array();
        json.raw(options::describe(exporter::exporter_program()));
        json.raw(options::describe(exporter::pipe::pipe_program()));
        json.end();
        return std::puts(json.take().c_str()) < 0 ? 1 : 0;
    });
}
