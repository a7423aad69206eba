// Sending addresses as an operator writes them: addresses and networks.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "shared/base/ip.h"
#include "shared/base/result.h"

namespace mtawatch::probe::mail_auth {

inline constexpr std::size_t max_sending_addresses = 4096;  // sixteen /24 networks; each costs lookups

// Every address of them, each once, in the order given. Fault::usage: neither an address nor a network, or more
// addresses than max_sending_addresses.
[[nodiscard]] base::Result<std::vector<base::IpAddress>> sending_addresses(const std::vector<std::string>& texts);

}  // namespace mtawatch::probe::mail_auth
