// Proves the range and threshold grammar: what alerts, what is refused, and in which words.
#include <boost/test/unit_test.hpp>

#include "shared/plugin/perfdata.h"
#include "shared/plugin/thresholds.h"

using namespace mtawatch;
using plugin::Range;
using plugin::State;
using plugin::Thresholds;

namespace {

Range range(std::string_view text) {
    auto parsed = Range::parse(text);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), "refused: " << text);
    return *parsed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ranges)

BOOST_AUTO_TEST_CASE(both_ends_are_inside_and_alerts_are_outside) {
    struct Row {
        const char* text;
        std::vector<double> quiet;
        std::vector<double> alert;
    };
    const Row rows[] = {
        {"10", {0, 5, 10}, {-0.001, 10.001, 11}},
        {"0", {0}, {-1, 1}},
        {"10:", {10, 1e12}, {9.99, -1}},
        {"~:10", {-1e12, 10}, {10.5}},
        {"10:20", {10, 15, 20}, {9, 21}},
        {"@10:20", {9, 21}, {10, 15, 20}},
        {"@10", {-1, 11}, {0, 10}},
        {"@~:0", {1}, {0, -5}},
        {"~:", {-1e300, 0, 1e300}, {}},
        {"-5.5:-1.5", {-5.5, -3.5, -1.5}, {-6, -1, 0}},
        {"95%:", {95, 100}, {94.9}},
        {"0:1e3", {1000}, {1001}},
        {"+1:.5e1", {1, 5}, {0.5, 5.1}},
        {"1.:2.", {1, 2}, {2.1}},
        {":10", {0, 10}, {-1, 11}},
    };
    for (const Row& row : rows) {
        const Range parsed = range(row.text);
        for (const double value : row.quiet) BOOST_TEST(!parsed.alerts(value), row.text << " alerts at " << value);
        for (const double value : row.alert) BOOST_TEST(parsed.alerts(value), row.text << " is quiet at " << value);
    }
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused_and_named) {
    for (const char* text :
         {"",      ":",     "@",      "@:",       "~",     "-10",      "2:1",  "10:5", " 10",  "10 ",
          "1 0",   "10\n",  "abc",    "10abc",    "1,5",   "1;5",      "0x10", "inf",  "nan",  "~:inf",
          "-inf:", "1e999", "10::20", "10:20:30", "10:~",  "@@10",     "10@",  "--1:", "+-1:", "1e",
          ".",     "%",     "%10",    "10%%",     "1_000", "\xD9\xA1", "e5",   "-"}) {
        const auto parsed = Range::parse(text);
        BOOST_TEST(!parsed.has_value(), "accepted: " << text);
        if (parsed) continue;
        BOOST_TEST((parsed.error().fault == base::Fault::usage));
        BOOST_TEST(parsed.error().what.find("; write a range such as 10") != std::string::npos);
        BOOST_TEST(parsed.error().what.find('\n') == std::string::npos);
    }
    BOOST_TEST(Range::parse("2:1").error().what.find("\"2:1\" starts above its end") == 0);
    BOOST_TEST(!Range::parse(std::string_view("1\0", 2)).has_value());
}

BOOST_AUTO_TEST_CASE(the_reason_goes_on_from_the_figure) {
    BOOST_TEST(range("10").reason(11) == "above 10");
    BOOST_TEST(range("30:").reason(3) == "below 30");
    BOOST_TEST(range("@10:20").reason(15) == "inside 10:20");
}

BOOST_AUTO_TEST_CASE(the_canonical_form_is_plain) {
    for (const auto& [text, expected] : {std::pair{"0:10", "10"},
                                         {"10", "10"},
                                         {"1e3:", "1000:"},
                                         {"~:0", "~:0"},
                                         {"@5:10", "@5:10"},
                                         {"0:", "0:"},
                                         {"95%:", "95:"},
                                         {"-5.50:-1", "-5.5:-1"},
                                         {"~:", "~:"}}) {
        BOOST_TEST(range(text).canonical() == expected);
        BOOST_TEST(range(text).text() == text);
    }
}

