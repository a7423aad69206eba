// Dependencies of the probes (clock, files, commands, network, DNS, SSH): everything that a probe may touch. Real in
// main, fake in tests; a member that a program does not use is null.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"

namespace mtawatch::dns {
class Transport;
struct ResolverSettings;
}  // namespace mtawatch::dns
namespace mtawatch::io {
class Commands;
class Connector;
class Files;
}  // namespace mtawatch::io
namespace mtawatch::ssh {
struct SshSettings;
}  // namespace mtawatch::ssh

namespace mtawatch::probe::world {

// Which resolvers to ask is known only once the options are read, so the DNS and SSH members are makers.
// A real member is linked by the program that needs it (add_check(x USES dns)).
struct World {
    base::Clock* clock = nullptr;
    io::Files* files = nullptr;
    io::Commands* commands = nullptr;  // on this machine
    io::Connector* connector = nullptr;
    std::function<base::Result<std::unique_ptr<dns::Transport>>(const dns::ResolverSettings&)> open_dns;
    // The addresses that mail left from as the exporter's accounting saw them (dlvSourceIp); null elsewhere.
    std::function<std::vector<std::string>()> sending_addresses;
    std::function<base::Result<std::unique_ptr<io::Commands>>(const ssh::SshSettings&, const base::Deadline&)> open_ssh;
};

}  // namespace mtawatch::probe::world
