// Runs a plugin: arguments in, one answer and an exit code out; the same for every check.
#pragma once

#include <string>
#include <vector>

#include "shared/base/progress.h"
#include "shared/io/files.h"
#include "shared/plugin/check.h"

namespace mtawatch::plugin {

struct Outcome {
    int exit_code = 3;
    std::string text;  // all of stdout; a plugin writes nothing on stderr
    bool operator==(const Outcome&) const = default;
};

// What a run needs beside the check's own World.
struct RunContext {
    const base::Clock& clock;
    const io::Files& files;      // for --extra-opts
    probe::world::World& world;  // handed to the check
    std::string ini_path = {};   // a folder list for --extra-opts without a file ($NAGIOS_CONFIG_PATH)
    base::Progress* progress = nullptr;
};

// The whole plugin in process, but for signals and the last resort when a step overruns its deadline. Never throws:
// whatever a check throws becomes UNKNOWN. tests/support/run_check.h calls it with a fake world.
[[nodiscard]] Outcome run(const Check& check, const std::vector<std::string>& arguments, const RunContext& context);

// The whole plugin as a process: run() under a guard that, when -t is over or SIGTERM, SIGINT or SIGHUP comes, ends the
// commands that are running, says where the run hung and exits with the timeout state. Writes to stdout; returns the
// exit code.
[[nodiscard]] int run_program(const Check& check, int argc, char** argv, const RunContext& context);

}  // namespace mtawatch::plugin
