// KumoMTA's metrics: JSON and text give the same figures, an idle server is not another program.
#include <boost/test/unit_test.hpp>

#include "shared/mta/documents/kumomta_metrics.h"

using namespace mtawatch;

namespace {

constexpr std::string_view json = R"({
  "scheduled_count": {"help": "number of messages in the scheduled queue.", "type": "gauge",
    "value": {"queue": {"news@example.com": 40, "example.org": 2.0}}},
  "scheduled_by_domain": {"type": "gauge", "value": {"domain": {"example.com": 40, "example.org": 2}}},
  "queued_count_by_provider": {"type": "gauge", "value": {"provider": {"gmail": 30}}},
  "ready_count": {"type": "gauge", "value": {"service": {"smtp_client": 8, "smtp_client:src1->mx.example.com": 8}}},
  "connection_count": {"type": "gauge", "value": {"service": {"esmtp_listener": 1, "smtp_client": 3}}},
  "egress_source_health_suspended": {"type": "gauge", "value": [
    {"source": "src1", "reason": "rate", "@": 1}, {"source": "src2", "reason": "rate", "@": 0}]},
  "total_messages_delivered": {"type": "counter", "value": {"service": {"smtp_client": 1000}}},
  "memory_usage": {"type": "gauge", "value": 185683968.0}
})";

constexpr std::string_view text =
    "# HELP scheduled_count number of messages in the scheduled queue.\n"
    "# TYPE scheduled_count gauge\n"
    "scheduled_count{queue=\"news@example.com\"} 40\n"
    "scheduled_count{queue=\"example.org\"} 2\n"
    "scheduled_by_domain{domain=\"example.com\"} 40\n"
    "scheduled_by_domain{domain=\"example.org\"} 2\n"
    "queued_count_by_provider{provider=\"gmail\"} 30\n"
    "ready_count{service=\"smtp_client\"} 8\n"
    "ready_count{service=\"smtp_client:src1->mx.example.com\"} 8\n"
    "connection_count{service=\"esmtp_listener\"} 1\n"
    "connection_count{service=\"smtp_client\"} 3\n"
    "egress_source_health_suspended{source=\"src1\", reason=\"rate\"} 1\n"
    "egress_source_health_suspended{source=\"src2\", reason=\"rate\"} 0\n"
    "total_messages_delivered{service=\"smtp_client\"} 1000\n"
    "memory_usage 185683968\n";

std::string error_of(std::string_view bytes) {
    const auto metrics = mta::documents::read_kumomta_metrics(std::string(bytes));
    BOOST_REQUIRE_MESSAGE(!metrics, bytes.substr(0, 60));
    return metrics.error().what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kumomta_metrics)

BOOST_AUTO_TEST_CASE(json_and_text_say_the_same) {
    for (const auto bytes : {json, text}) {
        const auto metrics = mta::documents::read_kumomta_metrics(std::string(bytes));
        BOOST_REQUIRE_MESSAGE(metrics, metrics.error().what);
        BOOST_TEST(metrics->scheduled.value() == 42);
        BOOST_TEST(metrics->ready.value() == 8);  // the whole service, not once more by path
        BOOST_TEST(metrics->messages().value() == 50);
        BOOST_TEST(metrics->queues.front().name == "news@example.com");
        BOOST_TEST(metrics->domains.size() == 2U);
        BOOST_TEST(metrics->providers.front().count == 30);
        BOOST_REQUIRE(metrics->suspended.size() == 1U);
        BOOST_TEST(metrics->suspended[0].source == "src1");
        BOOST_TEST(metrics->suspended[0].reason == "rate");
        BOOST_TEST(metrics->delivered.value() == 1000);
        BOOST_TEST(metrics->connections.value() == 4);
        BOOST_TEST(!metrics->truncated);
    }
}

