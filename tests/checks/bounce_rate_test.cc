// Proves what check_bounce_rate answers: for each metric and group, and for the files that make other tools report 0 or
// 100 percent.
#include <fmt/core.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "shared/io/gzip_encode.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/run_check.h"

using namespace mtawatch;
using plugin::Outcome;

namespace {

constexpr std::int64_t test_now = 1'795'262'400;  // 2026-11-21T12:00:00Z
const std::string header_text =
    "type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,dlvType,dlvSourceIp,vmta,vmtaPool,jobId,queue\n";

std::string stamp(std::int64_t seconds, const char* form = "%Y-%m-%d %H:%M:%S+0000") {
    std::tm parts{};
    const std::time_t time = seconds;
    gmtime_r(&time, &parts);
    char text[40];
    return {text, std::strftime(text, sizeof text, form, &parts)};
}

struct Row {
    const char* type = "d";
    std::int64_t ago = 60;
    std::string category = "";
    std::string diag = "smtp;250 ok";
    std::string rcpt = "user@gmail.com";
    std::string vmta = "vmta1";
    std::string dlv_type = "smtp";
    std::string status = "2.0.0 (success)";
};

std::string row(const Row& r) {
    return fmt::format("{},{},news@mail.example.com,{},{},{},,{},{},203.0.113.1,{},pool1,job1,\n", r.type,
                       stamp(test_now - r.ago), r.rcpt, r.status, r.diag, r.category, r.dlv_type, r.vmta);
}
Row bounce(const char* category, const char* diag = "smtp;550 no", std::int64_t ago = 60) {
    return {.type = "b", .ago = ago, .category = category, .diag = diag, .status = "5.0.0 (undefined status)"};
}
std::string rows(std::size_t count, const Row& r) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += row(r);
    return text;
}

class Fixture {
  public:
    Fixture() { clock_.set_wall(base::WallTime(std::chrono::seconds(test_now))); }
    void write(std::string_view name, const std::string& text) const { folder_.write(name, text); }
    Outcome run(std::vector<std::string> arguments) {
        const io::Files files = folder_.files();
        probe::world::World world;
        world.clock = &clock_;
        io::Files own = files;
        world.files = &own;
        if (arguments.empty() || arguments.front() != "-f") {
            arguments.insert(arguments.begin(), {"-f", "/log/acct-*.csv", "-f", "/log/acct-*.csv.gz"});
        }
        return test::run_check(arguments, world);
    }
    // The first line without the figures.
    std::string line(std::vector<std::string> arguments) {
        const Outcome outcome = run(std::move(arguments));
        const std::string first = outcome.text.substr(0, outcome.text.find('\n'));
        return fmt::format("{} {}", outcome.exit_code, first.substr(0, first.find(" | ")));
    }
    [[nodiscard]] std::string path() const { return folder_.path(); }

  private:
    test::Folder folder_;
    test::FakeClock clock_;
};

struct Scenario {
    const char* name;
    std::string file;
    std::vector<std::string> arguments;
    const char* answer;
};

const std::string mixed = header_text + rows(180, {}) + rows(6, bounce("bad-mailbox")) +
                          rows(4, bounce("quota-issues")) + rows(10, bounce("spam-related")) +
                          rows(50, {.type = "t", .status = "4.7.0 (x)"});

