// The collector `mail_auth`: its section of the configuration, one pass over the DNS, and what becomes a series.
#include "exporter/collectors/mail_auth.h"

#include <boost/test/unit_test.hpp>

#include "shared/config/node.h"
#include "shared/io/files.h"
#include "tests/support/fake_clock.h"
#include "tests/support/metric_families.h"
#include "tests/support/scripted_stream.h"
#include "tests/support/zone_transport.h"

namespace mtawatch::exporter::collectors {
namespace {

using test::value_in;

base::Result<std::vector<Task>> tasks_of(const char* yaml) {
    return mail_auth_tasks(config::parse_yaml(yaml, "config.yml").value());
}

constexpr const char* section = R"(
domains:
  - domain: example.com
    selectors: [s1]
    addresses: [192.0.2.10, 192.0.2.11]
addresses: [192.0.2.10]
helo: mail.example.com
)";

constexpr const char* good = R"(
example.com                  TXT "v=spf1 mx -all"
example.com                  MX  10 mail.example.com
mail.example.com             A   192.0.2.10
_dmarc.example.com           TXT "v=DMARC1; p=reject; rua=mailto:d@example.com"
_smtp._tls.example.com       TXT "v=TLSRPTv1; rua=mailto:t@example.com"
s1._domainkey.example.com    TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
10.2.0.192.in-addr.arpa      PTR mail.example.com
)";

// Runs a task of `section` against zone text.
struct Ran {
    base::Result<Published> published;
    std::vector<std::string> asked;
};
Ran run(const char* zone_text, std::size_t index, const char* yaml = section) {
    test::ZoneText zone(zone_text);
    test::FakeClock clock;
    test::ScriptedNetwork network;
    io::Files files;
    probe::world::World world;
    world.clock = &clock;
    world.files = &files;
    world.connector = &network;
    world.open_dns = zone.opener(&clock);
    const std::vector<Task> tasks = tasks_of(yaml).value();
    return {tasks.at(index).run(world, base::Deadline(clock, std::chrono::seconds(60))), zone.asked()};
}

BOOST_AUTO_TEST_CASE(mail_auth_section_becomes_one_task_per_domain_and_address) {
    const auto tasks = tasks_of(section).value();
    BOOST_REQUIRE(tasks.size() == 2U);
    BOOST_TEST(tasks[0].probe == "mail_auth");
    BOOST_TEST(tasks[0].target == "example.com");
    BOOST_TEST(tasks[1].target == "192.0.2.10");
    BOOST_TEST((tasks[0].interval == std::chrono::hours(1)));
    BOOST_TEST(tasks_of("domains: [example.com, example.net]").value().size() == 2U);
}

BOOST_AUTO_TEST_CASE(mail_auth_mistakes_name_file_line_and_key) {
    const std::pair<const char*, const char*> cases[] = {
        {"interval: 1h", "names nothing to look at"},
        {"domains:\n  - example.com\n  - a..b", "config.yml line 3: domains[1]: \"a..b\" has an empty label"},
        {"domains:\n  - domain: example.com\n    addresses: [x]", "\"x\" is no IPv4 or IPv6 address"},
        {"domains:\n  - selectors: [a]", "domain"},
        {"domains: [user@example.com]", "\"user@example.com\" is a mail address; write example.com"},
        {"addresses: [192.0.2.1]\nhelo: '[192.0.2.1]'", "\"[192.0.2.1]\" has brackets around it"},
        {"addresses: [192.0.2.1]\nspeed: 3", "speed"},
        {"addresses: [192.0.2.1]\ninterval: 10ms", "interval: must be at least 1s"},
    };
    for (const auto& [yaml, text] : cases) {
        const auto tasks = tasks_of(yaml);
        BOOST_REQUIRE_MESSAGE(!tasks.has_value(), yaml);
        BOOST_TEST((tasks.error().fault == base::Fault::configuration), tasks.error().what);
        BOOST_TEST(tasks.error().what.find(text) != std::string::npos, tasks.error().what);
    }
}

