// What the exporter makes of the number of files it may open.
#include "exporter/descriptors.h"

#include <boost/test/unit_test.hpp>

using namespace mtawatch;

BOOST_AUTO_TEST_SUITE(descriptors)

BOOST_AUTO_TEST_CASE(what_is_kept_open_follows_from_the_limit) {
    struct Row {
        std::uint64_t limit;
        std::size_t feeds, files, connections;
    };
    for (const Row& row : {Row{16384, 1, 64, 512}, Row{1024, 1, 64, 512}, Row{1024, 3, 64, 512}, Row{256, 1, 48, 96},
                           Row{256, 3, 16, 96}, Row{100, 1, 9, 18}, Row{100, 3, 4, 12}, Row{1024, 0, 64, 512}}) {
        BOOST_TEST_CONTEXT(row.limit << " descriptors, " << row.feeds << " feeds") {
            const auto plan = exporter::plan_descriptors(row.limit, row.feeds);
            BOOST_REQUIRE(plan);
            BOOST_TEST(plan->open_files == row.files);
            BOOST_TEST(plan->connections == row.connections);
        }
    }
}

BOOST_AUTO_TEST_CASE(below_what_works_it_says_so) {
    for (const std::uint64_t limit : {20U, 64U, 99U}) {
        const auto plan = exporter::plan_descriptors(limit, 1);
        BOOST_REQUIRE(!plan);
        BOOST_TEST(plan.error().what == "only " + std::to_string(limit) +
                                            " files may be open, and at least 100 are needed: raise the limit "
                                            "(ulimit -n, LimitNOFILE of the unit)");
    }
}

BOOST_AUTO_TEST_SUITE_END()
