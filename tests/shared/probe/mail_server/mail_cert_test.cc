// The probe below check_mail_cert: endpoints as they are written, many at once, and a run whose time is over.
#include "shared/probe/mail_server/mail_cert.h"

#include <boost/test/unit_test.hpp>

#include "shared/io/files.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_stream.h"

namespace mtawatch::probe::mail_server {
namespace {

using smtp::Protocol;

BOOST_AUTO_TEST_CASE(endpoints_as_they_are_written) {
    const std::tuple<const char*, const char*, std::uint16_t, std::optional<Protocol>> cases[] = {
        {"smtp://mx1.example.net", "mx1.example.net", 25, Protocol::smtp},
        {"SMTP://mx1.example.net/", "mx1.example.net", 25, Protocol::smtp},
        {"submission://mx1.example.net:5870", "mx1.example.net", 5870, Protocol::smtp},
        {"smtps://[2001:db8::1]:4650", "2001:db8::1", 4650, std::nullopt},
        {"imap://192.0.2.1", "192.0.2.1", 143, Protocol::imap},
        {"imaps://[2001:db8::1]", "2001:db8::1", 993, std::nullopt},
        {"pop3://a", "a", 110, Protocol::pop3},
        {"pop3s://a", "a", 995, std::nullopt},
        {"sieve://a", "a", 4190, Protocol::sieve},
        {"lmtp://a", "a", 24, Protocol::lmtp},
        {"https://a", "a", 443, std::nullopt},
    };
    for (const auto& [text, host, port, starttls] : cases) {
        const auto endpoint = parse_cert_endpoint(text);
        BOOST_REQUIRE_MESSAGE(endpoint.has_value(), text);
        BOOST_TEST(endpoint->host == host);
        BOOST_TEST(endpoint->port == port);
        BOOST_TEST((endpoint->starttls == starttls));
    }
    BOOST_TEST(parse_cert_endpoint("file:///etc/ssl/*.pem").value().path == "/etc/ssl/*.pem");
    for (const char* text : {"", "smtp", "smtp:mx1", "://x", "smtp://", "smtp://[::1", "smtp://[::1]x", "smtp://a:b",
                             "smtp://a:", "smtp://a:1:2", "smtp://a b", "smtp://a/b", "file://x", "file://"}) {
        BOOST_TEST((parse_cert_endpoint(text).error().fault == base::Fault::usage), text);
    }
    BOOST_TEST(cert_endpoint("2001:db8::1", 993, "").value().text == "imaps://[2001:db8::1]");
    BOOST_TEST(cert_endpoint("a", 2525, "lmtp").value().text == "lmtp://a:2525");
    BOOST_TEST(!cert_endpoint("a", 2525, "smtps").has_value());
}

struct Fixture {
    test::FakeClock clock;
    io::Files files;
    test::ScriptedNetwork network;
    world::World world;
    MailCertQuery query;

    Fixture() {
        world.clock = &clock;
        world.files = &files;
        world.connector = &network;
        query.verify = false;
    }
};

BOOST_FIXTURE_TEST_CASE(two_hundred_endpoints_come_back_in_their_order, Fixture) {
    const auto own = test::make_certificate({.common_name = "a"});
    for (int i = 0; i < 200; ++i) {
        const std::string host = "192.0.2." + std::to_string(i);
        network.add(host + ":993", {test::tls({own}), test::hang()});
        query.endpoints.push_back(parse_cert_endpoint("imaps://" + host).value());
    }
    const auto seen = mail_cert(query, base::Deadline(clock, std::chrono::seconds(5)), world);
    BOOST_REQUIRE(seen.has_value());
    BOOST_REQUIRE(seen->looks.size() == 200U);
    for (std::size_t i = 0; i < seen->looks.size(); ++i) {
        BOOST_TEST(seen->looks[i].address == "192.0.2." + std::to_string(i));
        BOOST_TEST((seen->looks[i].outcome == CertOutcome::shown));
        BOOST_TEST(!seen->looks[i].verified.has_value());
    }
}

BOOST_FIXTURE_TEST_CASE(an_endpoint_that_was_never_tried_did_not_fail_to_answer, Fixture) {
    query.endpoints = {parse_cert_endpoint("imaps://192.0.2.1").value()};
    const auto seen = mail_cert(query, base::Deadline(clock, std::chrono::seconds(0)), world);
    BOOST_REQUIRE(seen.has_value());
    BOOST_TEST((seen->looks.at(0).error.value().fault == base::Fault::deadline));
    BOOST_TEST(network.connections() == 0U);
}

BOOST_FIXTURE_TEST_CASE(too_many_endpoints_are_refused, Fixture) {
    query.endpoints.assign(MailCertQuery::max_endpoints + 1, parse_cert_endpoint("imaps://192.0.2.1").value());
    const auto seen = mail_cert(query, base::Deadline(clock, std::chrono::seconds(5)), world);
    BOOST_TEST((seen.error().fault == base::Fault::usage));
}

}  // namespace
}  // namespace mtawatch::probe::mail_server