const std::vector<Scenario> scenario_table{
    {"ok_under_the_warning",
     header_text + rows(190, {}) + rows(10, bounce("bad-mailbox")),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 5.00 % bounced (10 of 200)"},
    {"warning_over_5_percent",
     header_text + rows(189, {}) + rows(11, bounce("bad-mailbox")),
     {},
     "1 BOUNCE_RATE WARNING - last 1 h: 5.50 % bounced (11 of 200), above 5"},
    {"critical_over_10_percent",
     header_text + rows(179, {}) + rows(21, bounce("bad-mailbox")),
     {},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 10.50 % bounced (21 of 200), above 10"},
    {"hard_counts_hard_categories",
     mixed,
     {"--metric", "hard"},
     "1 BOUNCE_RATE WARNING - last 1 h: 3.00 % bounced hard (6 of 200), above 2"},
    {"soft_counts_soft_categories",
     mixed,
     {"--metric", "soft"},
     "0 BOUNCE_RATE OK - last 1 h: 2.00 % bounced soft (4 of 200)"},
    {"block_counts_blocks",
     mixed,
     {"--metric", "block"},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 5.00 % blocked (10 of 200), above 3"},
    {"deferral_is_of_attempts_that_ended_or_were_deferred",
     mixed,
     {"--metric", "deferral"},
     "1 BOUNCE_RATE WARNING - last 1 h: 20.00 % deferred (50 of 250), above 15"},
    {"delivery_alerts_below",
     mixed,
     {"--metric", "delivery"},
     "1 BOUNCE_RATE WARNING - last 1 h: 90.00 % delivered (180 of 200), below 95"},
    {"complaint_is_of_deliveries_over_a_day",
     header_text + rows(1000, {.ago = 80'000}) + rows(2, {.type = "f", .ago = 70'000}),
     {"--metric", "complaint"},
     "1 BOUNCE_RATE WARNING - last 1 d: 0.20 % complained about (2 of 1,000), above 0.1"},
    {"own_thresholds", mixed, {"-w", "20", "-c", "30"}, "0 BOUNCE_RATE OK - last 1 h: 10.00 % bounced (20 of 200)"},
    {"a_bare_delivery_threshold_is_refused",
     mixed,
     {"--metric", "delivery", "-w", "90"},
     "3 BOUNCE_RATE UNKNOWN - --warning: 90 alone would alert above 90; write 90: to be warned below 90 percent"},
    {"little_mail_is_shown_and_not_judged",
     header_text + rows(50, {}) + rows(49, bounce("bad-mailbox")),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 49.49 % bounced (49 of 99); too little mail to judge (--min-volume 100)"},
    {"min_volume_can_be_lowered",
     header_text + rows(50, {}) + rows(49, bounce("bad-mailbox")),
     {"--min-volume", "99"},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 49.49 % bounced (49 of 99), above 10"},
    {"local_deliveries_and_bounces_are_outside_every_ratio",
     header_text + rows(200, {}) + rows(100, {.dlv_type = "pipe"}) + rows(90, bounce("other", "x-pmta;bounce-queue")) +
         rows(2, bounce("bad-mailbox")),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 0.99 % bounced (2 of 202)"},
    {"the_window_ends_now_and_begins_an_hour_ago",
     header_text + rows(500, {.ago = 3'601}) + rows(100, {.ago = 3'600}) +
         rows(300, bounce("bad-mailbox", "smtp;550", -1)) + rows(4, bounce("bad-mailbox", "smtp;550", 1)),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 3.85 % bounced (4 of 104)"},
    {"at_ends_the_window",
     header_text + rows(300, {.ago = 7'300}) + rows(300, bounce("bad-mailbox")),
     {"--at", "2026-11-21T10:30:00Z", "--window", "2h"},
     "0 BOUNCE_RATE OK - last 2 h: 0.00 % bounced (0 of 300)"},
    {"no_delivery_logged_is_unknown_never_100_percent",
     header_text + rows(300, bounce("bad-mailbox")),
     {},
     "3 BOUNCE_RATE UNKNOWN - PowerMTA does not log d records here: add `records d,b`"},
    {"no_transient_logged_is_unknown_never_0_percent",
     header_text + rows(300, {}),
     {"--metric", "deferral"},
     "3 BOUNCE_RATE UNKNOWN - PowerMTA does not log t records here: add `records d,b,t`"},
    {"no_complaint_logged_is_unknown_never_0_percent",
     header_text + rows(300, {}),
     {"--metric", "complaint"},
     "3 BOUNCE_RATE UNKNOWN - PowerMTA does not log f records here: add `records d,b,f`"},
    {"complaint_columns_say_that_complaints_are_logged",
     "type,timeLogged,feedbackType\n" +
         [] {
             std::string text;
             for (int i = 0; i < 200; ++i) text += "d," + stamp(test_now - 100) + ",\n";
             return text;
         }(),
     {"--metric", "complaint"},
     "0 BOUNCE_RATE OK - last 1 d: 0.00 % complained about (0 of 200)"},
    {"deliveries_before_the_window_make_100_percent_real",
     header_text + rows(300, {.ago = 90'000}) + rows(300, bounce("bad-mailbox")),
     {},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 100.00 % bounced (300 of 300), above 10"},
    {"nothing_in_the_window_is_idle",
     header_text + rows(300, {.ago = 7'200}),
     {},
     "3 BOUNCE_RATE UNKNOWN - no record between 2026-11-21T11:00:00Z and 2026-11-21T12:00:00Z (1 h); the newest record "
     "is "
     "from 2026-11-21T10:00:00Z"},
    {"idle_may_be_fine",
     header_text + rows(300, {.ago = 7'200}),
     {"--idle", "ok"},
     "0 BOUNCE_RATE OK - no record between 2026-11-21T11:00:00Z and 2026-11-21T12:00:00Z (1 h); the newest record is "
     "from "
     "2026-11-21T10:00:00Z"},
    {"old_records_are_critical",
     header_text + rows(300, {.ago = 90'000}),
     {"--idle", "ok"},
     "2 BOUNCE_RATE CRITICAL - the newest record is 1 d 1 h old (2026-11-20T11:00:00Z): PowerMTA sends nothing, or "
     "writes "
     "its accounting elsewhere"},
    {"max_age_can_be_longer",
     header_text + rows(300, {.ago = 90'000}),
     {"--idle", "ok", "--max-age", "2d"},
     "0 BOUNCE_RATE OK - no record between 2026-11-21T11:00:00Z and 2026-11-21T12:00:00Z (1 h); the newest record is "
     "from "
     "2026-11-20T11:00:00Z"},
    {"header_only_is_unknown",
     header_text,
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/acct-1.csv: no record of PowerMTA up to 2026-11-21T12:00:00Z; it has not written "
     "any, or it writes elsewhere"},
    {"empty_file_is_unknown",
     "",
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/acct-1.csv: no record of PowerMTA up to 2026-11-21T12:00:00Z; it has not written "
     "any, or it writes elsewhere"},
    {"no_header_is_unknown",
     rows(300, {}),
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/acct-1.csv: no header line; is it an accounting file of PowerMTA?"},
    {"binary_garbage_is_unknown",
     std::string(200'000, '\0') + "\n\xff\xfe\"",
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/acct-1.csv: no header line; is it an accounting file of PowerMTA?"},
    {"no_time_column_is_unknown",
     "type,rcpt\nd,a@b.example\n",
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/acct-1.csv: its header has neither timeLogged nor timeQueued, so its records cannot "
     "be "
     "placed in time; add timeLogged to record-fields"},
    {"a_damaged_line_does_not_stop_the_rest",
     header_text + rows(100, {}) + "d,\"stray\n" + rows(100, {}),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 200)"},
    {"groups_are_judged_apart_worst_first",
     header_text + rows(500, {}) + rows(150, {.vmta = "vmta2"}) +
         rows(20, {.type = "b", .category = "bad-mailbox", .diag = "smtp;550", .vmta = "vmta2", .status = "5.1.1 (x)"}),
     {"--by", "vmta"},
     "2 BOUNCE_RATE CRITICAL - vmta vmta2: 11.76 % bounced (20 of 170), above 10"},
    {"small_groups_do_not_alarm",
     header_text + rows(500, {}) +
         rows(9, {.type = "b", .category = "bad-mailbox", .rcpt = "a@web.de", .status = "5.1.1 (x)"}),
     {"--by", "provider"},
     "0 BOUNCE_RATE OK - last 1 h: 1.77 % bounced (9 of 509) (and 2 more)"},
    {"only_narrows",
     mixed + rows(100, {.rcpt = "A@Yahoo.com", .vmta = "VMTA9"}),
     {"--only", "vmta=vmta9"},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)"},
    {"only_a_provider",
     mixed + rows(100, {.rcpt = "A@Yahoo.com"}),
     {"--only", "provider=yahoo"},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)"},
    {"only_what_is_not_there_is_idle",
     mixed,
     {"--only", "job=other"},
     "3 BOUNCE_RATE UNKNOWN - no such mail between 2026-11-21T11:00:00Z and 2026-11-21T12:00:00Z (1 h); the newest "
     "record is "
     "from 2026-11-21T11:59:00Z"},
    {"only_with_a_wrong_key",
     mixed,
     {"--only", "colour=red"},
     "3 BOUNCE_RATE UNKNOWN - --only \"colour=red\": write KEY=VALUE with one of the keys "
     "vmta!relay!pool!provider!sender-domain!recipient-domain!job!source-ip!category!reason!code!reply"},
    {"by_category_is_of_all_mail",
     mixed,
     {"--by", "category", "-w", "4", "-c", "5"},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 10.00 % bounced (20 of 200), above 5 (and 1 more)"},
    {"only_a_category",
     mixed,
     {"--only", "category=quota-issues"},
     "0 BOUNCE_RATE OK - last 1 h: 2.17 % bounced (4 of 184)"},
    {"an_empty_category_is_judged_by_the_reply",
     header_text + rows(180, {}) + rows(20, bounce("", "smtp;550 user unknown")),
     {"--metric", "hard"},
     "2 BOUNCE_RATE CRITICAL - last 1 h: 10.00 % bounced hard (20 of 200), above 5"},
    {"epoch_stamps",
     "type,timeLogged,bounceCat\n" +
         [] {
             std::string text;
             for (int i = 0; i < 200; ++i) text += fmt::format("d,{},\n", test_now - 100);
             return text;
         }(),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 200)"},
    {"time_queued_where_nothing_else_is",
     "type,timeQueued,rcpt\n" +
         [] {
             std::string text;
             for (int i = 0; i < 200; ++i) text += "d," + stamp(test_now - 100) + ",a@b.example\n";
             return text;
         }(),
     {},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 200)"},
    {"an_unknown_metric_is_a_usage_error",
     mixed,
     {"--metric", "nonsense"},
     "3 BOUNCE_RATE UNKNOWN - --metric: \"nonsense\" is not known here; write bounce, hard, soft, block, deferral, "
     "complaint or delivery"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(scenarios) {
    for (const Scenario& scenario : scenario_table) {
        BOOST_TEST_CONTEXT(scenario.name) {
            Fixture fixture;
            fixture.write("/log/acct-1.csv", scenario.file);
            BOOST_CHECK_EQUAL(fixture.line(scenario.arguments), scenario.answer);
        }
    }
}

BOOST_AUTO_TEST_CASE(figures_carry_thresholds_and_leave_out_what_is_not_logged) {
    Fixture fixture;
    fixture.write("/log/acct-1.csv", header_text + rows(195, {}) + rows(5, bounce("bad-mailbox")));
    BOOST_CHECK_EQUAL(fixture.run({}).text,
                      "BOUNCE_RATE OK - last 1 h: 2.50 % bounced (5 of 200) | bounce=2.5%;5;10;0;100 delivered=195;;;0 "
                      "bounced=5;;;0\n");
}

BOOST_AUTO_TEST_CASE(compressed_files_count_and_one_that_is_being_compressed_counts_once) {
    Fixture fixture;
    const std::string good = header_text + rows(100, {});
    const std::string bad = header_text + rows(100, bounce("bad-mailbox"));
    fixture.write("/log/acct-1.csv", good);
    fixture.write("/log/acct-2.csv.gz", io::gzip_encode(bad).value());
    BOOST_CHECK_EQUAL(fixture.line({}), "2 BOUNCE_RATE CRITICAL - last 1 h: 50.00 % bounced (100 of 200), above 10");
    fixture.write("/log/acct-1.csv.gz", io::gzip_encode(good).value());
    BOOST_CHECK_EQUAL(fixture.line({}), "2 BOUNCE_RATE CRITICAL - last 1 h: 50.00 % bounced (100 of 200), above 10");
    fixture.write("/log/acct-2.csv.gz", io::gzip_encode(bad).value().substr(0, 60));
    BOOST_CHECK_EQUAL(fixture.line({}).substr(0, 83),
                      "3 BOUNCE_RATE UNKNOWN - not all of the mail was seen: /log/acct-2.csv.gz: is cut of");
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read_are_never_ok) {
    Fixture fixture;
    BOOST_CHECK_EQUAL(fixture.line({}),
                      "3 BOUNCE_RATE UNKNOWN - no file matches /log/acct-*.csv or /log/acct-*.csv.gz");
    BOOST_CHECK_EQUAL(fixture.line({"-f", "/log"}), "3 BOUNCE_RATE UNKNOWN - no file matches /log");
    fixture.write("/log/sub/x", "");
    BOOST_CHECK_EQUAL(fixture.line({"-f", "/log/sub"}),
                      "3 BOUNCE_RATE UNKNOWN - /log/sub: is a directory; write a pattern for the files in it");
    fixture.write("/log/acct-1.csv", header_text + rows(200, {}));
    fixture.write("/log/acct-2.csv", "no header here\n");
    BOOST_CHECK_EQUAL(fixture.line({}),
                      "3 BOUNCE_RATE UNKNOWN - not all of the mail was seen: /log/acct-2.csv: no header line; is it an "
                      "accounting file of PowerMTA?");
}

// The search must come out at the window in a file far larger than what it reads, stray stamps and all.
BOOST_AUTO_TEST_CASE(a_large_file_is_searched_not_read) {
    Fixture fixture;
    std::string file = header_text;
    std::size_t in_window = 0;
    for (std::int64_t ago = 200'000; ago > 0; ago -= 2) {
        const std::int64_t jitter = ago * 7 % 5;
        if (ago % 1000 == 0) file += row({.ago = ago % 3000 == 0 ? -900'000 : 900'000});  // a clock that lies
        if (ago - jitter <= 3600 && ago - jitter > 0) ++in_window;
        file += row({.ago = ago - jitter});
    }
    fixture.write("/log/acct-1.csv", file);
    const std::string text = fixture.run({"-o", "json", "--metric", "delivery"}).text;
    const auto number = [&](const std::string& key) {
        const std::size_t at = text.find("\"" + key + "\":");
        BOOST_REQUIRE(at != std::string::npos);
        return std::stoull(text.substr(at + key.size() + 3));
    };
    BOOST_CHECK_EQUAL(number("records"), in_window);
    BOOST_CHECK_LE(number("search_reads"), 25U);
    BOOST_CHECK_LT(number("bytes_read"), file.size() / 4);
}

// Autumn repeats an hour, so stamps without an offset are only nearly in order.
BOOST_AUTO_TEST_CASE(stamps_without_offset_are_searched_with_two_hours_of_slack) {
    Fixture fixture;
    std::string file = "type,timeLogged,rcpt\n";
    for (std::int64_t ago = 400'000; ago > 0; ago -= 4) {
        const std::int64_t back = ago <= 5000 && ago > 1500 ? 3600 : 0;  // the clock was set back an hour
        file += "d," + stamp(test_now - ago - back, "%Y-%m-%d %H:%M:%S") + ",user@example.com\n";
    }
    fixture.write("/log/acct-1.csv", file);
    setenv("TZ", "UTC", 1);
    tzset();
    // In the window: the records of the last 1500 s alone, for those set back lie before it.
    const std::string line = fixture.line({"--min-volume", "1"});
    BOOST_CHECK_EQUAL(line, "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 375)");
}

BOOST_AUTO_TEST_CASE(the_exporters_words_are_used) {
    Fixture fixture;
    fixture.write("/log/acct-1.csv", header_text + rows(180, {.rcpt = "a@corp.example"}) +
                                         rows(20, bounce("our-list")) + rows(10, bounce("", "smtp;550 TOP SECRET")));
    fixture.write("/etc/exporter.yml", R"(
classes:
  providers: {intranet: {domains: [corp.example]}}
  bounce_classes: {local: [our-list], hard: [our-secret]}
  bounce_patterns: /etc/pmta/config
)");
    fixture.write("/etc/pmta/config",
                  "<bounce-category-patterns>\n/top secret/ our-secret\n</bounce-category-patterns>\n");
    BOOST_CHECK_EQUAL(fixture.line({"--classes", "/etc/exporter.yml"}),
                      "1 BOUNCE_RATE WARNING - last 1 h: 5.26 % bounced (10 of 190), above 5");
    BOOST_CHECK_EQUAL(
        fixture.line({"--classes", "/etc/exporter.yml", "--metric", "hard", "--only", "provider=intranet"}),
        "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced hard (0 of 180)");
    fixture.write("/etc/exporter.yml", "classes:\n  bounce_classes: {harsh: [x]}\n");
    BOOST_CHECK_EQUAL(
        fixture.line({"--classes", "/etc/exporter.yml"}),
        "3 BOUNCE_RATE UNKNOWN - /etc/exporter.yml line 2: classes.bounce_classes.harsh: no such class; write "
        "hard, soft, block, other or local");
    fixture.write("/etc/exporter.yml", "\n");
    BOOST_CHECK_EQUAL(fixture.line({"--classes", "/etc/exporter.yml"}),
                      "3 BOUNCE_RATE UNKNOWN - /etc/exporter.yml: the file is empty");
    BOOST_CHECK_EQUAL(fixture.line({"--classes", "/etc/nothing.yml"}).substr(0, 42),
                      "3 BOUNCE_RATE UNKNOWN - /etc/nothing.yml: ");
}

BOOST_AUTO_TEST_CASE(a_complaint_without_vmta_goes_to_that_of_its_source_address) {
    Fixture fixture;
    fixture.write("/log/acct-1.csv", header_text + rows(300, {.vmta = "vmta7"}) + rows(3, {.type = "f", .vmta = ""}));
    BOOST_CHECK_EQUAL(fixture.line({"--metric", "complaint", "--by", "vmta"}),
                      "2 BOUNCE_RATE CRITICAL - last 1 d: 1.00 % complained about (3 of 300), above 0.3 (and 1 more)");
    BOOST_CHECK_EQUAL(fixture.line({"--metric", "complaint", "--only", "vmta=vmta7"}),
                      "2 BOUNCE_RATE CRITICAL - last 1 d: 1.00 % complained about (3 of 300), above 0.3");
    BOOST_CHECK_EQUAL(fixture.line({"--metric", "complaint", "--only", "vmta=vmta8"}).substr(0, 41),
                      "3 BOUNCE_RATE UNKNOWN - no such mail betw");
}

BOOST_AUTO_TEST_CASE(an_address_that_changed_hands_gives_its_complaints_to_the_vmta_that_had_it_then) {
    Fixture fixture;
    const Row complaint{.type = "f", .vmta = ""};
    const auto text = [&](const std::string& first) {
        return header_text + first + rows(300, {.vmta = "vmta7"}) + rows(2, complaint) + rows(300, {.vmta = "vmta8"}) +
               rows(1, complaint);
    };
    const auto share_of = [&](const char* vmta) {
        const std::string line = fixture.line({"--metric", "complaint", "--only", std::string("vmta=") + vmta});
        return line.substr(line.find('('));
    };
    fixture.write("/log/acct-1.csv", text(""));
    BOOST_CHECK_EQUAL(share_of("vmta7"), "(2 of 300), above 0.3");
    BOOST_CHECK_EQUAL(share_of("vmta8"), "(1 of 300), above 0.3");
    // Nobody delivered from it before the first complaint: the last one to do so in the window has it.
    fixture.write("/log/acct-1.csv", text(rows(1, complaint)));
    BOOST_CHECK_EQUAL(share_of("vmta8"), "(2 of 300), above 0.3");
}

BOOST_AUTO_TEST_CASE(a_rollup_queue_counts_for_a_domain_that_another_queue_had_before) {
    Fixture fixture;
    std::string text = header_text + rows(100, {.rcpt = "a@shop.example"});
    std::string queued = rows(100, {.rcpt = "a@shop.example"});
    for (std::size_t at = 0; (at = queued.find(",job1,\n", at)) != std::string::npos;) {
        queued.replace(at, 7, ",job1,yahoo.rollup/vmta1\n");
    }
    fixture.write("/log/acct-1.csv", text + queued);
    BOOST_CHECK_EQUAL(fixture.line({"--only", "provider=yahoo"}),
                      "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)");
}

BOOST_AUTO_TEST_CASE(the_exporters_job_columns_are_the_checks_too) {
    Fixture fixture;
    std::string text = "type,timeLogged,rcpt,jobId,header_Campaign\n";
    for (int i = 0; i < 200; ++i) text += "d," + stamp(test_now - 60) + ",a@gmail.com,other,spring\n";
    fixture.write("/log/acct-1.csv", text);
    fixture.write("/etc/exporter.yml", "accounting:\n  files: [x]\n  job_columns: [header_Campaign, jobId]\n");
    BOOST_CHECK_EQUAL(fixture.line({"--classes", "/etc/exporter.yml", "--only", "job=spring"}),
                      "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 200)");
    BOOST_CHECK_EQUAL(fixture.line({"--only", "job=other"}), "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 200)");
}
