// Any bytes as resolv.conf and as hosts: the first line is the name that is looked up, the rest the file.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/base/text.h"
#include "shared/dns/system_files.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t end = input.find('\n');
    const std::string_view name = input.substr(0, end);
    const std::string_view text = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);

    dns::ResolverSettings own;
    own.servers = {{base::IpAddress::v4(192, 0, 2, 53), 5300}};
    const auto settings = dns::with_resolv_conf(text, own);
    if (settings.servers.size() > dns::max_servers || !(settings.servers.front() == own.servers.front())) std::abort();
    if (settings.trust_ad && text.find("trust-ad") == std::string_view::npos) std::abort();
    for (std::size_t i = 1; i < settings.servers.size(); ++i) {
        if (settings.servers[i].port != 53) std::abort();
    }
    // What was read says the same when it is written down again.
    std::string again;
    for (std::size_t i = 1; i < settings.servers.size(); ++i) {
        again += "nameserver " + settings.servers[i].address.to_string() + "\n";
    }
    if (dns::with_resolv_conf(again, own).servers != settings.servers) std::abort();

    const auto addresses = dns::hosts_addresses(text, name);
    if (!std::ranges::is_sorted(addresses)) std::abort();
    if (std::ranges::adjacent_find(addresses) != addresses.end()) std::abort();
    std::string hosts;
    for (const auto& address : addresses) hosts += address.to_string() + " \t" + base::to_lower(name) + "# comment\n";
    if (dns::hosts_addresses(hosts, name) != addresses) std::abort();
    return 0;
}
