#include "exporter/exposition/metric_families.h"

#include <prometheus/collectable.h>

#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "exporter/exposition/metric_source.h"
#include "tests/support/metric_families.h"

using namespace mtawatch::exporter::exposition;
using mtawatch::test::series_in;
using mtawatch::test::value_in;

namespace {

// Collects what it was given.
struct Fixed final : prometheus::Collectable {
    MetricFamilies families;
    [[nodiscard]] MetricFamilies Collect() const override { return families; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(metric_families)

BOOST_AUTO_TEST_CASE(name_type_help_and_label_names_come_from_the_catalogue) {
    MetricFamilies families;
    add_series(families, "pmta_traffic_bytes_total", {"in"}, 7.0);
    add_series(families, "mail_service_active", {"mx1", "postfix.service"}, 1.0);
    add_series(families, "pmta_traffic_bytes_total", {"out"}, 8.0);
    BOOST_REQUIRE(families.size() == 2U);
    BOOST_TEST(families[0].name == "pmta_traffic_bytes_total");
    BOOST_TEST(families[0].help == metric("pmta_traffic_bytes_total").help);
    BOOST_TEST((families[0].type == prometheus::MetricType::Counter));
    BOOST_TEST((families[1].type == prometheus::MetricType::Gauge));
    BOOST_TEST(families[1].metric.at(0).label.at(0).name == "host");
    BOOST_TEST(families[1].metric.at(0).label.at(1).name == "unit");
    BOOST_TEST(series_in(families, "pmta_traffic_bytes_total") == 2U);
    BOOST_TEST(value_in(families, "pmta_traffic_bytes_total", {"out"}).value() == 8);
    BOOST_TEST(value_in(families, "mail_service_active", {"mx1", "postfix.service"}).value() == 1);
}

BOOST_AUTO_TEST_CASE(what_has_no_value_is_no_series) {
    MetricFamilies families;
    add_series(families, "pmta_spool_recipients", {}, std::optional<double>());
    BOOST_TEST(families.empty());
}

BOOST_AUTO_TEST_CASE(a_name_or_label_count_unknown_to_the_catalogue_is_a_mistake) {
    MetricFamilies families;
    BOOST_CHECK_THROW(add_series(families, "mail_no_such_metric", {}, 1.0), std::logic_error);
    BOOST_CHECK_THROW(add_series(families, "mail_dnsbl_listed", {"one"}, 1.0), std::logic_error);
    BOOST_CHECK_THROW(add_series(families, "pmta_delivery_delay_seconds", {"gmail", "p"}, 1.0), std::logic_error);
    BOOST_TEST(families.empty());
}

BOOST_AUTO_TEST_CASE(collectables_are_written_in_the_order_of_their_registration) {
    Fixed first;
    Fixed second;
    add_series(first.families, "pmta_up", {}, 1.0);
    add_series(second.families, "process_open_fds", {}, 9.0);
    std::string out;
    ExpositionWriter writer(Format::text, out);
    CollectableSource({&second, &first}).write(writer);
    BOOST_TEST(out == "# HELP process_open_fds " + std::string(metric("process_open_fds").help) +
                          "\n# TYPE process_open_fds gauge\nprocess_open_fds 9\n# HELP pmta_up " +
                          std::string(metric("pmta_up").help) + "\n# TYPE pmta_up gauge\npmta_up 1\n");
}

BOOST_AUTO_TEST_SUITE_END()
