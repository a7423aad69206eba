// Opens a connection to a host that is given by name: resolve, then try its addresses in turn, under one deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "shared/base/ip.h"
#include "shared/dns/lookup.h"
#include "shared/http/client.h"
#include "shared/io/stream.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::world {

// How names are looked up: which resolver, which address family.
struct NameChoice {
    ResolverChoice resolver = {};
    dns::Family family = dns::Family::any;
};

// The addresses of `host`: a number as it is (no resolver is opened for it), else the resolver's answer.
// Faults: those of dns::host_addresses and open_resolver; not_found for a number of another family.
[[nodiscard]] base::Result<dns::HostAddresses> addresses_of(const std::string& host, const NameChoice& choice,
                                                            World& world, const base::Deadline& deadline);

struct Dialled {
    std::unique_ptr<io::Stream> stream;
    base::IpAddress address;
};

// The first of `addresses` that takes the connection; one that stays silent may use its even share of the time only.
// Faults: those of the last address. Not empty.
[[nodiscard]] base::Result<Dialled> dial_first(const std::vector<base::IpAddress>& addresses, std::uint16_t port,
                                               World& world, const base::Deadline& deadline);

// Both in one for http::fetch. `world` must outlive it.
[[nodiscard]] http::Dial make_dial(World& world, NameChoice choice);

}  // namespace mtawatch::probe::world
