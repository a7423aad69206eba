// Fixture of check_mail_cert's tests: an authority, a good certificate for mx1.example.net, and a scripted network.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/certificate_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/run_check.h"
#include "tests/support/scripted_stream.h"
#include "tests/support/zone_transport.h"

namespace mtawatch::test::mail_cert {

inline constexpr std::int64_t end_of_time = 253'402'300'799;  // 9999-12-31 23:59:59

inline Script smtp_with(const test::TlsServer& server) {
    return {say("220 mx1.example.net ESMTP\r\n"),
            expect("EHLO localhost.localdomain"),
            say("250-mx1.example.net\r\n250 STARTTLS\r\n"),
            expect("STARTTLS"),
            say("220 go\r\n"),
            test::tls(server),
            expect("QUIT"),
            say("221 bye\r\n"),
            close()};
}

struct Fixture {
    test::FakeClock clock;
    Folder folder;
    io::Files files = folder.files();
    test::ScriptedNetwork network;
    test::ZoneText zone{R"(
mx1.example.net            A     192.0.2.25
mx1.example.net            !SIGNED
two.example.net            A     192.0.2.25
two.example.net            AAAA  2001:db8::25
dead.example.net           !SERVFAIL
slow.example.net           A     192.0.2.99
)"};
    probe::world::World world;
    MadeCertificate root = make_authority("Example Root");
    MadeCertificate middle = make_authority("Example Issuer", &root);
    MadeCertificate leaf = certificate();

    Fixture() {
        world.clock = &clock;
        world.files = &files;
        world.connector = &network;
        world.open_dns = zone.opener();
        folder.write("/ca.pem", root.pem());
    }
    MadeCertificate certificate(std::int64_t days = 80, test::KeyKind key = test::KeyKind::ec_p256) const {
        return make_certificate({.common_name = "mx1.example.net",
                                 .names = {"DNS:mx1.example.net"},
                                 .issuer = &middle,
                                 .key = key,
                                 .not_after = test_now + days * one_day});
    }
    void serve(const MadeCertificate& own) { network.add("192.0.2.25:25", smtp_with({own, {middle}})); }
    plugin::Outcome run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--ca-file", "/ca.pem"});
        return test::run_check(arguments, world);
    }
};

struct Case {
    const char* name;
    std::function<void(Fixture&)> prepare;
    std::vector<std::string> arguments;
    int exit_code;
    std::string text;
};

inline const std::string target = "smtp://mx1.example.net";
inline const std::vector<std::string> mx1{"-e", target};

inline void check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        BOOST_TEST_CONTEXT(c.name) {
            Fixture net;
            c.prepare(net);
            const auto outcome = net.run(c.arguments);
            BOOST_TEST(outcome.text == c.text);
            BOOST_TEST(outcome.exit_code == c.exit_code);
            BOOST_TEST(net.network.complaints() == "");
        }
    }
}

}  // namespace mtawatch::test::mail_cert
