#include "exporter/exposition/exposition.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "exporter/exposition/metric_families.h"

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
        BOOST_TEST(writer.begin(
            {"x_bytes_total", MetricType::counter, "bytes", "Back\\slash, \"quotes\"\nand lines.", "", ""}));
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
}

BOOST_AUTO_TEST_CASE(a_collected_family_is_written_in_both_formats) {
    MetricFamilies families;
    add_series(families, "pmta_traffic_bytes_total", {"out"}, 1e6);
    add_series(families, "pmta_traffic_bytes_total", {"q\"b\\n\n\xff"}, 0.5);
    const auto write = [&](ExpositionWriter& writer) { writer.family(families.at(0)); };
    const std::string help(metric("pmta_traffic_bytes_total").help);
    const std::string lines =
        "pmta_traffic_bytes_total{direction=\"out\"} 1e+06\n"
        "pmta_traffic_bytes_total{direction=\"q\\\"b\\\\n\\n\xEF\xBF\xBD\"} 0.5\n";
    BOOST_TEST(written(Format::text, write) ==
               "# HELP pmta_traffic_bytes_total " + help + "\n# TYPE pmta_traffic_bytes_total counter\n" + lines);
    BOOST_TEST(written(Format::openmetrics, write) ==
               "# HELP pmta_traffic_bytes " + help +
                   "\n# TYPE pmta_traffic_bytes counter\n# UNIT pmta_traffic_bytes bytes\n" + lines + "# EOF\n");
}

BOOST_AUTO_TEST_CASE(a_family_is_never_begun_twice) {
    MetricFamilies families;
    add_series(families, "pmta_up", {}, 1.0);
    BOOST_TEST(written(Format::text, [&](ExpositionWriter& writer) {
                   writer.family(families[0]);
                   writer.family(families[0]);
                   BOOST_TEST(!writer.begin(metric("pmta_up")));
               }) == "# HELP pmta_up " + std::string(metric("pmta_up").help) + "\n# TYPE pmta_up gauge\npmta_up 1\n");
}

BOOST_AUTO_TEST_CASE(a_family_without_series_writes_nothing) {
    const auto family = empty_family(metric("pmta_up"));
    BOOST_TEST(written(Format::text, [&](ExpositionWriter& writer) { writer.family(family); }).empty());
}

BOOST_AUTO_TEST_CASE(a_family_that_the_catalogue_does_not_have_is_a_mistake) {
    std::string out;
    ExpositionWriter writer(Format::text, out);
    BOOST_CHECK_THROW(writer.family({"x", "A.", prometheus::MetricType::Gauge, {{}}}), std::logic_error);
    BOOST_CHECK_THROW(writer.family({"pmta_up", "A.", prometheus::MetricType::Counter, {{}}}), std::logic_error);
    BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(time_stamps_are_milliseconds_in_text_and_seconds_in_openmetrics) {
    const auto write = [](ExpositionWriter& writer) { writer.sample_at("x ", std::uint64_t{7}, 1700000000); };
    BOOST_TEST(written(Format::text, write) == "x 7 1700000000000\n");
    BOOST_TEST(written(Format::openmetrics, write) == "x 7 1700000000\n# EOF\n");
}

BOOST_AUTO_TEST_SUITE_END()
