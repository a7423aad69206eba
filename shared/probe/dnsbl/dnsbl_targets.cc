// Targets of the probe dnsbl: parses addresses, networks, names and domains as an operator writes them.
#include <algorithm>
#include <set>

#include "shared/base/target_text.h"
#include "shared/base/text.h"
#include "shared/dns/lookup.h"
#include "shared/dns/names.h"
#include "shared/probe/dnsbl/dnsbl.h"

namespace mtawatch::probe::dnsbl {
namespace {

using base::fail;
using base::Fault;
using base::IpAddress;
using base::Result;

class Collector {
  public:
    Result<void> add(const IpAddress& address, std::string_view written) {
        const IpAddress plain = address.unmapped();
        if (const auto reason = base::not_public(plain)) {
            const std::string text = plain.to_string();
            return fail(Fault::usage, "{}{} is {}; no list holds it, write the address the Internet sees",
                        written == text ? "" : base::one_line(written, 100) + ": ", text, *reason);
        }
        if (!seen_.insert(plain).second) return {};
        if (seen_.size() > max_dnsbl_targets) return too_many();
        addresses_.push_back(plain);
        return {};
    }

    Result<void> add_network(std::string_view text) {
        const auto network = base::IpNetwork::parse(text);
        if (!network) return fail(network.error());
        const auto size = network->size();
        if (!size || *size > max_dnsbl_targets) {
            return fail(Fault::usage, "{}: more than {} addresses; write smaller networks in several runs",
                        network->to_string(), max_dnsbl_targets);
        }
        IpAddress address = network->base;
        for (std::uint64_t i = 0; i < *size; ++i, address = address.next()) {
            if (auto done = add(address, text); !done) return done;
        }
        return {};
    }

    [[nodiscard]] static base::Failure too_many() {
        return fail(Fault::usage, "more than {} addresses and domains; write fewer, in several runs",
                    max_dnsbl_targets);
    }
    [[nodiscard]] std::vector<IpAddress> take() { return std::move(addresses_); }

  private:
    std::vector<IpAddress> addresses_;
    std::set<IpAddress> seen_;
};

// Looks like an attempt at an address rather than a name: "300.1.2.3", "1.2.3", "fe80:".
bool is_numeric(std::string_view text) {
    return text.find(':') != std::string_view::npos ||
           std::ranges::all_of(text, [](char c) { return base::is_digit(c) || c == '.'; });
}

Result<void> add_host(Collector& collector, const std::string& text, dns::Transport& transport,
                      const base::Deadline& deadline, const world::World& world, std::vector<std::string>& notes) {
    const auto host = dns::host_addresses(transport, *world.files, text, dns::Family::any, deadline);
    if (!host) return fail(host.error());
    // Split-horizon names have inner addresses beside the outer ones, and these can be looked for.
    std::vector<IpAddress> outer;
    std::vector<std::string> inner;
    for (const IpAddress& address : host->addresses) {
        if (const auto why = base::not_public(address)) {
            inner.push_back(fmt::format("{} of {} is {} and is not asked for", address.to_string(), text, *why));
        } else {
            outer.push_back(address);
        }
    }
    if (outer.empty()) return collector.add(host->addresses.front(), text);
    notes.insert(notes.end(), inner.begin(), inner.end());
    for (const IpAddress& address : outer) {
        if (auto done = collector.add(address, text); !done) return done;
    }
    return {};
}

}  // namespace

Result<DnsblTargets> dnsbl_targets(const std::vector<std::string>& addresses, const std::vector<std::string>& domains,
                                   const world::ResolverChoice& resolver, const base::Deadline& deadline,
                                   const world::World& world) {
    if (addresses.empty() && domains.empty()) {
        return fail(Fault::usage, "nothing to look for: give --address IP, network or host name, or --domain");
    }
    Collector collector;
    std::unique_ptr<dns::Transport> transport;
    DnsblTargets targets;
    for (const std::string& text : addresses) {
        if (auto done = base::expect_target(text, base::TargetKind::target); !done) return fail(done.error());
        if (const auto address = IpAddress::parse(text)) {
            if (auto done = collector.add(*address, text); !done) return fail(done.error());
        } else if (text.find('/') != std::string::npos || is_numeric(text)) {
            if (auto done = collector.add_network(text); !done) return fail(done.error());
        } else {
            if (!transport) {
                auto opened = world::open_resolver(world, resolver);
                if (!opened) return fail(opened.error());
                transport = std::move(*opened);
            }
            if (auto done = add_host(collector, text, *transport, deadline, world, targets.notes); !done) {
                return fail(done.error());
            }
        }
    }
    targets.addresses = collector.take();
    for (const std::string& text : domains) {
        if (IpAddress::parse(text)) {
            return fail(Fault::usage, "domain {}: this is an address; write --address {}", text, text);
        }
        if (auto done = base::expect_target(text, base::TargetKind::domain); !done) return fail(done.error());
        auto name = dns::ascii_name(text);
        if (!name) return fail(name.error());
        if (std::ranges::find(targets.domains, *name) != targets.domains.end()) continue;
        targets.domains.push_back(std::move(*name));
        if (targets.size() > max_dnsbl_targets) return Collector::too_many();
    }
    return targets;
}

}  // namespace mtawatch::probe::dnsbl
