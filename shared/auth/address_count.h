// How many addresses do these networks hold together, counted once where they overlap?
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

}  // namespace mtawatch::auth
