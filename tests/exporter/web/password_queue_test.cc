// Who is checked next when many passwords wait, and who gives way when there is no place.
#include "exporter/web/password_queue.h"

#include <boost/test/unit_test.hpp>

#include "exporter/web/rate_limit.h"

using namespace std::chrono_literals;
using mtawatch::exporter::web::PasswordQueue;
using mtawatch::exporter::web::RateBucket;
using mtawatch::exporter::web::RateLimit;

namespace {

struct Fixture {
    PasswordQueue queue{4};
    PasswordQueue::Time now{};
    std::vector<std::string> away;

    void add(const std::string& from, const std::string& name, bool gone = false) {
        queue.add(from,
                  {.verify = [] { return false; },
                   .answer = [](bool) {},
                   .gone = [gone] { return gone; },
                   .turn_away = [this, name] { away.push_back(name); }},
                  now);
    }
    // Everybody's addresses in turn, with a wrong password each where `wrong`.
    std::string all(bool wrong = false) {
        std::string order;
        while (const auto next = queue.next()) {
            order += (order.empty() ? "" : " ") + next->from;
            if (wrong) queue.checked(next->from, false, now);
        }
        return order;
    }
    [[nodiscard]] std::string sent_away() const {
        std::string names;
        for (const std::string& name : away) names += (names.empty() ? "" : " ") + name;
        return names;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(password_queue)

BOOST_FIXTURE_TEST_CASE(addresses_take_turns, Fixture) {
    add("a", "a1");
    add("a", "a2");
    add("b", "b1");
    add("c", "c1");
    BOOST_TEST(all() == "a b c a");
}

BOOST_FIXTURE_TEST_CASE(whoever_gave_no_wrong_password_lately_goes_first, Fixture) {
    queue.checked("a", false, now);
    queue.checked("b", false, now);
    add("a", "a1");
    add("b", "b1");
    add("c", "c1");
    BOOST_TEST(all() == "c a b");
    queue.checked("a", true, now);  // a right one is forgiven
    add("b", "b1");
    add("a", "a1");
    BOOST_TEST(all() == "a b");
    now += 11min;
    add("b", "b1");
    add("a", "a1");
    BOOST_TEST(all() == "b a");
}

BOOST_FIXTURE_TEST_CASE(who_has_left_is_not_checked, Fixture) {
    add("a", "a1", true);
    add("a", "a2");
    add("b", "b1", true);
    BOOST_TEST(all() == "a");
    BOOST_TEST(queue.size() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_flood_gives_way_to_another_address, Fixture) {
    for (int i = 1; i <= 5; ++i) add("flood", "f" + std::to_string(i));
    BOOST_TEST(sent_away() == "f5");  // no place, and nobody has more than it
    add("scraper", "s1");
    BOOST_TEST(sent_away() == "f5 f4");
    BOOST_TEST(all(true) == "flood scraper flood flood");
    away.clear();
    // Those who failed give way first, even with fewer places.
    queue.checked("scraper", true, now);
    add("flood", "f1");
    for (int i = 1; i <= 3; ++i) add("scraper", "s" + std::to_string(i));
    add("new", "n1");
    BOOST_TEST(sent_away() == "f1");
    BOOST_TEST(all() == "scraper new scraper scraper");
}

BOOST_FIXTURE_TEST_CASE(many_addresses_with_one_place_each_keep_what_they_have, Fixture) {
    for (const char* from : {"a", "b", "c", "d"}) add(from, from);
    add("e", "e");
    BOOST_TEST(sent_away() == "e");
    BOOST_TEST(all() == "a b c d");
}

BOOST_AUTO_TEST_CASE(a_bucket_lets_its_burst_through_and_then_one_each_interval) {
    RateBucket bucket;
    const RateLimit limit{1s, 3};
    RateBucket::Time now{};
    for (int i = 0; i < 3; ++i) BOOST_TEST(bucket.take(limit, now));
    BOOST_TEST(!bucket.take(limit, now));
    BOOST_TEST(!bucket.take(limit, now += 900ms));
    BOOST_TEST(bucket.take(limit, now += 200ms));
    BOOST_TEST(!bucket.take(limit, now));
    now += 1h;
    for (int i = 0; i < 3; ++i) BOOST_TEST(bucket.take(limit, now));
    BOOST_TEST(!bucket.take(limit, now));
    // No limit, and one that takes nothing at once would serve nobody: one passes.
    BOOST_TEST(bucket.take({}, now));
    RateBucket other;
    BOOST_TEST(other.take({1s, 0}, now));
    BOOST_TEST(!other.take({1s, 0}, now));
}

BOOST_AUTO_TEST_SUITE_END()
