// The login of RFC 4954 over a stream, and what becomes of a reply that quotes a secret.
#include "shared/smtp/session.h"

#include <boost/test/unit_test.hpp>

#include "shared/base/base64.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_stream.h"

namespace mtawatch::smtp {
namespace {

using test::close;
using test::expect;
using test::hang;
using test::say;
using test::Script;

struct Played {
    Login login;
    std::optional<base::Error> error;
    std::string complaints;
};

Played play(Mechanism mechanism, Credentials credentials, const Script& script, std::size_t bytes_at_once = 1U << 20U) {
    test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    Played played;
    const auto stream = test::scripted_stream(script, &played.complaints, bytes_at_once);
    Session session(*stream);
    SaslClient client(mechanism, std::move(credentials), "nonce");
    auto login = log_in(session, client, deadline);
    if (login) played.login = std::move(*login);
    if (!login) played.error = std::move(login.error());
    return played;
}

const Credentials tim{"tim", "tanstaaftanstaaf", ""};
const std::string tim_plain = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm";

BOOST_AUTO_TEST_CASE(a_login_in_one_line) {
    for (const std::size_t at_once : {std::size_t{1}, std::size_t{1} << 20U}) {
        const auto played =
            play(Mechanism::plain, tim, {expect("AUTH PLAIN " + tim_plain), say("235 2.7.0 ok\r\n")}, at_once);
        BOOST_TEST((played.login.end == LoginEnd::done));
        BOOST_TEST(played.login.said == std::vector<std::string>{tim_plain}, boost::test_tools::per_element());
        BOOST_TEST(played.complaints == "");
    }
}

BOOST_AUTO_TEST_CASE(prompts_are_answered) {
    const auto played = play(Mechanism::login, tim,
                             {expect("AUTH LOGIN"), say("334 VXNlcm5hbWU6\r\n"), expect("dGlt"), say("334\r\n"),
                              expect("dGFuc3RhYWZ0YW5zdGFhZg=="), say("235-2.7.0 welcome\r\n235 2.7.0 tim\r\n")});
    BOOST_TEST((played.login.end == LoginEnd::done));
    BOOST_TEST(played.complaints == "");
}

BOOST_AUTO_TEST_CASE(ways_to_end) {
    const Script asked{expect("AUTH PLAIN " + tim_plain)};
    const auto after = [&](Script rest) {
        Script script = asked;
        script.insert(script.end(), rest.begin(), rest.end());
        return play(Mechanism::plain, tim, script);
    };
    BOOST_TEST((after({say("535 5.7.8 no\r\n")}).login.end == LoginEnd::refused));
    BOOST_TEST(after({say("454 4.7.0 later\r\n")}).login.read.reply.code == 454);
    BOOST_TEST((after({close()}).login.end == LoginEnd::broken));
    BOOST_TEST((after({say("235")}).login.end == LoginEnd::broken));
    BOOST_TEST((after({say("hello\r\n")}).login.end == LoginEnd::broken));
    BOOST_TEST((after({hang()}).error->fault == base::Fault::timeout));
    BOOST_TEST((after({test::reset()}).error->fault == base::Fault::refused));
    const auto misled = after({say("334 \r\n"), expect("*"), say("501 cancelled\r\n")});
    BOOST_TEST((misled.login.end == LoginEnd::bad_challenge));
    BOOST_TEST(misled.complaints == "");
    BOOST_TEST(after({say("250 what?\r\n")}).login.read.reply.code == 250);
    BOOST_TEST((after({say("250 what?\r\n")}).login.end == LoginEnd::refused));
}

BOOST_AUTO_TEST_CASE(a_challenge_that_is_not_base64_is_cancelled) {
    const auto played =
        play(Mechanism::cram_md5, tim, {expect("AUTH CRAM-MD5"), say("334 <*>\r\n"), expect("*"), say("501 ok\r\n")});
    BOOST_TEST((played.login.end == LoginEnd::bad_challenge));
    BOOST_TEST(played.login.why == "its challenge is not base64");
}

BOOST_AUTO_TEST_CASE(a_token_too_long_for_the_command_follows_the_go_ahead) {
    const Credentials long_token{"tim", "", std::string(10'000, 'x')};
    const std::string encoded = base::encode_base64(
        "user=tim\x01"
        "auth=Bearer " +
        long_token.token + "\x01\x01");
    const auto played = play(Mechanism::xoauth2, long_token,
                             {expect("AUTH XOAUTH2"), say("334 \r\n"), expect(encoded), say("235 ok\r\n")});
    BOOST_TEST((played.login.end == LoginEnd::done));
    BOOST_TEST(played.complaints == "");
}

BOOST_AUTO_TEST_CASE(a_server_that_asks_without_end_is_left) {
    Script script;
    script.push_back(expect("AUTH LOGIN"));
    for (int i = 0; i < 10; ++i) {
        script.push_back(say("334 more\r\n"));
        script.push_back(expect("*"));
    }
    const auto played = play(Mechanism::login, tim, script);
    BOOST_TEST((played.login.end == LoginEnd::bad_challenge));
    BOOST_TEST(played.login.said.size() == 2U);
}

BOOST_AUTO_TEST_CASE(secrets_are_hidden_in_every_form) {
    Secrets secrets;
    secrets.add("tanstaaftanstaaf");
    secrets.add(tim_plain);
    secrets.add("");
    const std::pair<const char*, const char*> cases[] = {
        {"535 no", "535 no"},
        {"535 <tanstaaftanstaaf> no", "535 <[hidden]> no"},
        {"535 TANSTAAFtanstaaf", "535 [hidden]"},
        {"535 tanstaa", "535 [hidden]"},
        {"535 tanst", "535 tanst"},
        {"535 AHRpbQB0YW5zdGFhZnRhbnN0YWFm", "535 [hidden]"},
        {"535 dGFuc3RhYWZ0YW5zdGFhZg==.", "535 [hidden]==."},
        {"tanstaaftanstaaf tanstaaftanstaaf", "[hidden] [hidden]"},
        {"", ""},
    };
    for (const auto& [text, shown] : cases) BOOST_TEST(secrets.hide(text) == shown);
    Secrets shorter;
    shorter.add("pw");
    BOOST_TEST(shorter.hide("535 PW pwd p w") == "535 [hidden] [hidden]d p w");
}

}  // namespace
}  // namespace mtawatch::smtp
