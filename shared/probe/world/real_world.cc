#include "shared/probe/world/real_world.h"

namespace mtawatch::probe::world {

RealWorld::RealWorld(std::initializer_list<Member> members) {
    world.clock = &clock;
    world.files = &files;
    for (const Member use : members) use(*this);
}

}  // namespace mtawatch::probe::world
