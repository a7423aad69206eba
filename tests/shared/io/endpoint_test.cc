// Proves how an address with a port is written and read.
#include <boost/test/unit_test.hpp>

#include "shared/io/connector.h"

using namespace mtawatch;
using io::Endpoint;

BOOST_AUTO_TEST_SUITE(endpoint)

BOOST_AUTO_TEST_CASE(addresses_are_read_with_and_without_port) {
    const std::pair<const char*, Endpoint> table[] = {
        {"192.0.2.1", {"192.0.2.1", 53}},       {"192.0.2.1:5300", {"192.0.2.1", 5300}},
        {"2001:db8::1", {"2001:db8::1", 53}},   {"[2001:db8::1]:5300", {"2001:db8::1", 5300}},
        {"[2001:db8::1]", {"2001:db8::1", 53}}, {"::1", {"::1", 53}},
    };
    for (const auto& [text, expected] : table) {
        const auto parsed = io::parse_endpoint(text, 53);
        BOOST_REQUIRE_MESSAGE(parsed.has_value(), text);
        BOOST_TEST((*parsed == expected), text);
    }
    BOOST_TEST(io::to_string({"192.0.2.1", 25}) == "192.0.2.1:25");
    BOOST_TEST(io::to_string({"2001:db8::1", 25}) == "[2001:db8::1]:25");
    BOOST_TEST(io::to_string({"/run/x.sock", 0}) == "/run/x.sock");
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused) {
    for (const char* bad : {"", "localhost", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:65536", "192.0.2.1:-1",
                            "192.0.2.256", "1.2.3", "[192.0.2.1]:53", "[2001:db8::1", "[2001:db8::1]x",
                            "[2001:db8::1]:", ":53", "192.0.2.1 ", "fe80::1%eth0", "0x7f.1"}) {
        BOOST_TEST(!io::parse_endpoint(bad, 53).has_value(), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
