// Proves check_fcrdns: the way back from every reverse name, and the HELO name.
#include <boost/test/unit_test.hpp>

#include "tests/support/dns_check.h"

namespace {
const std::string zone = R"(
10.2.0.192.in-addr.arpa   PTR mail.example.com
11.2.0.192.in-addr.arpa   PTR other.example.com
13.2.0.192.in-addr.arpa   PTR mail.example.com
13.2.0.192.in-addr.arpa   PTR www.example.com
14.2.0.192.in-addr.arpa   PTR 192-0-2-14.dsl.example.net
15.2.0.192.in-addr.arpa   !SERVFAIL
16.2.0.192.in-addr.arpa   PTR broken.example.com
0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mail.example.com
mail.example.com          A    192.0.2.10
mail.example.com          A    192.0.2.13
mail.example.com          AAAA 2001:db8::10
other.example.com         A    192.0.2.99
192-0-2-14.dsl.example.net A   192.0.2.14
broken.example.com        !TIMEOUT
)";
}  // namespace

BOOST_AUTO_TEST_CASE(check_fcrdns) {
    mtawatch::test::run_scenarios({
        {"ok",
         zone,
         {"-i", "192.0.2.10", "--helo", "mail.example.com"},
         0,
         "FCRDNS OK - 192.0.2.10 is mail.example.com, which leads back | confirmed=1;;;0;1\n"},
        {"ok_ipv6",
         zone,
         {"-i", "2001:db8::10", "-i", "192.0.2.10"},
         0,
         "FCRDNS OK - 2001:db8::10 is mail.example.com, which leads back (and 1 more) | confirmed=2;;;0;2\n"},
        {"ok_two_names",
         zone,
         {"-i", "192.0.2.13", "-v"},
         0,
         "FCRDNS OK - 192.0.2.13 is mail.example.com, which leads back | confirmed=1;;;0;1\n"
         "192.0.2.13: 2 reverse names; one is enough\n"},
        {"crit_no_reverse_name",
         zone,
         {"-i", "192.0.2.12", "--helo", "mail.example.com"},
         2,
         "FCRDNS CRITICAL - 192.0.2.12: there is no reverse name; ask whoever gives you the address for the PTR record "
         "12.2.0.192.in-addr.arpa, with the name that the host says in HELO | confirmed=0;;;0;1\n"},
        {"crit_not_confirmed",
         zone,
         {"-i", "192.0.2.11"},
         2,
         "FCRDNS CRITICAL - 192.0.2.11: its reverse name other.example.com does not lead back; give that name this "
         "address, or ask for a reverse name that has it | confirmed=0;;;0;1\n"},
        {"crit_helo_elsewhere",
         zone,
         {"-i", "192.0.2.10", "--helo", "other.example.com"},
         2,
         "FCRDNS CRITICAL - 192.0.2.10: the HELO name other.example.com does not lead to it; give other.example.com "
         "this address, or let the host say a name that has it (and 1 more) | confirmed=1;;;0;1\n"
         "WARNING: 192.0.2.10: its reverse name is mail.example.com, not the HELO name; ask whoever gives you the "
         "address for the reverse name other.example.com\n"},
        {"warn_generic",
         zone,
         {"-i", "192.0.2.14"},
         1,
         "FCRDNS WARNING - 192.0.2.14: the reverse name 192-0-2-14.dsl.example.net looks generated, as of a customer "
         "line; ask whoever gives you the address for a name of its own (--generic-names: the scheme is yours) | "
         "confirmed=1;;;0;1\n"},
        {"unknown_servfail",
         zone,
         {"-i", "192.0.2.15"},
         3,
         "FCRDNS UNKNOWN - 192.0.2.15: PTR 15.2.0.192.in-addr.arpa: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"unknown_forward_timeout",
         zone,
         {"-i", "192.0.2.16"},
         3,
         "FCRDNS UNKNOWN - 192.0.2.16: A broken.example.com: no answer from the resolver 192.0.2.53\n"},
        {"crit_one_of_two",
         zone,
         {"-i", "192.0.2.10", "-i", "192.0.2.12"},
         2,
         "FCRDNS CRITICAL - 192.0.2.12: there is no reverse name; ask whoever gives you the address for the PTR record "
         "12.2.0.192.in-addr.arpa, with the name that the host says in HELO | confirmed=1;;;0;2\n"},
        {"usage_none", zone, {}, 3, "FCRDNS UNKNOWN - --ip IP is required; see --help\n"},
        {"usage_bad",
         zone,
         {"-i", "mail.example.com"},
         3,
         "FCRDNS UNKNOWN - --ip: \"mail.example.com\" is no IPv4 or IPv6 address; write an IP address or a network "
         "such as 192.0.2.0/24\n"},
        {"usage_helo",
         zone,
         {"-i", "192.0.2.10", "--helo", "a..b"},
         3,
         "FCRDNS UNKNOWN - --helo: \"a..b\" has an empty label; write a name such as mail.example.com\n"},
    });
}
