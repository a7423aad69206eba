// Choice of the resolver that the probes of a run ask: text from the options in, a transport out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/result.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::world {

// What --dns-server, --trust-ad and --concurrency say. Default: the system's resolvers.
struct ResolverChoice {
    std::vector<std::string> servers;  // "192.0.2.1", "192.0.2.1:5300", "[2001:db8::1]:5300"
    bool trust_ad = false;
    std::size_t window = 0;          // questions in flight; 0: the default
    base::Duration question_time{};  // for one question with all its tries; 0: the default
};

// Faults: usage (a server that is none; the program has no resolver), configuration (resolv.conf).
[[nodiscard]] base::Result<std::unique_ptr<dns::Transport>> open_resolver(const World& world,
                                                                          const ResolverChoice& choice);

}  // namespace mtawatch::probe::world
