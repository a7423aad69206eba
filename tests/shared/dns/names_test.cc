// Proves how names, addresses and servers are written and read.
#include <boost/test/unit_test.hpp>

#include "shared/dns/lookup.h"
#include "shared/dns/names.h"
#include "shared/dns/wire_name.h"
#include "tests/support/folder.h"
#include "tests/support/zone_transport.h"

using namespace mtawatch;
using base::IpAddress;
using base::IpNetwork;

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(people_write_names_in_many_ways) {
    BOOST_TEST(dns::ascii_name("MX.Example.NET.").value() == "mx.example.net");
    BOOST_TEST(dns::ascii_name("_dmarc.example.com").value() == "_dmarc.example.com");
    BOOST_TEST(dns::ascii_name("b\xC3\xBC"
                               "cher.example")
                   .value() == "xn--bcher-kva.example");
    BOOST_TEST(dns::ascii_name("B\xC3\x9C"
                               "CHER.example")
                   .value() == "xn--bcher-kva.example");
    BOOST_TEST(dns::ascii_name("fa\xC3\x9F.example").value() == "xn--fa-hia.example");  // IDNA2008, not 2003
    for (const std::string bad : {"", ".", "a..b", ".a", "a b.example", "a\tb.example", "\xFF.example"}) {
        BOOST_TEST(!dns::ascii_name(bad).has_value(), bad);
    }
    BOOST_TEST(dns::ascii_name(std::string(63, 'a') + ".example").has_value());
    BOOST_TEST(!dns::ascii_name(std::string(64, 'a') + ".example").has_value());
    std::string longest;
    for (int i = 0; i < 63; ++i) longest += "abc.";
    BOOST_TEST(dns::ascii_name(longest + "a").has_value());  // 253 bytes
    BOOST_TEST(!dns::ascii_name(longest + "ab").has_value());
}

