// Lines of a mail log: what counts as what, and which ones belong to the last hour.
#include <boost/test/unit_test.hpp>

#include "shared/mta/logs/mail_log.h"

using namespace mtawatch;

namespace {

constexpr std::string_view lines =
    "Nov 21 02:00:00 mx1 postfix/smtp[1]: A1: to=<a@example.com>, relay=x, dsn=2.0.0, status=sent (250 ok)\n"
    "Nov 21 02:30:00 mx1 postfix/smtp[1]: A2: to=<a@example.com>, relay=x, dsn=2.0.0, status=sent (250 ok)\n"
    "Nov 21 02:31:00 mx1 postfix/smtp[1]: A3: to=<b@example.com>, relay=x, dsn=5.1.1, status=bounced (550 no)\n"
    "Nov 21 02:32:00 mx1 postfix/smtp[1]: A4: to=<c@example.com>, relay=x, dsn=4.0.0, status=deferred (error: later)\n"
    "Nov 21 02:33:00 mx1 postfix/smtpd[2]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 error: no\n"
    "2026-11-21T02:34:00.123456+01:00 mx1 postfix/smtpd[2]: fatal: no SASL mechanisms\n"
    "2026-11-21T01:35:00+00:00 mx1 postfix/qmgr[2]: panic: myfree: corrupt\n"
    "2026-11-21T01:35:00-05:00 mx1 in the future of this machine\n"
    "no time at all\n";

mta::logs::MachineTime now() { return mta::logs::parse_machine_time("2026-11-21T03:05:00+0100\n").value(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(mail_log)

BOOST_AUTO_TEST_CASE(the_last_hour_of_a_file) {
    for (const std::size_t chunk : {1U, 50U, 10'000U}) {
        mta::logs::MailLogReader reader(now());
        for (std::size_t at = 0; at < lines.size(); at += chunk) reader.push(lines.substr(at, chunk));
        const auto counts = reader.finish();
        BOOST_TEST(counts.sent == 1U);
        BOOST_TEST(counts.bounced == 1U);
        BOOST_TEST(counts.rejects == 1U);
        BOOST_TEST(counts.errors == 2U);  // not the deferral that quotes the word
        BOOST_TEST(counts.deferred == 1U);
        BOOST_TEST(!counts.begins_in_window);
        BOOST_TEST(counts.last_error.find("panic: myfree") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_rotated_file_begins_in_the_window) {
    mta::logs::MailLogReader reader(now());
    reader.push(lines.substr(lines.find("Nov 21 02:30")));
    BOOST_TEST(reader.finish().begins_in_window);
}

BOOST_AUTO_TEST_CASE(the_turn_of_the_year) {
    mta::logs::MailLogReader reader(mta::logs::parse_machine_time("2027-01-01T00:10:00+0000").value());
    reader.push(
        "Dec 31 23:50:00 mx1 postfix/smtpd[2]: fatal: a\nJan  1 00:05:00 mx1 postfix/smtpd[2]: fatal: b\n"
        "Jan  1 23:05:00 mx1 postfix/smtpd[2]: fatal: a year old or the clock was wrong\n");
    BOOST_TEST(reader.finish().errors >= 2U);
}

BOOST_AUTO_TEST_CASE(everything_counts_without_a_window_and_long_lines_are_cut) {
    mta::logs::MailLogReader reader;
    reader.push("postfix/smtpd[2]: fatal: x\n");
    for (int i = 0; i < 100; ++i) reader.push(std::string(10'000, 'y'));
    reader.push(" fatal: z");
    const auto counts = reader.finish();
    BOOST_TEST(counts.lines == 2U);
    BOOST_TEST(counts.errors == 1U);
}

BOOST_AUTO_TEST_CASE(machine_times) {
    BOOST_TEST(now().offset.count() == 3600);
    BOOST_TEST(now().seconds == 1795226700);
    BOOST_TEST(mta::logs::parse_machine_time("2026-11-21T03:05:00-0530")->offset.count() == -330 * 60);
    for (const auto* bad :
         {"", "2026-11-21", "2026-11-21T03:05:00", "2026-11-21T03:05:00+01", "2026-11-21T03:05:00x0100"}) {
        BOOST_TEST(!mta::logs::parse_machine_time(bad), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
