// postqueue -j: what is counted, in which chunks it may come, and what is no listing.
#include <fmt/core.h>

#include <boost/test/unit_test.hpp>

#include "shared/mta/documents/postfix_queue.h"

using namespace mtawatch;

namespace {

std::string line(std::string_view queue, std::string_view id, std::int64_t arrival, std::string_view recipients,
                 std::int64_t size = 1000) {
    return fmt::format(R"({{"queue_name": "{}", "queue_id": "{}", "arrival_time": {}, "message_size": {}, )"
                       R"("forced_expire": false, "sender": "bounce@example.net", "recipients": [{}]}})"
                       "\n",
                       queue, id, arrival, size, recipients);
}

std::string to(std::string_view address) {
    return fmt::format(R"({{"address": "{}", "delay_reason": "connect to mx.example.com[192.0.2.1]:25: timed out"}})",
                       address);
}

base::Result<mta::documents::PostfixListing> read(std::string_view text, std::size_t chunk = 1U << 20U) {
    mta::documents::PostfixQueueReader reader;
    while (!text.empty()) {
        const auto piece = text.substr(0, chunk);
        if (auto done = reader.push(piece); !done) return base::fail(done.error());
        text.remove_prefix(piece.size());
    }
    if (auto done = reader.end_of_run(); !done) return base::fail(done.error());
    return reader.take(10);
}

std::string error_of(std::string_view text) {
    const auto listing = read(text);
    BOOST_REQUIRE(!listing);
    return listing.error().what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(postfix_queue)

BOOST_AUTO_TEST_CASE(counts_by_queue_domain_age_and_size) {
    const std::string text = line("active", "A1", 1000, to("anna@Example.COM"), 10) +
                             line("deferred", "B1", 500, to("ben@example.com") + ", " + to("c@example.org"), 20) +
                             line("deferred", "B2", 700, to("root"), 30);
    for (const std::size_t chunk : {1U, 7U, 100U, 1U << 20U}) {
        const auto listing = read(text, chunk);
        BOOST_REQUIRE_MESSAGE(listing, listing.error().what);
        BOOST_TEST(listing->messages() == 3U);
        BOOST_TEST(listing->bytes() == 60U);
        BOOST_REQUIRE(listing->queues.size() == 2U);
        BOOST_TEST(listing->queues[1].name == "deferred");
        BOOST_TEST(listing->queues[1].messages == 2U);
        BOOST_TEST(listing->queues[1].recipients == 3U);
        BOOST_TEST(listing->queues[1].oldest_arrival.value() == 500);
        BOOST_TEST(listing->oldest()->oldest_id == "B1");
        BOOST_REQUIRE(listing->domains.size() == 3U);
        BOOST_TEST(listing->domains[0].key == "example.com");
        BOOST_TEST(listing->domains[0].count == 2U);
        BOOST_TEST(listing->domains[1].key == "(local)");
        BOOST_TEST(listing->domain_error == 0U);
    }
}

BOOST_AUTO_TEST_CASE(no_output_is_an_empty_queue) {
    const auto listing = read("");
    BOOST_REQUIRE(listing);
    BOOST_TEST(listing->messages() == 0U);
    BOOST_TEST(listing->oldest() == nullptr);
}

BOOST_AUTO_TEST_CASE(unknown_members_and_escapes_are_taken) {
    const auto listing = read(
        R"({"queue_id": "C1", "new": {"a": [1, {"b": null}]}, "recipients": [{"address": "\"a@b\"@ex\u0061mple.com"}],)"
        R"( "arrival_time": 5, "message_size": 1, "queue_name": "hold", "sender": ""})"
        "\n");
    BOOST_REQUIRE_MESSAGE(listing, listing.error().what);
    BOOST_TEST(listing->domains[0].key == "example.com");
}

BOOST_AUTO_TEST_CASE(a_sender_that_is_no_utf8_does_not_hide_the_queue) {
    std::string text = line("active", "D1", 1, to("a@example.com"));
    text.replace(text.find("bounce"), 1, "\xff");
    const auto listing = read(text);
    BOOST_REQUIRE_MESSAGE(listing, listing.error().what);
    BOOST_TEST(listing->messages() == 1U);
}

