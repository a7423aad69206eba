// How check_mail_submit logs in: which mechanism, over what, once, and without a word of the secret.
#include "tests/checks/mail_submit_fixture.h"

namespace mtawatch::checks {
namespace {

using namespace test::mail_submit;
using test::close;
using test::expect;
using test::hang;
using test::MadeCertificate;
using test::say;
using test::Script;
using test::Step;

BOOST_AUTO_TEST_CASE(mechanisms) {
    const auto continued = [](Script login) {
        login.push_back(say("235 ok\r\n"));
        login.insert(login.end(), good_mail.begin(), good_mail.end());
        return login;
    };
    const auto by = [](const char* mechanism) {
        return std::string(
                   "MAIL_SUBMIT OK - mail.example.net:587 takes mail from monitor@example.net for "
                   "ops@example.org: login with ") +
               mechanism + " over TLSv1.3, …";
    };
    const Script login{expect("AUTH LOGIN"), say("334 VXNlcm5hbWU6\r\n"), expect(base::encode_base64(user)),
                       say("334 UGFzc3dvcmQ6\r\n"), expect(base::encode_base64(password))};
    const Script xoauth2{
        expect("AUTH XOAUTH2 " + base::encode_base64("user=" + user + "\x01" + "auth=Bearer " + token + "\x01\x01"))};
    const std::string complaint = R"({"status":"401","schemes":"bearer","scope":"https://mail.example.net/"})";
    check({
        {"login", offering("LOGIN", continued(login)), with({}), 0, by("LOGIN")},
        {"login_forced", offering("PLAIN LOGIN CRAM-MD5", continued(login)), with({"--mechanism", "LOGIN"}), 0,
         by("LOGIN")},
        {"cram_md5_before_plain",
         offering("PLAIN LOGIN CRAM-MD5", continued({expect("AUTH CRAM-MD5"), say("334 PDFAeD4=\r\n"), expect("*")})),
         with({}), 0, by("CRAM-MD5")},
        {"xoauth2", offering("PLAIN XOAUTH2", continued(xoauth2)), with({"--token-file", "/token"}), 0, by("XOAUTH2")},
        {"plain_by_the_old_spelling",
         [](Fixture& net) {
             Script script = net.beginning();
             script.insert(script.end(),
                           {expect("*"), say("250-x\r\n250 AUTH=PLAIN\r\n"), expect(plain_line()), say("235 ok\r\n")});
             script.insert(script.end(), good_mail.begin(), good_mail.end());
             net.serve(script);
         },
         with({}), 0, by("PLAIN")},
        {"crit_token_refused",
         offering("XOAUTH2", {xoauth2.front(), say("334 " + base::encode_base64(complaint) + "\r\n"), expect(""),
                              say("535 5.7.8 no\r\n"), expect("QUIT"), close()}),
         with({"--token-file", "/token"}), 2,
         head + "refuses the login: 535 5.7.8 no (" + complaint +
             "); renew the access token, and look at its scope; this was the one attempt of this run |" +
             times("hello")},
        {"crit_mechanism_not_offered", offering("PLAIN LOGIN", {expect("QUIT"), close()}),
         with({"--mechanism", "CRAM-MD5"}), 2,
         head +
             "does not let this user log in: CRAM-MD5 is wanted, and it offers PLAIN LOGIN; look at its "
             "authentication service (SASL) |" +
             times("hello")},
        {"crit_password_and_only_tokens_taken", offering("XOAUTH2", {expect("QUIT"), close()}), with({}), 2,
         head + "does not let this user log in: it offers XOAUTH2; look at its authentication service (SASL) |" +
             times("hello")},
        {"crit_scram_server_that_plays_back_another_nonce",
         offering("SCRAM-SHA-256",
                  {expect("*"), say("334 " + base::encode_base64("r=somebody-else,s=QSXCR+Q6sek8bf92,i=4096") + "\r\n"),
                   expect("*"), say("501 cancelled\r\n"), expect("QUIT"), close()}),
         with({}), 2,
         head + "does not say what belongs there during the login: the server's nonce does not continue ours |" +
             times("hello")},
        {"crit_scram_server_without_proof",
         offering("SCRAM-SHA-256", {expect("*"), say("235 come in\r\n"), expect("QUIT"), close()}), with({}), 2,
         head + "lets us in and may be somebody else: it answers 235 without proof that it knows the password |" +
             times("hello")},
        {"crit_challenge_without_end",
         offering("PLAIN",
                  {expect("*"), say("334 \r\n"), expect("*"), say("501 cancelled\r\n"), expect("QUIT"), close()}),
         with({}), 2,
         head + "does not say what belongs there during the login: the server asks for more than PLAIN has to say |" +
             times("hello")},
    });
}

BOOST_AUTO_TEST_CASE(servers_without_safe_logins) {
    const Step hello = say("220 x\r\n");
    const Step offer = say("250-x\r\n250 STARTTLS\r\n");
    const auto certified = [](const test::Recipe& recipe, bool trusted) {
        return [recipe, trusted](Fixture& net) {
            test::Recipe own = recipe;
            const MadeCertificate other = test::make_authority("Other Root");
            own.issuer = trusted ? &net.root : &other;
            net.serve({say("220 x\r\n"), expect("*"), say("250-x\r\n250 STARTTLS\r\n"), expect("*"), say("220 go\r\n"),
                       test::tls({.own = test::make_certificate(own)}), expect("QUIT"), close()});
        };
    };
    const std::string bad = head + "shows a certificate that does not verify, so no login was tried: ";
    check({
        {"crit_no_starttls", serving({hello, expect("*"), say("250-x\r\n250 AUTH PLAIN\r\n"), expect("QUIT"), close()}),
         with({}), 2,
         head + "does not offer STARTTLS, so a login would be read on the way; give the service a certificate, or use "
                "--tls implicit where the port speaks TLS at once |…"},
        {"crit_starttls_refused",
         serving({hello, expect("*"), offer, expect("STARTTLS"), say("454 4.7.0 no key\r\n"), expect("QUIT"), close()}),
         with({}), 2, head + "offers STARTTLS and refuses it: 454 4.7.0 no key; look at its certificate and key |…"},
        {"crit_injected", serving({hello, expect("*"), offer, expect("*"), say("220 go\r\n250 evil\r\n"), hang()}),
         with({}), 2,
         head + "goes on in plain text behind the STARTTLS go-ahead; somebody in between can inject it: 250 evil |…"},
        {"crit_injected_a_packet_later",
         serving({hello, expect("*"), offer, expect("*"), say("220 go\r\n"), test::anything(),
                  say("250 evil and more\r\n"), hang()}),
         with({}), 2,
         head + "goes on in plain text behind the STARTTLS go-ahead; somebody in between can inject it: what came "
                "is not TLS: 250 evil and more |…"},
        {"crit_plain_text_on_the_port_of_implicit_tls",
         [](Fixture& net) {
             net.serve({say("220 mail.example.net ESMTP\r\n"), hang()}, "192.0.2.25:465");
         },
         with({"--tls", "implicit"}), 2,
         "MAIL_SUBMIT CRITICAL - mail.example.net:465 makes no TLS connection: what came is not TLS: 220 "
         "mail.example.net "
         "ESMTP |…"},
        {"crit_auth_not_offered",
         [](Fixture& net) {
             Script script = net.beginning();
             script.insert(script.end(), {expect("*"), say("250-x\r\n250 SIZE 1000\r\n"), expect("QUIT"), close()});
             net.serve(script);
         },
         with({}), 2,
         head +
             "does not let this user log in: it offers no login at all; look at its authentication service (SASL) and "
             "whether this port is for submission |…"},
        {"ok_auth_offered_before_tls_is_noted",
         [](Fixture& net) {
             Script script = net.logged_in(good_mail);
             script[2] = say("250-x\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
             net.serve(script);
         },
         with({"-v"}), 0,
         "MAIL_SUBMIT OK - mail.example.net:587 takes mail from monitor@example.net for ops@example.org: login with "
         "PLAIN "
         "over TLSv1.3, 0.000 s | time=0s;;;0" +
             times("") +
             "mail.example.net:587 takes ops@example.org: 250 2.1.5 Ok\nmail.example.net:587 offers PLAIN LOGIN\n"
             "mail.example.net:587 offers a login before TLS: a careless client would send its password in plain "
             "text\n"},
        {"crit_wrong_name", certified({.common_name = "x", .names = {"DNS:other.example.net"}}, true), with({}), 2,
         bad + "it is not for mail.example.net but for other.example.net |…"},
        {"crit_unknown_authority", certified({.common_name = "x", .names = {"DNS:mail.example.net"}}, false), with({}),
         2, bad + "unable to get local issuer certificate |…"},
        {"crit_expired",
         certified({.common_name = "x", .names = {"DNS:mail.example.net"}, .not_after = test::test_now - test::one_day},
                   true),
         with({}), 2, bad + "certificate has expired |…"},
        {"ok_wrong_name_that_is_named",
         [](Fixture& net) {
             net.leaf =
                 test::make_certificate({.common_name = "x", .names = {"DNS:other.example.net"}, .issuer = &net.root});
             net.serve(net.logged_in(good_mail));
         },
         with({"--name", "other.example.net"}), 0, "MAIL_SUBMIT OK …"},
        {"ok_unverified_as_asked",
         [](Fixture& net) {
             net.leaf = test::make_certificate({.common_name = "x"});
             net.serve(net.logged_in(good_mail));
         },
         with({"--no-verify"}), 0, "MAIL_SUBMIT OK …"},
        {"ok_plain_text_as_allowed",
         [](Fixture& net) {
             Script script{say("220 x\r\n"), expect("*"), say("250-x\r\n250 AUTH PLAIN\r\n"), expect(plain_line()),
                           say("235 ok\r\n")};
             script.insert(script.end(), good_mail.begin(), good_mail.end());
             net.serve(script);
         },
         {"-H", "mail.example.net", "--tls", "none", "--allow-plaintext", "--user", user, "--password-file",
          "/password", "--to", "ops@example.org"},
         0,
         "MAIL_SUBMIT OK - mail.example.net:587 takes mail from monitor@example.net for ops@example.org: login with "
         "PLAIN "
         "in plain text, …"},
    });
}

// Some servers quote the line that they refuse; whatever they do, the secret stays out of text and JSON alike.
BOOST_AUTO_TEST_CASE(replies_that_echo_secrets_are_cleaned) {
    const std::string blob = plain_line().substr(11);
    const std::string echoes[] = {password,
                                  blob,
                                  blob.substr(0, blob.size() / 2),
                                  base::encode_base64(password),
                                  base::to_lower(blob),
                                  "\"" + password + "\"",
                                  password.substr(4)};
    for (const std::string& echo : echoes) {
        for (const std::string form : {"text", "json"}) {
            BOOST_TEST_CONTEXT(echo << " " << form) {
                Fixture net;
                net.serve(net.offering(
                    "PLAIN", {expect("*"), say("535 5.7.8 failed: <" + echo + ">\r\n"), expect("QUIT"), close()}));
                const auto outcome = net.run(with({"-o", form, "-vvv"}));
                BOOST_TEST(outcome.exit_code == 2);
                BOOST_TEST(outcome.text.find("535 5.7.8 failed: <") != std::string::npos, outcome.text);
                BOOST_TEST(outcome.text.find("[hidden]") != std::string::npos, outcome.text);
                BOOST_TEST(!base::icontains(outcome.text, echo), outcome.text);
                BOOST_TEST(!base::icontains(outcome.text, "horse"), outcome.text);
            }
        }
    }
    Fixture net;
    net.serve(net.logged_in({expect("*"), say("550 5.7.1 " + base::encode_base64(password) + " " + password + "\r\n"),
                             expect("QUIT"), close()}));
    const auto outcome = net.run(with({}));
    BOOST_TEST(outcome.text.substr(0, head.size() + 61) ==
               head + "refuses the sender monitor@example.net: 550 5.7.1 [hidden] [h");
}

BOOST_AUTO_TEST_CASE(one_run_makes_one_connection_and_one_attempt) {
    Fixture net;
    net.serve(net.offering("PLAIN LOGIN CRAM-MD5", {expect("AUTH CRAM-MD5"), say("334 PDFAeD4=\r\n"), expect("*"),
                                                    say("535 no\r\n"), expect("QUIT"), close()}));
    BOOST_TEST(net.run(with({})).exit_code == 2);
    BOOST_TEST(net.network.connections() == 1U);
    BOOST_TEST(net.network.complaints() == "");
}

}  // namespace
}  // namespace mtawatch::checks
