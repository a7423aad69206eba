#include "exporter/exposition/catalogue.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <stdexcept>
#include <string>

using namespace mtawatch::exporter::exposition;

BOOST_AUTO_TEST_SUITE(metric_catalogue)

BOOST_AUTO_TEST_CASE(every_entry_keeps_the_conventions) {
    std::set<std::string_view> names;
    for (const Metric& entry : catalogue()) {
        BOOST_TEST_CONTEXT(entry.name) {
            BOOST_TEST(names.insert(entry.name).second);
            const bool ours = entry.name.starts_with("pmta_") || entry.name.starts_with("mail_") ||
                              entry.name.starts_with("process_") || entry.name.starts_with("postfix_") ||
                              entry.name.starts_with("kumomta_log_");
            BOOST_TEST(ours);
            BOOST_TEST(entry.name.ends_with("_total") == (entry.type == MetricType::counter));
            const std::string_view base =
                entry.name.ends_with("_total") ? entry.name.substr(0, entry.name.size() - 6) : entry.name;
            if (!entry.unit.empty()) BOOST_TEST(base.ends_with("_" + std::string(entry.unit)));
            BOOST_TEST(entry.help.ends_with("."));
            BOOST_TEST(entry.help.find('\n') == std::string_view::npos);
            BOOST_TEST(!group_of(entry).title.empty());
            BOOST_TEST(histogram_bounds(entry).empty() == (entry.type != MetricType::histogram));
            std::set<std::string_view> labels;
            for (const std::string_view label : label_names(entry)) {
                BOOST_TEST(labels.insert(label).second);
                const std::set<std::string_view> reserved{"job", "instance", "severity", "le", "quantile", "type"};
                BOOST_TEST(!reserved.contains(label));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(openmetrics_names_of_counters_do_not_clash) {
    std::set<std::string> names;
    for (const Metric& entry : catalogue()) {
        std::string name(entry.name);
        if (entry.type == MetricType::counter) name.resize(name.size() - 6);
        BOOST_TEST_CONTEXT(name) { BOOST_TEST(names.insert(name).second); }
    }
}

BOOST_AUTO_TEST_CASE(every_group_has_metrics_and_every_lookup_answers) {
    for (const MetricGroup& group : metric_groups()) {
        BOOST_TEST_CONTEXT(group.name) {
            BOOST_TEST(
                std::ranges::any_of(catalogue(), [&](const Metric& entry) { return entry.group == group.name; }));
        }
    }
    BOOST_TEST(find_metric("pmta_up") == &metric("pmta_up"));
    BOOST_TEST(find_metric("pmta_down") == nullptr);
    BOOST_CHECK_THROW((void)metric("pmta_down"), std::logic_error);
    BOOST_TEST(histogram_bounds(metric("pmta_delivery_delay_seconds")).size() == 14);
}

BOOST_AUTO_TEST_SUITE_END()