BOOST_AUTO_TEST_CASE(a_cut_listing_is_an_error_at_every_byte) {
    const std::string text = line("active", "E1", 1, to("a@example.com"));
    for (std::size_t length = 1; length < text.size(); ++length) {
        const auto listing = read(text.substr(0, length));
        BOOST_TEST(!listing, length);
    }
    BOOST_TEST(error_of(text + "{\"queue_name\": \"def").find("middle of line 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_message_is_named) {
    const std::string good = line("active", "F1", 1, "");
    BOOST_TEST(error_of(good + "postqueue: warning: mail system is down\n").find("line 2") != std::string::npos);
    BOOST_TEST(error_of("[]\n").find("line 1") != std::string::npos);
    BOOST_TEST(error_of("{}\n").find("is missing") != std::string::npos);
    BOOST_TEST(error_of("{\"queue_id\": \"F2\", \"arrival_time\": \"now\"}\n").find("queue id F2") !=
               std::string::npos);
    BOOST_TEST(error_of("{\"queue_name\": \"a\", \"queue_id\": \"b\", \"arrival_time\": 1, \"message_size\": 1}x\n")
                   .find("line 1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(endless_queue_names_are_refused) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += line(fmt::format("q{}", i), "G", 1, "");
    BOOST_TEST(error_of(text).find("more queues than Postfix has") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_line_over_the_limit_names_the_queue_id) {
    mta::documents::PostfixQueueReader reader;
    std::string text = line("active", "LONG1", 1, "");
    text.resize(text.size() - 3);
    BOOST_REQUIRE(reader.push(text));
    const std::string filler(1U << 20U, ' ');
    base::Result<void> fed;
    std::size_t sent = 0;
    while (fed && sent < 2 * mta::documents::max_postfix_line) {
        fed = reader.push(filler);
        sent += filler.size();
    }
    BOOST_REQUIRE(!fed);
    BOOST_TEST(int(fed.error().fault) == int(base::Fault::limit));
    BOOST_TEST(fed.error().what.find("queue id LONG1") != std::string::npos);
    BOOST_TEST(sent <= mta::documents::max_postfix_line + 2 * filler.size());
}

// "queue id ," was said where there is none.
BOOST_AUTO_TEST_CASE(a_line_over_the_limit_without_a_queue_id_names_none) {
    mta::documents::PostfixQueueReader reader;
    const std::string filler(1U << 20U, 'x');
    base::Result<void> fed;
    for (std::size_t sent = 0; fed && sent < 2 * mta::documents::max_postfix_line; sent += filler.size()) {
        fed = reader.push(filler);
    }
    BOOST_REQUIRE(!fed);
    BOOST_TEST(fed.error().what.starts_with("line 1 of postqueue -j is longer than "));
}

BOOST_AUTO_TEST_CASE(more_domains_than_are_kept_are_counted_with_a_stated_error) {
    std::string text;
    for (int i = 0; i < 25'000; ++i) {
        text += line("deferred", "H", 1, to(i % 5 == 0 ? "a@big.example" : fmt::format("a@d{}.example", i)));
    }
    const auto listing = read(text);
    BOOST_REQUIRE_MESSAGE(listing, listing.error().what);
    BOOST_TEST(listing->domains[0].key == "big.example");
    BOOST_TEST(listing->domains[0].count == 5000U);
    BOOST_TEST(listing->domain_error >= 1U);
    BOOST_TEST(listing->domain_error <= 3U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(space_saving)

BOOST_AUTO_TEST_CASE(the_bounds_hold_for_any_stream) {
    // A fixed linear congruential stream over 500 keys into 40 places: count - error <= truth <= count.
    mta::documents::SpaceSaving sketch(40);
    std::vector<std::uint64_t> truth(500);
    std::uint64_t x = 12345;
    for (int i = 0; i < 50'000; ++i) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        const auto a = (x >> 33U) % 500;
        const auto key = (a * a) / 500;  // skewed towards small keys
        ++truth[key];
        sketch.add("k" + std::to_string(key));
    }
    const auto top = sketch.top(40);
    BOOST_TEST(top.size() == 40U);
    std::vector<bool> listed(500);
    for (const auto& entry : top) {
        const auto key = std::stoul(entry.key.substr(1));
        listed[key] = true;
        BOOST_TEST(entry.count >= truth[key]);
        BOOST_TEST(entry.count - entry.error <= truth[key]);
    }
    for (std::size_t key = 0; key < truth.size(); ++key) {
        if (!listed[key]) BOOST_TEST(truth[key] <= sketch.max_error());
    }
    BOOST_TEST(top.front().key == "k0");
}

BOOST_AUTO_TEST_SUITE_END()
