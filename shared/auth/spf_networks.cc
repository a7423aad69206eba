#include "shared/auth/spf_networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mtawatch::auth {

namespace {

constexpr unsigned widest_v4 = 8;   // the largest block ever given to one owner
constexpr unsigned widest_v6 = 32;  // the usual size for a provider
constexpr std::uint64_t all_of_ipv4 = std::uint64_t{1} << 32U;

// Why no address of the network can be seen from the Internet; nothing when some can.
std::optional<std::string_view> not_public_at_all(const base::IpNetwork& network) {
    const auto first = base::not_public(network.base);
    return first && first == base::not_public(network.last()) ? first : std::nullopt;
}

// Networks that another one contains already.
void judge_overlaps(SpfLint& lint) {
    const SpfSource* outer = nullptr;
    for (const SpfSource& source : lint.sources) {
        const bool inside = outer != nullptr && outer->network.prefix <= source.network.prefix &&
                            outer->network.contains(source.network.base);
        if (!inside) {
            outer = &source;
            continue;
        }
        if (outer->term == source.term && outer->domain == source.domain) continue;  // two hosts of one term
        const auto place = [&lint](const SpfSource& at) {
            return at.domain == lint.tree.domain ? at.term : fmt::format("{} of {}", at.term, at.domain);
        };
        lint.findings.add(Weight::note, "overlap",
                          fmt::format("{} is within {} already", place(source), place(*outer)));
    }
}

}  // namespace

void judge_spf_network(const SpfTerm& term, const std::string& place, Findings& findings) {
    const base::IpNetwork& network = term.network;
    if (network.prefix == 0) {
        findings.add(Weight::broken, "everyone",
                     fmt::format("{}{} authorises every address there is", place, term.written));
    } else if (network.prefix < (network.base.is_v4() ? widest_v4 : widest_v6)) {
        findings.add(Weight::weak, "huge-network",
                     fmt::format("{}{} authorises a huge part of the Internet", place, term.written));
    }
    if (const auto why = not_public_at_all(network); why && network.prefix > 0) {
        findings.add(
            Weight::weak, "private-network",
            fmt::format("{}{} is {}: no receiver ever sees such an address; remove it", place, term.written, *why));
    }
    if (term.host_bits_set) {
        findings.add(Weight::note, "host-bits", fmt::format("{}{} means {}", place, term.written, network.to_string()));
    }
}

void judge_spf_networks(SpfLint& lint) {
    // By base and prefix: containers come first.
    std::ranges::stable_sort(lint.sources, [](const SpfSource& a, const SpfSource& b) {
        if (a.network.base != b.network.base) return a.network.base < b.network.base;
        return a.network.prefix < b.network.prefix;
    });
    judge_overlaps(lint);
    std::vector<base::IpNetwork> networks;
    for (const SpfSource& source : lint.sources) networks.push_back(source.network);
    lint.addresses = count_addresses(networks);
    lint.networks = merged_networks(std::move(networks));
    if (lint.addresses.ipv4 == all_of_ipv4 && !lint.findings.has("everyone")) {
        lint.findings.add(Weight::broken, "everyone", "its networks together authorise every IPv4 address there is");
    }
}

}  // namespace mtawatch::auth
