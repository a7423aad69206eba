// The collector `certificate`: its section of the configuration, and what of an observation becomes a series.
#include "exporter/collectors/certificate.h"

#include <boost/test/unit_test.hpp>

#include "exporter/collectors/registry.h"
#include "shared/config/node.h"
#include "shared/io/files.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/metric_families.h"
#include "tests/support/scripted_stream.h"

namespace mtawatch::exporter::collectors {
namespace {

using test::value_in;

base::Result<std::vector<Task>> tasks_of(const char* yaml) {
    return certificate_tasks(config::parse_yaml(yaml, "config.yml").value());
}

BOOST_AUTO_TEST_CASE(the_section_becomes_one_task_per_target) {
    const auto tasks = tasks_of(R"(
interval: 30m
timeout: 15s
targets:
  - smtp://mx1.example.net
  - endpoint: imaps://imap.example.net:9993
    name: mail.example.net
    same_as: /etc/ssl/mail.pem
    dane: true
)");
    BOOST_REQUIRE(tasks.has_value());
    BOOST_REQUIRE(tasks->size() == 2U);
    BOOST_TEST(tasks->at(0).probe == "mail_cert");
    BOOST_TEST(tasks->at(0).target == "smtp://mx1.example.net");
    BOOST_TEST(tasks->at(1).target == "imaps://imap.example.net:9993");
    BOOST_TEST((tasks->at(0).interval == std::chrono::minutes(30)));
    BOOST_TEST((tasks->at(0).timeout == std::chrono::seconds(15)));
    BOOST_TEST((tasks_of("targets: [smtp://mx1.example.net]").value().at(0).interval == std::chrono::hours(1)));
}

BOOST_AUTO_TEST_CASE(mistakes_name_file_line_and_key) {
    const std::pair<const char*, const char*> cases[] = {
        {"interval: 1h", "targets"},
        {"targets: [gopher://x]", "config.yml line 1: targets[0]: gopher://x: unknown scheme \"gopher\""},
        {"targets:\n  - smtp://a.example.net\n  - {name: x}", "config.yml line 3"},
        {"targets:\n  - {endpoint: 'smtp://192.0.2.1', dane: true}", "no host name that could have TLSA records"},
        {"targets: [smtp://a.example.net]\nspeed: 3", "speed"},
        {"targets: [smtp://a.example.net]\ninterval: 5s\ntimeout: 10s", "timeout must not be longer than interval"},
    };
    for (const auto& [yaml, text] : cases) {
        const auto tasks = tasks_of(yaml);
        BOOST_REQUIRE_MESSAGE(!tasks.has_value(), yaml);
        BOOST_TEST((tasks.error().fault == base::Fault::configuration));
        BOOST_TEST(tasks.error().what.find(text) != std::string::npos, tasks.error().what);
    }
}

probe::mail_server::CertLook shown() {
    probe::mail_server::CertLook look;
    look.target = "smtp://mx1.example.net";
    tls::Certificate own;
    own.not_after = 1'800'000'000;
    tls::Certificate authority;
    authority.not_after = 1'900'000'000;
    look.path = {own, authority};
    look.verified = true;
    look.name_matches = true;
    return look;
}

BOOST_AUTO_TEST_CASE(what_was_seen_is_published_and_nothing_else) {
    const std::vector<std::string> target{"smtp://mx1.example.net"};
    probe::mail_server::CertLook look = shown();
    Published published = publish({.looks = {look}, .at = {}});
    BOOST_TEST(value_in(published.families, "mail_certificate_not_after_timestamp_seconds", {target[0], "0"}).value() ==
               1.8e9);
    BOOST_TEST(value_in(published.families, "mail_certificate_not_after_timestamp_seconds", {target[0], "1"}).value() ==
               1.9e9);
    BOOST_TEST(value_in(published.families, "mail_certificate_verified", target).value() == 1);
    BOOST_TEST(!value_in(published.families, "mail_certificate_dane_valid", target).has_value());
    BOOST_TEST(!value_in(published.families, "mail_certificate_served_matches_file", target).has_value());
    BOOST_TEST(!published.failure.has_value());

    look.name_matches = false;
    look.same_as_file = false;
    look.dane = probe::mail_server::DaneFacts{};
    look.dane->records = 1;
    published = publish({.looks = {look}, .at = {}});
    BOOST_TEST(value_in(published.families, "mail_certificate_verified", target).value() == 0);
    BOOST_TEST(value_in(published.families, "mail_certificate_served_matches_file", target).value() == 0);
    BOOST_TEST(value_in(published.families, "mail_certificate_dane_valid", target).value() == 0);
    look.dane->valid = true;
    BOOST_TEST(value_in(publish({.looks = {look}, .at = {}}).families, "mail_certificate_dane_valid", target).value() ==
               1);
    look.dane->records = 0;
    BOOST_TEST(
        !value_in(publish({.looks = {look}, .at = {}}).families, "mail_certificate_dane_valid", target).has_value());
    look.dane->error = base::Error{base::Fault::resolver, "SERVFAIL"};
    published = publish({.looks = {look}, .at = {}});
    BOOST_TEST(!value_in(published.families, "mail_certificate_dane_valid", target).has_value());
    BOOST_TEST(published.failure.value().what == "smtp://mx1.example.net: SERVFAIL");
}

BOOST_AUTO_TEST_CASE(a_failed_look_publishes_nothing_and_a_server_without_tls_is_not_verified) {
    probe::mail_server::CertLook look;
    look.target = "smtp://mx1.example.net";
    look.error = base::Error{base::Fault::refused, "192.0.2.25:25: connection refused"};
    Published published = publish({.looks = {look}, .at = {}});
    BOOST_TEST(published.families.empty());
    BOOST_TEST(published.failure.value().what == "smtp://mx1.example.net: 192.0.2.25:25: connection refused");
    look.error.reset();
    look.outcome = probe::mail_server::CertOutcome::not_offered;
    published = publish({.looks = {look}, .at = {}});
    BOOST_TEST(value_in(published.families, "mail_certificate_verified", {"smtp://mx1.example.net"}).value() == 0);
    BOOST_TEST(!published.failure.has_value());
}

BOOST_AUTO_TEST_CASE(a_task_looks_for_itself) {
    test::FakeClock clock;
    io::Files files;
    test::ScriptedNetwork network;
    const auto own = test::make_certificate({.common_name = "a"});
    network.add("192.0.2.1:993", {test::tls({own}), test::hang()});
    probe::world::World world;
    world.clock = &clock;
    world.files = &files;
    world.connector = &network;
    const auto tasks = tasks_of("targets: [imaps://192.0.2.1]");
    const auto published = tasks->at(0).run(world, base::Deadline(clock, std::chrono::seconds(5)));
    BOOST_REQUIRE(published.has_value());
    BOOST_TEST(value_in(published->families, "mail_certificate_verified", {"imaps://192.0.2.1"}).value() == 0);
    BOOST_TEST(value_in(published->families, "mail_certificate_not_after_timestamp_seconds", {"imaps://192.0.2.1", "0"})
                   .value() == static_cast<double>(test::test_now + 80 * test::one_day));
}

}  // namespace
}  // namespace mtawatch::exporter::collectors
