// Proves that what the writer writes is JSON, whatever text comes in, and that mistakes in its use are caught.
#include <boost/test/unit_test.hpp>

#include <limits>
#include <stdexcept>

#include "shared/base/json.h"
#include "shared/base/progress.h"
#include "shared/base/text.h"

using namespace mtawatch::base;

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(objects_arrays_and_absent_values) {
    JsonWriter json;
    json.object().member("a", 1).member("b", "x").member("c", true).member("d", 1.5);
    json.member("e", std::optional<int>()).member("f", std::optional<std::string>("y"));
    json.member("g", std::vector<std::string>{"p", "q"}).key("h").array().end();
    json.key("i").object().end().key("j").raw("[1]").end();
    BOOST_TEST(json.take() ==
               R"({"a":1,"b":"x","c":true,"d":1.5,"e":null,"f":"y","g":["p","q"],"h":[],"i":{},"j":[1]})");
}

BOOST_AUTO_TEST_CASE(hostile_text_stays_inside_its_string) {
    JsonWriter json;
    json.value("\"\\\n\r\t\x01\x1f\xFF\xC3\xBC</");
    BOOST_TEST(json.take() == "\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\xEF\xBF\xBD\xC3\xBC</\"");
    // A terminal takes U+009B for ESC [.
    JsonWriter terminal;
    terminal.value("a\x7F\xC2\x80\xC2\x9B\x31m\xC2\x9F\xC2\xA0\xC3\x9B");
    BOOST_TEST(terminal.take() == "\"a\\u007f\\u0080\\u009b1m\\u009f\xC2\xA0\xC3\x9B\"");
}

BOOST_AUTO_TEST_CASE(numbers_json_cannot_hold_are_null) {
    JsonWriter json;
    json.array().value(std::numeric_limits<double>::infinity()).value(std::numeric_limits<double>::quiet_NaN());
    json.value(std::numeric_limits<std::uint64_t>::max()).value(std::numeric_limits<std::int64_t>::min()).end();
    BOOST_TEST(json.take() == "[null,null,18446744073709551615,-9223372036854775808]");
}

BOOST_AUTO_TEST_CASE(calls_in_the_wrong_order_are_caught) {
    JsonWriter json;
    BOOST_CHECK_THROW(json.end(), std::logic_error);
    BOOST_CHECK_THROW(json.key("a"), std::logic_error);
    json.object();
    BOOST_CHECK_THROW(json.value(1), std::logic_error);
    BOOST_CHECK_THROW(static_cast<void>(json.take()), std::logic_error);
    json.key("a");
    BOOST_CHECK_THROW(json.key("b"), std::logic_error);
    json.value(1).end();
    BOOST_CHECK_THROW(json.value(2), std::logic_error);
    BOOST_TEST(json.take() == R"({"a":1})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(helpers)

BOOST_AUTO_TEST_CASE(the_nearest_word_is_found_or_none) {
    const std::vector<std::string_view> names{"window", "warning", "min-volume"};
    BOOST_TEST(closest("windwo", names) == "window");
    BOOST_TEST(closest("min", names) == "min-volume");
    BOOST_TEST(closest("waring", names) == "warning");
    for (const char* far : {"", "xy", "nonsense"}) BOOST_TEST(closest(far, names) == "");
    BOOST_TEST(closest(std::string(100'000, 'w'), names) == "");
}

BOOST_AUTO_TEST_CASE(progress_keeps_the_last_phrase_cut_to_its_length) {
    Progress progress;
    BOOST_TEST(progress.last() == "");
    progress.doing("connecting");
    progress.doing("asking");
    BOOST_TEST(progress.last() == "asking");
    progress.doing(std::string(1000, 'x'));
    BOOST_TEST(progress.last().size() == Progress::max_length);
}

BOOST_AUTO_TEST_SUITE_END()
