// Time stamps of accounting files, in every form that has been seen.
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "shared/mta/logs/timestamps.h"

using namespace mtawatch::mta::logs;

BOOST_AUTO_TEST_CASE(every_accepted_form) {
    TimestampParser parser(Zone::utc());
    struct {
        const char* text;
        std::int64_t seconds;
    } const rows[] = {
        {"2019-02-08 21:54:05+0000", 1549662845},
        {"2016-05-29 01:10:51+0200", 1464477051},
        {"2010-04-17 16:19:57-0400", 1271535597},
        {"2014-08-24 16:00:14+0530", 1408876214},
        {"2019-02-08T21:54:05Z", 1549662845},
        {"2019-02-08 21:54:05+00:00", 1549662845},
        {"2019-02-08 21:54:05.123Z", 1549662845},
        {"2019-02-08 21:54:05", 1549662845},
        {"2019-02-08 21:54:05.1234", 1549662845},
        {"2019-02-08 22:54:05.123456+01", 1549662845},
        {"1178807903", 1178807903},
        {"0", 0},
        {"2024-02-29 00:00:00+0000", 1709164800},
        {"2016-12-31 23:59:60+0000", 1483228800},
        {"9999-12-31 23:59:59Z", 253402300799},
    };
    for (const auto& row : rows) {
        const auto got = parser.parse(row.text);
        BOOST_CHECK_MESSAGE(got && *got == row.seconds, row.text << " became " << got.value_or(-1));
        BOOST_CHECK(is_timestamp(row.text));
    }
}

BOOST_AUTO_TEST_CASE(everything_else_is_nothing) {
    TimestampParser parser(Zone::utc());
    for (const char* text : {"",
                             " ",
                             "now",
                             "-1",
                             "+5",
                             "123456789012",
                             "2019-02-08",
                             "2019-02-08 21:54",
                             "2019-13-08 21:54:05+0000",
                             "2019-02-29 21:54:05+0000",
                             "2019-02-08 24:54:05+0000",
                             "2019-02-08 21:60:05+0000",
                             "2019-02-08 21:54:61+0000",
                             "2019-02-08 21:54:05+0",
                             "2019-02-08 21:54:05 +0000",
                             "2019-02-08 21:54:05+0000 ",
                             "1969-12-31 21:54:05+0000",
                             "2019-02-08 21:54:05+1600",
                             "2019-02-08 21:54:05+0060",
                             "2019-02-08 21:54:05.",
                             "02/08/2019 21:54:05+0000",
                             "2019-2-8 21:54:05",
                             "x019-02-08 21:54:05+0000"}) {
        BOOST_CHECK_MESSAGE(!parser.parse(text), text);
        BOOST_CHECK_MESSAGE(!is_timestamp(text), text);
    }
}

BOOST_AUTO_TEST_CASE(nul_bytes_were_taken_for_the_stamp_before_the_first) {
    TimestampParser parser(Zone::utc());
    BOOST_CHECK(!parser.parse(std::string_view(std::string(24, '\0'))));
    BOOST_CHECK(!parser.parse(std::string(24, '0')));
}

// What is remembered from one stamp must not show in the next: each is read by a parser that has read others before.
BOOST_AUTO_TEST_CASE(remembering_changes_nothing) {
    std::mt19937 random(3);
    TimestampParser remembering(Zone::utc());
    const char* const offsets[] = {"+0000", "+0100", "-0500", "", "Z", "+02:00", ".50Z", "+00x0"};
    for (int i = 0; i < 20'000; ++i) {
        char text[40];
        const auto size = std::snprintf(
            text, sizeof text, "20%02d-%02d-%02d %02d:%02d:%02d%s", static_cast<int>(random() % 2 + 25),
            static_cast<int>(random() % 13), static_cast<int>(random() % 3), static_cast<int>(random() % 25),
            static_cast<int>(random() % 61), static_cast<int>(random() % 62), offsets[random() % 8]);
        const std::string_view stamp(text, static_cast<std::size_t>(size));
        TimestampParser fresh(Zone::utc());
        const auto expected = fresh.parse(stamp);
        BOOST_REQUIRE_MESSAGE(remembering.parse(stamp) == expected, stamp);
        if (expected) BOOST_REQUIRE_EQUAL(remembering.had_offset(), fresh.had_offset());
        BOOST_REQUIRE_EQUAL(is_timestamp(stamp), expected.has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_stamp_without_offset_is_in_the_zone) {
    const auto berlin = Zone::named("Europe/Berlin");
    BOOST_REQUIRE(berlin);
    TimestampParser parser(*berlin);
    BOOST_CHECK_EQUAL(*parser.parse("2026-07-01 12:00:00"), 1782900000);   // 10:00 UTC
    BOOST_CHECK_EQUAL(*parser.parse("2026-12-01 12:00:00"), 1796122800);   // 11:00 UTC
    BOOST_CHECK_EQUAL(*parser.parse("2026-10-25 02:30:00"), 1792888200);   // twice: the first pass
    BOOST_CHECK_EQUAL(*parser.parse("2026-12-01 12:00:00Z"), 1796126400);  // its own offset counts
    BOOST_CHECK(parser.had_offset());
    const auto unknown = Zone::named("Europe/Nowhere");
    BOOST_REQUIRE(!unknown);
    BOOST_CHECK(unknown.error().what.starts_with("time zone \"Europe/Nowhere\": not known here"));
}

BOOST_AUTO_TEST_CASE(the_machines_zone_is_that_of_TZ) {
    setenv("TZ", "America/New_York", 1);
    tzset();
    TimestampParser parser(Zone::machine());
    BOOST_CHECK_EQUAL(*parser.parse("2026-07-01 12:00:00"), 1782921600);  // 16:00 UTC
    BOOST_CHECK_EQUAL(*parser.parse("2026-12-01 12:00:00"), 1796144400);  // 17:00 UTC
    BOOST_CHECK(!parser.had_offset());
    setenv("TZ", "UTC", 1);
    tzset();
}
