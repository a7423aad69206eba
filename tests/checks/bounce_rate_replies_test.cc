// check_bounce_rate by what receivers say: reasons, codes and kinds of reply, what is new among them, and categories
// that nothing explains.
#include "tests/checks/bounce_rate_fixture.h"

using namespace mtawatch;
using namespace mtawatch::test;

namespace {

constexpr std::int64_t day = 86'400;
const std::string header = "type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType\n";

std::string rows(int count, const char* type, std::int64_t ago, const char* status, const char* diag,
                 const char* category = "") {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += fmt::format("{},{},n@s.example,u{}@b.example,{},{},{},smtp\n", type,
                            stamp(test_now - ago, "%Y-%m-%d %H:%M:%S+0000"), i, status,
                            fmt::format(fmt::runtime(diag), i), category);
    }
    return text;
}

const std::string mail = header + rows(4, "b", 2 * day, "5.1.1", "smtp;550 5.1.1 <u{}@b.example>: User unknown") +
                         rows(180, "d", 60, "2.0.0", "smtp;250 ok {}") +
                         rows(12, "b", 60, "5.1.1", "smtp;550 5.1.1 <u{}@b.example>: User unknown") +
                         rows(6, "b", 60, "5.7.26", "smtp;550 5.7.26 sender is unauthenticated {}x7k2m9") +
                         rows(2, "b", 60, "", "smtp;552 mailbox full {}") +
                         rows(50, "t", 60, "4.2.0", "smtp;450 4.2.0 Greylisted for {} seconds");

std::string answer(const std::vector<std::string>& arguments) {
    Fixture fixture;
    fixture.write("/log/a.csv", mail);
    return fixture.text(with({"-f", "/log/a.csv", "-v"}, arguments));
}

const std::string figures = " | bounce=10%;5;10;0;100 delivered=180;;;0 bounced=20;;;0 deferred=50;;;0\n";

}  // namespace

BOOST_AUTO_TEST_CASE(groups_of_replies_are_shares_of_all_mail_and_are_not_judged) {
    BOOST_CHECK_EQUAL(answer({"--by", "reason", "-w", "20", "-c", "30"}).substr(0, 2), "0 ");
    BOOST_CHECK_EQUAL(answer({"--by", "reason"}),
                      "1 BOUNCE_RATE WARNING - last 1 h: 10.00 % bounced (20 of 200), above 5" + figures +
                          "OK: reason unknown-user: 6.00 % bounced (12 of 200)\n"
                          "OK: reason authentication: 3.00 % bounced (6 of 200)\n"
                          "OK: reason mailbox-full: 1.00 % bounced (2 of 200)\n");
}

BOOST_AUTO_TEST_CASE(replies_are_counted_by_their_template_and_the_first_n_are_shown) {
    const std::string text = answer({"--by", "reply", "--top", "2"});
    BOOST_CHECK(text.find("OK: reply unknown-user: 550 5.1.1 <<address>>: User unknown: 6.00 % bounced (12 of 200)\n"
                          "OK: reply authentication: 550 5.7.26 sender is unauthenticated <id>: 3.00 % bounced (6 of "
                          "200)\n"
                          "OK: 1 more of reply, 2 bounced together (--top)\n") != std::string::npos);
    BOOST_CHECK(text.find("u1@") == std::string::npos);
    BOOST_CHECK(answer({"--by", "reply", "--metric", "deferral"})
                    .find("OK: reply greylist: 450 4.2.0 Greylisted for <n> seconds: 20.00 % deferred (50 of 250)\n") !=
                std::string::npos);
}

BOOST_AUTO_TEST_CASE(limits_that_are_given_judge_each_group) {
    BOOST_CHECK(answer({"--by", "code", "-w", "2", "-c", "5"})
                    .find("CRITICAL: code 5.1.1: 6.00 % bounced (12 of 200), above 5") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_was_not_met_before_is_new) {
    const std::string text = answer({"--by", "code", "--since", "7d"});
    BOOST_CHECK(text.find("code 5.1.1: 6.00 %") != std::string::npos);
    BOOST_CHECK(text.find("code 5.7.26 (new: not in the 7 d before): 3.00 %") != std::string::npos);
    // Nothing to compare with is not "new".
    const std::string none = answer({"--by", "code", "--since", "1d"});
    BOOST_CHECK(none.find("(new") == std::string::npos);
    BOOST_CHECK(none.find("nothing was logged in the 1 d before the window") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(mail_can_be_narrowed_by_what_is_said_of_it) {
    BOOST_CHECK(answer({"--by", "sender-domain", "--only", "code=5.7.26"}).find("3.23 % bounced (6 of 186)") !=
                std::string::npos);
    BOOST_CHECK(answer({"--only", "reason=mailbox-full"}).find("1.10 % bounced (2 of 182)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_replies_cannot_say_is_refused) {
    BOOST_CHECK_EQUAL(answer({"--by", "reply", "--metric", "complaint"}),
                      "3 BOUNCE_RATE UNKNOWN - --by reply: a complaint has no reply; write another --metric\n");
    BOOST_CHECK_EQUAL(answer({"--by", "vmta", "--since", "7d"}),
                      "3 BOUNCE_RATE UNKNOWN - --since needs --by reason, code or reply\n");
}

// A category of an operator's own patterns must not hide a dead address.
BOOST_AUTO_TEST_CASE(a_category_of_ones_own_never_hides_a_bounce) {
    Fixture fixture;
    fixture.write("/log/a.csv",
                  header + rows(80, "d", 60, "2.0.0", "smtp;250 ok {}") +
                      rows(20, "b", 60, "5.1.1", "smtp;550 5.1.1 <u{}@b.example>: User unknown", "our-dead"));
    const std::string text = fixture.text({"-f", "/log/a.csv", "-v", "--metric", "hard"});
    BOOST_CHECK_EQUAL(text.substr(0, text.find(" | ")),
                      "2 BOUNCE_RATE CRITICAL - last 1 h: 20.00 % bounced hard (20 of 100), above 5");
    BOOST_CHECK(text.find("categories that nothing explains, so the receivers' replies decided: \"our-dead\" (20); "
                          "classes.bounce_classes of --classes FILE can say what they mean") != std::string::npos);
    BOOST_CHECK(fixture.text({"-f", "/log/a.csv", "-o", "json"})
                    .find(R"("unknown_categories":[{"category":"our-dead","bounces":20}])") != std::string::npos);
}

// An operator who pauses a receiver must not be paged for the deferrals of his own pause.
BOOST_AUTO_TEST_CASE(an_operators_pause_is_no_deferral) {
    Fixture fixture;
    fixture.write("/log/a.csv",
                  header + rows(100, "d", 60, "2.0.0", "smtp;250 ok {}") +
                      rows(90, "t", 60, "4.4.4", "x-kumomta;KumoMTA internal: scheduled queue is suspended: {}") +
                      rows(10, "t", 60, "4.2.0", "smtp;450 4.2.0 greylisted {}"));
    BOOST_CHECK_EQUAL(fixture.line({"-f", "/log/a.csv", "--metric", "deferral"}),
                      "0 BOUNCE_RATE OK - last 1 h: 9.09 % deferred (10 of 110)");
}
