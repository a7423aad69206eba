// Proves what the objects of KumoMTA's log become: types, columns, forms of time stamps and recipients, and damaged
// lines.
#include "shared/mta/logs/kumomta_log.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "shared/mta/classes/bounce_class.h"
#include "tests/support/read_log.h"

using namespace mtawatch;
using test::errors_of;
using test::record_lines;

namespace {

// A record of the published form, with some of its fields replaced.
std::string object(std::string_view type,
                   std::string_view more = R"("response":{"code":250,"enhanced_code":)"
                                           R"({"class":2,"subject":0,"detail":0},"content":"OK",)"
                                           R"("command":"."})",
                   std::string_view recipient = R"("user@example.net")", std::string_view stamp = "1795230300") {
    return fmt::format(
        R"({{"type":"{}","id":"1d98076abbbc11ed940250ebf67f93bd","sender":"news@example.com","recipient":{},)"
        R"("queue":"spring:tenant@example.net","site":"source2->mx.example.net.","size":1047,{},)"
        R"("peer_address":{{"name":"mx.example.net.","addr":"192.0.2.1"}},"timestamp":{},"created":1795230290,)"
        R"("num_attempts":0,"egress_pool":"pool1","egress_source":"source2","source_address":)"
        R"({{"address":"203.0.113.7:41234"}},"meta":{{"tenant":["x",{{"y":1}}]}},"headers":{{}},)"
        R"("delivery_protocol":"ESMTP","reception_protocol":null,"nodeid":"557f3ad4-2c8c-11ee-976e-782d7e12e173"}})"
        "\n",
        type, recipient, more, stamp);
}
std::string reply(int code, std::string_view status, std::string_view content, std::string_view classification) {
    return fmt::format(
        R"("response":{{"code":{},"enhanced_code":{},"content":"{}","command":"RCPT TO:<user@example.net>"}},)"
        R"("bounce_classification":"{}")",
        code, status, content, classification);
}
constexpr std::string_view k511 = R"({"class":5,"subject":1,"detail":1})";

const std::string rest =
    " totalSecondsQueued=10 orig=news@example.com rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=smtp;250 2.0.0 OK "
    "dsnMta=mx.example.net dlvType=smtp dlvSourceIp=203.0.113.7 dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 "
    "vmtaPool=pool1 jobId=spring";

struct Case {
    const char* name;
    std::string line;
    std::string records;
};
const std::vector<Case> cases{
    {"delivery", object("Delivery"), "d 1795230300" + rest},
    {"transient_failure", object("TransientFailure"), "t 1795230300" + rest},
    {"bounce_with_its_class", object("Bounce", reply(550, k511, "no such\\nuser", "InvalidRecipient")),
     "b 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=user@example.net dsnStatus=5.1.1 dsnDiag=smtp;550 "
     "5.1.1 no such user dsnMta=mx.example.net bounceCat=InvalidRecipient dlvType=smtp dlvSourceIp=203.0.113.7 "
     "dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 vmtaPool=pool1 jobId=spring"},
    {"uncategorized_leaves_it_to_the_reply", object("Bounce", reply(550, "null", "no", "Uncategorized")),
     "b 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=user@example.net dsnDiag=smtp;550 no "
     "dsnMta=mx.example.net dlvType=smtp dlvSourceIp=203.0.113.7 dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 "
     "vmtaPool=pool1 jobId=spring"},
    {"expiration_is_message_expired",
     object("Expiration", reply(551, R"({"class":5,"subject":4,"detail":7})", "too late", "Uncategorized")),
     "b 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=user@example.net dsnStatus=5.4.7 dsnDiag=smtp;551 "
     "5.4.7 too late dsnMta=mx.example.net bounceCat=message-expired dlvType=smtp dlvSourceIp=203.0.113.7 "
     "dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 vmtaPool=pool1 jobId=spring"},
    {"admin_bounce_is_local", object("AdminBounce", reply(552, "null", "purged", "Uncategorized")),
     "b 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=user@example.net dsnDiag=smtp;552 purged "
     "dsnMta=mx.example.net dlvType=admin dlvSourceIp=203.0.113.7 dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 "
     "vmtaPool=pool1 jobId=spring"},
    {"its_own_reason_is_no_reply", object("TransientFailure", reply(400, "null", "KumoMTA internal: no MX", "X")),
     "t 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=user@example.net dsnDiag=x-kumomta;KumoMTA "
     "internal: no MX "
     "dsnMta=mx.example.net dlvType=smtp dlvSourceIp=203.0.113.7 dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 "
     "vmtaPool=pool1 jobId=spring"},
    {"a_text_that_answers_no_command_is_its_own",
     object("TransientFailure", R"("response":{"code":451,"enhanced_code":{"class":4,"subject":4,"detail":4},)"
                                R"("content":"MX didn't resolve to any hosts","command":null})"),
     "t 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=user@example.net dsnStatus=4.4.4 "
     "dsnDiag=x-kumomta;MX didn't resolve to any hosts dsnMta=mx.example.net dlvType=smtp dlvSourceIp=203.0.113.7 "
     "dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 vmtaPool=pool1 jobId=spring"},
    {"an_out_of_band_report_answers_no_command_either",
     object("OOB", R"("response":{"code":250,"enhanced_code":{"class":2,"subject":0,"detail":0},)"
                   R"("content":"OK","command":null})"),
     "rb 1795230300" + rest},
    {"the_command_of_a_refused_login_holds_a_password_and_is_not_kept",
     object("TransientFailure", R"("response":{"code":250,"enhanced_code":{"class":2,"subject":0,"detail":0},)"
                                R"("content":"OK","command":"AUTH PLAIN AGJvYgBodW50ZXIy"})"),
     "t 1795230300" + rest},
    {"several_recipients", object("Delivery", "\"x\":1", R"(["a@example.net","b@example.net"])"),
     "d 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=a@example.net dsnMta=mx.example.net dlvType=smtp "
     "dlvSourceIp=203.0.113.7 dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 vmtaPool=pool1 jobId=spring; "
     "d 1795230300 totalSecondsQueued=10 orig=news@example.com rcpt=b@example.net dsnMta=mx.example.net dlvType=smtp "
     "dlvSourceIp=203.0.113.7 dlvDestinationIp=192.0.2.1 dlvSize=1047 vmta=source2 vmtaPool=pool1 jobId=spring"},
    {"out_of_band", object("OOB"), "rb 1795230300" + rest},
    {"types_that_are_no_delivery", object("Rejection"), "other 1795230300" + rest},
    {"reception",
     R"({"type":"Reception","sender":"a@b","recipient":"c@d","queue":"d","size":5,"peer_address":{"name":"x","addr":)"
     R"("127.0.0.1"},"timestamp":1795230300.75,"created":1795230300.25,"reception_protocol":"ESMTP"})"
     "\n",
     "r 1795230300 totalSecondsQueued=0 orig=a@b rcpt=c@d dsnMta=x srcType=esmtp rcvSourceIp=127.0.0.1 dlvSize=5"},
    {"feedback",
     R"({"type":"Feedback","sender":"fbl@isp","recipient":"fbl@us","queue":"us","size":5,"timestamp":1795230300,)"
     R"("feedback_report":{"feedback_type":"abuse","user_agent":"X/1","version":"1","original_mail_from":"news@us",)"
     R"("reporting_mta":{"mta_type":"dns","name":"fbl.example.net"},"source_ip":"203.0.113.7","original_rcpto_to":)"
     R"(["user@example.net"],"reported_domain":["us"],"supplemental_trace":{"recipient":"traced@example.net"}}})"
     "\n",
     "f 1795230300 orig=news@us rcpt=user@example.net dlvSourceIp=203.0.113.7 dlvSize=5 feedbackType=abuse format=arf "
     "userAgent=X/1 reportingMta=fbl.example.net reportedDomain=us"},
    {"feedback_by_the_trace_header",
     R"({"type":"Feedback","recipient":"fbl@us","timestamp":1795230300,"feedback_report":{"feedback_type":"abuse",)"
     R"("supplemental_trace":{"recipient":"traced@example.net"}}})"
     "\n",
     "f 1795230300 rcpt=traced@example.net dlvSize=0 feedbackType=abuse format=arf"},
    {"other_protocols", R"({"type":"Delivery","recipient":"c@d","timestamp":1795230300,"delivery_protocol":"Maildir"})",
     "d 1795230300 rcpt=c@d dlvType=maildir dlvSize=0"},
    {"ipv6_and_tls",
     R"({"type":"Delivery","recipient":"c@d","timestamp":"2026-11-21T03:05:00Z","source_address":{"address":)"
     R"("[2001:db8::7]:2525"},"tls_protocol_version":"TLSv1.3","tls_cipher":"X"})",
     "d 1795230300 rcpt=c@d dlvSourceIp=2001:db8::7 dlvSize=0 dlvTlsProtocol=TLSv1.3 dlvTlsCipher=X"},
};

std::vector<std::string> read(std::string_view text) {
    mta::logs::KumoLogReader reader;
    auto lines = record_lines(reader, text);
    BOOST_CHECK_EQUAL(errors_of(reader), "none");
    return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kumomta_log)

BOOST_AUTO_TEST_CASE(types_and_columns) {
    for (const Case& one : cases) {
        BOOST_TEST_CONTEXT(one.name) {
            BOOST_CHECK_EQUAL(fmt::format("{}", fmt::join(read(one.line), "; ")), one.records);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_record_without_tls_fields_does_not_have_the_columns) {
    mta::logs::KumoLogReader reader;
    reader.push(object("Delivery"));
    const auto records = reader.next();
    BOOST_REQUIRE_EQUAL(records.size(), 1U);
    BOOST_CHECK(!records.front().has(mta::logs::Column::dlv_tls_protocol));
}

BOOST_AUTO_TEST_CASE(the_classifiers_names_have_bounce_classes) {
    const mta::classes::BounceClasses classes;
    for (const auto& [category, expected] : {std::pair{"InvalidRecipient", "hard"},
                                             {"BadDomain", "hard"},
                                             {"SpamBlock", "block"},
                                             {"AuthenticationFailed", "block"},
                                             {"QuotaIssues", "soft"},
                                             {"DNSFailure", "soft"},
                                             {"AutoReply", "other"}}) {
        BOOST_CHECK_EQUAL(name(classes.of_category(category)), expected);
    }
}

BOOST_AUTO_TEST_CASE(thousands_of_recipients_come_in_batches) {
    std::string several = "[";
    for (int i = 0; i < 3000; ++i) several += fmt::format("{}\"{}@example.net\"", i == 0 ? "" : ",", i);
    const auto lines = read(object("Delivery", "\"x\":1", several + "]") + object("Delivery"));
    BOOST_REQUIRE_EQUAL(lines.size(), 3001U);
    BOOST_CHECK(lines[2999].find("rcpt=2999@example.net") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(damaged_lines_are_counted_and_do_not_stop_the_rest) {
    const auto errors = [](std::string_view text) {
        mta::logs::KumoLogReader reader;
        record_lines(reader, text);
        return errors_of(reader);
    };
    const std::string good = object("Delivery");
    BOOST_CHECK_EQUAL(errors("no json\n" + good), "columns 1");
    BOOST_CHECK_EQUAL(errors("{\"type\":\"Delivery\",\n" + good), "columns 1");
    BOOST_CHECK_EQUAL(errors("{\"timestamp\":1}\n{\"type\":7,\"timestamp\":1}\n"), "type 2");
    BOOST_CHECK_EQUAL(errors("{\"type\":\"Delivery\"}\n{\"type\":\"Delivery\",\"timestamp\":-1}\n"), "timestamp 2");
    BOOST_CHECK_EQUAL(errors(good.substr(0, 100)), "cut_off 1");
    BOOST_CHECK_EQUAL(errors(std::string(2 * mta::logs::max_kumo_line, 'x') + "\n" + good), "oversized 1");
    BOOST_CHECK_EQUAL(errors("\n \n" + good.substr(0, good.size() - 1)), "none");
    // A reply that is no UTF-8.
    BOOST_CHECK_EQUAL(read(object("Bounce", reply(550, "null", "caf\xe9", "X"))).size(), 1U);
}

BOOST_AUTO_TEST_CASE(pieces_change_nothing) {
    std::string text;
    for (const Case& one : cases) text += one.line + (one.line.ends_with('\n') ? "" : "\n");
    mta::logs::KumoLogReader whole;
    const auto expected = record_lines(whole, text);
    BOOST_CHECK_EQUAL(whole.own_lines(), cases.size());
    for (const std::size_t piece : {1U, 7U, 300U}) {
        mta::logs::KumoLogReader reader;
        BOOST_CHECK(record_lines(reader, text, true, piece) == expected);
        BOOST_CHECK_EQUAL(reader.consumed(), text.size());
        BOOST_CHECK_EQUAL(reader.memory(), "");
    }
}

BOOST_AUTO_TEST_SUITE_END()
