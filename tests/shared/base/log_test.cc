#include "shared/base/log.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/support/fake_clock.h"

using namespace mtawatch::base;

namespace {

std::string logged(LogFormat format, const std::string& message, const Log::Fields& fields) {
    const mtawatch::test::FakeClock clock;
    std::string line;
    const Log log(LogLevel::info, format, clock, [&](std::string_view text) { line += text; });
    log.debug("too quiet");
    log.warn(message, fields);
    return line;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logging)

BOOST_AUTO_TEST_CASE(logfmt_quotes_what_needs_it) {
    BOOST_TEST(
        logged(LogFormat::logfmt, "two words", {{"file", "/x.csv"}, {"reason", "a \"b\" = c\\"}, {"empty", ""}}) ==
        "time=2023-11-14T22:13:20.000Z level=warn msg=\"two words\" file=/x.csv reason=\"a \\\"b\\\" = c\\\\\" "
        "empty=\"\"\n");
}

BOOST_AUTO_TEST_CASE(json_is_json) {
    BOOST_TEST(
        logged(LogFormat::json, "said", {{"what", "a \"b\""}}) ==
        "{\"time\":\"2023-11-14T22:13:20.000Z\",\"level\":\"warn\",\"msg\":\"said\",\"what\":\"a \\\"b\\\"\"}\n");
}

BOOST_AUTO_TEST_CASE(a_line_stays_a_line) {
    const std::string line = logged(LogFormat::logfmt, "a\nb", {{"x", std::string("level=error\r\n\x1b[31m\0", 19)}});
    BOOST_TEST(line.find('\n') == line.size() - 1);
    BOOST_TEST(line.find('\x1b') == std::string::npos);
    BOOST_TEST(logged(LogFormat::json, "m", {{"x", std::string(100000, 'y')}}).size() < 3000);
}

BOOST_AUTO_TEST_SUITE_END()