BOOST_AUTO_TEST_CASE(a_good_domain_is_valid_in_every_respect) {
    const Ran ran = run(good, 0);
    BOOST_REQUIRE(ran.published.has_value());
    const Published& published = *ran.published;
    BOOST_TEST(!published.failure.has_value());
    BOOST_TEST(value_in(published.families, "mail_spf_valid", {"example.com"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_spf_lookups", {"example.com"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_spf_pass", {"example.com", "192.0.2.10"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_spf_pass", {"example.com", "192.0.2.11"}).value() == 0);
    BOOST_TEST(value_in(published.families, "mail_dkim_valid", {"example.com", "s1"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_dkim_key_bytes", {"example.com", "s1"}).value() == 32);
    BOOST_TEST(value_in(published.families, "mail_dmarc_valid", {"example.com"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_dmarc_policy", {"example.com", "reject"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_tls_rpt_valid", {"example.com"}).value() == 1);
    BOOST_TEST(!value_in(published.families, "mail_mta_sts_valid", {"example.com"}).has_value());
    BOOST_TEST(value_in(run(good, 1).published.value().families, "mail_fcrdns_valid", {"192.0.2.10"}).value() == 1);
    // One pass: nothing is asked twice.
    for (const std::string& question : ran.asked) {
        BOOST_TEST(std::ranges::count(ran.asked, question) == 1, question);
    }
}

BOOST_AUTO_TEST_CASE(a_bare_domain_is_invalid_and_nothing_is_made_up) {
    const Ran ran = run("example.com A 192.0.2.1", 0);
    const Published& published = ran.published.value();
    for (const char* metric : {"mail_spf_valid", "mail_dmarc_valid"}) {
        BOOST_TEST(value_in(published.families, metric, {"example.com"}).value() == 0, metric);
    }
    BOOST_TEST(value_in(published.families, "mail_dkim_valid", {"example.com", "s1"}).value() == 0);
    BOOST_TEST(!value_in(published.families, "mail_dkim_key_bytes", {"example.com", "s1"}).has_value());
    BOOST_TEST(!value_in(published.families, "mail_spf_lookups", {"example.com"}).has_value());
    BOOST_TEST(!value_in(published.families, "mail_tls_rpt_valid", {"example.com"}).has_value());
    BOOST_TEST(
        value_in(run("example.com A 192.0.2.1", 1).published.value().families, "mail_fcrdns_valid", {"192.0.2.10"})
            .value() == 0);
    const Ran wanted =
        run("example.com A 192.0.2.1", 0, "domains: [{domain: example.com, mta_sts: true, tls_rpt: true}]");
    BOOST_TEST(value_in(wanted.published.value().families, "mail_mta_sts_valid", {"example.com"}).value() == 0);
    BOOST_TEST(value_in(wanted.published.value().families, "mail_tls_rpt_valid", {"example.com"}).value() == 0);
}

BOOST_AUTO_TEST_CASE(a_silent_resolver_is_a_failed_look_without_values) {
    const Ran ran = run("*.example.com !TIMEOUT\nexample.com !TIMEOUT", 0);
    BOOST_REQUIRE(ran.published.has_value());
    BOOST_TEST(ran.published->failure.has_value());
    BOOST_TEST(ran.published->families.empty());
}

BOOST_AUTO_TEST_CASE(the_part_that_could_be_seen_is_published) {
    const Ran ran = run((std::string(good) + "s1._domainkey.example.com !SERVFAIL\n").c_str(), 0);
    BOOST_TEST(ran.published.value().failure.has_value());
    BOOST_TEST(value_in(ran.published->families, "mail_spf_valid", {"example.com"}).value() == 1);
    BOOST_TEST(!value_in(ran.published->families, "mail_dkim_valid", {"example.com", "s1"}).has_value());
}

}  // namespace
}  // namespace mtawatch::exporter::collectors
