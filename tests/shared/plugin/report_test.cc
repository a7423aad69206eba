// Proves the form of an answer: worst first, one '|', one line per thing, capped, and the same as JSON.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "shared/base/json.h"
#include "shared/plugin/report.h"

using namespace mtawatch;
using plugin::Report;
using plugin::State;

namespace {

std::string text(const Report& report, int verbosity = 0) {
    return plugin::as_text(report, {"check_sample", "1.2.3", verbosity});
}
std::string json(const Report& report, int verbosity = 0) {
    return plugin::as_json(report, {"check_sample", "1.2.3", verbosity});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(nothing_checked_is_unknown) {
    Report report;
    BOOST_TEST((report.state() == State::unknown));
    BOOST_TEST(text(report) == "SAMPLE UNKNOWN - nothing was checked\n");
    report.note(1, "only a note");
    BOOST_TEST((report.state() == State::unknown));
}

BOOST_AUTO_TEST_CASE(the_worst_detail_is_the_first_line_and_the_others_are_counted) {
    Report report;
    report.add(State::ok, "a is well").add(State::unknown, "b could not be seen").add(State::critical, "c is broken");
    report.add(State::warning, "d is slow").figure("checked", 4).figure("gone", std::nullopt);
    BOOST_TEST(text(report) ==
               "SAMPLE CRITICAL - c is broken (and 2 more) | checked=4\n"
               "WARNING: d is slow\n"
               "UNKNOWN: b could not be seen\n");
    BOOST_TEST(text(report, 1) ==
               "SAMPLE CRITICAL - c is broken (and 2 more) | checked=4\n"
               "WARNING: d is slow\n"
               "UNKNOWN: b could not be seen\n"
               "OK: a is well\n");
}

BOOST_AUTO_TEST_CASE(a_summary_of_its_own_leaves_every_bad_detail_its_line) {
    Report report;
    report.summary = "1 of 2 broken";
    report.add(State::ok, "a is well").add(State::critical, "c is broken").note(2, "asked twice");
    BOOST_TEST(text(report) == "SAMPLE CRITICAL - 1 of 2 broken\nCRITICAL: c is broken\n");
    BOOST_TEST(text(report, 2) ==
               "SAMPLE CRITICAL - 1 of 2 broken\nCRITICAL: c is broken\nOK: a is well\nasked twice\n");
}

BOOST_AUTO_TEST_CASE(verbosity_never_changes_the_state) {
    Report report;
    report.add(State::warning, "x").note(1, "y");
    for (const int verbosity : {0, 1, 2, 3, 9}) BOOST_TEST(text(report, verbosity).find("SAMPLE WARNING - x") == 0);
}

BOOST_AUTO_TEST_CASE(many_details_are_capped_with_a_count_of_the_rest) {
    Report report;
    report.summary = "many";
    for (int i = 0; i < 25; ++i) report.add(State::warning, "thing " + std::to_string(i));
    const std::string answer = text(report);
    BOOST_TEST(std::ranges::count(answer, '\n') == 12);
    BOOST_TEST(answer.find("and 15 more; -v shows more lines\n") != std::string::npos);
    BOOST_TEST(text(report, 1).find("and ") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(text_from_outside_cannot_pass_for_perfdata_or_for_a_line) {
    Report report;
    report.summary = "answer was \"550 no | x=1\r\nOK all well\"\x1B[2J";
    report.add(State::critical, "line one\nOK - line | two\x80").figure("a", 1);
    BOOST_TEST(text(report) ==
               "SAMPLE CRITICAL - answer was \"550 no ! x=1  OK all well\" [2J | a=1\n"
               "CRITICAL: line one OK - line ! two\xEF\xBF\xBD\n");
    Report endless;
    endless.add(State::ok, std::string(100'000, 'x'));
    BOOST_TEST(text(endless).size() < plugin::max_line_bytes + 50);
}

BOOST_AUTO_TEST_CASE(json_is_one_object_on_one_line_without_a_bar) {
    Report report;
    report.add(State::warning, "a|b").add(State::ok, "c").note(1, "hidden");
    const auto limit = plugin::Range::parse("0:10");
    report.figure("n", 12.5, plugin::Unit::seconds, {*limit, {}}, 0);
    base::JsonWriter observation;
    observation.object().member("target", "x|y").end();
    report.observation = observation.take();
    BOOST_TEST(json(report) ==
               R"({"plugin":"check_sample","version":"1.2.3","state":"WARNING","summary":"a!b","details":[)"
               R"({"state":"WARNING","text":"a!b"},{"state":"OK","text":"c"}],"perfdata":[{"label":"n","value":12.5,)"
               R"("unit":"s","warning":"10","critical":null,"min":0,"max":null}],"observation":{"target":"x\u007cy"}})"
               "\n");
    BOOST_TEST(json(Report{}).find(R"("state":"UNKNOWN","summary":"nothing was checked","details":[],)") !=
               std::string::npos);
    BOOST_TEST(json(Report{}).find(R"("observation":null})") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
