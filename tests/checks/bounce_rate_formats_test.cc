// Proves that check_bounce_rate gives the same answers for Postfix logs and KumoMTA logs.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "shared/io/gzip_encode.h"
#include "tests/checks/bounce_rate_fixture.h"
#include "tests/support/zstd_text.h"

using namespace mtawatch;
using test::Fixture;
using test::Scenario;
using test::stamp;
using test::test_now;
using test::with;

namespace {

// A message of one recipient from its first line to its last status, the id made of `number`.
struct Mail {
    std::size_t number = 0;
    std::string status = "sent";
    std::string text = "250 2.0.0 Ok";
    std::int64_t ago = 60;
    std::string relay = "mx.example.net[192.0.2.1]:25";
    std::string program = "postfix/smtp";
    std::string to = "user@gmail.com";
    std::string sender = "news@mail.example.com";
    const char* form = "%b %e %H:%M:%S";
};
std::string lines(const Mail& mail) {
    const std::string head = stamp(test_now - mail.ago, mail.form) + " mx1 ";
    const std::string id = fmt::format("4F3A{:06X}", mail.number);
    const char* dsn = mail.status == "sent" ? "2.0.0" : mail.status == "bounced" ? "5.0.0" : "4.0.0";
    return fmt::format(
        "{0}postfix/cleanup[9]: {1}: message-id=<{1}@example.com>\n"
        "{0}postfix/qmgr[7]: {1}: from=<{2}>, size=1047, nrcpt=1 (queue active)\n"
        "{0}{3}[8]: {1}: to=<{4}>, relay={5}, delay=0.52, delays=0.1/0.01/0.2/0.21, dsn={6}, status={7} ({8})\n"
        "{0}postfix/smtp[8]: disconnect\n",
        head, id, mail.sender, mail.program, mail.to, mail.relay, dsn, mail.status, mail.text);
}
std::string mails(std::size_t count, Mail mail, std::size_t first) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        mail.number = first + i;
        text += lines(mail);
    }
    return text;
}
constexpr const char* unknown_user =
    "host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)";

// 180 delivered, 6 hard, 4 soft, 10 blocked, 50 deferred: as mixed of PowerMTA's tests.
std::string mixed(const char* form = "%b %e %H:%M:%S") {
    return mails(180, {.form = form}, 0) + mails(6, {.status = "bounced", .text = unknown_user, .form = form}, 1000) +
           mails(4, {.status = "bounced", .text = "host mx said: 552 5.2.2 mailbox full", .form = form}, 2000) +
           mails(10,
                 {.status = "bounced",
                  .text = "host mx[192.0.2.1] said: 554 5.7.1 blocked using bl.example",
                  .form = form},
                 3000) +
           mails(50,
                 {.status = "deferred",
                  .text = "connect to mx.example.net[192.0.2.1]:25: Connection timed out",
                  .relay = "none",
                  .form = form},
                 4000);
}

std::string kumo(const char* type, std::size_t count, const std::string& more = "\"size\":1", std::int64_t ago = 60) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format(
            R"({{"type":"{}","id":"{}","sender":"news@mail.example.com","recipient":"user@gmail.com","queue":"c1:t@gmail.com",)"
            R"("timestamp":{},"created":{},"egress_pool":"pool1","egress_source":"ip-1","delivery_protocol":"ESMTP",{}}})"
            "\n",
            type, i, test_now - ago, test_now - ago - 1, more);
    }
    return text;
}
std::string kumo_reply(int code, const char* content, const char* classification = "Uncategorized") {
    return fmt::format(R"("response":{{"code":{},"content":"{}"}},"bounce_classification":"{}")", code, content,
                       classification);
}

