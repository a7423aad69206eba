// Proves what the lines of a Postfix log become: forms of lines, statuses, columns, and what is remembered between
// them.
#include "shared/mta/logs/postfix_log.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/read_log.h"

using namespace mtawatch;
using test::errors_of;
using test::record_lines;

namespace {

constexpr std::int64_t test_now = 1'795'262'400;   // 2026-11-21T12:00:00Z
constexpr std::int64_t line_time = 1'795'230'300;  // 2026-11-21T03:05:00Z

mta::logs::PostfixLogOptions options() {
    mta::logs::PostfixLogOptions options;
    options.zone = mta::logs::Zone::utc();
    options.now = [] { return test_now; };
    return options;
}

std::vector<std::string> read(std::string_view text) {
    mta::logs::PostfixLogReader reader(options());
    auto lines = record_lines(reader, text);
    BOOST_CHECK_EQUAL(errors_of(reader), "none");
    return lines;
}
// The records of one line, one after the other.
std::string read_one(std::string_view line) { return fmt::format("{}", fmt::join(read(line), "; ")); }

std::string at(std::string_view program, std::string_view message, std::string_view stamp = "Nov 21 03:05:00") {
    return fmt::format("{} mail {}[4711]: {}\n", stamp, program, message);
}
std::string status(std::string_view what, std::string_view text, std::string_view program = "postfix/smtp",
                   std::string_view relay = "mx.example.net[192.0.2.1]:25", std::string_view id = "4F3A21C0E5",
                   std::string_view to = "user@example.net") {
    return at(program, fmt::format("{}: to=<{}>, relay={}, delay=0.52, delays=0.1/0.01/0.2/0.21, dsn=2.0.0, status={} "
                                   "({})",
                                   id, to, relay, what, text));
}
std::string from(std::string_view id = "4F3A21C0E5", std::string_view sender = "news@example.com") {
    return at("postfix/qmgr", fmt::format("{}: from=<{}>, size=1047, nrcpt=1 (queue active)", id, sender));
}
std::string removed(std::string_view id = "4F3A21C0E5") { return at("postfix/qmgr", fmt::format("{}: removed", id)); }

const std::string message_lines =
    "4F3A21C0E5: to=<user@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=2, delays=0/0/1/1, dsn=2.0.0, "
    "status=sent (250 2.0.0 Ok)";
const std::string record_text =
    "d 1795230300 totalSecondsQueued=2 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=smtp;250 2.0.0 Ok "
    "dsnMta=mx.example.net dlvType=smtp dlvDestinationIp=192.0.2.1 vmta=mx.example.net";

struct Form {
    const char* name;
    std::string line;
};
const std::vector<Form> forms{
    {"rfc_3164", "Nov 21 03:05:00 mail postfix/smtp[4711]: " + message_lines},
    {"rfc_3164_with_priority", "<22>Nov 21 03:05:00 mail postfix/smtp[4711]: " + message_lines},
    {"rfc_3339_of_rsyslog", "2026-11-21T04:05:00.123456+01:00 mail postfix/smtp[4711]: " + message_lines},
    {"journalctl_short_iso", "2026-11-21T04:05:00+0100 mail postfix/smtp[4711]: " + message_lines},
    {"journalctl_short_iso_precise", "2026-11-21T04:05:00.123456+0100 mail postfix/smtp[4711]: " + message_lines},
    {"rfc_5424", "<22>1 2026-11-21T03:05:00.123Z mail postfix/smtp 4711 - - " + message_lines},
    {"rfc_5424_with_structured_data", R"(<22>1 2026-11-21T03:05:00Z mail postfix/smtp 4711 - [a@1 x="]\"]"][b y=""] )" +
                                          ("\xef\xbb\xbf" + message_lines)},
    {"journalctl_json",
     R"({"__REALTIME_TIMESTAMP":"1795230300123456","_HOSTNAME":"mail","PRIORITY":"6","SYSLOG_IDENTIFIER":"postfix/smtp",)"
     R"("_PID":"4711","MESSAGE":")" +
         message_lines + "\"}"},
    {"carriage_return", "Nov 21 03:05:00 mail postfix/smtp[4711]: " + message_lines + "\r"},
    {"relay_service_with_its_own_name", "Nov 21 03:05:00 mail postfix/relay/smtp[4711]: " + message_lines},
    {"another_instance", "Nov 21 03:05:00 mail postfix-out/smtp[4711]: " + message_lines},
};

