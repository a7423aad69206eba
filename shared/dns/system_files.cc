#include "shared/dns/system_files.h"

#include <algorithm>

#include "shared/base/text.h"
#include "shared/dns/lookup.h"
#include "shared/dns/names.h"
#include "shared/io/files.h"

namespace mtawatch::dns {
namespace {

using base::fail;

constexpr std::size_t max_resolv_conf_bytes = 64U << 10U;
constexpr std::size_t max_hosts_bytes = 4U << 20U;  // block lists kept in /etc/hosts reach a megabyte or two

bool wanted(const base::IpAddress& address, Family family) {
    return family == Family::any || (family == Family::v4) == address.is_v4();
}

void keep_wanted(std::vector<base::IpAddress>& addresses, Family family) {
    std::erase_if(addresses, [family](const base::IpAddress& one) { return !wanted(one, family); });
}

// A file that is not there or not readable has no addresses.
std::vector<base::IpAddress> from_hosts_file(const io::Files& files, std::string_view name) {
    const auto text = files.read("/etc/hosts", max_hosts_bytes);
    return text ? hosts_addresses(*text, name) : std::vector<base::IpAddress>();
}

base::Result<HostAddresses> checked(HostAddresses result, std::string_view host, Family family) {
    keep_wanted(result.addresses, family);
    if (!result.addresses.empty()) return result;
    return fail(base::Fault::not_found, "{} has no {} address", host, family == Family::v4 ? "IPv4" : "IPv6");
}

base::Result<HostAddresses> from_dns(Transport& transport, const std::string& ascii, Family family,
                                     const base::Deadline& deadline) {
    std::vector<Question> questions;
    if (family != Family::v6) questions.push_back({ascii, Type::a, true, 0});
    if (family != Family::v4) questions.push_back({ascii, Type::aaaa, true, 0});
    const auto answers = lookup_many(transport, questions, deadline);
    HostAddresses result;
    result.canonical = ascii;
    result.authenticated = true;
    for (const Answer& answer : answers) {
        if (!answer.found()) continue;
        result.addresses.insert(result.addresses.end(), answer.records.addresses.begin(),
                                answer.records.addresses.end());
        result.authenticated = result.authenticated && answer.authenticated;
        if (!answer.chain.empty()) result.canonical = answer.chain.back();
    }
    if (!result.addresses.empty()) return result;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!answers[i].known()) return fail(failure_error(transport, questions[i], answers[i]));
    }
    if (answers.front().outcome == Outcome::no_name) {
        return fail(base::Fault::not_found, "there is no host {} in the DNS", ascii);
    }
    return fail(base::Fault::not_found, "{} has no {}address in the DNS", ascii,
                family == Family::any ? "" : (family == Family::v4 ? "IPv4 " : "IPv6 "));
}

// The first one, empty if there is none.
std::string_view nameserver_line(std::string_view resolv_conf) {
    for (const std::string_view line : base::split(resolv_conf, '\n')) {
        const auto words = base::words(line);
        if (words.size() >= 2 && words[0] == "nameserver") return base::trim(line);
    }
    return {};
}

}  // namespace

std::vector<base::IpAddress> hosts_addresses(std::string_view text, std::string_view name) {
    std::vector<base::IpAddress> found;
    for (const std::string_view line : base::split(text, '\n')) {
        const auto words = base::words(line.substr(0, line.find('#')));
        const bool named = std::ranges::any_of(words, [name](auto word) { return base::iequals(word, name); });
        if (!named) continue;
        const auto address = base::IpAddress::parse(words.front());
        if (address && std::ranges::find(found, *address) == found.end()) found.push_back(*address);
    }
    std::ranges::sort(found);
    return found;
}

base::Result<HostAddresses> host_addresses(Transport& transport, const io::Files& files, std::string_view host,
                                           Family family, const base::Deadline& deadline) {
    if (const auto numeric = base::IpAddress::parse(host)) {
        return checked({{*numeric}, false, std::string(host)}, host, family);
    }
    const auto ascii = ascii_name(host);
    if (!ascii) return fail(ascii.error());
    if (auto listed = from_hosts_file(files, *ascii); !listed.empty()) {
        keep_wanted(listed, family);
        if (!listed.empty()) return HostAddresses{std::move(listed), false, *ascii};
    }
    if (is_within(*ascii, "localhost")) {
        std::array<std::uint8_t, 16> loopback{};
        loopback.back() = 1;
        return checked({{base::IpAddress::v4(127, 0, 0, 1), base::IpAddress::v6(loopback)}, false, *ascii}, host,
                       family);
    }
    return from_dns(transport, *ascii, family, deadline);
}

ResolverSettings with_resolv_conf(std::string_view text, ResolverSettings settings) {
    for (const std::string_view line : base::split(text, '\n')) {
        const auto words = base::words(line);
        if (words.size() < 2) continue;
        if (words[0] == "options") {
            for (const std::string_view option : words) settings.trust_ad = settings.trust_ad || option == "trust-ad";
        }
        if (words[0] != "nameserver" || settings.servers.size() == max_servers) continue;
        const auto address = base::IpAddress::parse(words[1]);
        // A scoped link-local server (fe80::1%eth0) cannot be asked through c-ares 1.18.
        if (address) settings.servers.push_back({*address, 53});
    }
    return settings;
}

base::Result<ResolverSettings> with_system_servers(ResolverSettings settings, const io::Files& files) {
    if (!settings.servers.empty()) return settings;
    const auto text = files.read("/etc/resolv.conf", max_resolv_conf_bytes);
    if (!text && text.error().fault != base::Fault::not_found) {
        return fail(base::Fault::configuration, "{}; name a resolver with --dns-server", text.error().what);
    }
    if (text) settings = with_resolv_conf(*text, std::move(settings));
    if (text && settings.servers.empty()) {
        if (const auto line = nameserver_line(*text); !line.empty()) {
            return fail(base::Fault::configuration,
                        "/etc/resolv.conf names no resolver that can be asked (\"{}\"); name one with "
                        "--dns-server",
                        base::one_line(line, 200));
        }
    }
    if (settings.servers.empty()) settings.servers.push_back({base::IpAddress::v4(127, 0, 0, 1), 53});
    return settings;
}

}  // namespace mtawatch::dns
