// The program of every plugin: its check, and the members of the real world that it uses.
#include "shared/base/last_resort.h"
#include "shared/plugin/run.h"
#include "shared/probe/world/real_world.h"

namespace mtawatch::checks {
plugin::Check MTAWATCH_CHECK();
}

int main(int argc, char** argv) {
    // A plugin's answer is on standard output, this one too.
    return mtawatch::base::run_main({.before = "UNKNOWN - ", .descriptor = 1, .status = 3}, [&] {
        mtawatch::probe::world::RealWorld real({MTAWATCH_MEMBERS});
        return mtawatch::plugin::run_program(mtawatch::checks::MTAWATCH_CHECK(), argc, argv,
                                             {.clock = real.clock, .files = real.files, .world = real.world});
    });
}
