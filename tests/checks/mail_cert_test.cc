// check_mail_cert against scripted servers and a resolver made of text.
#include <openssl/ssl.h>

#include "tests/checks/mail_cert_fixture.h"

namespace mtawatch::checks {
namespace {

using namespace test::mail_cert;
using test::close;
using test::expect;
using test::hang;
using test::MadeCertificate;
using test::make_authority;
using test::make_certificate;
using test::one_day;
using test::say;
using test::Script;
using test::test_now;

BOOST_AUTO_TEST_CASE(days_left) {
    check({
        {"ok", [](Fixture& net) { net.serve(net.leaf); }, mx1, 0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02 | "
         "mx1.example.net_smtp=80;30:;7:\n"},
        {"ok_at_the_warning_edge", [](Fixture& net) { net.serve(net.certificate(30)); }, mx1, 0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 30 d, on 2023-12-14 | "
         "mx1.example.net_smtp=30;30:;7:\n"},
        {"warning_one_day_further", [](Fixture& net) { net.serve(net.certificate(29)); }, mx1, 1,
         "MAIL_CERT WARNING - smtp://mx1.example.net: the certificate expires in 29 d, on 2023-12-13 | "
         "mx1.example.net_smtp=29;30:;7:\n"},
        {"critical", [](Fixture& net) { net.serve(net.certificate(6)); }, mx1, 2,
         "MAIL_CERT CRITICAL - smtp://mx1.example.net: the certificate expires in 6 d, on 2023-11-20 | "
         "mx1.example.net_smtp=6;30:;7:\n"},
        {"expired", [](Fixture& net) { net.serve(net.certificate(-2)); }, mx1, 2,
         "MAIL_CERT CRITICAL - smtp://mx1.example.net: the certificate expired 2 d ago, on 2023-11-12 | "
         "mx1.example.net_smtp=-2;30:;7:\n"},
        {"expired_whatever_the_thresholds",
         [](Fixture& net) { net.serve(net.certificate(-2)); },
         {"-e", target, "-w", "~:", "-c", "~:"},
         2,
         "MAIL_CERT CRITICAL - smtp://mx1.example.net: the certificate expired 2 d ago, on 2023-11-12 | "
         "mx1.example.net_smtp=-2;~:;~:\n"},
        {"percent_of_the_lifetime_warning",
         [](Fixture& net) { net.serve(net.leaf); },
         {"-e", target, "-w", "90%", "-c", "10%:"},
         1,
         "MAIL_CERT WARNING - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02 | "
         "mx1.example.net_smtp=80\n"},
        {"percent_of_the_lifetime_ok",
         [](Fixture& net) { net.serve(net.leaf); },
         {"-e", target, "-w", "88%:", "-c", "10%:"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02 | "
         "mx1.example.net_smtp=80\n"},
        {"year_9999",
         [](Fixture& net) {
             net.serve(make_certificate({.common_name = "x",
                                         .names = {"DNS:mx1.example.net"},
                                         .issuer = &net.root,
                                         .not_before = -315'619'200,
                                         .not_after = end_of_time}));
         },
         {"-e", target, "-w", "30:", "-c", "7:"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the issuer certificate CN=Example Root expires in 1825 d, on "
         "2028-11-12 | mx1.example.net_smtp=1825;30:;7:\n"},
        {"not_yet_valid_and_valid_until_before_1970",
         [](Fixture& net) {
             net.serve(make_certificate({.common_name = "x",
                                         .names = {"DNS:mx1.example.net"},
                                         .issuer = &net.root,
                                         .not_before = test_now + one_day,
                                         .not_after = -315'619'200}));
         },
         mx1, 2,
         "MAIL_CERT CRITICAL - smtp://mx1.example.net: the certificate is not valid before 2023-11-15; the certificate "
         "expired 23328 d 22 h ago, on 1960-01-01 | mx1.example.net_smtp=-23328.93;30:;7:\n"},
        {"an_intermediate_expires_first",
         [](Fixture& net) {
             test::Recipe recipe{.common_name = "Example Issuer", .issuer = &net.root, .authority = true};
             recipe.not_after = test_now + 3 * one_day;
             recipe.same_key_as = &net.middle;
             net.network.add("192.0.2.25:25", smtp_with({net.leaf, {make_certificate(recipe)}}));
         },
         mx1, 2,
         "MAIL_CERT CRITICAL - smtp://mx1.example.net: the issuer certificate CN=Example Issuer expires in 3 d, on "
         "2023-11-17 | mx1.example.net_smtp=3;30:;7:\n"},
        {"an_expired_one_sent_along_is_a_warning",
         [](Fixture& net) {
             const auto stray = make_certificate(
                 {.common_name = "Old Cross Root", .issuer = &net.root, .not_after = test_now - 5 * one_day});
             net.network.add("192.0.2.25:25", smtp_with({net.leaf, {net.middle, stray}}));
         },
         mx1, 1,
         "MAIL_CERT WARNING - smtp://mx1.example.net: an unneeded certificate is sent along and expired 5 d ago, "
         "on 2023-11-09: CN=Old Cross Root | mx1.example.net_smtp=80;30:;7:\n"},
        {"a_chain_of_50",
         [](Fixture& net) {
             std::vector<MadeCertificate> chain{net.root};
             for (int i = 0; i < 48; ++i) chain.push_back(make_authority("level " + std::to_string(i), &chain.back()));
             const auto own =
                 make_certificate({.common_name = "x", .names = {"DNS:mx1.example.net"}, .issuer = &chain.back()});
             net.network.add("192.0.2.25:25", smtp_with({own, {chain.rbegin(), chain.rend()}}));
         },
         mx1, 0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02 | "
         "mx1.example.net_smtp=80;30:;7:\n"},
    });
}

BOOST_AUTO_TEST_CASE(trust_and_strength) {
    const std::string end = " | mx1.example.net_smtp=80;30:;7:\n";
    const auto one = [](const test::Recipe& recipe) {
        return [recipe](Fixture& net) {
            test::Recipe own = recipe;
            if (own.names.empty()) own.names = {"DNS:mx1.example.net"};
            own.issuer = &net.root;
            net.network.add("192.0.2.25:25", smtp_with({.own = make_certificate(own)}));
        };
    };
    const auto old_tls = [](int version) {
        return [version](Fixture& net) {
            net.network.add("192.0.2.25:25",
                            smtp_with({.own = net.leaf, .chain = {net.middle}, .max_protocol = version}));
        };
    };
    const std::string head = "MAIL_CERT CRITICAL - smtp://mx1.example.net: ";
    const std::string warn = "MAIL_CERT WARNING - smtp://mx1.example.net: ";
    check({
        {"crit_wrong_name", one({.common_name = "x", .names = {"DNS:other.example.net", "DNS:third.example.net"}}), mx1,
         2, head + "the certificate is not for mx1.example.net but for other.example.net third.example.net" + end},
        {"ok_wrong_name_but_named",
         one({.common_name = "x", .names = {"DNS:other.example.net"}}),
         {"-e", target, "--name", "other.example.net"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02" + end},
        {"ok_wrong_name_unverified",
         one({.common_name = "x", .names = {"DNS:other.example.net"}}),
         {"-e", target, "--no-verify"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02" + end},
        {"crit_missing_intermediate",
         [](Fixture& net) { net.network.add("192.0.2.25:25", smtp_with({.own = net.leaf})); }, mx1, 2,
         head +
             "no trusted authority is known for the certificate: send the certificate of its issuer along, or name the "
             "authority by --ca-file; issuer: CN=Example Issuer" +
             end},
        {"crit_self_signed", [](Fixture& net) { net.serve(make_certificate({.common_name = "mx1.example.net"})); }, mx1,
         2, head + "the certificate is self-signed and not trusted here" + end},
        {"crit_unknown_authority",
         [](Fixture& net) {
             const auto other = make_authority("Other Root");
             net.network.add(
                 "192.0.2.25:25",
                 smtp_with({make_certificate({.common_name = "x", .names = {"DNS:mx1.example.net"}, .issuer = &other}),
                            {other}}));
         },
         mx1, 2, head + "the chain ends in an authority that is not trusted here: CN=Other Root" + end},
        {"crit_client_certificate", one({.common_name = "x", .purpose = "clientAuth"}), mx1, 2,
         head + "the certificate: unsuitable certificate purpose" + end},
        {"warn_weak_key", one({.common_name = "x", .key = test::KeyKind::rsa_1024}), mx1, 1,
         warn + "the certificate has a weak key: RSA with 1024 bits" + end},
        {"crit_broken_key",
         [](Fixture& net) {
             const auto own = make_certificate({.common_name = "x",
                                                .names = {"DNS:mx1.example.net"},
                                                .issuer = &net.root,
                                                .key = test::KeyKind::rsa_512});
             net.network.add("192.0.2.25:25", smtp_with({.own = own, .max_protocol = TLS1_1_VERSION}));
         },
         {"-e", target, "--min-tls", "1.1"},
         2,
         head + "the certificate has a weak key: RSA with 512 bits" + end},
        {"warn_sha1", one({.common_name = "x", .digest = "SHA1"}), mx1, 1,
         warn + "the certificate is signed over a weak digest: ecdsa-with-SHA1" + end},
        {"warn_tls_1_0_only", old_tls(TLS1_VERSION), mx1, 1,
         warn + "the server speaks TLSv1.0 at best, wanted is TLSv1.2" + end},
        {"crit_tls_1_2_where_1_3_is_wanted",
         old_tls(TLS1_2_VERSION),
         {"-e", target, "--min-tls", "1.3"},
         2,
         head + "the server speaks TLSv1.2 at best, wanted is TLSv1.3" + end},
        {"ok_tls_1_1_allowed",
         old_tls(TLS1_1_VERSION),
         {"-e", target, "--min-tls", "1.0"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02" + end},
        {"ok_client_certificate_wanted",
         [](Fixture& net) {
             Script script = smtp_with({.own = net.leaf,
                                        .chain = {net.middle},
                                        .max_protocol = TLS1_2_VERSION,
                                        .demands_client_certificate = true});
             script.resize(6);
             net.network.add("192.0.2.25:25", script);
         },
         mx1, 0, "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02" + end},
        {"crit_not_yet_valid", one({.common_name = "x", .not_before = test_now + 2 * one_day}), mx1, 2,
         head + "the certificate is not valid before 2023-11-16" + end},
    });
}

BOOST_AUTO_TEST_CASE(servers_that_show_no_certificate) {
    const auto serving = [](Script script) {
        return [script](Fixture& net) { net.network.add("192.0.2.25:25", script); };
    };
    const std::string head = "MAIL_CERT CRITICAL - smtp://mx1.example.net: ";
    const test::Step hello = say("220 mx1\r\n");
    const test::Step offer = say("250-mx1\r\n250 STARTTLS\r\n");
    check({
        {"greeting_554", serving({say("554 5.7.1 go away\r\n"), close()}), mx1, 2,
         head + "the server's greeting is a refusal: 554 5.7.1 go away\n"},
        {"no_starttls", serving({hello, expect("*"), say("250-mx1\r\n250 SIZE\r\n"), expect("QUIT"), close()}), mx1, 2,
         head + "STARTTLS is not offered, so mail and passwords go in plain text: 250 mx1\n"},
        {"starttls_refused", serving({hello, expect("*"), offer, expect("STARTTLS"), say("454 no key\r\n"), close()}),
         mx1, 2, head + "STARTTLS is offered, but refused: 454 no key\n"},
        {"talks_after_starttls",
         serving({hello, expect("*"), offer, expect("STARTTLS"), say("220 go\r\n250 evil\r\n"), hang()}), mx1, 2,
         head + "plain text came behind the STARTTLS go-ahead; somebody in between can inject it: 250 evil\n"},
        {"talks_after_starttls_a_packet_later",
         serving({hello, expect("*"), offer, expect("STARTTLS"), say("220 go\r\n"), test::anything(),
                  say("250 evil and more\r\n"), hang()}),
         mx1, 2,
         head + "plain text came behind the STARTTLS go-ahead; somebody in between can inject it: 250 evil and more\n"},
        {"garbage", serving({say("\x80\x01|\r\n"), close()}), mx1, 2,
         head + "what answers does not speak SMTP: \xef\xbf\xbd !\n"},
        {"endless_greeting", serving({say("220 " + std::string(20'000, 'x')), hang()}), mx1, 2,
         head + "what answers does not speak SMTP: the server says a line of more than 16384 bytes\n"},
        {"half_closed", serving({say("220 mx1.exa"), close()}), mx1, 2,
         head + "the server closed the connection before TLS was up\n"},
        {"closed_in_the_handshake",
         serving({hello, expect("*"), offer, expect("STARTTLS"), say("220 go\r\n"), close()}), mx1, 2,
         head + "the server closed the connection before TLS was up: the peer closed the connection during the TLS "
                "handshake\n"},
        {"handshake_alert",
         serving({hello, expect("*"), offer, expect("STARTTLS"), say("220 go\r\n"), test::anything(),
                  say(std::string("\x15\x03\x01\x00\x02\x02\x28", 7)), close()}),
         mx1, 2, head + "no TLS connection: sslv3 alert handshake failure\n"},
        {"banner_delay_in_time",
         [](Fixture& net) {
             Script script = smtp_with({net.leaf, {net.middle}});
             script.insert(script.begin(), test::delay(std::chrono::seconds(6)));
             net.network.add("192.0.2.25:25", script);
         },
         mx1, 0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02 | "
         "mx1.example.net_smtp=80;30:;7:\n"},
        {"banner_too_late", serving({test::delay(std::chrono::seconds(9)), hello}), mx1, 2,
         head + "no answer in time, before TLS\n"},
        {"port_that_never_answers",
         [](Fixture& net) { net.network.add_silent("192.0.2.99:25"); },
         {"-e", "smtp://slow.example.net"},
         2,
         "MAIL_CERT CRITICAL - smtp://slow.example.net: 192.0.2.99:25: no answer in time\n"},
        {"silent_in_the_handshake", serving({hello, expect("*"), offer, expect("STARTTLS"), say("220 go\r\n"), hang()}),
         mx1, 2, head + "no answer in time, in the TLS handshake\n"},
        {"refused_port", [](Fixture&) {}, mx1, 2, head + "192.0.2.25:25: connection refused\n"},
        {"resolver_fails",
         [](Fixture&) {},
         {"-e", "smtp://dead.example.net"},
         3,
         "MAIL_CERT UNKNOWN - smtp://dead.example.net: A dead.example.net: the resolver 192.0.2.53 answered "
         "SERVFAIL\n"},
        {"no_such_name",
         [](Fixture&) {},
         {"-e", "smtp://gone.example.net"},
         2,
         "MAIL_CERT CRITICAL - smtp://gone.example.net: there is no host gone.example.net in the DNS\n"},
        {"plain_port_for_tls",
         [hello](Fixture& net) {
             net.network.add("192.0.2.25:465", {hello, hang()});
         },
         {"-e", "smtps://mx1.example.net"},
         2,
         "MAIL_CERT CRITICAL - smtps://mx1.example.net: what answers does not speak TLS: 220 mx1\n"},
    });
}

BOOST_AUTO_TEST_CASE(several_endpoints_worst_first) {
    check({
        {"mixed",
         [](Fixture& net) {
             net.network.add("192.0.2.1:25", smtp_with({net.leaf, {net.middle}}));
             net.network.add("192.0.2.2:465", {test::tls({net.certificate(20), {net.middle}}), hang()});
             net.network.add("192.0.2.3:993", {test::tls({net.certificate(3), {net.middle}}), hang()});
         },
         {"--name", "mx1.example.net", "-e", "smtp://192.0.2.1", "-e", "smtps://192.0.2.2", "-e", "imaps://192.0.2.3",
          "-e", "imaps://192.0.2.4:9993", "-v"},
         2,
         "MAIL_CERT CRITICAL - imaps://192.0.2.4:9993: 192.0.2.4:9993: connection refused (and 2 more)"
         " | 192.0.2.1_smtp=80;30:;7: 192.0.2.2_smtps=20;30:;7: 192.0.2.3_imaps=3;30:;7:\n"
         "CRITICAL: imaps://192.0.2.3: the certificate expires in 3 d, on 2023-11-17\n"
         "WARNING: smtps://192.0.2.2: the certificate expires in 20 d, on 2023-12-04\n"
         "OK: smtp://192.0.2.1: the certificate expires in 80 d, on 2024-02-02\n"},
        {"all_fine",
         [](Fixture& net) {
             net.network.add("192.0.2.1:25", smtp_with({net.leaf, {net.middle}}));
             net.network.add("192.0.2.2:465", {test::tls({net.certificate(70), {net.middle}}), hang()});
         },
         {"--name", "mx1.example.net", "-e", "smtp://192.0.2.1", "-e", "smtps://192.0.2.2"},
         0,
         "MAIL_CERT OK - 2 targets are fine; first to expire: smtps://192.0.2.2: the certificate "
         "expires in 70 d, on 2024-01-23"
         " | 192.0.2.1_smtp=80;30:;7: 192.0.2.2_smtps=70;30:;7:\n"},
        {"every_address_of_a_host",
         [](Fixture& net) {
             net.serve(net.leaf);
             net.network.add("[2001:db8::25]:25", smtp_with({net.certificate(3), {net.middle}}));
         },
         {"-e", "smtp://two.example.net", "--all-addresses", "--name", "mx1.example.net"},
         2,
         "MAIL_CERT CRITICAL - smtp://two.example.net (2001:db8::25): the certificate expires in 3 d, on 2023-11-17"
         " | two.example.net_smtp_192.0.2.25=80;30:;7: two.example.net_smtp_2001_db8__25=3;30:;7:\n"},
        {"the_first_address_that_answers",
         [](Fixture& net) {
             net.network.add("[2001:db8::25]:25", smtp_with({net.leaf, {net.middle}}));
         },
         {"-e", "smtp://two.example.net", "--name", "mx1.example.net"},
         0,
         "MAIL_CERT OK - smtp://two.example.net: the certificate expires in 80 d, on 2024-02-02 | "
         "two.example.net_smtp=80;30:;7:\n"},
        {"hostname_port_and_protocol",
         [](Fixture& net) { net.serve(net.leaf); },
         {"-H", "mx1.example.net", "-p", "25"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02 | "
         "mx1.example.net_smtp=80;30:;7:\n"},
        {"hostname_and_another_port",
         [](Fixture& net) {
             net.network.add("192.0.2.25:2525", smtp_with({net.leaf, {net.middle}}));
         },
         {"-H", "mx1.example.net", "-p", "2525", "--starttls", "smtp"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net:2525: the certificate expires in 80 d, on 2024-02-02 | "
         "mx1.example.net_smtp_2525=80;30:;7:\n"},
    });
}

BOOST_AUTO_TEST_CASE(json_names_everything_that_was_seen) {
    Fixture net;
    net.serve(net.leaf);
    net.folder.write("/disk.pem", net.leaf.pem());
    const auto outcome =
        net.run({"-e", target, "-e", "smtp://gone.example.net", "--same-as", "/disk.pem", "-o", "json"});
    BOOST_TEST(outcome.exit_code == 2);
    for (const char* piece :
         {"\"observation\":{\"at\":1700000000,\"endpoints\":[{\"target\":\"smtp://mx1.example.net\",\"scheme\":",
          "\"scheme\":\"smtp\",\"address\":\"192.0.2.25\"", "\"outcome\":\"shown\"",
          "\"subject\":\"CN=mx1.example.net\",\"issuer\":\"CN=Example Issuer\",\"dns_names\":[\"mx1.example.net\"]",
          "\"not_after\":1706912000", "\"verified\":true", "\"name_matches\":true", "\"protocol\":\"TLSv1.3\"",
          "\"same_as_file\":true", "\"key_matches\":null,\"dane\":null", "\"error\":{\"fault\":\"not_found\""}) {
        BOOST_TEST(outcome.text.find(piece) != std::string::npos, piece << " in " << outcome.text);
    }
}

BOOST_AUTO_TEST_CASE(usage_errors_name_the_option_and_the_remedy) {
    const auto nothing = [](Fixture&) {};
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"-e", target, "-w", "30"}, "write 30: to be warned below 30 days"},
        {{"-e", target, "-c", "7"}, "write 7: to be alarmed below 7 days"},
        {{"-e", target, "-w", "x:"}, "--warning"},
        {{}, "name what to look at: --endpoint smtp://mx1.example.net"},
        {{"-e", "gopher://mx1.example.net"}, "unknown scheme \"gopher\"; there are: smtp submission"},
        {{"-e", "mx1.example.net"}, "write the endpoint as SCHEME://HOST[:PORT]"},
        {{"-e", "smtp://mx1.example.net:0"}, "the port \"0\" is not a number from 1 to 65535"},
        {{"-e", "smtp://mx1.example.net:70000"}, "the port \"70000\" is not a number from 1 to 65535"},
        {{"-e", "smtp://2001:db8::1"}, "write an IPv6 address in brackets"},
        {{"-e", "smtp://"}, "names no host"},
        {{"-e", "smtp://user@mx1.example.net"}, "without user, path or blanks"},
        {{"-e", "file://etc/x.pem"}, "three slashes"},
        {{"-H", "mx1.example.net"}, "add --port PORT or --starttls PROTOCOL"},
        {{"-H", "mx1.example.net", "-p", "2525"}, "add --starttls PROTOCOL"},
        {{"-e", target, "-p", "25"}, "--port and --starttls belong to --hostname"},
        {{"-e", target, "--min-tls", "1.4"}, "1.4"},
        {{"-e", "smtp://192.0.2.1", "--dane"}, "has no host name that could have TLSA records"},
        {{"-e", target, "--ca-file", "/missing.pem"}, "/missing.pem"},
        {{"-e", target, "stray"}, "stray"},
    };
    for (const auto& [arguments, text] : cases) {
        Fixture net;
        nothing(net);
        const auto outcome = test::run_check(arguments, net.world);
        BOOST_TEST(outcome.exit_code == 3, text);
        BOOST_TEST(outcome.text.find(text) != std::string::npos, outcome.text);
        BOOST_TEST(net.network.connections() == 0U);
    }
}

}  // namespace
}  // namespace mtawatch::checks
