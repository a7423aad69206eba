// Set operations on IP networks: number of addresses (each once, however the networks overlap), merging and difference.
#pragma once

#include <cstdint>
#include <vector>

#include "shared/base/ip.h"

namespace mtawatch::auth {

struct AddressCount {
    std::uint64_t ipv4 = 0;    // addresses
    double ipv6_networks = 0;  // networks of /64, the smallest that is given to one site; a smaller one counts as one
};
[[nodiscard]] AddressCount count_addresses(const std::vector<base::IpNetwork>& networks);

// The fewest networks that hold the same addresses, IPv4 first, in rising order: "192.0.2.0/25" and "192.0.2.128/25"
// are "192.0.2.0/24". Equal sets of addresses give equal lists.
[[nodiscard]] std::vector<base::IpNetwork> merged_networks(std::vector<base::IpNetwork> networks);
// Those of `networks`, merged, that hold an address which `others` do not.
[[nodiscard]] std::vector<base::IpNetwork> networks_beyond(const std::vector<base::IpNetwork>& networks,
                                                           const std::vector<base::IpNetwork>& others);

}  // namespace mtawatch::auth
