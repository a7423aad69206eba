// Proves what the dnsbl collector asks for and what it publishes.
#include "exporter/collectors/dnsbl.h"

#include <boost/test/unit_test.hpp>

#include "shared/config/node.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/metric_families.h"
#include "tests/support/zone_transport.h"

using namespace mtawatch;
using namespace mtawatch::exporter::collectors;
using mtawatch::test::series_in;
using mtawatch::test::value_in;

namespace {

struct Fixture {
    test::ZoneText zone{
        "2.0.0.127.bl.example A 127.0.0.2\n1.2.0.192.bl.example A 127.0.0.2\n5.113.0.203.bl.example A 127.0.0.2\n"
        "2.0.0.127.soft.example A 127.0.0.2\n1.2.0.192.soft.example A 127.0.0.2\n*.mute.example !TIMEOUT\n"
        "test.domains.example A 127.0.0.2\nmx.example.net A 192.0.2.7\n"
        "2.0.0.127.list.dnswl.org A 127.0.4.1\n1.2.0.192.list.dnswl.org A 127.0.4.1\n"};
    test::FakeClock clock;
    test::Folder folder;
    io::Files files = folder.files();
    probe::world::World world;

    Fixture() {
        world.clock = &clock;
        world.files = &files;
        world.open_dns = zone.opener(&clock);
    }
    static base::Result<std::vector<Task>> tasks(const std::string& text) {
        return dnsbl_tasks(config::parse_yaml(text, "config.yml").value());
    }
    base::Result<Published> run(const std::string& text, std::size_t index = 0) {
        const auto made = tasks(text);
        BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().what));
        BOOST_REQUIRE(made->size() > index);
        return made->at(index).run(world, base::Deadline(clock, std::chrono::seconds(60)));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(dnsbl_collector, Fixture)

BOOST_AUTO_TEST_CASE(a_listing_a_clean_list_and_a_mute_one) {
    const auto published =
        run("addresses: [192.0.2.1]\nlists: [bl.example, soft.example=advisory, mute.example, list.dnswl.org]\n")
            .value();
    BOOST_TEST(value_in(published.families, "mail_dnsbl_listed", {"192.0.2.1", "bl.example", "critical"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_dnsbl_listed", {"192.0.2.1", "soft.example", "advisory"}).value() ==
               1);
    BOOST_TEST(
        !value_in(published.families, "mail_dnsbl_listed", {"192.0.2.1", "mute.example", "critical"}).has_value());
    BOOST_TEST(
        !value_in(published.families, "mail_dnsbl_listed", {"192.0.2.1", "list.dnswl.org", "critical"}).has_value());
    BOOST_TEST(value_in(published.families, "mail_dnsbl_lists", {"192.0.2.1", "listed"}).value() == 2);
    BOOST_TEST(value_in(published.families, "mail_dnsbl_lists", {"192.0.2.1", "clean"}).value() == 0);
    BOOST_TEST(value_in(published.families, "mail_dnsbl_lists", {"192.0.2.1", "unknown"}).value() == 1);
    BOOST_TEST(!published.failure.has_value());
    const auto clean = run("addresses: [192.0.2.9]\nlists: [bl.example]\n").value();
    BOOST_TEST(value_in(clean.families, "mail_dnsbl_listed", {"192.0.2.9", "bl.example", "critical"}).value() == 0);
}

BOOST_AUTO_TEST_CASE(a_look_in_which_no_list_could_tell_has_failed) {
    const auto published = run("addresses: [192.0.2.1]\nlists: [mute.example]\n").value();
    BOOST_TEST(published.failure.value().what == "0 of 1 lists could tell about 192.0.2.1 (resolver 192.0.2.53)");
    BOOST_TEST(series_in(published.families, "mail_dnsbl_listed") == 0U);
    BOOST_TEST(value_in(published.families, "mail_dnsbl_lists", {"192.0.2.1", "unknown"}).value() == 1);
}

BOOST_AUTO_TEST_CASE(one_task_for_each_thing_named) {
    const auto made = tasks("addresses: [192.0.2.0/30, mx.example.net]\ndomains: [example.com]\n").value();
    BOOST_TEST(made.size() == 3U);
    BOOST_TEST(made[0].target == "192.0.2.0/30");
    BOOST_TEST((made[0].interval == std::chrono::minutes(15)));
    const auto by_name = run("addresses: [mx.example.net]\nlists: [bl.example]\n").value();
    BOOST_TEST(value_in(by_name.families, "mail_dnsbl_listed", {"192.0.2.7", "bl.example", "critical"}).value() == 0);
    const auto domain = run("domains: [example.com]\nlists: [bl.example, domains.example]\n").value();
    BOOST_TEST(value_in(domain.families, "mail_dnsbl_listed", {"example.com", "domains.example", "critical"}).value() ==
               0);
}

BOOST_AUTO_TEST_CASE(addresses_from_the_accounting) {
    const std::string section = "lists: [bl.example]\nnat: {10.1.2.3: 203.0.113.5}\n";
    BOOST_TEST(tasks(section).value().at(0).target == "accounting");
    BOOST_TEST(run(section).error().what.find("no accounting files are followed") == 0U);
    world.sending_addresses = [] { return std::vector<std::string>{"10.9.9.9", "other", ""}; };
    BOOST_TEST(run(section).error().what.find("no public address has been seen") == 0U);
    world.sending_addresses = [] {
        return std::vector<std::string>{"192.0.2.1", "10.1.2.3", "10.9.9.9", "other", "::ffff:192.0.2.1", "x"};
    };
    const auto published = run(section).value();
    BOOST_TEST(value_in(published.families, "mail_dnsbl_listed", {"192.0.2.1", "bl.example", "critical"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_dnsbl_listed", {"203.0.113.5", "bl.example", "critical"}).value() ==
               1);
    BOOST_TEST(series_in(published.families, "mail_dnsbl_listed") == 2U);
}

BOOST_AUTO_TEST_CASE(a_section_that_cannot_be_right_is_refused) {
    const std::pair<const char*, const char*> cases[] = {
        {"addresses: [10.0.0.1]\n", "addresses: 10.0.0.1 is private (RFC 1918)"},
        {"addresses: [192.0.2.1/24]\n", "has host bits set; write 192.0.2.0/24"},
        {"domains: [192.0.2.1]\n", "domains: \"192.0.2.1\" is an IP address"},
        {"domains: ['https://example.com/']\n", "domains: \"https://example.com/\" is a URL; write example.com"},
        {"addresses: ['192.0.2.1:25']\n", "addresses: \"192.0.2.1:25\" has a port; write 192.0.2.1"},
        {"nat: {10.0.0.1: 10.0.0.2}\n", "10.0.0.2 is private"},
        {"nat: {host: 192.0.2.1}\n", "the key is not an IP address"},
        {"lists: [spamhouse]\n", "unknown list \"spamhouse\""},
        {"interval: 0s\n", "interval: must be at least 1s"},
        {"address: [192.0.2.1]\n", "address"},
    };
    for (const auto& [text, message] : cases) {
        const auto made = tasks(text);
        BOOST_TEST(!made.has_value(), text);
        if (!made) BOOST_TEST(made.error().what.find(message) != std::string::npos, made.error().what);
    }
}

BOOST_AUTO_TEST_SUITE_END()
