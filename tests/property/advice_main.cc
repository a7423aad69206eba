// Property of the advice: over generated faulty zones, publishing what a plugin prints makes the finding go away for
// which it was printed, adds none that alarms, and no sender that passed fails by it. property_advice [ZONES
// [FIRST_SEED]]: exit code 1 with the first cases that break it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "shared/auth/dmarc_record.h"
#include "shared/auth/spf_check_host.h"
#include "shared/base/text.h"
#include "shared/io/files.h"
#include "shared/plugin/run.h"
#include "shared/plugin/stages.h"
#include "shared/probe/world/world.h"
#include "tests/property/advice_zones.h"
#include "tests/support/fake_clock.h"
#include "tests/support/zone_transport.h"

namespace mtawatch::checks {
plugin::Check spf();
plugin::Check dmarc();
plugin::Check dkim();
plugin::Check fcrdns();
plugin::Check tls_rpt();
}  // namespace mtawatch::checks

namespace {

using namespace mtawatch;
using plugin::State;

constexpr std::size_t shown_failures = 5;

struct Count {
    std::size_t cases = 0;
    std::size_t faulty = 0;
    std::size_t advised = 0;
};

const plugin::Check& check_of(test::AskedPlugin asked) {
    static const std::map<test::AskedPlugin, plugin::Check> checks{{test::AskedPlugin::spf, checks::spf()},
                                                                   {test::AskedPlugin::dmarc, checks::dmarc()},
                                                                   {test::AskedPlugin::dkim, checks::dkim()},
                                                                   {test::AskedPlugin::fcrdns, checks::fcrdns()},
                                                                   {test::AskedPlugin::tls_rpt, checks::tls_rpt()}};
    return checks.at(asked);
}

plugin::Report report_on(const test::AdviceCase& one, const test::GeneratedZone& zone) {
    test::ZoneText text(zone.text());
    test::FakeClock clock;
    probe::world::World world;
    world.clock = &clock;
    world.open_dns = text.opener(&clock);
    const io::Files files;
    const plugin::Check& check = check_of(one.plugin);
    const plugin::RunContext context{.clock = clock, .files = files, .world = world};
    const auto prepared = plugin::prepare(check, one.arguments, context);
    if (!prepared.options) return plugin::Report{}.add(State::unknown, prepared.answer.text);
    auto report = check.run(*prepared.options, base::Deadline(clock, std::chrono::seconds(10)), world);
    return report ? std::move(*report) : plugin::Report{}.add(State::unknown, report.error().what);
}

bool alarms(const plugin::Detail& detail) { return detail.level == 0 && detail.state != State::ok; }

// What a detail says, apart from what to do: words about that come and go with the lines.
bool says(const plugin::Report& report, const plugin::Detail& detail) {
    const std::string text = test::without_lines(detail.text);
    return std::ranges::any_of(report.details, [&](const plugin::Detail& other) {
        const std::string there = test::without_lines(other.text);
        const bool same = there == text || there.starts_with(text + "; ") || text.starts_with(there + "; ");
        return alarms(other) && same && plugin::severity(other.state) >= plugin::severity(detail.state);
    });
}

auth::SpfResult spf_result(const test::GeneratedZone& zone, const std::string& domain, const base::IpAddress& ip) {
    test::ZoneText text(zone.text());
    test::FakeClock clock;
    const auto transport = text.transport(&clock);
    auth::DnsCache dns(*transport, base::Deadline(clock, std::chrono::seconds(10)));
    return auth::spf_check_host(dns, {domain, ip, "postmaster@" + domain, domain}, 0).result;
}

std::optional<auth::DmarcPolicy> published_policy(const test::GeneratedZone& zone, const std::string& name) {
    std::optional<auth::DmarcPolicy> policy;
    std::size_t records = 0;
    for (const test::ZoneRecord& record : zone.records) {
        if (record.name != name || record.type != "TXT" || !auth::is_dmarc_record(record.data)) continue;
        ++records;
        policy = auth::parse_dmarc_record(record.data).p;
    }
    return records == 1 ? policy : std::nullopt;
}

// What is wrong with the lines themselves; "" for nothing.
std::string fault_of_lines(const std::vector<test::ZoneRecord>& lines) {
    std::set<std::string> names;
    for (const test::ZoneRecord& line : lines) {
        if (!names.insert(line.name + " " + line.type).second) return "two records for one name: " + line.name;
        if (const auto ip = base::IpAddress::parse(line.data); ip && base::not_public(*ip)) return "a private address";
        for (const std::string_view word : base::words(line.data)) {
            if (!word.starts_with("ip4:") && !word.starts_with("ip6:")) continue;
            const std::string_view text = word.substr(4, word.find('/') - 4);
            const auto address = base::IpAddress::parse(text);
            if (address && base::not_public(*address)) return "a private network: " + std::string(word);
        }
        if (line.data.find("+all") != std::string::npos) return "a record that lets everyone pass";
    }
    return {};
}

// "" when the case keeps the property.
std::string fault_of(const test::AdviceCase& one, Count& count) {
    const plugin::Report before = report_on(one, one.zone);
    ++count.cases;
    if (before.state() != State::ok) ++count.faulty;
    std::vector<test::ZoneRecord> lines;
    const plugin::Detail* reason = nullptr;
    for (const plugin::Detail& detail : before.details) {
        const auto found = test::lines_in(detail.text);
        if (!found) return "no line of a zone file: " + detail.text;
        if (found->empty()) continue;
        reason = &detail;
        lines.insert(lines.end(), found->begin(), found->end());
    }
    if (lines.empty()) return {};
    ++count.advised;
    if (std::string fault = fault_of_lines(lines); !fault.empty()) return fault;
    test::GeneratedZone zone = one.zone;
    for (const test::ZoneRecord& line : lines) {
        auto published = test::with_published(zone, line);
        if (!published) return "a record beside a CNAME at " + line.name;
        if (line.name.starts_with("_dmarc.")) {
            const auto old = published_policy(zone, line.name);
            const auto now = published_policy(*published, line.name);
            if (old && (!now || *now < *old)) return "a weaker policy";
        }
        zone = std::move(*published);
    }
    const plugin::Report after = report_on(one, zone);
    if (says(after, *reason)) return "what the line was printed for stays: " + reason->text;
    const bool was_without_policy = std::ranges::none_of(before.details, [](const plugin::Detail& detail) {
        return detail.text.find("receivers apply p=") != std::string::npos;
    });
    for (const plugin::Detail& detail : after.details) {
        const bool first = one.plugin == test::AskedPlugin::dmarc && was_without_policy &&
                           detail.text.find("receivers apply p=none,") != std::string::npos;
        if (alarms(detail) && !says(before, detail) && !first) return "new: " + detail.text;
    }
    if (one.plugin != test::AskedPlugin::spf) return {};
    for (const base::IpAddress& ip : one.senders) {
        if (base::not_public(ip)) continue;
        const bool passed = spf_result(one.zone, one.domain, ip) == auth::SpfResult::pass;
        if (passed && spf_result(zone, one.domain, ip) != auth::SpfResult::pass) {
            return ip.to_string() + " passed and does not any more";
        }
    }
    return {};
}

void show(const test::AdviceCase& one, std::uint64_t seed, const std::string& fault) {
    fmt::print("seed {}: {}\n  arguments: {}\n", seed, fault, fmt::join(one.arguments, " "));
    for (const plugin::Detail& detail : report_on(one, one.zone).details) {
        if (alarms(detail)) fmt::print("  {}: {}\n", plugin::name(detail.state), detail.text);
    }
    fmt::print("{}\n", one.zone.text());
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int at, std::uint64_t fallback) {
        return argc > at ? base::to_number<std::uint64_t>(argv[at]).value_or(fallback) : fallback;
    };
    const std::uint64_t zones = number(1, 1000);
    const std::uint64_t first = number(2, 1);
    Count count;
    std::size_t failures = 0;
    for (std::uint64_t seed = first; seed < first + zones; ++seed) {
        const test::AdviceCase one = test::make_advice_case(seed);
        const std::string fault = fault_of(one, count);
        if (fault.empty()) continue;
        if (++failures <= shown_failures) show(one, seed, fault);
    }
    fmt::print("{} zones from seed {}: {} with faults, {} with advice, {} against the property\n", count.cases, first,
               count.faulty, count.advised, failures);
    return failures == 0 ? 0 : 1;
}
