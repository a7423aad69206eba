#include "shared/probe/world/resolver.h"

#include <algorithm>

#include "shared/dns/transport.h"

namespace mtawatch::probe::world {

using base::fail;

base::Result<std::unique_ptr<dns::Transport>> open_resolver(const World& world, const ResolverChoice& choice) {
    if (!world.open_dns) return fail(base::Fault::internal, "this program has no resolver");
    dns::ResolverSettings settings;
    settings.trust_ad = choice.trust_ad;
    if (choice.window > 0) {
        settings.window = choice.window;
        settings.group_window = dns::group_window_of(choice.window);
    }
    if (choice.question_time > base::Duration::zero()) {
        settings.question_time = choice.question_time;
        settings.retry_after = std::min(settings.retry_after, choice.question_time / 3);
    }
    for (const std::string& text : choice.servers) {
        auto server = dns::parse_server(text);
        if (!server) return fail(server.error());
        settings.servers.push_back(*server);
    }
    return world.open_dns(settings);
}

}  // namespace mtawatch::probe::world