BOOST_AUTO_TEST_CASE(a_metric_without_series_is_an_empty_queue) {
    for (const auto* bytes :
         {R"({"scheduled_count": {"type": "gauge", "value": null}})", "# TYPE scheduled_count gauge\n"}) {
        const auto metrics = mta::documents::read_kumomta_metrics(std::string(bytes));
        BOOST_REQUIRE_MESSAGE(metrics, metrics.error().what);
        BOOST_TEST(metrics->messages().value() == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_never_queued_is_empty_only_when_it_says_so) {
    BOOST_TEST(mta::documents::read_kumomta_metrics("message_count 0\n")->messages().value() == 0);
    BOOST_TEST(!mta::documents::read_kumomta_metrics("message_count 7\n")->messages());
}

BOOST_AUTO_TEST_CASE(the_total_wins_over_the_sum) {
    const auto metrics = mta::documents::read_kumomta_metrics(
        "scheduled_count_total 100\nscheduled_count{queue=\"a\"} 1\nready_count{service=\"lmtp:a\"} 2\n");
    BOOST_TEST(metrics->messages().value() == 102);
}

BOOST_AUTO_TEST_CASE(unescaped_quotes_in_labels_are_taken) {
    const auto metrics = mta::documents::read_kumomta_metrics("scheduled_count{queue=\"a\"b\"} 5\n");
    BOOST_REQUIRE_MESSAGE(metrics, metrics.error().what);
    BOOST_TEST(metrics->queues[0].name == "a\"b");
}

BOOST_AUTO_TEST_CASE(another_program_or_a_damaged_answer_is_no_empty_queue) {
    BOOST_TEST(error_of("").find("nothing at all") != std::string::npos);
    BOOST_TEST(error_of("{}").find("not KumoMTA's") != std::string::npos);
    BOOST_TEST(error_of("up 1\n").find("not KumoMTA's") != std::string::npos);
    BOOST_TEST(error_of("<html>login</html>").find("web page") != std::string::npos);
    BOOST_TEST(error_of("scheduled_count{queue=\"a\"} 5").find("cut short") != std::string::npos);
    BOOST_TEST(error_of("scheduled_count{queue=\"a\n").find("labels are damaged") != std::string::npos);
    BOOST_TEST(error_of("scheduled_count many\n").find("no value") != std::string::npos);
    BOOST_TEST(error_of("{\"scheduled_count\": 5}").find("has no value") != std::string::npos);
    // It was taken for metrics that are cut short.
    BOOST_TEST(error_of("[[[[[").find("neither metrics nor JSON") != std::string::npos);
    for (std::size_t length = 0; length < json.size(); length += 3) {
        BOOST_TEST(!mta::documents::read_kumomta_metrics(std::string(json.substr(0, length))), length);
    }
}

BOOST_AUTO_TEST_CASE(groups_are_bounded) {
    std::string many;
    for (int i = 0; i < 30'000; ++i) many += "scheduled_count{queue=\"q" + std::to_string(i) + "\"} 1\n";
    const auto metrics = mta::documents::read_kumomta_metrics(many + "scheduled_count{queue=\"big\"} 9\n");
    BOOST_REQUIRE(metrics);
    BOOST_TEST(metrics->queues.size() == mta::documents::max_kumomta_groups);
    BOOST_TEST(metrics->queues.front().name == "big");
    BOOST_TEST(metrics->scheduled.value() == 30'009);
    BOOST_TEST(metrics->truncated);
}

BOOST_AUTO_TEST_CASE(a_series_with_endless_labels_and_endless_services_are_refused) {
    std::string labels;
    std::string members;
    std::string services;
    for (int i = 0; i < 2000; ++i) {
        labels += "a" + std::to_string(i) + "=\"\",";
        members += "\"a" + std::to_string(i) + "\":\"\",";
        services += "ready_count{service=\"s" + std::to_string(i) + "\"} 1\n";
    }
    BOOST_TEST(error_of("scheduled_count{" + labels + "} 5\n").find("labels are damaged") != std::string::npos);
    BOOST_TEST(error_of("{\"scheduled_count\": {\"value\": [{" + members + "\"@\": 1}]}}") ==
               "a series of scheduled_count has more than 64 labels: this is not KumoMTA's JSON");
    BOOST_TEST(error_of("scheduled_count 5\n" + services) ==
               "the metrics name 1000 services or more: this is not KumoMTA's kumod");
}

BOOST_AUTO_TEST_CASE(nothing_may_stand_behind_or_inside_the_json) {
    const std::string good(json);
    BOOST_TEST(error_of(good + "{}").find("damaged or cut short at byte") != std::string::npos);
    BOOST_TEST(error_of(good + std::string(1, '\0')).find("a NUL byte at") != std::string::npos);
    BOOST_TEST(error_of("{\"scheduled_count\": {\"value\": {\"queue\": {\"\xff\": 1}}}}").find("damaged") !=
               std::string::npos);
    std::string deep = "{\"scheduled_count\": {\"value\": ";
    for (int i = 0; i < 100; ++i) deep += "{\"a\": ";
    BOOST_TEST(error_of(deep) == "KumoMTA's JSON is nested deeper than 32");
    std::string many = "{\"other\": [";
    for (int i = 0; i < 4'000'001; ++i) many += "0,";
    BOOST_TEST(error_of(many) == "KumoMTA's JSON has more than 4000000 values");
}

BOOST_AUTO_TEST_SUITE_END()
