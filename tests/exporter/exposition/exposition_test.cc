#include "exporter/exposition/exposition.h"

#include <prometheus/metric_family.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <vector>

using namespace mtawatch::exporter::exposition;

namespace {

std::string head(std::string_view name, std::vector<std::string_view> names, std::vector<std::string_view> values) {
    return line_head(name, names, values);
}

template <typename Write>
std::string written(Format format, Write write) {
    std::string out;
    ExpositionWriter writer(format, out);
    write(writer);
    writer.finish();
    return out;
}

prometheus::ClientMetric histogram_metric() {
    prometheus::ClientMetric metric;
    metric.label = {{"provider", "gmail"}};
    metric.histogram.sample_count = 3;
    metric.histogram.sample_sum = 12.5;
    metric.histogram.bucket = {{1, 0.5}, {2, 900}, {3, std::numeric_limits<double>::infinity()}};
    return metric;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(exposition)

BOOST_AUTO_TEST_CASE(label_values_are_escaped_and_made_utf8) {
    BOOST_TEST(head("x", {"a", "b"}, {"q\"b\\n\n", "\xff"}) == "x{a=\"q\\\"b\\\\n\\n\",b=\"\xEF\xBF\xBD\"} ");
    BOOST_TEST(head("x", {}, {}) == "x ");
    BOOST_TEST(head("x", {"a"}, {std::string_view("\0z", 2)}) == "x{a=\"\xEF\xBF\xBDz\"} ");
    BOOST_TEST(head("x", {"a"}, {"caf\xC3\xA9"}) == "x{a=\"caf\xC3\xA9\"} ");
}

BOOST_AUTO_TEST_CASE(a_label_of_any_length_is_cut) {
    BOOST_TEST(head("x", {"a"}, {std::string(5000, 'y')}).size() == 1024 + 8);
}

BOOST_AUTO_TEST_CASE(counter_in_both_formats) {
    const auto write = [](ExpositionWriter& writer) {
        BOOST_TEST(writer.begin("x_bytes_total", MetricType::counter, "bytes", "Back\\slash, \"quotes\"\nand lines."));
        writer.sample(head("x_bytes_total", {"a"}, {"1"}), std::uint64_t{18446744073709551615U});
    };
    BOOST_TEST(written(Format::text, write) ==
               "# HELP x_bytes_total Back\\\\slash, \"quotes\"\\nand lines.\n# TYPE x_bytes_total counter\n"
               "x_bytes_total{a=\"1\"} 18446744073709551615\n");
    BOOST_TEST(written(Format::openmetrics, write) ==
               "# HELP x_bytes Back\\\\slash, \\\"quotes\\\"\\nand lines.\n# TYPE x_bytes counter\n"
               "# UNIT x_bytes bytes\nx_bytes_total{a=\"1\"} 18446744073709551615\n# EOF\n");
}

BOOST_AUTO_TEST_CASE(numbers_are_written_as_prometheus_reads_them) {
    const std::string text = written(Format::text, [](ExpositionWriter& writer) {
        const std::string line = head("x", {}, {});
        for (const double value : {0.1, 1e300, -0.0, std::nan(""), HUGE_VAL, -HUGE_VAL}) writer.sample(line, value);
        writer.sample(line, std::int64_t{-5});
    });
    BOOST_TEST(text == "x 0.1\nx 1e+300\nx -0\nx NaN\nx +Inf\nx -Inf\nx -5\n");
}

BOOST_AUTO_TEST_CASE(bucket_bounds_have_one_spelling) {
    BOOST_TEST(le_text(900) == "900.0");
    BOOST_TEST(le_text(0.5) == "0.5");
    BOOST_TEST(le_text(HUGE_VAL) == "+Inf");
    prometheus::MetricFamily family{"x_seconds", "A time.", prometheus::MetricType::Histogram, {histogram_metric()}};
    const auto write = [&](ExpositionWriter& writer) { writer.family(family); };
    const std::string lines =
        "x_seconds_bucket{provider=\"gmail\",le=\"0.5\"} 1\nx_seconds_bucket{provider=\"gmail\",le=\"900.0\"} 2\n"
        "x_seconds_bucket{provider=\"gmail\",le=\"+Inf\"} 3\nx_seconds_sum{provider=\"gmail\"} 12.5\n"
        "x_seconds_count{provider=\"gmail\"} 3\n";
    BOOST_TEST(written(Format::text, write) == "# HELP x_seconds A time.\n# TYPE x_seconds histogram\n" + lines);
    BOOST_TEST(written(Format::openmetrics, write) ==
               "# HELP x_seconds A time.\n# TYPE x_seconds histogram\n" + lines + "# EOF\n");
}

BOOST_AUTO_TEST_CASE(a_known_family_takes_its_header_from_the_catalogue) {
    prometheus::MetricFamily family{"pmta_up", "Something else.", prometheus::MetricType::Counter, {{}}};
    family.metric[0].gauge.value = 1;
    BOOST_TEST(written(Format::text, [&](ExpositionWriter& writer) { writer.family(family); }) ==
               "# HELP pmta_up " + std::string(metric("pmta_up").help) + "\n# TYPE pmta_up gauge\npmta_up 1\n");
}

BOOST_AUTO_TEST_CASE(a_family_is_never_begun_twice) {
    prometheus::MetricFamily family{"x", "A.", prometheus::MetricType::Gauge, {{}}};
    BOOST_TEST(written(Format::text, [&](ExpositionWriter& writer) {
                   writer.family(family);
                   writer.family(family);
                   BOOST_TEST(!writer.begin("x", MetricType::gauge, "", "A."));
               }) == "# HELP x A.\n# TYPE x gauge\nx 0\n");
}

BOOST_AUTO_TEST_CASE(a_family_without_series_writes_nothing) {
    prometheus::MetricFamily family{"x", "A.", prometheus::MetricType::Gauge, {}};
    BOOST_TEST(written(Format::text, [&](ExpositionWriter& writer) { writer.family(family); }).empty());
}

BOOST_AUTO_TEST_CASE(time_stamps_are_milliseconds_in_text_and_seconds_in_openmetrics) {
    const auto write = [](ExpositionWriter& writer) { writer.sample_at("x ", std::uint64_t{7}, 1700000000); };
    BOOST_TEST(written(Format::text, write) == "x 7 1700000000000\n");
    BOOST_TEST(written(Format::openmetrics, write) == "x 7 1700000000\n# EOF\n");
}

BOOST_AUTO_TEST_SUITE_END()
