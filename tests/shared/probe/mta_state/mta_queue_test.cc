#include "shared/probe/mta_state/mta_queue.h"

#include <boost/test/unit_test.hpp>

using namespace mtawatch;
using namespace mtawatch::probe::mta_state;

BOOST_AUTO_TEST_SUITE(mta_names)

BOOST_AUTO_TEST_CASE(an_mta_is_known_by_its_name) {
    for (const Mta mta : {Mta::pmta, Mta::postfix, Mta::kumomta}) {
        BOOST_TEST((mta_named(name(mta)).value() == mta));
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_word_is_never_taken_for_kumomta) {
    for (const char* word : {"", "PMTA", "kumo", "exim"}) {
        const auto mta = mta_named(word);
        BOOST_REQUIRE(!mta);
        BOOST_TEST((mta.error().fault == base::Fault::usage));
        BOOST_TEST(mta.error().what ==
                   "\"" + std::string(word) + "\" is no MTA known here; write pmta, postfix or kumomta");
    }
}

BOOST_AUTO_TEST_SUITE_END()
