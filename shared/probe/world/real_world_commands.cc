// The commands of the real World: programs on this machine.
#include "shared/probe/world/real_world.h"

namespace mtawatch::probe::world {

void use_commands(RealWorld& real) {
    real.commands = io::make_local_commands();
    real.world.commands = real.commands.get();
}

}  // namespace mtawatch::probe::world