// Each of these alone; sent and bounced are last statuses.
struct Case {
    const char* name;
    std::string line;
    std::string records;
};
const std::vector<Case> cases{
    {"bounced_without_host_and_command",
     status("bounced",
            "host mx.example.net[192.0.2.1] said: 550 5.1.1 <user@example.net>: User unknown (in reply to RCPT TO "
            "command)"),
     "b 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=smtp;550 5.1.1 "
     "<user@example.net>: User unknown dsnMta=mx.example.net dlvType=smtp dlvDestinationIp=192.0.2.1 "
     "vmta=mx.example.net"},
    {"deferred_by_a_greeting",
     status("deferred", "host mx.example.net[192.0.2.1] refused to talk to me: 421 4.7.0 try later"),
     "t 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=smtp;421 4.7.0 try later "
     "dsnMta=mx.example.net dlvType=smtp dlvDestinationIp=192.0.2.1 vmta=mx.example.net"},
    {"no_relay",
     status("deferred", "connect to mx.example.net[192.0.2.1]:25: Connection timed out", "postfix/smtp", "none"),
     "t 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=connect to "
     "mx.example.net[192.0.2.1]:25: Connection timed out dlvType=smtp"},
    {"no_such_domain",
     status("bounced", "Host or domain name not found. Name service error for name=x.example type=A: Host not found",
            "postfix/smtp", "none"),
     "b 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=Host or domain name not "
     "found. Name service error for name=x.example type=A: Host not found dlvType=smtp"},
    {"suspended_is_of_the_server",
     status("deferred",
            "delivery temporarily suspended: host mx.example.net[192.0.2.1] refused to talk to me: 421 busy",
            "postfix/error", "none"),
     "t 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=smtp;421 busy dlvType=smtp"},
    {"error_transport_is_local", status("bounced", "user unknown in table", "postfix/error", "none"),
     "b 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=user unknown in table "
     "dlvType=error"},
    {"local", status("sent", "delivered to mailbox", "postfix/local", "local"),
     "d 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=delivered to mailbox "
     "dsnMta=local dlvType=local vmta=local"},
    {"pipe", status("sent", "delivered via dovecot service", "postfix/pipe", "dovecot"),
     "d 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=delivered via dovecot service "
     "dsnMta=dovecot dlvType=pipe vmta=dovecot"},
    {"lmtp_to_a_socket", status("sent", "250 2.0.0 saved", "postfix/lmtp", "Mail.example.com[private/dovecot-lmtp]"),
     "d 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=250 2.0.0 saved "
     "dsnMta=Mail.example.com dlvType=lmtp vmta=mail.example.com"},
    {"lmtp_over_the_network", status("sent", "250 2.0.0 saved", "postfix/lmtp", "store.example.com[2001:db8::1]:24"),
     "d 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=smtp;250 2.0.0 saved "
     "dsnMta=store.example.com dlvType=smtp dlvDestinationIp=2001:db8::1 vmta=store.example.com"},
    {"content_filter",
     status("sent", "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok", "postfix/amavis/smtp",
            "127.0.0.1[127.0.0.1]:10024"),
     "d 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=250 2.0.0 from "
     "MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok dsnMta=127.0.0.1 dlvType=loopback vmta=127.0.0.1"},
    {"content_filter_that_is_down",
     status("deferred", "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused", "postfix/smtp", "none"),
     "t 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=connect to "
     "127.0.0.1[127.0.0.1]:10024: Connection refused dlvType=loopback"},
    {"verification_probes_are_no_mail", status("undeliverable", "host mx said: 550") + status("deliverable", "250 ok"),
     ""},
    {"soft_bounce_is_tried_again", status("SOFTBOUNCE", "mail for x loops back to myself", "postfix/smtp", "none"),
     "t 1795230300 totalSecondsQueued=0.52 rcpt=user@example.net dsnStatus=2.0.0 dsnDiag=mail for x loops back to "
     "myself dlvType=smtp"},
    {"more_fields_of_other_versions",
     at("postfix/smtp",
        "3Zp7Qk1Y9Gz4xyz: to=<a@example.net>, orig_to=<b@example.com>, relay=mx[192.0.2.1]:25, conn_use=3, "
        "delay=12, delays=1/1/5/5, tls=requiretls, dsn=2.0.0, status=sent (250 ok)"),
     "d 1795230300 totalSecondsQueued=12 rcpt=a@example.net orcpt=b@example.com dsnStatus=2.0.0 dsnDiag=smtp;250 ok "
     "dsnMta=mx dlvType=smtp dlvDestinationIp=192.0.2.1 vmta=mx"},
    {"before_version_2_3",
     at("postfix/smtp", "4F3A21C0E5: to=<a@example.net>, relay=mx[192.0.2.1], delay=1, status=sent (250 ok)"),
     "d 1795230300 totalSecondsQueued=1 rcpt=a@example.net dsnDiag=smtp;250 ok dsnMta=mx dlvType=smtp "
     "dlvDestinationIp=192.0.2.1 vmta=mx"},
    {"an_address_that_looks_like_the_end_of_one",
     at("postfix/smtp",
        "4F3A21C0E5: to=<\"a>, b\"@example.net>, relay=mx[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (ok)"),
     "d 1795230300 totalSecondsQueued=1 rcpt=\"a>, b\"@example.net dsnStatus=2.0.0 dsnDiag=smtp;ok dsnMta=mx "
     "dlvType=smtp dlvDestinationIp=192.0.2.1 vmta=mx"},
    {"a_text_that_syslog_cut",
     at("postfix/smtp",
        "4F3A21C0E5: to=<a@example.net>, relay=mx[192.0.2.1]:25, delay=1, dsn=5.0.0, "
        "status=bounced (host mx[192.0.2.1] said: 550 5.1"),
     "b 1795230300 totalSecondsQueued=1 rcpt=a@example.net dsnStatus=5.0.0 dsnDiag=smtp;550 5.1 dsnMta=mx dlvType=smtp "
     "dlvDestinationIp=192.0.2.1 vmta=mx"},
    {"other_programs_are_no_errors",
     "Nov 21 03:05:00 mail CRON[1]: (root) CMD (true)\nNov 21 03:05:00 mail dovecot: imap-login: Login\n-- Boot 1234 "
     "--\n\n2026-11-21T03:05:00+0100 mail sshd[2]: x\n{\"MESSAGE\":\"x\"}\nkernel\n" +
         at("postfix/smtpd", "connect from unknown[192.0.2.9]") +
         at("postfix/smtpd", "4F3A21C0E5: client=x[192.0.2.9]") +
         at("postfix/cleanup", "4F3A21C0E5: message-id=<1@x>") + at("postfix/smtp", "warning: to=<x>"),
     ""},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(postfix_log)

BOOST_AUTO_TEST_CASE(every_form_of_line_says_the_same) {
    for (const Form& form : forms) {
        BOOST_TEST_CONTEXT(form.name) { BOOST_CHECK_EQUAL(read_one(form.line), record_text); }
    }
}

BOOST_AUTO_TEST_CASE(statuses_and_columns) {
    for (const Case& one : cases) {
        BOOST_TEST_CONTEXT(one.name) { BOOST_CHECK_EQUAL(read_one(one.line), one.records); }
    }
}

BOOST_AUTO_TEST_CASE(sender_and_size_come_from_the_queue_manager) {
    const auto lines = read(from() + status("deferred", "x") + status("sent", "250 ok") + removed());
    BOOST_REQUIRE_EQUAL(lines.size(), 2U);
    for (const std::string& line : lines) {
        BOOST_CHECK(line.find(" orig=news@example.com ") != std::string::npos);
        BOOST_CHECK(line.find(" dlvSize=1047") != std::string::npos);
    }
    // Of another host or instance the id is another one.
    const std::string other =
        "Nov 21 03:05:00 mail2 postfix/qmgr[1]: 4F3A21C0E5: from=<a@b>, size=5, nrcpt=1 (queue active)\n";
    BOOST_CHECK(read_one(other + status("sent", "250 ok")).find("orig=") == std::string::npos);
    const std::string out = at("postfix-out/qmgr", "4F3A21C0E5: from=<a@b>, size=5, nrcpt=1 (queue active)");
    BOOST_CHECK(read_one(out + status("sent", "250 ok")).find("orig=") == std::string::npos);
    BOOST_CHECK(read_one(from() + removed() + status("sent", "250 ok")).find("orig=") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_last_status_counts_once_for_each_recipient_while_the_id_is_remembered) {
    const std::string sent = status("sent", "250 ok");
    BOOST_CHECK_EQUAL(read(sent + sent).size(), 1U);
    BOOST_CHECK_EQUAL(read(sent + status("bounced", "host mx said: 550")).size(), 1U);
    BOOST_CHECK_EQUAL(read(sent + removed() + sent).size(), 2U);
    BOOST_CHECK_EQUAL(read(sent + status("sent", "ok", "postfix/smtp", "mx[192.0.2.1]:25", "4F3A21C0E5", "b@b")).size(),
                      2U);
    BOOST_CHECK_EQUAL(read(sent + status("sent", "ok", "postfix/smtp", "mx[192.0.2.1]:25", "4F3A21C0E6")).size(), 2U);
    // Every attempt is a deferral.
    const std::string deferred = status("deferred", "connect to mx: Connection refused");
    BOOST_CHECK_EQUAL(read(deferred + deferred + sent).size(), 3U);
    // Another size is another message under the same short id.
    const std::string anew = at("postfix/qmgr", "4F3A21C0E5: from=<a@b>, size=9, nrcpt=1 (queue active)");
    BOOST_CHECK_EQUAL(read(from() + sent + anew + sent).size(), 2U);
    BOOST_CHECK_EQUAL(read(from() + sent + from() + sent).size(), 1U);
}

BOOST_AUTO_TEST_CASE(expiry_bounces_the_recipients_that_are_outstanding) {
    const std::string text = from() +
                             status("sent", "250 ok", "postfix/smtp", "mx[192.0.2.1]:25", "4F3A21C0E5", "done@b") +
                             status("deferred", "host MX2[192.0.2.2] said: 451 no", "postfix/smtp", "MX2[192.0.2.2]:25",
                                    "4F3A21C0E5", "late@b") +
                             status("deferred", "mailbox locked", "postfix/local", "local", "4F3A21C0E5", "here@b");
    for (const char* word : {"expired", "force-expired"}) {
        const std::string end =
            at("postfix/qmgr", fmt::format("4F3A21C0E5: from=<news@example.com>, status={}, returned to sender", word));
        const auto lines = read(text + end + end + removed());
        BOOST_REQUIRE_EQUAL(lines.size(), 5U);
        BOOST_CHECK_EQUAL(
            lines[3],
            "b 1795230300 orig=news@example.com rcpt=here@b dsnStatus=4.4.7 dsnDiag=delivery time expired "
            "dsnMta=local bounceCat=message-expired dlvType=local dlvSize=1047 vmta=local");
        BOOST_CHECK_EQUAL(
            lines[4],
            "b 1795230300 orig=news@example.com rcpt=late@b dsnStatus=4.4.7 dsnDiag=delivery time expired "
            "dsnMta=MX2 bounceCat=message-expired dlvType=smtp dlvSize=1047 vmta=mx2");
    }
}

BOOST_AUTO_TEST_CASE(thousands_of_recipients_expire_in_batches) {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
        text += status("deferred", "x", "postfix/smtp", "none", "4F3A21C0E5", fmt::format("{}@example.net", i));
    }
    text += at("postfix/qmgr", "4F3A21C0E5: from=<>, status=expired, returned to sender");
    BOOST_CHECK_EQUAL(read(text).size(), 6000U);
}

BOOST_AUTO_TEST_CASE(tls_is_that_of_the_same_process_and_relay_or_unknown) {
    const std::string tls =
        at("postfix/smtp",
           "Trusted TLS connection established to mx.example.net[192.0.2.1]:25: TLSv1.3 with cipher "
           "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519");
    const std::string sent = status("sent", "250 ok");
    BOOST_CHECK(read_one(tls + sent).find(" dlvTlsProtocol=TLSv1.3 dlvTlsCipher=TLS_AES_256_GCM_SHA384 ") !=
                std::string::npos);
    const std::string reused =
        at("postfix/smtp",
           "Untrusted TLS connection reused to mx.example.net[192.0.2.1]:25: TLSv1.2 with cipher "
           "AES256-SHA (256/256 bits)");
    BOOST_CHECK(read_one(reused + sent).find(" dlvTlsProtocol=TLSv1.2 ") != std::string::npos);
    const std::string other_relay = status("sent", "250 ok", "postfix/smtp", "mx2[192.0.2.2]:25");
    const std::string other_process = "Nov 21 03:05:00 mail postfix/smtp[99]: " + message_lines + "\n";
    for (const std::string& text : {sent, tls + other_relay, tls + other_process}) {
        mta::logs::PostfixLogReader reader(options());
        reader.push(text);
        const auto records = reader.next();
        BOOST_REQUIRE_EQUAL(records.size(), 1U);
        BOOST_CHECK(!records.front().has(mta::logs::Column::dlv_tls_protocol));
    }
}

BOOST_AUTO_TEST_CASE(years_are_right_across_new_year_and_in_leap_years) {
    struct Year {
        std::int64_t now;
        const char* stamp;
        std::int64_t time;
    };
    for (const Year& year : {Year{1'767'225'900, "Dec 31 23:59:00", 1'767'225'540},     // now is 2026-01-01 00:05
                             Year{1'767'225'540, "Jan  1 00:00:30", 1'767'225'630},     // the log's clock is ahead
                             Year{1'795'262'400, "Jan  5 00:00:00", 1'767'571'200},     // eleven months old
                             Year{1'795'262'400, "Dec  1 00:00:00", 1'796'083'200},     // ten days ahead
                             Year{1'795'262'400, "Dec 31 00:00:00", 1'767'139'200},     // the last one, not the next
                             Year{1'795'262'400, "Feb 29 12:00:00", 1'709'208'000}}) {  // of 2024
        mta::logs::PostfixLogOptions with = options();
        with.now = [&] { return year.now; };
        mta::logs::PostfixLogReader reader(with);
        const auto lines =
            record_lines(reader, fmt::format("{} mail postfix/smtp[1]: {}\n", year.stamp, message_lines));
        BOOST_REQUIRE_EQUAL(lines.size(), 1U);
        BOOST_CHECK_EQUAL(lines.front().substr(0, 12), fmt::format("d {}", year.time));
    }
}

BOOST_AUTO_TEST_CASE(lines_that_cannot_be_read_are_counted) {
    const auto errors = [](std::string_view text, bool finished = true) {
        mta::logs::PostfixLogReader reader(options());
        record_lines(reader, text, finished);
        return errors_of(reader);
    };
    BOOST_CHECK_EQUAL(errors(at("postfix/smtp", "4F3A21C0E5: to=<a@b>, relay=mx")), "columns 1");
    BOOST_CHECK_EQUAL(errors(status("vanished", "x")), "type 1");
    BOOST_CHECK_EQUAL(errors(at("postfix/smtp", message_lines, "Nov 31 03:05:00")), "timestamp 1");
    BOOST_CHECK_EQUAL(errors(at("postfix/smtp", message_lines, "2026-11-21T03:05")), "timestamp 1");
    BOOST_CHECK_EQUAL(errors("{\"MESSAGE\":\"x\n"), "columns 1");
    const std::string long_line =
        "Nov 21 03:05:00 mail postfix/smtp[1]: " + std::string(3 * mta::logs::max_log_line, 'x');
    BOOST_CHECK_EQUAL(errors(long_line + "\n" + status("sent", "250 ok")), "oversized 1");
    BOOST_CHECK_EQUAL(errors(long_line), "oversized 1");
    // A growing file's last line is not whole yet; a finished one's was cut.
    const std::string sent = status("sent", "250 ok");
    const std::string half = sent.substr(0, sent.size() - 4);
    BOOST_CHECK_EQUAL(errors(half, false), "none");
    BOOST_CHECK_EQUAL(errors(half), "cut_off 1");
    BOOST_CHECK_EQUAL(errors(sent.substr(0, sent.size() - 1)), "none");
}

BOOST_AUTO_TEST_CASE(only_the_wanted_instance) {
    mta::logs::PostfixLogOptions with = options();
    with.instance = "postfix-out";
    mta::logs::PostfixLogReader reader(with);
    const std::string text = status("sent", "a", "postfix/smtp") + status("sent", "b", "postfix-out/smtp");
    BOOST_CHECK_EQUAL(record_lines(reader, text).size(), 1U);
    BOOST_CHECK_EQUAL(reader.own_lines(), 1U);
}

BOOST_AUTO_TEST_CASE(one_line_of_a_clock_that_lies_does_not_make_everything_forgotten) {
    const std::string stray =
        at("postfix/qmgr", "4F3A21C0E9: from=<a@b>, size=5, nrcpt=1 (queue active)", "2027-05-01T00:00:00Z");
    const std::string sent = status("sent", "250 ok");
    BOOST_CHECK(read_one(from() + stray + sent).find("orig=news@example.com") != std::string::npos);
    BOOST_CHECK_EQUAL(read(sent + stray + sent).size(), 1U);
}

// What was heard before an interruption must not decide whether a time is believed.
BOOST_AUTO_TEST_CASE(a_clock_that_runs_ahead_day_by_day_is_judged_alike_after_an_interruption) {
    const auto heard_of = [](std::string_view id, std::string_view stamp) {
        return at("postfix/qmgr", fmt::format("{}: from=<a@b>, size=5, nrcpt=1 (queue active)", id), stamp);
    };
    std::vector<std::string> lines{from(), status("deferred", "x")};
    for (int day = 22; day <= 29; ++day) {
        lines.push_back(heard_of(fmt::format("4F3A21D{}", day), fmt::format("Nov {} 03:05:00", day)));
        lines.push_back(heard_of(fmt::format("4F3A21E{}", day), "Nov 31 03:05:00"));
    }
    lines.push_back(at("postfix/qmgr", "4F3A21C0E5: from=<news@example.com>, status=expired, returned to sender"));
    const std::vector<std::string> expected = read(fmt::format("{}", fmt::join(lines, "")));
    BOOST_REQUIRE_EQUAL(expected.size(), 2U);
    BOOST_CHECK(expected[1].find("rcpt=user@example.net") != std::string::npos);
    auto reader = std::make_unique<mta::logs::PostfixLogReader>(options());
    std::vector<std::string> records;
    for (const std::string& line : lines) {
        auto next = std::make_unique<mta::logs::PostfixLogReader>(options());
        BOOST_REQUIRE(next->recall(reader->memory()));
        reader = std::move(next);
        for (std::string& record : record_lines(*reader, line, false)) records.push_back(std::move(record));
    }
    BOOST_TEST(records == expected, boost::test_tools::per_element());
}

// Whatever the pieces and wherever it is interrupted, the records are the same.
BOOST_AUTO_TEST_CASE(memory_and_pieces_change_nothing) {
    std::string text;
    for (const Form& form : forms) text += form.line + "\n";
    for (const Case& one : cases) text += one.line;
    for (int i = 0; i < 40; ++i) {
        const std::string id = fmt::format("4F3A21D{:03X}", i);
        text +=
            from(id, fmt::format("bounce+{}@example.com", i)) +
            status("deferred", "x", "postfix/smtp", "none", id, fmt::format("{}@example.net", i)) +
            (i % 3 == 0 ? removed(id) : std::string()) +
            (i % 5 == 0 ? at("postfix/qmgr", id + ": from=<>, status=expired, returned to sender") : std::string()) +
            status("sent", "250 ok", "postfix/smtp", "mx.example.net[192.0.2.1]:25", id, "z@example.net");
    }
    mta::logs::PostfixLogReader whole(options());
    const auto expected = record_lines(whole, text);
    BOOST_CHECK_GT(expected.size(), 90U);
    for (const std::size_t piece : {1U, 7U, 100U, 4096U}) {
        mta::logs::PostfixLogReader reader(options());
        BOOST_CHECK(record_lines(reader, text, true, piece) == expected);
        BOOST_CHECK_EQUAL(reader.memory(), whole.memory());
    }
    for (std::size_t cut = text.size() / 7; cut < text.size(); cut += text.size() / 7) {
        mta::logs::PostfixLogReader first(options());
        auto lines = record_lines(first, std::string_view(text).substr(0, cut), false);
        const std::uint64_t offset = first.consumed();
        mta::logs::PostfixLogReader second(options());
        BOOST_REQUIRE(second.recall(first.memory()));
        BOOST_CHECK_EQUAL(second.memory(), first.memory());
        second.resume(first.header(), offset);
        const auto rest = record_lines(second, std::string_view(text).substr(offset));
        lines.insert(lines.end(), rest.begin(), rest.end());
        BOOST_CHECK(lines == expected);
        BOOST_CHECK_EQUAL(second.consumed(), text.size());
        BOOST_CHECK_EQUAL(second.memory(), whole.memory());
    }
}

BOOST_AUTO_TEST_CASE(damaged_memory_is_refused_and_leaves_nothing) {
    mta::logs::PostfixLogReader reader(options());
    record_lines(reader, from() + status("deferred", "x"));
    const std::string good = reader.memory();
    mta::logs::PostfixLogReader other(options());
    BOOST_CHECK(other.recall(""));
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        BOOST_CHECK(!other.recall(bad));
        BOOST_CHECK(!other.recall(std::string_view(good).substr(0, i)) || i == 0);
        BOOST_CHECK_EQUAL(other.remembered().messages(), 0U);
    }
    BOOST_CHECK(other.recall(good));
    BOOST_CHECK_EQUAL(other.remembered().messages(), 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(postfix_memory)

BOOST_AUTO_TEST_CASE(ids_are_forgotten_after_five_silent_days) {
    mta::logs::PostfixMemory memory;
    memory.set_sender(memory.touch(1, line_time), "a@b", 10);
    memory.set_sender(memory.touch(2, line_time), "a@b", 10);
    static_cast<void>(memory.touch(2, line_time + std::int64_t{4} * 86400));
    static_cast<void>(memory.touch(3, line_time + mta::logs::forget_seconds + 1));
    BOOST_CHECK_EQUAL(memory.find(1), mta::logs::no_entry);
    BOOST_CHECK_EQUAL(memory.sender(memory.find(2)), "a@b");
    BOOST_CHECK_EQUAL(memory.messages(), 2U);
    BOOST_CHECK_EQUAL(memory.overflowed(), 0U);
}

BOOST_AUTO_TEST_CASE(limits_hold_and_what_is_given_up_is_counted) {
    mta::logs::PostfixMemory memory({.messages = 100, .recipients = 150, .text_bytes = 8U << 10U});
    for (std::uint64_t key = 1; key <= 1000; ++key) {
        const std::uint32_t message = memory.touch(key * 0x9e3779b97f4a7c15U, line_time);
        memory.set_sender(message, std::string(key % 90, 's'), key);
        memory.defer(message, 1, std::string(key % 70, 'r'));
        BOOST_CHECK(memory.finish(message, 2));
        BOOST_REQUIRE_LE(memory.messages(), 100U);
        BOOST_REQUIRE_LE(memory.recipients(), 150U);
        BOOST_REQUIRE_EQUAL(memory.sender(message), std::string(key % 90, 's'));
    }
    BOOST_CHECK_GE(memory.overflowed(), 900U);
    // One message with more recipients than there is room for: the rest is not remembered, and nothing breaks.
    const std::uint32_t message = memory.touch(7, line_time);
    for (std::uint64_t recipient = 0; recipient < 1000; ++recipient) BOOST_CHECK(memory.finish(message, recipient));
    BOOST_CHECK(!memory.finish(message, 0));
    BOOST_CHECK_EQUAL(memory.messages(), 1U);
    memory.forget(7);
    BOOST_CHECK_EQUAL(memory.recipients(), 0U);
}

// Its blocks were all small, and what is freed was never joined.
BOOST_AUTO_TEST_CASE(one_long_text_does_not_make_a_full_memory_forget_every_message) {
    mta::logs::PostfixMemory memory({.messages = 8192, .recipients = 16, .text_bytes = 64U << 10U});
    const auto sender = [](std::uint64_t key) { return fmt::format("{}@b.example", key); };
    for (std::uint64_t key = 1; key <= 5000; ++key) memory.set_sender(memory.touch(key, line_time), sender(key), 10);
    const std::size_t before = memory.messages();
    BOOST_TEST(before > 4000U);
    const std::string longest(500, 'x');
    const std::uint32_t message = memory.touch(10'000, line_time);
    memory.set_sender(message, longest, 10);
    BOOST_TEST(memory.sender(message) == longest);
    BOOST_TEST(memory.messages() > before * 8 / 10);
    for (std::uint64_t key = 1; key <= 5000; ++key) {
        const std::uint32_t found = memory.find(key);
        if (found != mta::logs::no_entry) BOOST_REQUIRE_EQUAL(memory.sender(found), sender(key));
    }
    BOOST_TEST(memory.overflowed() > 0U);
}

BOOST_AUTO_TEST_CASE(texts_of_all_sizes_share_the_room) {
    mta::logs::TextHeap heap(64U << 10U);
    std::vector<std::pair<std::uint32_t, std::string>> kept;
    std::uint32_t random = 1;
    for (int turn = 0; turn < 20'000; ++turn) {
        random = random * 1'664'525U + 1'013'904'223U;
        if (random % 3 == 0 && !kept.empty()) {
            const std::size_t which = (random >> 8U) % kept.size();
            BOOST_REQUIRE_EQUAL(heap.at(kept[which].first), kept[which].second);
            heap.release(kept[which].first);
            kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(which));
            continue;
        }
        std::string text((random >> 8U) % 300 + 1, static_cast<char>('a' + random % 26));
        const bool room = heap.has_room(text.size());
        const std::uint32_t place = heap.store(text);
        BOOST_REQUIRE_EQUAL(place != mta::logs::TextHeap::none, room);
        if (room) kept.emplace_back(place, std::move(text));
    }
    BOOST_CHECK_GT(kept.size(), 50U);
    for (const auto& [place, text] : kept) BOOST_CHECK_EQUAL(heap.at(place), text);
    BOOST_CHECK_EQUAL(heap.store(std::string(2000, 'x')), mta::logs::TextHeap::none);
}

BOOST_AUTO_TEST_SUITE_END()
