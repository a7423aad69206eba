// Budgets, folding and retirement: nothing is ever counted nowhere or twice.
#include "exporter/series/series_store.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "exporter/series/record_counter.h"

using namespace mtawatch;
using namespace mtawatch::exporter::series;
using mta::logs::Column;

namespace {

constexpr std::int64_t test_now = 1'700'000'000;
constexpr std::int64_t day_seconds = 86'400;

mta::logs::OwnedRecord delivery(const std::string& rcpt, std::int64_t time = test_now,
                                const std::string& sender = "s.example.com", const std::string& source = "192.0.2.1") {
    return {mta::logs::RecordType::d,
            time,
            {{Column::rcpt, rcpt},
             {Column::orig, "x@" + sender},
             {Column::dlv_type, "smtp"},
             {Column::vmta, "v1"},
             {Column::vmta_pool, "p1"},
             {Column::dlv_source_ip, source},
             {Column::dlv_size, "100"}}};
}

// Sum of a family's first counts, and what was retired of it.
std::uint64_t sum_of(const SeriesStore& store, Family family) {
    const SeriesTable& table = store.table(family);
    std::uint64_t sum = store.retired[index_of(family)];
    for (std::uint32_t row = 0; row < table.size(); ++row) sum += table.counts()[row * table.width()];
    return sum;
}

std::map<std::string, std::uint64_t> by_first_label(const SeriesStore& store, Family family) {
    const SeriesTable& table = store.table(family);
    std::map<std::string, std::uint64_t> counts;
    for (std::uint32_t row = 0; row < table.size(); ++row) {
        counts[std::string(store.texts().text(table.keys()[row * table.arity()]))] +=
            table.counts()[row * table.width()];
    }
    return counts;
}

struct Counting {
    explicit Counting(const exporter::series::CountSettings& from)
        : settings(from), store(settings), counter(settings, store) {}
    void add(const mta::logs::OwnedRecord& record) {
        const mta::logs::Record view = record.view();
        counter.count({&view, 1}, test_now + 400 * day_seconds);
    }
    exporter::series::CountSettings settings;
    SeriesStore store;
    RecordCounter counter;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(series_store)

BOOST_AUTO_TEST_CASE(a_full_family_counts_new_values_as_other_and_says_so) {
    exporter::series::CountSettings settings;
    settings.groups = {"recipient_domain"};
    settings.budgets = {{"pmta_recipient_domain_deliveries_total", 2}};
    Counting counting(settings);
    for (const char* domain : {"a.example", "b.example", "c.example", "d.example", "a.example"}) {
        counting.add(delivery("x@" + std::string(domain)));
    }
    const auto counts = by_first_label(counting.store, Family::recipient_domain_deliveries);
    BOOST_TEST(counts.at("a.example") == 2U);
    BOOST_TEST(counts.at("b.example") == 1U);
    BOOST_TEST(counts.at("other") == 2U);
    BOOST_TEST(counting.store.folded[index_of(Family::recipient_domain_deliveries)][0] == 2U);
}

BOOST_AUTO_TEST_CASE(an_idle_value_is_retired_by_record_time_and_its_counts_are_kept) {
    Counting counting{exporter::series::CountSettings()};
    counting.add(delivery("x@example.org", test_now, "old.example.com", "192.0.2.9"));
    counting.add(delivery("x@example.org", test_now + 5 * day_seconds, "busy.example.com"));
    counting.add(delivery("x@example.org", test_now + 8 * day_seconds, "busy.example.com"));
    const auto senders = by_first_label(counting.store, Family::sender_deliveries);
    BOOST_TEST(!senders.contains("old.example.com"));
    BOOST_TEST(senders.at("busy.example.com") == 2U);
    BOOST_TEST(counting.store.retired[index_of(Family::sender_deliveries)] == 1U);
    BOOST_TEST(counting.store.retired[index_of(Family::source_ip_deliveries)] == 1U);
    // The lifetime of a sender is never retired, and goes on where it was.
    counting.add(delivery("x@example.org", test_now + 9 * day_seconds, "old.example.com"));
    BOOST_TEST(by_first_label(counting.store, Family::sender_lifetime).at("old.example.com") == 2U);
    BOOST_TEST(by_first_label(counting.store, Family::sender_deliveries).at("old.example.com") == 1U);
}

// What is remembered of a source address must not hide from the table that it is still in use.
BOOST_AUTO_TEST_CASE(an_address_that_delivers_every_day_is_never_retired) {
    Counting counting{exporter::series::CountSettings()};
    for (int day = 0; day < 30; ++day) counting.add(delivery("x@example.org", test_now + day * day_seconds));
    BOOST_TEST(counting.store.retired[index_of(Family::source_ip_deliveries)] == 0U);
    BOOST_TEST(by_first_label(counting.store, Family::source_ip_deliveries).at("192.0.2.1") == 30U);
}

BOOST_AUTO_TEST_CASE(a_value_that_was_retired_is_found_again_under_its_own_name) {
    Counting counting{exporter::series::CountSettings()};
    counting.add(delivery("x@example.org", test_now, "s.example.com", "192.0.2.9"));
    counting.add(delivery("x@example.org", test_now + 9 * day_seconds, "s.example.com", "192.0.2.8"));
    counting.add(delivery("x@example.org", test_now + 18 * day_seconds, "s.example.com", "192.0.2.7"));
    counting.add(delivery("x@example.org", test_now + 18 * day_seconds, "s.example.com", "192.0.2.9"));
    const auto addresses = by_first_label(counting.store, Family::source_ip_deliveries);
    const std::map<std::string, std::uint64_t> expected{{"192.0.2.7", 1}, {"192.0.2.9", 1}};
    BOOST_CHECK(addresses == expected);
    BOOST_TEST(counting.store.retired[index_of(Family::source_ip_deliveries)] == 2U);
}

BOOST_AUTO_TEST_CASE(replies_that_begin_alike_are_told_apart) {
    Counting counting{exporter::series::CountSettings()};
    const auto replied = [](const std::string& status, const std::string& diag) {
        return mta::logs::OwnedRecord(mta::logs::RecordType::d, test_now,
                                      {{Column::rcpt, "x@example.org"},
                                       {Column::dlv_type, "smtp"},
                                       {Column::dsn_status, status},
                                       {Column::dsn_diag, diag}});
    };
    for (int again = 0; again < 2; ++again) {
        counting.add(replied("2.0.0 (success)", "smtp;250 2.100.10 accepted"));
        counting.add(replied("2.0.0 (success)", "smtp;250 2.100.1 accepted"));
        counting.add(replied("2.0.0 (success)", "smtp;250 accepted as 1"));
        counting.add(replied("2.1.5 (success)", "smtp;250 accepted as 2"));
        counting.add(replied("2.1.5 (success)", "smtp;        251 ok"));
        counting.add(replied("2.1.5 (success)", "smtp;        252 ok"));
    }
    const SeriesTable& table = counting.store.table(Family::replies);
    std::map<std::string, std::uint64_t> counts;
    for (std::uint32_t row = 0; row < table.size(); ++row) {
        const auto text = [&](std::size_t label) {
            return std::string(counting.store.texts().text(table.keys()[row * table.arity() + label]));
        };
        counts[text(1) + " " + text(2)] = table.counts()[row];
    }
    const std::map<std::string, std::uint64_t> expected{{"250 2.100.10", 2}, {"250 2.100.1", 2}, {"250 2.0.0", 2},
                                                        {"250 2.1.5", 2},    {"251 2.1.5", 2},   {"252 2.1.5", 2}};
    BOOST_CHECK(counts == expected);
}

BOOST_AUTO_TEST_CASE(a_stamp_in_the_future_retires_nothing_and_is_counted) {
    Counting counting{exporter::series::CountSettings()};
    counting.add(delivery("x@example.org"));
    counting.add(delivery("x@example.org", test_now + 500 * day_seconds));
    BOOST_TEST(counting.store.totals.future_stamps == 1U);
    BOOST_TEST(counting.store.totals.last_record[0] == test_now);
    BOOST_TEST(counting.store.retired[index_of(Family::sender_deliveries)] == 0U);
}

BOOST_AUTO_TEST_CASE(relays_of_postfix_are_retired_and_vmtas_of_powermta_are_not) {
    for (const bool postfix : {true, false}) {
        exporter::series::CountSettings settings;
        settings.format = postfix ? RecordFormat::postfix : RecordFormat::pmta;
        Counting counting(settings);
        counting.add(delivery("x@gmail.com"));
        counting.add({mta::logs::RecordType::d,
                      test_now + 9 * day_seconds,
                      {{Column::rcpt, "x@gmail.com"}, {Column::vmta, "v2"}}});
        const auto counts = by_first_label(counting.store, Family::deliveries);
        BOOST_TEST(counts.contains("v1") == !postfix);
        BOOST_TEST(counts.at("v2") == 1U);
        BOOST_TEST(sum_of(counting.store, Family::deliveries) == 2U);
    }
}

BOOST_AUTO_TEST_CASE(labels_are_clean_bounded_and_never_an_address) {
    exporter::series::CountSettings settings;
    settings.groups = {"job"};
    Counting counting(settings);
    const auto job = [](const std::string& id) {
        return mta::logs::OwnedRecord(mta::logs::RecordType::d, test_now,
                                      {{Column::rcpt, "x@example.org"}, {Column::job_id, id}});
    };
    counting.add(job("plain"));
    counting.add(job("jane@example.net"));
    counting.add(job("a\"\"b\\c"));
    counting.add(job(std::string("bad\xff") + "byte"));
    counting.add(job(std::string(500, 'x')));
    const auto counts = by_first_label(counting.store, Family::job_deliveries);
    BOOST_TEST(counts.contains("plain"));
    BOOST_TEST(counts.contains(""));  // that record is of no job
    BOOST_TEST(counts.contains("a\\\"b\\\\c"));
    BOOST_TEST(
        counts.contains("bad\xef\xbf\xbd"
                        "byte"));
    BOOST_TEST(counts.contains(std::string(128, 'x')));
    BOOST_TEST(counts.size() == 5U);
}

BOOST_AUTO_TEST_CASE(a_value_is_the_same_whatever_its_case_or_cleaning) {
    exporter::series::CountSettings settings;
    settings.groups = {"recipient_domain"};
    Counting counting(settings);
    for (const char* domain : {"Example.ORG", "example.org", "EXAMPLE.org"}) {
        counting.add(delivery("x@" + std::string(domain)));
    }
    BOOST_TEST(by_first_label(counting.store, Family::recipient_domain_deliveries).at("example.org") == 3U);
    BOOST_TEST(counting.store.table(Family::recipient_domain_deliveries).size() == 1U);
}

BOOST_AUTO_TEST_CASE(complaints_go_to_the_vmta_that_delivered_from_the_address) {
    Counting counting{exporter::series::CountSettings()};
    const auto complaint = [](const std::string& source) {
        return mta::logs::OwnedRecord(
            mta::logs::RecordType::f, test_now,
            {{Column::rcpt, "x@gmail.com"}, {Column::feedback_type, "abuse"}, {Column::dlv_source_ip, source}});
    };
    counting.add(delivery("x@gmail.com"));
    counting.add(complaint("192.0.2.1"));
    counting.add(complaint("192.0.2.77"));
    const SeriesTable& table = counting.store.table(Family::complaints);
    BOOST_REQUIRE(table.size() == 2U);
    const auto text = [&](std::size_t i) { return counting.store.texts().text(table.keys()[i]); };
    BOOST_TEST(text(0) == "gmail");
    BOOST_TEST(text(2) == "v1");
    BOOST_TEST(text(3) == "p1");
    BOOST_TEST(text(6) == "");
}

BOOST_AUTO_TEST_CASE(a_complaint_without_a_source_address_is_not_given_the_vmta_of_a_delivery_without_one) {
    Counting counting{exporter::series::CountSettings()};
    counting.add(delivery("x@gmail.com", test_now, "s.example.com", ""));
    counting.add({mta::logs::RecordType::f, test_now, {{Column::rcpt, "x@gmail.com"}}});
    const SeriesTable& table = counting.store.table(Family::complaints);
    BOOST_REQUIRE(table.size() == 1U);
    BOOST_TEST(counting.store.texts().text(table.keys()[2]) == "");
    BOOST_TEST(counting.store.texts().text(table.keys()[3]) == "");
}

// 200 000 records with 40 000 domains, budgets far below: a tenth of the size of the benchmark of the same name.
BOOST_AUTO_TEST_CASE(series_and_retired_records_always_sum_up_to_the_records) {
    exporter::series::CountSettings settings;
    settings.groups = {"recipient_domain", "job"};
    settings.budgets = {{"pmta_recipient_domain_deliveries_total", 500},
                        {"pmta_sender_deliveries_total", 50},
                        {"pmta_source_ip_deliveries_total", 20},
                        {"pmta_job_deliveries_total", 100}};
    Counting counting(settings);
    std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same numbers in every run
    constexpr std::uint64_t record_total = 200'000;
    for (std::uint64_t i = 0; i < record_total; ++i) {
        const auto time = test_now + static_cast<std::int64_t>(i) * 20;
        const auto number = [&](unsigned below) { return std::to_string(random() % below); };
        mta::logs::OwnedRecord record(mta::logs::RecordType::d, time,
                                      {{Column::rcpt, "x@d" + number(40'000) + ".example"},
                                       {Column::orig, "x@s" + number(i < record_total / 2 ? 200 : 20) + ".example"},
                                       {Column::dlv_source_ip, "192.0.2." + number(60)},
                                       {Column::job_id, "job" + std::to_string(i / 1000)}});
        counting.add(record);
    }
    for (const Family family :
         {Family::deliveries, Family::sender_deliveries, Family::sender_lifetime, Family::replies,
          Family::source_ip_deliveries, Family::job_deliveries, Family::recipient_domain_deliveries}) {
        BOOST_TEST(sum_of(counting.store, family) == record_total, metric_name(family));
    }
    BOOST_TEST(counting.store.table(Family::recipient_domain_deliveries).size() <= 501U);
    BOOST_TEST(counting.store.retired[index_of(Family::job_deliveries)] > 0U);
}

BOOST_AUTO_TEST_CASE(unknown_budgets_and_groups_are_refused_by_name) {
    exporter::series::CountSettings settings;
    settings.budgets = {{"pmta_nonsense_total", 5}};
    BOOST_TEST(check_settings(settings).error().what ==
               "budget for pmta_nonsense_total: no family of that name has one; see --catalog");
    settings.budgets.clear();
    settings.groups = {"sender"};
    BOOST_TEST(check_settings(settings).error().what == "group sender: not an opt-in group; see --catalog");
}

BOOST_AUTO_TEST_SUITE_END()
