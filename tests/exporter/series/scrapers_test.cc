// The book on scrapers: who is known, for how long, and what is saved of it.
#include "exporter/series/scrapers.h"

#include <boost/test/unit_test.hpp>

#include "exporter/series/series_table.h"
#include "tests/support/fake_clock.h"

using namespace mtawatch;
using namespace mtawatch::exporter::series;
using exporter::exposition::every_page;
using std::chrono::minutes;

BOOST_AUTO_TEST_SUITE(scrapers)

BOOST_AUTO_TEST_CASE(the_least_recently_used_goes_and_is_new_from_then_on) {
    test::FakeClock clock;
    Scrapers book(clock, false);
    for (std::uint64_t id = 1; id <= max_scrapers; ++id) {
        clock.advance(std::chrono::seconds(1));
        BOOST_TEST(book.seen_by(id) == 0U);
        book.received(id, static_cast<std::uint32_t>(id));
    }
    book.received(1, 100);
    book.received(1000, 101);
    BOOST_TEST(book.seen_by(1) == 100U);
    BOOST_TEST(book.seen_by(2) == every_page);  // a 0 now would be one after a value
    BOOST_TEST(book.seen_by(3) == 3U);
    BOOST_TEST(book.seen_by(1001) == every_page);
    BOOST_TEST(book.marks(102).known.size() == max_scrapers);
}

BOOST_AUTO_TEST_CASE(pages_count_once_they_are_saved) {
    test::FakeClock clock;
    Scrapers book(clock, true);
    book.received(7, 3);
    BOOST_TEST(book.seen_by(7) == 0U);
    (void)book.marks(4);
    book.received(7, 4);
    book.marks_saved();
    BOOST_TEST(book.seen_by(7) == 3U);
    book.not_received(7, 4);
    (void)book.marks(5);
    book.marks_saved();
    BOOST_TEST(book.seen_by(7) == 3U);
}

BOOST_AUTO_TEST_CASE(an_older_page_and_one_without_rows_change_nothing_but_the_time) {
    test::FakeClock clock;
    Scrapers book(clock, false);
    book.received(7, 5);
    clock.advance(minutes(4));
    book.received(7, 4);
    clock.advance(minutes(4));
    book.received(7, 0);
    clock.advance(minutes(4));
    BOOST_TEST(book.seen_by(7) == 5U);
    book.not_received(7, 4);
    BOOST_TEST(book.seen_by(7) == 5U);
}

BOOST_AUTO_TEST_CASE(marks_leave_out_who_is_gone_and_say_what_an_unknown_one_has_seen) {
    test::FakeClock clock;
    Scrapers book(clock, false);
    book.received(1, 5);
    clock.advance(minutes(4));
    book.received(2, 9);
    BOOST_TEST((book.marks(10) == ScraperMarks{10, 0, {{1, 5, 0}, {2, 9, 0}}}));
    clock.advance(minutes(2));
    book.received(2, 11);
    const ScraperMarks marks = book.marks(12);
    BOOST_TEST((marks == ScraperMarks{12, 12, {{2, 11, 120}}}));
    BOOST_TEST(marks.floor() == 11U);
    test::FakeClock later;
    Scrapers next(later, true);
    next.restore(marks);
    BOOST_TEST(next.seen_by(2) == 11U);
    BOOST_TEST(next.seen_by(3) == 12U);
    // Its interval is still known, and the time without an exporter was none of its.
    later.advance(minutes(5));
    next.received(2, 12);
    later.advance(minutes(6));
    BOOST_TEST(next.seen_by(2) == 11U);
}

BOOST_AUTO_TEST_CASE(rows_of_a_table_stand_in_order_of_birth) {
    SeriesTable table(1, 1);
    TextId key = 0;
    for (const std::uint32_t birth : {0U, 0U, 3U, 3U, 7U}) {
        ++key;
        table.add(&key, birth);
    }
    BOOST_TEST(table.first_born_after(0) == 2U);
    BOOST_TEST(table.first_born_after(2) == 2U);
    BOOST_TEST(table.first_born_after(3) == 4U);
    BOOST_TEST(table.first_born_after(7) == 5U);
    const std::vector<BirthRun> runs = table.births_after(0);
    BOOST_TEST((runs == std::vector<BirthRun>{{2, 3}, {4, 7}}));
    SeriesTable again(1, 1);
    for (key = 1; key <= 5; ++key) again.add(&key);
    for (const std::vector<BirthRun>& bad : std::vector<std::vector<BirthRun>>{
             {{5, 1}}, {{2, 0}}, {{2, 3}, {2, 4}}, {{3, 3}, {2, 4}}, {{2, 3}, {3, 3}}, {{2, 3}, {3, 2}}}) {
        BOOST_TEST(!again.restore_births(bad));
        BOOST_TEST(again.births_after(0).empty());
    }
    BOOST_TEST(again.restore_births(runs));
    BOOST_TEST((again.births_after(0) == runs));
    // Rows that go take their births with them.
    again.remove_if([](const TextId* own, const std::uint64_t*) { return *own == 1 || *own == 3; });
    BOOST_TEST((again.births_after(0) == std::vector<BirthRun>{{1, 3}, {2, 7}}));
}

BOOST_AUTO_TEST_SUITE_END()
