#include "shared/probe/world/dial.h"

#include "shared/io/connector.h"
#include "shared/io/files.h"

namespace mtawatch::probe::world {

using base::Deadline;
using base::fail;
using base::Fault;
using base::Result;

Result<dns::HostAddresses> addresses_of(const std::string& host, const NameChoice& choice, World& world,
                                        const Deadline& deadline) {
    if (const auto number = base::IpAddress::parse(host)) {
        const bool fits = choice.family == dns::Family::any || (choice.family == dns::Family::v4) == number->is_v4();
        if (!fits) return fail(Fault::not_found, "{} is not an address of the wanted family", host);
        return dns::HostAddresses{.addresses = {*number}, .authenticated = true, .canonical = host};
    }
    auto resolver = open_resolver(world, choice.resolver);
    if (!resolver) return fail(resolver.error());
    return dns::host_addresses(**resolver, *world.files, host, choice.family, deadline);
}

Result<Dialled> dial_first(const std::vector<base::IpAddress>& addresses, std::uint16_t port, World& world,
                           const Deadline& deadline) {
    base::Error last{Fault::internal, "no address to connect to"};
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto left = static_cast<base::Duration::rep>(addresses.size() - i);
        auto stream =
            world.connector->connect({addresses[i].to_string(), port}, deadline.within(deadline.remaining() / left));
        if (stream) return Dialled{std::move(*stream), addresses[i]};
        last = std::move(stream.error());
    }
    return fail(std::move(last));
}

http::Dial make_dial(World& world, NameChoice choice) {
    return [&world, choice = std::move(choice)](const std::string& host, std::uint16_t port,
                                                const Deadline& deadline) -> Result<std::unique_ptr<io::Stream>> {
        const auto found = addresses_of(host, choice, world, deadline);
        if (!found) return fail(found.error());
        auto dialled = dial_first(found->addresses, port, world, deadline);
        if (!dialled) return fail(dialled.error());
        return std::move(dialled->stream);
    };
}

}  // namespace mtawatch::probe::world
