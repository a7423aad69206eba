// Proves the text, duration and byte-reading rules that everything else relies on.
#include <boost/test/unit_test.hpp>

#include "shared/base/bytes.h"
#include "shared/base/duration.h"
#include "shared/base/rounding.h"
#include "shared/base/text.h"
#include "shared/base/utc.h"

using namespace mtawatch::base;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(split_keeps_empty_pieces) {
    BOOST_TEST(split("a,,b", ',').size() == 3);
    BOOST_TEST(split("", ',').size() == 1);
    BOOST_TEST(words("  a \t b\n").size() == 2);
}

BOOST_AUTO_TEST_CASE(numbers_take_the_whole_text) {
    BOOST_TEST(to_number<int>("42").value() == 42);
    for (const char* bad : {"", " 1", "1 ", "+1", "0x10", "1.5", "99999999999"}) BOOST_TEST(!to_number<int>(bad));
    BOOST_TEST(to_double("2.5e1").value() == 25.0);
    for (const char* bad : {"", "inf", "nan", "1,5", "1e999"}) BOOST_TEST(!to_double(bad));
}

BOOST_AUTO_TEST_CASE(only_ipv6_addresses_need_brackets_beside_a_port) {
    BOOST_TEST(url_host("mx1.example.net") == "mx1.example.net");
    BOOST_TEST(url_host("192.0.2.1") == "192.0.2.1");
    BOOST_TEST(url_host("2001:db8::1") == "[2001:db8::1]");
    BOOST_TEST(url_host("[2001:db8::1]") == "[2001:db8::1]");
    BOOST_TEST(url_host("").empty());
}

BOOST_AUTO_TEST_CASE(plain_numbers_have_no_exponent) {
    BOOST_TEST(plain(0.1) == "0.1");
    BOOST_TEST(plain(14'000'000'000.0) == "14000000000");
    BOOST_TEST(plain(1e-7) == "0.0000001");
    BOOST_TEST(plain(-0.0) == "0");
}

BOOST_AUTO_TEST_CASE(a_value_just_below_a_limit_is_not_shown_as_the_limit) {
    BOOST_TEST(plain(one_decimal(99.97)) == "99.9");
    BOOST_TEST(plain(one_decimal(90)) == "90");
    BOOST_TEST(plain(one_decimal(-0.19)) == "-0.1");
}

BOOST_AUTO_TEST_CASE(invalid_utf8_becomes_replacement_characters) {
    BOOST_TEST(clean_utf8("b\xC3\xBC"
                          "cher",
                          100) ==
               "b\xC3\xBC"
               "cher");
    BOOST_TEST(clean_utf8("a\xFFz", 100) == "a\xEF\xBF\xBDz");
    BOOST_TEST(clean_utf8(std::string_view("a\0z", 3), 100) == "a\xEF\xBF\xBDz");
    BOOST_TEST(clean_utf8("\xED\xA0\x80", 100) == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
    BOOST_TEST(clean_utf8("\xC0\xAF", 100) == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong '/'
    BOOST_TEST(clean_utf8("aa\xC3\xBC", 3) == "aa");                                        // never half a character
    BOOST_TEST(one_line("a\r\nb", 100) == "a  b");
    // U+009B is ESC [ to a terminal; U+00A0 and beyond are text.
    BOOST_TEST(one_line("a\xC2\x9B\x31mb\xC2\x80\xC2\xA0\xC3\x9B", 100) == "a  1mb  \xC2\xA0\xC3\x9B");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(durations)

BOOST_AUTO_TEST_CASE(units_go_from_large_to_small) {
    BOOST_TEST((parse_duration("90s").value() == 90s));
    BOOST_TEST((parse_duration("1h30m").value() == 90min));
    BOOST_TEST((parse_duration("2d").value() == 48h));
    BOOST_TEST((parse_duration("0s").value() == 0s));
    for (const char* bad :
         {"", "10", "m", "1.5h", "-1h", "1h1h", "1m1h", "1h ", "1y", "99999999999999999999s", "9223372036854775807w"}) {
        BOOST_TEST(!parse_duration(bad).has_value(), bad);
    }
}

// An interval of 20000 weeks was taken, and was a moment in the past once a clock's nanoseconds were added to it.
BOOST_AUTO_TEST_CASE(an_interval_of_centuries_is_refused_and_does_not_wrap_round) {
    BOOST_TEST((parse_duration("18250d").value() == mtawatch::base::longest_duration));
    for (const char* bad : {"18250d1ms", "20000w", "15250284452w"}) {
        BOOST_TEST(parse_duration(bad).error().what.find("more than fifty years") != std::string::npos, bad);
    }
}

BOOST_AUTO_TEST_CASE(seconds_since_1970_read_as_utc) {
    BOOST_TEST(utc_time(0) == "1970-01-01T00:00:00Z");
    BOOST_TEST(utc_time(1'709'209'799) == "2024-02-29T12:29:59Z");
    BOOST_TEST(utc_time(-1) == "1969-12-31T23:59:59Z");
    BOOST_TEST(utc_date(253'402'300'799) == "9999-12-31");
}

BOOST_AUTO_TEST_CASE(people_read_two_units) {
    BOOST_TEST(human_duration(45s) == "45 s");
    BOOST_TEST(human_duration(720s) == "12 min");
    BOOST_TEST(human_duration(11'100s) == "3 h 5 min");
    BOOST_TEST(human_duration(-90'000s) == "-1 d 1 h");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_read_past_the_end_fails_and_stays_failed) {
    ByteReader reader(std::string_view("\x01\x02\x03", 3));
    BOOST_TEST(reader.u16() == 0x0102);
    BOOST_TEST(reader.u16() == 0);
    BOOST_TEST(!reader.ok());
    BOOST_TEST(reader.u8() == 0);
    BOOST_TEST(reader.remaining() == 0U);
}
