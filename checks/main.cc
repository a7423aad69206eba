// The program of every plugin: its check, and the members of the real world that it uses.
#include "shared/plugin/run.h"
#include "shared/probe/world/real_world.h"

namespace mtawatch::checks {
plugin::Check MTAWATCH_CHECK();
}

int main(int argc, char** argv) {
    mtawatch::probe::world::RealWorld real({MTAWATCH_MEMBERS});
    return mtawatch::plugin::run_program(mtawatch::checks::MTAWATCH_CHECK(), argc, argv,
                                         {.clock = real.clock, .files = real.files, .world = real.world});
}
