// What --explain prints of one reply, of a list of replies and of logs.
#include "exporter/explain.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

using namespace mtawatch;

namespace {

std::string explained(const std::string& text, bool unknown = false) {
    const mta::classes::ReplyClassifier replies;
    std::size_t at = 0;
    const auto source = io::decompressed(
        [&](std::span<char> into) -> base::Result<std::size_t> {
            const std::size_t count = text.copy(into.data(), into.size(), at);
            at += count;
            return count;
        },
        "in");
    std::string out;
    const auto done =
        exporter::explain_source(*source, "in", replies, unknown, [&](std::string_view piece) { out += piece; });
    return done ? out : "error: " + done.error().what;
}

const std::string accounting =
    "type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,dlvType\n"
    "d,2026-11-20 10:00:00+0000,n@s.example,a@b.example,2.0.0,smtp;250 ok,smtp\n"
    "b,2026-11-20 10:00:00+0000,n@s.example,a@b.example,5.1.1,smtp;550 5.1.1 <a@b.example>: User unknown,smtp\n"
    "b,2026-11-20 10:00:00+0000,n@s.example,c@b.example,5.1.1,smtp;550 5.1.1 <c@b.example>: user unknown,smtp\n"
    "t,2026-11-20 10:00:00+0000,n@s.example,c@b.example,4.0.0,smtp;450 blip 4711,smtp\n"
    "b,2026-11-20 10:00:00+0000,n@s.example,c@b.example,5.0.0,pipe;no,pipe\n";

}  // namespace

BOOST_AUTO_TEST_CASE(a_log_is_explained_by_reason_and_by_kind) {
    BOOST_CHECK_EQUAL(explained(accounting),
                      "in: 3 bounces and deferrals of 5 records (PowerMTA)\n\n"
                      "By reason:\n"
                      "         2   66.7 %  unknown-user\n"
                      "         1   33.3 %  other\n"
                      "\nBy kind (count, share, class, reason, rule, template):\n"
                      "         2   66.7 %  hard   unknown-user    user-unknown                   550 5.1.1 "
                      "<<address>>: User unknown\n"
                      "         1   33.3 %  other  other           none                           450 blip <n>\n");
    BOOST_CHECK_EQUAL(explained(accounting, true),
                      "in: 3 bounces and deferrals of 5 records (PowerMTA)\n\n"
                      "Replies that no rule knows (count, share of all replies, template):\n"
                      "         1   33.3 %  450 blip <n>\n");
}

BOOST_AUTO_TEST_CASE(logs_of_postfix_and_kumomta_are_told_by_their_lines) {
    BOOST_CHECK(
        explained("Nov 29 04:00:00 mx postfix/smtp[7]: 4F1D2C3B4A: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, "
                  "delay=1, dsn=5.1.1, status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 User unknown "
                  "(in reply to RCPT TO command))\n")
            .starts_with("in: 1 bounces and deferrals of 1 records (Postfix)"));
    BOOST_CHECK(
        explained(R"({"type":"Bounce","sender":"n@s.example","recipient":"a@b.example","queue":"b.example",)"
                  R"("response":{"code":550,"enhanced_code":null,"content":"no such user","command":"RCPT TO"},)"
                  R"("timestamp":1795230300,"created":1795230290,"delivery_protocol":"ESMTP"})"
                  "\n")
            .find("hard   unknown-user") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_list_of_replies_is_explained_line_by_line) {
    BOOST_CHECK_EQUAL(explained("550 User unknown\r\n\n450 blip\n552 mailbox full"),
                      "hard\tunknown-user\tuser-unknown\t550 User unknown\n"
                      "other\tother\tnone\t450 blip\n"
                      "soft\tmailbox-full\tmailbox-full\t552 mailbox full\n");
    BOOST_CHECK_EQUAL(explained("550 User unknown\n450 blip 1\n450 blip 2\n", true),
                      "Replies that no rule knows (count, share of all replies, template):\n"
                      "         2   66.7 %  450 blip <n>\n");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_explained_is_said) {
    BOOST_CHECK_EQUAL(explained(""), "error: in: is empty");
    BOOST_CHECK_EQUAL(explained(accounting.substr(0, accounting.find("\nb,") + 1)),
                      "error: in: 1 records (PowerMTA), none of them a bounce or a deferral");
}

BOOST_AUTO_TEST_CASE(one_reply_is_explained_with_its_codes) {
    BOOST_CHECK_EQUAL(
        exporter::explain_reply("smtp;421 4.7.0 [TSS04] deferred", mta::classes::ReplyClassifier()),
        "reason:        rate-limit\nrule:          yahoo-TSS04\ncode:          421\nenhanced code: 4.7.0\n"
        "bounce class:  soft (where PowerMTA's category does not decide)\n");
}
