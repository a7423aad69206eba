// Scenario tables for checks that need only DNS: zone text and arguments in, exit code and exact text out.
#pragma once

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/run_check.h"
#include "tests/support/zone_transport.h"

namespace mtawatch::test {

struct DnsScenario {
    const char* name;
    std::string zone;
    std::vector<std::string> arguments;
    int exit_code;
    std::string text;  // all of stdout
};

inline plugin::Outcome run_with_zone(const std::string& zone_text, const std::vector<std::string>& arguments) {
    ZoneText zone(zone_text);
    FakeClock clock;
    probe::world::World world;
    world.clock = &clock;
    world.open_dns = zone.opener(&clock);
    return run_check(arguments, world);
}

// The resolver answers from `zone_text`; the name servers at these addresses say what their own text says.
inline plugin::Outcome run_with_servers(const std::string& zone_text,
                                        const std::vector<std::pair<std::string, std::string>>& servers,
                                        const std::vector<std::string>& arguments) {
    FakeClock clock;
    ZoneText zone(zone_text);
    std::vector<std::pair<std::string, std::unique_ptr<ZoneText>>> others;
    for (const auto& [address, text] : servers) others.emplace_back(address, std::make_unique<ZoneText>(text));
    probe::world::World world;
    world.clock = &clock;
    world.open_dns = [&](const dns::ResolverSettings& settings) {
        for (auto& [address, text] : others) {
            if (!settings.servers.empty() && settings.servers.front().to_string() == address) {
                return text->opener(&clock)(settings);
            }
        }
        return zone.opener(&clock)(settings);
    };
    return run_check(arguments, world);
}

inline void run_scenarios(const std::vector<DnsScenario>& scenarios) {
    for (const DnsScenario& scenario : scenarios) {
        const plugin::Outcome got = run_with_zone(scenario.zone, scenario.arguments);
        BOOST_TEST(got.exit_code == scenario.exit_code, scenario.name << ": exit " << got.exit_code);
        BOOST_TEST(got.text == scenario.text, scenario.name << ":\n" << got.text);
    }
}

}  // namespace mtawatch::test
