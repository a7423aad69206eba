#include "exporter/collectors/dnsbl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "shared/config/node.h"
#include "shared/io/files.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;
using base::Fault;
using base::IpAddress;
using base::Result;
using config::Node;
using exposition::add_series;
using probe::dnsbl::Verdict;

// A look at a few addresses takes seconds; a whole network through a slow resolver may take minutes.
constexpr std::chrono::milliseconds default_timeout = std::chrono::minutes(2);

struct Settings {
    std::vector<std::string> addresses;
    std::vector<std::string> domains;
    bool from_accounting = false;
    std::map<IpAddress, IpAddress> nat;
    std::vector<probe::dnsbl::DnsblList> lists;
    probe::world::ResolverChoice resolver;
    bool self_test = true;
    double min_answers = 50;
    std::chrono::milliseconds interval = blocklist_interval;
    std::chrono::milliseconds timeout = default_timeout;
};
using SettingsPtr = std::shared_ptr<const Settings>;

Result<void> read_nat(const Node& node, Settings& settings) {
    const auto members = node.members();
    if (!members) return fail(members.error());
    for (const auto& [local, value] : *members) {
        const auto inside = IpAddress::parse(local);
        if (!inside) return fail(value.error("the key is not an IP address"));
        const auto text = value.text();
        if (!text) return fail(text.error());
        const auto outside = IpAddress::parse(*text);
        if (!outside) return fail(value.error("not an IP address"));
        if (const auto reason = base::not_public(*outside)) {
            return fail(value.error(fmt::format("{} is {}; write the address the Internet sees", *text, *reason)));
        }
        settings.nat.emplace(*inside, *outside);
    }
    return {};
}

// What can be seen to be wrong without asking the DNS.
Result<void> check_targets(const Node& section, const Settings& settings) {
    const base::SystemClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(1));
    for (const std::string& address : settings.addresses) {
        const bool name = !IpAddress::parse(address) && address.find('/') == std::string::npos;
        if (name) continue;
        const auto targets = probe::dnsbl::dnsbl_targets({address}, {}, {}, deadline, probe::world::World{});
        if (!targets) return fail(section.error("addresses: " + targets.error().what));
    }
    for (const std::string& domain : settings.domains) {
        const auto targets = probe::dnsbl::dnsbl_targets({}, {domain}, {}, deadline, probe::world::World{});
        if (!targets) return fail(section.error("domains: " + targets.error().what));
    }
    return {};
}

Result<void> read_section(const Node& section, Settings& settings) {
    std::vector<std::string> lists;
    std::optional<std::string> list_file;
    std::int64_t concurrency = 100;
    config::MapReader map(section);
    map.targets("addresses", settings.addresses, base::TargetKind::target);
    map.targets("domains", settings.domains, base::TargetKind::domain);
    settings.from_accounting = true;
    if (section.find("addresses") || section.find("domains")) settings.from_accounting = false;
    map.boolean("from_accounting", settings.from_accounting);
    map.node("nat", [&settings](const Node& node) { return read_nat(node, settings); });
    map.texts("lists", lists).text("list_file", list_file).texts("dns_servers", settings.resolver.servers);
    map.number("min_answers", settings.min_answers, 0, 100).boolean("self_test", settings.self_test);
    map.integer("concurrency", concurrency, 1, 20'000);
    map.duration("interval", settings.interval).duration("timeout", settings.timeout);
    if (auto done = map.finish(); !done) return done;
    if (settings.interval < std::chrono::seconds(1)) return fail(section.error("interval: must be at least 1s"));
    if (settings.timeout <= std::chrono::milliseconds(0)) {
        return fail(section.error("timeout: must be more than 0s"));
    }
    settings.timeout = std::min(settings.timeout, settings.interval);
    settings.resolver.window = static_cast<std::size_t>(concurrency);
    auto chosen = probe::dnsbl::choose_dnsbl_lists(lists, list_file, io::Files());
    if (!chosen) return fail(section.error(chosen.error().what));
    settings.lists = std::move(*chosen);
    return check_targets(section, settings);
}

Result<Published> run_probe(const Settings& settings, probe::dnsbl::DnsblTargets targets,
                            const base::Deadline& deadline, const probe::world::World& world) {
    probe::dnsbl::DnsblQuery query;
    query.targets = std::move(targets);
    query.lists = settings.lists;
    query.resolver = settings.resolver;
    query.self_test = settings.self_test;
    const auto seen = probe::dnsbl::dnsbl(query, deadline, world);
    if (!seen) return fail(seen.error());
    return publish_dnsbl(*seen, settings.min_answers);
}

Task task_for(const SettingsPtr& settings, const std::string& text, bool domain) {
    const std::vector<std::string> one{text};
    return {"dnsbl", text, settings->interval, settings->timeout,
            [settings, one, domain](probe::world::World& world, const base::Deadline& deadline) -> Result<Published> {
                auto targets = probe::dnsbl::dnsbl_targets(domain ? std::vector<std::string>{} : one,
                                                           domain ? one : std::vector<std::string>{},
                                                           settings->resolver, deadline, world);
                if (!targets) return fail(targets.error());
                return run_probe(*settings, std::move(*targets), deadline, world);
            }};
}

Task accounting_task(const SettingsPtr& settings) {
    return {"dnsbl", "accounting", settings->interval, settings->timeout,
            [settings](probe::world::World& world, const base::Deadline& deadline) -> Result<Published> {
                if (!world.sending_addresses) {
                    return fail(Fault::configuration,
                                "no accounting files are followed, so no sending address is known; name them "
                                "below collectors.dnsbl.addresses");
                }
                probe::dnsbl::DnsblTargets targets;
                targets.addresses = public_addresses(world.sending_addresses(), settings->nat);
                if (targets.addresses.empty()) {
                    return fail(Fault::not_found,
                                "no public address has been seen in dlvSourceIp; map private ones with "
                                "collectors.dnsbl.nat");
                }
                return run_probe(*settings, std::move(targets), deadline, world);
            }};
}

}  // namespace

