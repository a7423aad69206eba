#include "shared/probe/mail_auth/sending_addresses.h"

#include <algorithm>
#include <set>

#include "shared/base/target_text.h"

namespace mtawatch::probe::mail_auth {

using base::fail;

base::Result<std::vector<base::IpAddress>> sending_addresses(const std::vector<std::string>& texts) {
    std::vector<base::IpAddress> addresses;
    std::set<base::IpAddress> seen;
    for (const std::string& text : texts) {
        if (auto done = base::expect_target(text, base::TargetKind::network); !done) return fail(done.error());
        const auto network = base::IpNetwork::parse(text);
        if (!network) return fail(network.error());
        const auto size = network->size();
        if (!size || *size + addresses.size() > max_sending_addresses) {
            return fail(base::Fault::usage, "{}: more than {} addresses; write smaller networks in several runs",
                        network->to_string(), max_sending_addresses);
        }
        base::IpAddress address = network->base;
        for (std::uint64_t i = 0; i < *size; ++i, address = address.next()) {
            if (seen.insert(address).second) addresses.push_back(address);
        }
    }
    return addresses;
}

}  // namespace mtawatch::probe::mail_auth