BOOST_AUTO_TEST_CASE(a_bare_number_for_a_figure_that_must_not_become_low_is_refused_with_what_to_write) {
    const auto refused = plugin::refuse_bare(range("30"), "--warning", "days");
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().what ==
               "--warning: 30 alone would alert above 30; write 30: to be warned below 30 days");
    BOOST_TEST(plugin::refuse_bare(range("7"), "--critical", "days").error().what ==
               "--critical: 7 alone would alert above 7; write 7: to be alarmed below 7 days");
    for (const char* clear : {"30:", "@0:30", "10:30", "0:30", "~:30"}) {
        BOOST_TEST(plugin::refuse_bare(range(clear), "--warning", "days").has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(thresholds)

BOOST_AUTO_TEST_CASE(critical_is_asked_first_and_absent_ones_never_alert) {
    const Thresholds both{range("10"), range("20")};
    BOOST_TEST((both.judge(5) == State::ok));
    BOOST_TEST((both.judge(15) == State::warning));
    BOOST_TEST((both.judge(25) == State::critical));
    BOOST_TEST(both.reason(5) == "");
    BOOST_TEST(both.reason(15) == "above 10");
    BOOST_TEST(both.reason(25) == "above 20");
    BOOST_TEST((Thresholds{}.judge(1e9) == State::ok));
    BOOST_TEST((Thresholds{.warning = {}, .critical = range("1")}.judge(2) == State::critical));
}

BOOST_AUTO_TEST_CASE(a_pair_is_warning_slash_critical) {
    const auto pair = Thresholds::parse("95:/85:");
    BOOST_REQUIRE(pair.has_value());
    BOOST_TEST(pair->warning->text() == "95:");
    BOOST_TEST(pair->critical->text() == "85:");
    const auto half = Thresholds::parse("/90");
    BOOST_REQUIRE(half.has_value());
    BOOST_TEST(!half->warning.has_value());
    for (const char* alone : {"80", "80/"}) {
        const auto warning = Thresholds::parse(alone);
        BOOST_REQUIRE(warning.has_value());
        BOOST_TEST(warning->warning->text() == "80");
        BOOST_TEST(!warning->critical.has_value());
    }
    for (const char* bad : {"", "/", "//", "x", "x/90", "80/x", "80/90/100", "80,90", "5:1", "5:1/"}) {
        BOOST_TEST(!Thresholds::parse(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(severity_has_one_order) {
    using plugin::severity;
    BOOST_TEST(severity(State::ok) < severity(State::unknown));
    BOOST_TEST(severity(State::unknown) < severity(State::warning));
    BOOST_TEST(severity(State::warning) < severity(State::critical));
    BOOST_TEST((plugin::worse(State::unknown, State::warning) == State::warning));
    BOOST_TEST((plugin::worse(State::ok, State::unknown) == State::unknown));
}

BOOST_AUTO_TEST_CASE(only_a_target_that_does_not_answer_is_critical) {
    using base::Fault;
    for (const Fault fault :
         {Fault::usage, Fault::configuration, Fault::not_found, Fault::permission, Fault::resolver, Fault::auth,
          Fault::io, Fault::malformed, Fault::limit, Fault::deadline, Fault::internal}) {
        BOOST_TEST((plugin::state_of(fault) == State::unknown));
    }
    BOOST_TEST((plugin::state_of(Fault::timeout) == State::critical));
    BOOST_TEST((plugin::state_of(Fault::refused) == State::critical));
}

BOOST_AUTO_TEST_CASE(state_names_are_read_in_any_case_and_as_exit_codes) {
    BOOST_TEST((plugin::parse_state("critical") == State::critical));
    BOOST_TEST((plugin::parse_state("WARNING") == State::warning));
    BOOST_TEST((plugin::parse_state("0") == State::ok));
    for (const char* bad : {"", "4", "-1", "bad", "crit"}) BOOST_TEST(!plugin::parse_state(bad).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(performance_data)

BOOST_AUTO_TEST_CASE(figures_are_written_plainly_and_unknown_ones_left_out) {
    using plugin::Unit;
    const std::vector<plugin::Figure> figures{
        {.label = "messages", .value = 12, .limits = {range("100"), range("0:5e2")}, .min = 0},
        {.label = "oldest", .value = 3.5, .unit = Unit::seconds},
        {.label = "nothing", .value = std::numeric_limits<double>::quiet_NaN()},
        {.label = "never", .value = std::numeric_limits<double>::infinity()},
        {.label = "share of 'mail'=|x", .value = 1.4e10, .unit = Unit::percent, .max = 100},
    };
    BOOST_TEST(plugin::perfdata(figures) == "messages=12;100;500;0 oldest=3.5s share_of__mail___x=14000000000%;;;;100");
    BOOST_TEST(plugin::perfdata({}) == "");
    BOOST_TEST(plugin::clean_label("") == "value");
}

BOOST_AUTO_TEST_SUITE_END()