std::vector<IpAddress> public_addresses(const std::vector<std::string>& seen,
                                        const std::map<IpAddress, IpAddress>& nat) {
    std::set<IpAddress> addresses;
    for (const std::string& text : seen) {
        const auto parsed = IpAddress::parse(text);
        if (!parsed) continue;  // "other", or a column that holds something else
        const auto mapped = nat.find(*parsed);
        const IpAddress address = mapped == nat.end() ? parsed->unmapped() : mapped->second;
        if (!base::not_public(address)) addresses.insert(address);
        if (addresses.size() == probe::dnsbl::max_dnsbl_targets) break;
    }
    return {addresses.begin(), addresses.end()};
}

Published publish_dnsbl(const probe::dnsbl::DnsblObservation& seen, double min_answers) {
    constexpr std::array verdicts = {Verdict::listed, Verdict::clean, Verdict::unknown};
    Published published;
    std::vector<std::array<std::size_t, verdicts.size()>> counts(seen.targets.size());
    for (const probe::dnsbl::DnsblResult& result : seen.results) {
        const probe::dnsbl::DnsblList& list = seen.lists[result.list];
        if (list.kind == probe::dnsbl::ListKind::allow) continue;
        // A code that is only information is no listing.
        const bool listed = result.verdict == Verdict::listed && result.severity != probe::dnsbl::ListSeverity::none;
        const bool known = result.verdict != Verdict::unknown;
        const Verdict verdict = listed ? Verdict::listed : (known ? Verdict::clean : Verdict::unknown);
        ++counts[result.target].at(static_cast<std::size_t>(verdict));
        if (!known) continue;
        const auto severity = listed ? result.severity : list.severity;
        add_series(published.families, "mail_dnsbl_listed",
                   {seen.targets[result.target], list.name, std::string(name(severity))}, listed ? 1 : 0);
    }
    for (std::size_t target = 0; target < counts.size(); ++target) {
        std::size_t asked = 0;
        for (const Verdict verdict : verdicts) {
            const std::size_t number = counts[target].at(static_cast<std::size_t>(verdict));
            asked += number;
            add_series(published.families, "mail_dnsbl_lists", {seen.targets[target], std::string(name(verdict))},
                       static_cast<double>(number));
        }
        const std::size_t able = asked - counts[target].at(static_cast<std::size_t>(Verdict::unknown));
        if (able > 0 && 100.0 * static_cast<double>(able) >= min_answers * static_cast<double>(asked)) continue;
        published.failure = {Fault::resolver, fmt::format("{} of {} lists could tell about {} (resolver {})", able,
                                                          asked, seen.targets[target], seen.resolver)};
    }
    return published;
}

Result<std::vector<Task>> dnsbl_tasks(const Node& section) {
    auto settings = std::make_shared<Settings>();
    if (auto done = read_section(section, *settings); !done) return fail(done.error());
    std::vector<Task> tasks;
    for (const std::string& address : settings->addresses) tasks.push_back(task_for(settings, address, false));
    for (const std::string& domain : settings->domains) tasks.push_back(task_for(settings, domain, true));
    if (settings->from_accounting) tasks.push_back(accounting_task(settings));
    return tasks;
}

}  // namespace mtawatch::exporter::collectors