BOOST_AUTO_TEST_CASE(an_international_name_does_not_end_at_its_first_nul_byte) {
    using namespace std::string_literals;
    for (const std::string& bad : {"b\xC3\xBC\0cher.example"s, "a.b\0\xC3\xBC"s, "b\xC3\xBC\n.example"s}) {
        BOOST_TEST(!dns::ascii_name(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(reverse_names) {
    BOOST_TEST(dns::reverse_name(*IpAddress::parse("192.0.2.1")) == "1.2.0.192.in-addr.arpa");
    BOOST_TEST(dns::reverse_name(*IpAddress::parse("2001:db8::567:89ab")) ==
               "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

BOOST_AUTO_TEST_CASE(within_and_parent) {
    BOOST_TEST(dns::is_within("a.Example.com", "example.com"));
    BOOST_TEST(dns::is_within("example.com", "example.com"));
    BOOST_TEST(!dns::is_within("notexample.com", "example.com"));
    BOOST_TEST(dns::parent("a.b.c") == "b.c");
    BOOST_TEST(dns::parent("c").empty());
    BOOST_TEST(dns::labels("a.b").size() == 2U);
}

BOOST_AUTO_TEST_CASE(odd_bytes_of_a_name_are_shown_escaped) {
    BOOST_TEST(dns::text_name(std::string("\x03"
                                          "a.b\x02\x00\\\x00",
                                          8)) == "a\\.b.\\000\\\\");
    BOOST_TEST(dns::text_name(dns::wire_name("Mx.Example")) == "mx.example");
    BOOST_TEST(dns::text_name("\x3fshort").empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(addresses)

BOOST_AUTO_TEST_CASE(strict_presentation_forms) {
    for (const char* good : {"192.0.2.1", "0.0.0.0", "::", "2001:db8::1", "::ffff:192.0.2.1"}) {
        BOOST_TEST(IpAddress::parse(good).has_value(), good);
    }
    for (const char* bad :
         {"", "1.2.3", "01.2.3.4", "256.1.1.1", " 1.2.3.4", "1.2.3.4 ", "[::1]", "fe80::1%eth0", "::g", "0x7f.0.0.1"}) {
        BOOST_TEST(!IpAddress::parse(bad).has_value(), bad);
    }
    BOOST_TEST(IpAddress::parse("2001:DB8:0:0:0:0:0:1")->to_string() == "2001:db8::1");
    BOOST_TEST(IpAddress::parse("::ffff:192.0.2.1")->unmapped().to_string() == "192.0.2.1");
    BOOST_TEST(!IpAddress::from_bytes("abc").has_value());
}

BOOST_AUTO_TEST_CASE(networks) {
    const auto network = IpNetwork::parse("198.51.100.0/22").value();
    BOOST_TEST(network.size().value() == 1024U);
    BOOST_TEST(network.contains(*IpAddress::parse("198.51.103.255")));
    BOOST_TEST(!network.contains(*IpAddress::parse("198.51.104.0")));
    BOOST_TEST(!network.contains(*IpAddress::parse("::ffff:198.51.100.1")));
    BOOST_TEST(IpNetwork::parse("2001:db8::/48")->contains(*IpAddress::parse("2001:db8:0:ffff::1")));
    BOOST_TEST(!IpNetwork::parse("::/0")->size().has_value());
    BOOST_TEST(IpNetwork::parse("0.0.0.0/0")->contains(*IpAddress::parse("203.0.113.1")));
    for (const char* bad :
         {"192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/33", "192.0.2.0/+8", "x/8", "192.0.2.1/31", "2001:db8::1/64"}) {
        BOOST_TEST(!IpNetwork::parse(bad).has_value(), bad);
    }
    BOOST_TEST(IpAddress::parse("192.0.2.255")->next().to_string() == "192.0.3.0");
    BOOST_TEST(IpAddress::parse("255.255.255.255")->next().to_string() == "0.0.0.0");
}

BOOST_AUTO_TEST_CASE(what_the_internet_cannot_see) {
    for (const char* address :
         {"10.0.0.1", "172.31.255.255", "192.168.1.1", "100.127.0.1", "127.0.0.1", "169.254.1.1", "0.1.2.3",
          "224.0.0.1", "255.255.255.255", "::", "::1", "fd12::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1"}) {
        BOOST_TEST(base::not_public(*IpAddress::parse(address)).has_value(), address);
    }
    for (const char* address :
         {"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "172.32.0.1", "100.128.0.1", "198.18.0.1"}) {
        BOOST_TEST(!base::not_public(*IpAddress::parse(address)).has_value(), address);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(system_files)

BOOST_AUTO_TEST_CASE(servers_as_text) {
    BOOST_TEST(dns::parse_server("192.0.2.1")->to_string() == "192.0.2.1");
    BOOST_TEST(dns::parse_server("192.0.2.1:5300")->to_string() == "192.0.2.1:5300");
    BOOST_TEST(dns::parse_server("2001:db8::1")->to_string() == "2001:db8::1");
    BOOST_TEST(dns::parse_server("[2001:db8::1]:5300")->to_string() == "[2001:db8::1]:5300");
    for (const char* bad :
         {"", "resolver", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "[192.0.2.1]:53", "[::1", "[::1]53", ":53"}) {
        BOOST_TEST(!dns::parse_server(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(servers_of_resolv_conf) {
    const test::Folder folder;
    const io::Files files = folder.files();
    BOOST_TEST(dns::with_system_servers({}, files)->servers.at(0).to_string() == "127.0.0.1");
    folder.write("/etc/resolv.conf",
                 "# comment\nsearch example\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n"
                 " nameserver 2001:db8::53\noptions edns0 trust-ad\n");
    const auto settings = dns::with_system_servers({}, files).value();
    BOOST_TEST(settings.servers.size() == 2U);
    BOOST_TEST(settings.servers.at(1).to_string() == "2001:db8::53");
    BOOST_TEST(settings.trust_ad);
    dns::ResolverSettings own;
    own.servers = {{*IpAddress::parse("198.51.100.1"), 53}};
    BOOST_TEST(!dns::with_system_servers(own, files)->trust_ad);
    BOOST_TEST(dns::with_system_servers(own, files)->servers.size() == 1U);
}

// 127.0.0.1 would be blamed for not answering.
BOOST_AUTO_TEST_CASE(a_resolv_conf_whose_servers_cannot_be_asked_is_named) {
    const test::Folder folder;
    folder.write("/etc/resolv.conf", "search example\n nameserver fe80::1%eth0 # the router\n");
    const auto settings = dns::with_system_servers({}, folder.files());
    BOOST_REQUIRE(!settings.has_value());
    BOOST_TEST((settings.error().fault == base::Fault::configuration));
    BOOST_TEST(settings.error().what.find("nameserver fe80::1%eth0") != std::string::npos);
    BOOST_TEST(settings.error().what.find("--dns-server") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hosts_are_found_in_files_before_the_dns) {
    const test::Folder folder;
    const io::Files files = folder.files();
    folder.write("/etc/hosts",
                 "127.0.0.1 localhost\n192.0.2.7 mx.example.net mx # first\n2001:db8::7 MX\nbad line mx\n");
    test::ZoneText zone(
        "mx.example.net A 192.0.2.99\nv4.example A 192.0.2.5\nalias.example CNAME v4.example\nhalf.example A "
        "192.0.2.6\n"
        "half.example AAAA !SERVFAIL\nlost.example !TIMEOUT\nlost.example A !NXDOMAIN\ntxt.example TXT x\n");
    const test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    const auto transport = zone.transport();
    const auto find = [&](std::string_view host, dns::Family family = dns::Family::any) {
        return dns::host_addresses(*transport, files, host, family, deadline);
    };
    BOOST_TEST(find("mx")->addresses.size() == 2U);
    BOOST_TEST(find("mx", dns::Family::v6)->addresses.at(0).to_string() == "2001:db8::7");
    BOOST_TEST(find("MX.example.net")->addresses.at(0).to_string() == "192.0.2.7");
    BOOST_TEST(zone.asked().empty());
    BOOST_TEST(find("localhost", dns::Family::v6)->addresses.at(0).to_string() == "::1");
    BOOST_TEST(find("192.0.2.1")->addresses.at(0).to_string() == "192.0.2.1");
    BOOST_TEST((find("192.0.2.1", dns::Family::v6).error().fault == base::Fault::not_found));
    BOOST_TEST(find("alias.example")->canonical == "v4.example");
    BOOST_TEST(find("half.example")->addresses.size() == 1U);
    BOOST_TEST((find("half.example", dns::Family::v6).error().fault == base::Fault::resolver));
    BOOST_TEST((find("nowhere.example").error().fault == base::Fault::not_found));
    BOOST_TEST((find("txt.example").error().what == "txt.example has no address in the DNS"));
    BOOST_TEST((find("not a name").error().fault == base::Fault::usage));
}

BOOST_AUTO_TEST_SUITE_END()