const std::vector<std::string> postfix_arguments{"-f", "/log/mail.log", "--format", "postfix"};
const std::vector<Scenario> postfix_scenarios{
    {"bounce", mixed(), {}, "1 BOUNCE_RATE WARNING - last 1 h: 10.00 % bounced (20 of 200), above 5"},
    {"iso_stamps",
     mixed("%Y-%m-%dT%H:%M:%S.123456+00:00"),
     {"--metric", "hard"},
     "1 BOUNCE_RATE WARNING - last 1 h: 3.00 % bounced hard (6 of 200), above 2"},
    {"soft", mixed(), {"--metric", "soft"}, "0 BOUNCE_RATE OK - last 1 h: 2.00 % bounced soft (4 of 200)"},
    {"block", mixed(), {"--metric", "block"}, "2 BOUNCE_RATE CRITICAL - last 1 h: 5.00 % blocked (10 of 200), above 3"},
    {"deferral",
     mixed(),
     {"--metric", "deferral"},
     "1 BOUNCE_RATE WARNING - last 1 h: 20.00 % deferred (50 of 250), above 15"},
    {"by_relay",
     mixed() + mails(150, {.relay = "MX2.example.net[192.0.2.2]:25"}, 9000),
     {"--by", "relay"},
     "1 BOUNCE_RATE WARNING - last 1 h: 5.71 % bounced (20 of 350), above 5 (and 1 more)"},
    {"by_provider",
     mixed(),
     {"--by", "provider"},
     "1 BOUNCE_RATE WARNING - last 1 h: 10.00 % bounced (20 of 200), above 5 (and 1 more)"},
    {"only_a_sender_domain",
     mixed() + mails(100, {.sender = "x@other.example"}, 9000),
     {"--only", "sender-domain=other.example"},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)"},
    {"local_mail_and_content_filters_are_outside",
     mails(200, {}, 0) + mails(300, {.relay = "127.0.0.1[127.0.0.1]:10024"}, 1000) +
         mails(90, {.status = "bounced", .text = "unknown user: \"x\"", .relay = "local", .program = "postfix/local"},
               2000) +
         mails(90, {.status = "deferred", .text = "locked", .relay = "local", .program = "postfix/local"}, 3000),
     {"--metric", "deferral"},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % deferred (0 of 200)"},
    {"a_repeated_line_counts_once",
     mails(100, {}, 0) + mails(100, {}, 0) + mails(100, {.ago = 30}, 5000),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 200)"},
    {"no_deferral_is_a_real_0_percent",
     mails(200, {}, 0),
     {"--metric", "deferral"},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % deferred (0 of 200)"},
    {"no_delivery_is_a_real_100_percent",
     mails(200, {.status = "bounced", .text = unknown_user}, 0),
     {},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 100.00 % bounced (200 of 200), above 10"},
    {"the_window",
     mails(300, {.status = "bounced", .text = unknown_user, .ago = 3601}, 0) + mails(100, {.ago = 3600}, 1000),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)"},
    {"idle",
     mails(100, {.ago = 7200}, 0),
     {},
     "3 BOUNCE_RATE UNKNOWN - no record between 2026-11-21T11:00:00Z and 2026-11-21T12:00:00Z (1 h); the newest record "
     "is from 2026-11-21T10:00:00Z"},
    {"old",
     mails(100, {.ago = 90'000}, 0),
     {"--idle", "ok"},
     "2 BOUNCE_RATE CRITICAL - the newest record is 1 d 1 h old (2026-11-20T11:00:00Z): Postfix sends nothing, or "
     "writes its log elsewhere"},
    {"empty",
     "",
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/mail.log: no record of Postfix up to 2026-11-21T12:00:00Z; it has not written "
     "any, or it writes elsewhere"},
    {"other_programs_alone",
     "Nov 21 11:59:00 mx1 dovecot: imap-login: Login: user=<x>\n",
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/mail.log: no record of Postfix up to 2026-11-21T12:00:00Z; it has not written "
     "any, or it writes elsewhere"},
    {"an_accounting_file",
     "type,timeLogged,rcpt\nd,2026-11-21 11:59:00+0000,a@b\n",
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/mail.log: it looks like an accounting file of PowerMTA: --format pmta"},
    {"by_job_is_not_said",
     mixed(),
     {"--by", "job"},
     "3 BOUNCE_RATE UNKNOWN - --by job: a Postfix log does not say it; write one of relay, provider, sender-domain and "
     "recipient-domain"},
    {"only_a_pool_is_not_said",
     mixed(),
     {"--only", "pool=x"},
     "3 BOUNCE_RATE UNKNOWN - --only pool: a Postfix log does not say it; write one of relay, provider, sender-domain "
     "and recipient-domain"},
    {"no_complaints",
     mixed(),
     {"--metric", "complaint"},
     "3 BOUNCE_RATE UNKNOWN - --metric complaint: a Postfix log has no complaints"},
    {"no_table",
     mixed(),
     {"--map", "type=status"},
     "3 BOUNCE_RATE UNKNOWN - --map and --types are for tables; leave --format out"},
};

const std::vector<std::string> kumo_arguments{"-f", "/log/20261121-*", "--format", "kumomta"};
const std::string kumo_mixed =
    kumo("Reception", 250) + kumo("Delivery", 180) + kumo("Bounce", 6, kumo_reply(550, "x", "InvalidRecipient")) +
    kumo("Bounce", 4, kumo_reply(552, "mailbox full")) + kumo("Bounce", 10, kumo_reply(550, "x", "SpamBlock")) +
    kumo("TransientFailure", 50, kumo_reply(451, "later")) + kumo("AdminBounce", 99, kumo_reply(552, "purged")) +
    kumo("Feedback", 1, R"("feedback_report":{"feedback_type":"abuse"})");
const std::vector<Scenario> kumo_scenarios{
    {"bounce", kumo_mixed, {}, "1 BOUNCE_RATE WARNING - last 1 h: 10.00 % bounced (20 of 200), above 5"},
    {"hard",
     kumo_mixed,
     {"--metric", "hard"},
     "1 BOUNCE_RATE WARNING - last 1 h: 3.00 % bounced hard (6 of 200), above 2"},
    {"soft_by_the_reply",
     kumo_mixed,
     {"--metric", "soft"},
     "0 BOUNCE_RATE OK - last 1 h: 2.00 % bounced soft (4 of 200)"},
    {"by_vmta_is_the_egress_source",
     kumo_mixed,
     {"--by", "vmta"},
     "1 BOUNCE_RATE WARNING - last 1 h: 10.00 % bounced (20 of 200), above 5 (and 1 more)"},
    {"only_a_campaign",
     kumo_mixed,
     {"--only", "job=c1", "--metric", "delivery"},
     "1 BOUNCE_RATE WARNING - last 1 h: 90.00 % delivered (180 of 200), below 95"},
    {"complaint",
     kumo_mixed,
     {"--metric", "complaint"},
     "2 BOUNCE_RATE CRITICAL - last 1 d: 0.56 % complained about (1 of 180), above 0.3"},
    {"a_growing_segment",
     test::zstd_text(kumo_mixed, false),
     {"--metric", "block"},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 5.00 % blocked (10 of 200), above 3"},
    {"expired_is_soft",
     kumo("Delivery", 190) + kumo("Expiration", 10),
     {"--metric", "soft"},
     "0 BOUNCE_RATE OK - last 1 h: 5.00 % bounced soft (10 of 200)"},
    {"no_delivery_logged",
     kumo("Bounce", 200, kumo_reply(550, "x")),
     {},
     "3 BOUNCE_RATE UNKNOWN - KumoMTA does not log Delivery records here: enable them under per_record of "
     "configure_local_logs"},
    {"by_relay_is_of_postfix",
     kumo_mixed,
     {"--by", "relay"},
     "3 BOUNCE_RATE UNKNOWN - --by relay is Postfix's; the word for KumoMTA is vmta"},
    {"a_postfix_log",
     mixed(),
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/20261121-1: it looks like a log of Postfix: --format postfix"},
    {"something_else",
     "hello\nworld\n",
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/20261121-1: holds no record of KumoMTA; is it a segment of its log?"},
    {"no_journal",
     kumo_mixed,
     {"--journal", "x"},
     "3 BOUNCE_RATE UNKNOWN - --journal is for --format postfix: KumoMTA writes its own files"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(formats)

BOOST_AUTO_TEST_CASE(postfix) { test::check_all(postfix_scenarios, "/log/mail.log", postfix_arguments); }
BOOST_AUTO_TEST_CASE(kumomta) { test::check_all(kumo_scenarios, "/log/20261121-1", kumo_arguments); }

BOOST_AUTO_TEST_CASE(rotated_postfix_files_are_read_in_order_of_time_and_old_ones_not_at_all) {
    Fixture fixture;
    const auto half = [](std::size_t first, std::int64_t ago) { return mails(100, {.ago = ago}, first); };
    fixture.write("/var/log/mail.log.3.gz", io::gzip_encode(half(0, 1000)).value(), 200'000);  // its stamps would count
    fixture.write("/var/log/mail.log.2.gz", io::gzip_encode(half(1000, 2000)).value(), 2000);
    // The message is taken in hand in the older file and delivered in the newer one.
    const std::string message = lines({.ago = 1500});
    const std::size_t second_line = message.find('\n', message.find("from=<")) + 1;
    fixture.write("/var/log/mail.log.1", half(2000, 1600) + message.substr(0, second_line), 1500);
    fixture.write("/var/log/mail.log", message.substr(second_line) + half(3000, 100));
    BOOST_CHECK_EQUAL(fixture.line({"--format", "postfix"}), "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 301)");
    BOOST_CHECK_EQUAL(fixture.line({"--format", "postfix", "--only", "sender-domain=mail.example.com"}),
                      "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 301)");
    // One that is cut off was not read completely.
    fixture.write("/var/log/mail.log.2.gz", io::gzip_encode(half(1000, 2000)).value().substr(0, 500), 2000);
    BOOST_CHECK_EQUAL(
        fixture.line({"--format", "postfix"}),
        "3 BOUNCE_RATE UNKNOWN - not all of the mail was seen: /var/log/mail.log.2.gz: is cut off, or still "
        "being written");
}

BOOST_AUTO_TEST_CASE(expired_mail_bounces_whether_its_last_attempt_is_in_the_window_or_not) {
    Fixture fixture;
    const std::string expired = stamp(test_now - 100, "%b %e %H:%M:%S") +
                                " mx1 postfix/qmgr[7]: 4F3A000000: from=<a@b>, status=expired, returned to sender\n";
    for (const std::int64_t ago : {101, 3'700, 90'000}) {
        const Mail deferred{
            .status = "deferred", .text = "connect to mx[192.0.2.1]:25: refused", .ago = ago, .relay = "none"};
        fixture.write("/log/mail.log", lines(deferred) + mails(99, {.ago = 100}, 5000) + expired);
        BOOST_CHECK_EQUAL(fixture.line(with(postfix_arguments, {"--metric", "soft"})),
                          "0 BOUNCE_RATE OK - last 1 h: 1.00 % bounced soft (1 of 100)");
    }
}

BOOST_AUTO_TEST_CASE(no_deferral_in_kumomtas_last_segment_is_a_real_0_percent_if_an_older_one_has_some) {
    Fixture fixture;
    fixture.write("/log/20261121-2", test::zstd_text(kumo("Delivery", 200)));
    const auto deferral = with(kumo_arguments, {"--metric", "deferral"});
    BOOST_CHECK_EQUAL(fixture.line(deferral),
                      "3 BOUNCE_RATE UNKNOWN - KumoMTA does not log TransientFailure records here: enable them under "
                      "per_record of configure_local_logs");
    fixture.write("/log/20261121-1", test::zstd_text(kumo("TransientFailure", 1, "\"size\":1", 9000)), 9000);
    BOOST_CHECK_EQUAL(fixture.line(deferral), "0 BOUNCE_RATE OK - last 1 h: 0.00 % deferred (0 of 200)");
}

// The search must come out at the window in a log far larger than what it reads.
BOOST_AUTO_TEST_CASE(a_large_postfix_log_is_searched_not_read) {
    Fixture fixture;
    std::string file;
    std::size_t number = 0;
    for (std::int64_t ago = 400'000; ago > 0; ago -= 10) file += lines({.number = number++, .ago = ago});
    fixture.write("/log/mail.log", file);
    const std::string text = fixture.text(with(postfix_arguments, {"-o", "json", "--metric", "delivery"}));
    const auto value = [&](const std::string& key) {
        const std::size_t at = text.find("\"" + key + "\":");
        BOOST_REQUIRE(at != std::string::npos);
        return std::stoull(text.substr(at + key.size() + 3));
    };
    BOOST_CHECK_EQUAL(value("records"), 360U);
    BOOST_CHECK_LT(value("bytes_read"), file.size() / 4);
}

// It said "failed" of every end without words, and the words alone of every end with some.
BOOST_AUTO_TEST_CASE(a_journalctl_that_dies_says_how_it_ended) {
    const std::string command =
        fmt::format("journalctl --no-pager --unit=x.service --output=short-iso-precise --since=@{} --until=@{}",
                    test_now - std::int64_t{2} * 3600, test_now);
    const auto said = [&](const test::Said& answer) {
        Fixture fixture;
        fixture.commands().add(command, answer);
        return fixture.line({"--format", "postfix", "--journal", "x.service"});
    };
    const std::string head = "3 BOUNCE_RATE UNKNOWN - journalctl on this machine exited with ";
    BOOST_CHECK_EQUAL(said({mixed("%Y-%m-%dT%H:%M:%S.000001+0000"), 3}), head + "3");
    BOOST_CHECK_EQUAL(said({"", 1, "journalctl: the disk is on fire\n"}), head + "1: journalctl: the disk is on fire");
}

BOOST_AUTO_TEST_CASE(the_files_that_were_read_in_vain_are_named) {
    Fixture fixture;
    fixture.write("/log/mail.log", "");
    fixture.write("/log/mail.log.1", "");
    BOOST_CHECK_EQUAL(fixture.line({"--format", "postfix", "--file", "/log/mail.log*"}),
                      "3 BOUNCE_RATE UNKNOWN - /log/mail.log and 1 more: no record of Postfix up to "
                      "2026-11-21T12:00:00Z; it has not written any, or it writes elsewhere");
}

BOOST_AUTO_TEST_CASE(files_that_were_not_looked_into_are_not_said_to_hold_nothing) {
    Fixture fixture;
    fixture.write("/log/mail.log.3.gz", io::gzip_encode("x\n").value(), 200'000);
    BOOST_CHECK_EQUAL(
        fixture.line({"--format", "postfix", "--file", "/log/mail.log*"}),
        "3 BOUNCE_RATE UNKNOWN - no readable file was written to in the window up to 2026-11-21T12:00:00Z");
}

BOOST_AUTO_TEST_CASE(the_journal_of_a_unit) {
    const std::string command =
        fmt::format("journalctl --no-pager --unit=postfix@-.service --output=short-iso-precise --since=@{} --until=@{}",
                    test_now - std::int64_t{2} * 3600, test_now);
    const std::vector<std::string> arguments{"--format", "postfix", "--journal", "postfix@-.service"};
    {
        Fixture fixture;
        fixture.commands().add(command, {mixed("%Y-%m-%dT%H:%M:%S.000001+0000")});
        BOOST_CHECK_EQUAL(fixture.line(arguments),
                          "1 BOUNCE_RATE WARNING - last 1 h: 10.00 % bounced (20 of 200), above 5");
    }
    {
        Fixture fixture;
        fixture.commands().add(command, {"-- No entries --\n"});
        BOOST_CHECK_EQUAL(fixture.line(arguments),
                          "3 BOUNCE_RATE UNKNOWN - journal of postfix@-.service: no record of Postfix up to "
                          "2026-11-21T12:00:00Z; it has not written any, or it writes elsewhere");
    }
    {
        Fixture fixture;
        fixture.commands().add(command,
                               {"", 0, "Hint: You are currently not seeing messages from other users and the system."});
        BOOST_CHECK_EQUAL(
            fixture.line(arguments),
            "3 BOUNCE_RATE UNKNOWN - journalctl on this machine: the journal cannot be read (Hint: You are "
            "currently not seeing messages from other users and the system.): add this user to the group "
            "systemd-journal");
    }
    {
        Fixture fixture;
        // 0 % bounced was said of the half that came.
        const std::string whole = mixed("%Y-%m-%dT%H:%M:%S.000001+0000");
        fixture.commands().add(command, {whole.substr(0, whole.size() / 2)});
        BOOST_CHECK_EQUAL(fixture.line(arguments),
                          "3 BOUNCE_RATE UNKNOWN - journalctl on this machine was cut off in the middle of a line");
    }
    {
        Fixture fixture;
        fixture.commands().add(command, base::Error{base::Fault::timeout, "journalctl on this machine: no answer"});
        BOOST_CHECK_EQUAL(fixture.line(arguments), "3 BOUNCE_RATE UNKNOWN - timed out (-t 10 s)");
    }
    Fixture fixture;
    BOOST_CHECK_EQUAL(fixture.line(arguments), "3 BOUNCE_RATE UNKNOWN - journalctl on this machine: no such program");
    BOOST_CHECK_EQUAL(fixture.line(with(arguments, {"-f", "/x"})),
                      "3 BOUNCE_RATE UNKNOWN - --journal and --file would count the same mail twice; give one of them");
}

BOOST_AUTO_TEST_SUITE_END()
