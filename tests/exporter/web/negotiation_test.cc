#include "exporter/web/negotiation.h"

#include <boost/test/unit_test.hpp>

#include "exporter/web/listen_address.h"

using namespace mtawatch;
using namespace mtawatch::exporter::web;

BOOST_AUTO_TEST_SUITE(negotiation)

BOOST_AUTO_TEST_CASE(openmetrics_for_those_who_prefer_it) {
    struct Row {
        const char* accept;
        exporter::exposition::Format format;
    };
    for (const Row& row : {
             Row{"", exporter::exposition::Format::text},
             Row{"*/*", exporter::exposition::Format::text},
             Row{"text/plain", exporter::exposition::Format::text},
             Row{"application/openmetrics-text", exporter::exposition::Format::openmetrics},
             Row{"application/openmetrics-text; version=1.0.0; charset=utf-8",
                 exporter::exposition::Format::openmetrics},
             Row{"application/openmetrics-text;version=2.0.0", exporter::exposition::Format::text},
             Row{"application/openmetrics-text;q=0", exporter::exposition::Format::text},
             Row{"application/openmetrics-text;q=0.3,text/plain;q=0.5", exporter::exposition::Format::text},
             // Prometheus 2.42 and 3.
             Row{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                 exporter::exposition::Format::openmetrics},
             Row{"application/vnd.google.protobuf;q=0.7,application/openmetrics-text;version=1.0.0;q=0.6,"
                 "text/plain;version=0.0.4;q=0.3",
                 exporter::exposition::Format::openmetrics},
             Row{"APPLICATION/OPENMETRICS-TEXT ; Q=1", exporter::exposition::Format::openmetrics},
             Row{";;;,=,q=,application/openmetrics-text;q=nonsense", exporter::exposition::Format::text},
         }) {
        BOOST_TEST_CONTEXT(row.accept) { BOOST_TEST((wanted_format(row.accept) == row.format)); }
    }
}

BOOST_AUTO_TEST_CASE(gzip_only_where_it_is_taken) {
    BOOST_TEST(takes_gzip("gzip"));
    BOOST_TEST(takes_gzip("deflate, GZIP;q=0.5, br"));
    BOOST_TEST(takes_gzip("*"));
    BOOST_TEST(!takes_gzip(""));
    BOOST_TEST(!takes_gzip("gzip;q=0"));
    BOOST_TEST(!takes_gzip("gzip;q=0, *"));
    BOOST_TEST(!takes_gzip("identity"));
    BOOST_TEST(!takes_gzip("x-gzip-like"));
}

BOOST_AUTO_TEST_CASE(listen_addresses) {
    BOOST_TEST((parse_listen_address(":10925").value() == ListenAddress{"", 10925, ""}));
    BOOST_TEST((parse_listen_address("192.0.2.1:1").value() == ListenAddress{"192.0.2.1", 1, ""}));
    BOOST_TEST((parse_listen_address("[2001:db8::1]:9").value() == ListenAddress{"2001:db8::1", 9, ""}));
    BOOST_TEST((parse_listen_address("localhost:0").value() == ListenAddress{"localhost", 0, ""}));
    BOOST_TEST((parse_listen_address("unix:/run/x").value() == ListenAddress{"", 0, "/run/x"}));
    for (const char* wrong : {"", "10925", "192.0.2.1", "[::1]", "[::1]10925", ":70000", ":-1", ":x", ":", "unix:x",
                              "unix:", "unix:/", "[::1:9"}) {
        BOOST_TEST_CONTEXT(wrong) { BOOST_TEST(!parse_listen_address(wrong)); }
    }
    BOOST_TEST(parse_listen_address("2001:db8::1:9").error().what ==
               "\"2001:db8::1:9\": write an IPv6 address in brackets: [2001:db8::1]:9");
    BOOST_TEST(!parse_listen_address("unix:/" + std::string(200, 'x')));
}

BOOST_AUTO_TEST_SUITE_END()
