// The DNS of the real World: the servers asked for, or those of this machine, through c-ares.
#include "shared/dns/transport.h"
#include "shared/probe/world/real_world.h"

namespace mtawatch::probe::world {

using base::fail;

void use_dns(RealWorld& real) {
    real.world.open_dns =
        [files = &real.files](const dns::ResolverSettings& settings) -> base::Result<std::unique_ptr<dns::Transport>> {
        const auto complete = dns::with_system_servers(settings, *files);
        if (!complete) return fail(complete.error());
        return dns::make_cares_transport(*complete);
    };
}

}  // namespace mtawatch::probe::world
