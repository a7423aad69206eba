// The real World of a program. It consists of the members that the program uses, and links no others.
#pragma once

#include <initializer_list>
#include <memory>

#include "shared/base/clock.h"
#include "shared/io/command.h"
#include "shared/io/connector.h"
#include "shared/io/files.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::world {

struct RealWorld;

// Fills one member of the world. Each lies in a source of its own, so that only what is named is linked.
using Member = void (*)(RealWorld&);
void use_connector(RealWorld& real);
void use_commands(RealWorld& real);
void use_dns(RealWorld& real);
void use_ssh(RealWorld& real);

// Owns what `world` points to. Clock and files are always there; a member that is not named stays null.
struct RealWorld {
    explicit RealWorld(std::initializer_list<Member> members);

    base::SystemClock clock;
    io::Files files;
    std::unique_ptr<io::Commands> commands;
    std::unique_ptr<io::Connector> connector;
    World world;
};

}  // namespace mtawatch::probe::world
