// Proves check_mx: which hosts take a domain's mail, and whether they can.
#include <boost/test/unit_test.hpp>

#include "tests/support/dns_check.h"

namespace {
const std::string zone = R"(
example.com        MX 20 mx2.example.com
example.com        MX 10 mx1.example.com
mx1.example.com    A  192.0.2.1
mx2.example.com    A  192.0.2.2
half.example       MX 10 mx1.example.com
half.example       MX 20 gone.example.com
dead.example       MX 10 gone.example.com
alias.example      MX 10 alias.example.com
alias.example.com  CNAME mx1.example.com
number.example     MX 10 192.0.2.1
private.example    MX 10 inside.example.com
inside.example.com A  10.0.0.1
parked.example     MX 0 .
parked.example     TXT "v=spf1 -all"
null.example       MX 0 .
mixed.example      MX 0 .
mixed.example      MX 10 mx1.example.com
implicit.example   A  192.0.2.3
empty.example      TXT "nothing"
broken.example     !SERVFAIL
slow.example       MX 10 slow.example.com
slow.example.com   !TIMEOUT
)";
}  // namespace

BOOST_AUTO_TEST_CASE(check_mx) {
    mtawatch::test::run_scenarios({
        {"ok",
         zone,
         {"-d", "example.com"},
         0,
         "MX OK - example.com: 10 mx1.example.com, 20 mx2.example.com | good=1;;;0;1\n"},
        {"ok_expected",
         zone,
         {"-d", "example.com", "--expect", "mx1.example.com", "--expect", "MX2.example.com."},
         0,
         "MX OK - example.com: 10 mx1.example.com, 20 mx2.example.com | good=1;;;0;1\n"},
        {"warn_unexpected",
         zone,
         {"-d", "example.com", "--expect", "mx1.example.com"},
         1,
         "MX WARNING - example.com: mx2.example.com is a mail host, but not an expected one | good=1;;;0;1\n"},
        {"crit_expected_missing",
         zone,
         {"-d", "half.example", "--expect", "mx2.example.com"},
         2,
         "MX CRITICAL - half.example: mx2.example.com is not among the mail hosts; add an MX record that names it (and "
         "3 more) | good=0;;;0;1\n"
         "WARNING: half.example: the mail host gone.example.com has no address; give it one, or name another host in "
         "the MX record\n"
         "WARNING: half.example: mx1.example.com is a mail host, but not an expected one\n"
         "WARNING: half.example: gone.example.com is a mail host, but not an expected one\n"},
        {"warn_half_dead",
         zone,
         {"-d", "half.example"},
         1,
         "MX WARNING - half.example: the mail host gone.example.com has no address; give it one, or name another host "
         "in the MX record | good=1;;;0;1\n"},
        {"crit_dead",
         zone,
         {"-d", "dead.example"},
         2,
         "MX CRITICAL - dead.example: the mail host gone.example.com has no address, so mail cannot arrive; give it "
         "one, or name another host in the MX record | good=0;;;0;1\n"},
        {"warn_alias",
         zone,
         {"-d", "alias.example"},
         1,
         "MX WARNING - alias.example: the mail host alias.example.com is a CNAME to mx1.example.com, which RFC 2181 "
         "forbids; name mx1.example.com in the MX record | good=1;;;0;1\n"},
        {"crit_number",
         zone,
         {"-d", "number.example"},
         2,
         "MX CRITICAL - number.example: the mail host 192.0.2.1 is an address; an MX must name a host | "
         "good=0;;;0;1\n"},
        {"warn_private",
         zone,
         {"-d", "private.example"},
         1,
         "MX WARNING - private.example: the mail host inside.example.com has the address 10.0.0.1, which is private "
         "(RFC 1918) | good=1;;;0;1\n"},
        {"ok_null_mx",
         zone,
         {"-d", "parked.example"},
         0,
         "MX OK - parked.example: takes no mail (null MX) | good=1;;;0;1\n"},
        {"warn_null_mx_without_spf",
         zone,
         {"-d", "null.example"},
         1,
         "MX WARNING - null.example: it takes no mail (null MX), and no SPF record says whether it sends any; publish "
         "\"v=spf1 -all\" if it sends none, else an MX | good=1;;;0;1\n"},
        {"crit_null_mx_expected_host",
         zone,
         {"-d", "parked.example", "--expect", "mx1.example.com"},
         2,
         "MX CRITICAL - parked.example: mx1.example.com is not among the mail hosts; replace the null MX by one that "
         "names it | good=0;;;0;1\n"},
        {"crit_null_mx_beside",
         zone,
         {"-d", "mixed.example"},
         2,
         "MX CRITICAL - mixed.example: a null MX (\"0 .\") stands beside other MX records; keep one kind | "
         "good=0;;;0;1\n"},
        {"warn_implicit",
         zone,
         {"-d", "implicit.example"},
         1,
         "MX WARNING - implicit.example: there is no MX record, so mail goes to its own address; publish an MX record "
         "that names the host which takes its mail | good=1;;;0;1\n"},
        {"crit_absent",
         zone,
         {"-d", "empty.example"},
         2,
         "MX CRITICAL - empty.example: there is no MX record, so mail cannot arrive; publish an MX record that names "
         "the host which takes its mail | good=0;;;0;1\n"},
        {"crit_no_domain",
         zone,
         {"-d", "nobody.example.org"},
         2,
         "MX CRITICAL - nobody.example.org: there is no such domain; is example.org spelled right? | good=0;;;0;1\n"},
        {"unknown_servfail",
         zone,
         {"-d", "broken.example"},
         3,
         "MX UNKNOWN - broken.example: MX broken.example: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"unknown_host_timeout",
         zone,
         {"-d", "slow.example"},
         3,
         "MX UNKNOWN - slow.example: A slow.example.com: no answer from the resolver 192.0.2.53 (and 1 more)\n"
         "UNKNOWN: slow.example: AAAA slow.example.com: no answer from the resolver 192.0.2.53\n"},
        {"crit_one_of_three",
         zone,
         {"-d", "example.com", "-d", "dead.example", "-d", "broken.example"},
         2,
         "MX CRITICAL - dead.example: the mail host gone.example.com has no address, so mail cannot arrive; give it "
         "one, or name another host in the MX record (and 1 more)\n"
         "UNKNOWN: broken.example: MX broken.example: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"usage_none", zone, {}, 3, "MX UNKNOWN - --domain DOMAIN is required; see --help\n"},
        {"usage_bad",
         zone,
         {"-d", "a..b"},
         3,
         "MX UNKNOWN - --domain: \"a..b\" has an empty label; write a domain such as example.com\n"},
    });
}
