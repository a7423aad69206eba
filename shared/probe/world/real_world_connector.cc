// The connector of the real World: TCP and unix sockets.
#include "shared/probe/world/real_world.h"

namespace mtawatch::probe::world {

void use_connector(RealWorld& real) {
    real.connector = io::make_tcp_connector();
    real.world.connector = real.connector.get();
}

}  // namespace mtawatch::probe::world
