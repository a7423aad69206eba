// Runs a whole plugin in process, with a fake world: {exit code, text}. For tests/checks/<x>_test.cc, where add_check
// names the check to link.
#pragma once

#include <string>
#include <vector>

#include "shared/io/files.h"
#include "shared/plugin/run.h"
#include "shared/probe/world/world.h"

namespace mtawatch::checks {
plugin::Check MTAWATCH_CHECK();
}

namespace mtawatch::test {

// world.clock must be set; files default to the real ones.
inline plugin::Outcome run_check(const std::vector<std::string>& arguments, probe::world::World& world) {
    const io::Files real_files;
    const io::Files& files = world.files != nullptr ? *world.files : real_files;
    return plugin::run(checks::MTAWATCH_CHECK(), arguments, {.clock = *world.clock, .files = files, .world = world});
}

}  // namespace mtawatch::test
