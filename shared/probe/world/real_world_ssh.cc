// The SSH of the real World.
#include "shared/probe/world/real_world.h"
#include "shared/ssh/ssh.h"

namespace mtawatch::probe::world {

void use_ssh(RealWorld& real) {
    real.world.open_ssh = [](const ssh::SshSettings& settings, const base::Deadline& deadline) {
        return ssh::open(settings, deadline);
    };
}

}  // namespace mtawatch::probe::world
