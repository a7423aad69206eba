// Proves check_spf: every finding of the linter with its state and its words, and what is said about our addresses.
#include <boost/test/unit_test.hpp>

#include "tests/support/dns_check.h"

namespace {

using mtawatch::test::run_scenarios;
using mtawatch::test::run_with_servers;
using mtawatch::test::run_with_zone;

const char* const good = R"(
example.com           3600 TXT "v=spf1 mx include:_spf.example.net ip6:2001:db8::/48 -all"
example.com           3600 MX  10 mail.example.com
mail.example.com      3600 A   192.0.2.10
_spf.example.net      3600 TXT "v=spf1 ip4:203.0.113.0/24 ?all"
)";

// A zone with one record at example.com and the hosts that the records below name.
std::string record(const std::string& text) {
    std::string strings;
    for (std::size_t at = 0; at < text.size(); at += 200) strings += " \"" + text.substr(at, 200) + "\"";
    return "example.com 3600 TXT" + strings + R"(
mail.example.com     A   192.0.2.10
a.example.com        A   192.0.2.1
one.example.net      TXT "v=spf1 a:a.example.com a:mail.example.com -all"
open.example.net     TXT "v=spf1 +all"
text.example.net     TXT "no record"
two.example.net      TXT "v=spf1 -all"
two.example.net      TXT "v=spf1 ~all"
loop.example.com     TXT "v=spf1 include:example.com -all"
gone.example         !SERVFAIL
a.example.org        A   192.0.2.9
a.net                NS  ns.a.net
)";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check_spf)

BOOST_AUTO_TEST_CASE(states) {
    run_scenarios({
        {"ok",
         good,
         {"-d", "example.com"},
         0,
         "SPF OK - example.com: 2 of 10 lookups, ends in -all, 257 IPv4 addresses and 65536 x /64 of IPv6 | "
         "lookups=2;8;10;0 void_lookups=0;;2;0 ipv4_addresses=257;;;0 ipv6_networks=65536;;;0 record=57B;;;0\n"},
        {"ok_address_passes",
         good,
         {"-d", "example.com", "-i", "203.0.113.7", "-v"},
         0,
         "SPF OK - example.com: 2 of 10 lookups, ends in -all, 257 IPv4 addresses and 65536 x /64 of IPv6, "
         "203.0.113.7 passes | lookups=2;8;10;0 void_lookups=0;;2;0 ipv4_addresses=257;;;0 ipv6_networks=65536;;;0 "
         "record=57B;;;0\n"
         "OK: example.com from 203.0.113.7: pass by include:_spf.example.net, ip4:203.0.113.0/24\n"
         "OK: example.com: 2 of 10 lookups, ends in -all, 257 IPv4 addresses and 65536 x /64 of IPv6, "
         "203.0.113.7 passes\n"},
        {"crit_address_fails",
         good,
         {"-d", "example.com", "-i", "198.51.100.1"},
         2,
         "SPF CRITICAL - example.com from 198.51.100.1: fail by -all; publish: example.com. IN TXT \"v=spf1 "
         "ip4:198.51.100.1 mx include:_spf.example.net ip6:2001:db8::/48 -all\" | lookups=2;8;10;0 void_lookups=0;;2;0 "
         "ipv4_addresses=257;;;0 ipv6_networks=65536;;;0 record=57B;;;0\n"},
        {"crit_absent",
         "example.com A 192.0.2.1",
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: there is no SPF record; publish one that lists your sending addresses: \"v=spf1 "
         "ip4:ADDRESS ~all\"; \"v=spf1 -all\" only if the domain sends nothing\n"},
        {"crit_no_domain",
         "",
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: there is no such domain; is example.com spelled right?\n"},
        {"unknown_servfail",
         "example.com !SERVFAIL",
         {"-d", "example.com"},
         3,
         "SPF UNKNOWN - example.com: TXT example.com: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"unknown_timeout",
         "example.com !TIMEOUT",
         {"-d", "example.com"},
         3,
         "SPF UNKNOWN - example.com: TXT example.com: no answer from the resolver 192.0.2.53\n"},
        {"unknown_garbage",
         "example.com !GARBAGE",
         {"-d", "example.com"},
         3,
         "SPF UNKNOWN - example.com: TXT example.com: the answer of the resolver 192.0.2.53 cannot be read\n"},
        {"crit_two",
         "example.com 3600 TXT \"v=spf1 mx -all\"\nexample.com 3600 TXT \"v=spf1 include:a.example ~all\"",
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: 2 SPF records, so every receiver sees an error; replace them by one record that "
         "has the terms of all\n"},
        {"crit_syntax",
         record("v=spf1 ip4:192.0.2.1~all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: ip4:192.0.2.1~all: \"192.0.2.1~all\" is no IPv4 address; a blank is missing "
         "before ~all; publish: example.com. IN TXT \"v=spf1 ip4:192.0.2.1 ~all\" (and 1 more) | lookups=0;8;10;0 "
         "void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=24B;;;0\n"
         "WARNING: example.com: the record ends without all, so everyone else is neutral\n"},
        {"crit_near_miss",
         "example.com 3600 TXT \" v=spf1 -all\"",
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: \" v=spf1 -all\" is no SPF record: it must begin with exactly v=spf1 and a "
         "blank; publish: example.com. IN TXT \"v=spf1 -all\" (and 1 more)\n"
         "CRITICAL: example.com: there is no SPF record\n"},
        {"warn_neutral",
         record("v=spf1 ip4:192.0.2.0/24 ?all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: the record ends in ?all; write ~all or -all; publish: example.com. IN TXT "
         "\"v=spf1 ip4:192.0.2.0/24 ~all\" | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=256;;;0 "
         "ipv6_networks=0;;;0 record=28B;;;0\n"},
        {"warn_softfail_required_fail",
         record("v=spf1 ip4:192.0.2.0/24 ~all"),
         {"-d", "example.com", "--require-all", "fail"},
         1,
         "SPF WARNING - example.com: the record ends in ~all; write -all; publish: example.com. IN TXT \"v=spf1 "
         "ip4:192.0.2.0/24 -all\" | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=256;;;0 ipv6_networks=0;;;0 "
         "record=28B;;;0\n"},
        {"ok_softfail",
         record("v=spf1 ip4:192.0.2.0/24 ~all"),
         {"-d", "example.com"},
         0,
         "SPF OK - example.com: 0 of 10 lookups, ends in ~all, 256 IPv4 addresses | lookups=0;8;10;0 "
         "void_lookups=0;;2;0 ipv4_addresses=256;;;0 ipv6_networks=0;;;0 record=28B;;;0\n"},
        {"crit_plus_all",
         record("v=spf1 +all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: the record ends in +all: anyone may send as example.com; list your senders and "
         "end in ~all | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 "
         "record=11B;;;0\n"},
        {"warn_no_all",
         record("v=spf1 ip4:192.0.2.0/24"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: the record ends without all, so everyone else is neutral; publish: example.com. "
         "IN TXT \"v=spf1 ip4:192.0.2.0/24 ~all\" | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=256;;;0 "
         "ipv6_networks=0;;;0 record=23B;;;0\n"},
        {"crit_expect",
         record("v=spf1 ip4:192.0.2.0/24 -all"),
         {"-d", "example.com", "--expect", "v=spf1 -all"},
         2,
         "SPF CRITICAL - example.com: the record is not the expected one but \"v=spf1 ip4:192.0.2.0/24 -all\" | "
         "lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=256;;;0 ipv6_networks=0;;;0 record=28B;;;0\n"},
        {"usage_no_domain", "", {}, 3, "SPF UNKNOWN - --domain DOMAIN is required; see --help\n"},
        {"usage_bad_domain",
         "",
         {"-d", "a..b"},
         3,
         "SPF UNKNOWN - --domain: \"a..b\" has an empty label; write a domain such as example.com\n"},
        {"usage_bad_ip",
         "",
         {"-d", "example.com", "-i", "192.0.2"},
         3,
         "SPF UNKNOWN - --ip: \"192.0.2\" is no IPv4 or IPv6 address; write an IP address or a network such as "
         "192.0.2.0/24\n"},
        {"none_for_a_malformed_domain",
         "",
         {"-d", "a..b", "-i", "192.0.2.1"},
         2,
         "SPF CRITICAL - a..b: \"a..b\" is not a domain name: it has an empty label (and 1 more)\n"
         "CRITICAL: a..b from 192.0.2.1: none (\"a..b\" is no domain name with at least two labels)\n"},
    });
}

BOOST_AUTO_TEST_CASE(findings) {
    run_scenarios({
        {"after_all",
         record("v=spf1 -all ip4:192.0.2.0/24"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: nothing after -all is ever looked at; move it to the end; publish: example.com. "
         "IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\" | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 "
         "ipv6_networks=0;;;0 record=28B;;;0\n"},
        {"dead_redirect",
         record("v=spf1 -all redirect=one.example.net"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: redirect=one.example.net does nothing beside -all; remove one of them | "
         "lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=36B;;;0\n"},
        {"ptr",
         record("v=spf1 ptr -all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: ptr is slow and unreliable and should not be used (RFC 7208 5.5); list the "
         "addresses with ip4: and ip6: | lookups=1;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 "
         "record=15B;;;0\n"},
        {"void",
         record("v=spf1 a:no.example.com -all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: a:no.example.com finds nothing; remove it | lookups=1;8;10;0 void_lookups=1;;2;0 "
         "ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=28B;;;0\n"},
        {"three_voids",
         record("v=spf1 a:n1.example.com a:n2.example.com mx -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: 3 lookups find nothing; receivers stop after 2 (and 3 more) | lookups=3;8;10;0 "
         "void_lookups=3;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=48B;;;0\n"
         "WARNING: example.com: a:n1.example.com finds nothing; remove it\n"
         "WARNING: example.com: a:n2.example.com finds nothing; remove it\n"
         "WARNING: example.com: mx finds nothing; remove it\n"},
        {"duplicate_term",
         record("v=spf1 a:a.example.com A:a.example.com -all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: A:a.example.com stands there twice; remove one; publish: example.com. IN TXT "
         "\"v=spf1 a:a.example.com -all\" | lookups=2;8;10;0 void_lookups=0;;2;0 ipv4_addresses=1;;;0 "
         "ipv6_networks=0;;;0 record=43B;;;0\n"},
        {"duplicate_include",
         record("v=spf1 include:one.example.net ?include:one.example.net -all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: one.example.net is included more than once, and costs its lookups each time; "
         "publish: example.com. IN TXT \"v=spf1 include:one.example.net -all\" | lookups=6;8;10;0 void_lookups=0;;2;0 "
         "ipv4_addresses=2;;;0 ipv6_networks=0;;;0 record=60B;;;0\n"},
        {"overlap",
         record("v=spf1 ip4:192.0.2.0/24 a:a.example.com -all"),
         {"-d", "example.com", "-v"},
         0,
         "SPF OK - example.com: 1 of 10 lookups, ends in -all, 256 IPv4 addresses | lookups=1;8;10;0 "
         "void_lookups=0;;2;0 ipv4_addresses=256;;;0 ipv6_networks=0;;;0 record=44B;;;0\n"
         "OK: example.com: 1 of 10 lookups, ends in -all, 256 IPv4 addresses\n"
         "example.com: a:a.example.com is within ip4:192.0.2.0/24 already\n"},
        {"huge",
         record("v=spf1 ip4:64.0.0.0/7 ip6:2000::/16 -all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: ip4:64.0.0.0/7 authorises a huge part of the Internet (and 1 more) | "
         "lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=33554432;;;0 ipv6_networks=281474976710656;;;0 "
         "record=40B;;;0\n"
         "WARNING: example.com: ip6:2000::/16 authorises a huge part of the Internet\n"},
        {"everyone",
         record("v=spf1 ip4:0.0.0.0/0 -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: ip4:0.0.0.0/0 authorises every address there is | lookups=0;8;10;0 "
         "void_lookups=0;;2;0 ipv4_addresses=4294967296;;;0 ipv6_networks=0;;;0 record=25B;;;0\n"},
        {"private",
         record("v=spf1 ip4:10.1.2.3/8 -all"),
         {"-d", "example.com", "-v"},
         1,
         "SPF WARNING - example.com: ip4:10.1.2.3/8 is private (RFC 1918): no receiver ever sees such an address; "
         "remove it | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=16777216;;;0 ipv6_networks=0;;;0 "
         "record=26B;;;0\n"
         "example.com: ip4:10.1.2.3/8 means 10.0.0.0/8\n"},
        {"include_open",
         record("v=spf1 include:open.example.net -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: include:open.example.net ends in +all, so anyone may send as you | "
         "lookups=1;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=36B;;;0\n"},
        {"include_without_record",
         record("v=spf1 include:text.example.net -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: include:text.example.net: text.example.net has no SPF record, so every receiver "
         "sees an error; remove the term | lookups=1;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 "
         "ipv6_networks=0;;;0 record=36B;;;0\n"},
        {"include_of_two",
         record("v=spf1 include:two.example.net -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: include:two.example.net: two.example.net has 2 SPF records, so every receiver "
         "sees an error | lookups=1;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 "
         "record=35B;;;0\n"},
        {"include_unregistered",
         record("v=spf1 include:spf.nobody.org -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: include:spf.nobody.org: nobody.org is not registered: whoever registers it may "
         "send as you; remove the term at once | lookups=1;8;10;0 void_lookups=1;;2;0 ipv4_addresses=0;;;0 "
         "ipv6_networks=0;;;0 record=34B;;;0\n"},
        {"include_gone",
         record("v=spf1 include:spf.a.net -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: include:spf.a.net: spf.a.net does not exist, so every receiver sees an error; "
         "remove the term | lookups=1;8;10;0 void_lookups=1;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 "
         "record=29B;;;0\n"},
        {"include_servfail",
         record("v=spf1 include:gone.example -all"),
         {"-d", "example.com"},
         3,
         "SPF UNKNOWN - example.com: TXT gone.example: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"loop",
         record("v=spf1 include:loop.example.com -all"),
         {"-d", "example.com"},
         2,
         "SPF CRITICAL - example.com: in the record of loop.example.com: include:example.com leads back to itself | "
         "lookups=2;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=36B;;;0\n"},
        {"equals_for_colon",
         record("v=spf1 ip4=192.0.2.1 -all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: ip4=192.0.2.1 is ignored by everyone; write ip4:192.0.2.1; publish: example.com. "
         "IN TXT \"v=spf1 ip4:192.0.2.1 -all\" | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 "
         "ipv6_networks=0;;;0 record=25B;;;0\n"},
        {"nine_lookups",
         record("v=spf1 include:one.example.net include:one.example.net include:one.example.net -all"),
         {"-d", "example.com"},
         1,
         "SPF WARNING - example.com: one.example.net is included more than once, and costs its lookups each time; "
         "publish: example.com. IN TXT \"v=spf1 include:one.example.net -all\" (and 1 more) | lookups=9;8;10;0 "
         "void_lookups=0;;2;0 ipv4_addresses=2;;;0 ipv6_networks=0;;;0 record=83B;;;0\n"
         "WARNING: example.com: the record costs 9 DNS lookups (above 8; receivers stop at 10): "
         "include:one.example.net 3, include:one.example.net 3, include:one.example.net 3\n"},
        {"macro",
         record("v=spf1 exists:%{i}._spf.example.com redirect=one.example.net"),
         {"-d", "example.com", "-vv"},
         0,
         "SPF OK - example.com: 4 of 10 lookups, ends in -all, 2 IPv4 addresses | lookups=4;8;10;0 void_lookups=0;;2;0 "
         "ipv4_addresses=2;;;0 ipv6_networks=0;;;0 record=60B;;;0\n"
         "OK: example.com: 4 of 10 lookups, ends in -all, 2 IPv4 addresses\n"
         "example.com: 4 lookups: v=spf1 exists:%{i}._spf.example.com redirect=one.example.net\n"
         "> redirect=one.example.net one.example.net: 2 lookups: v=spf1 a:a.example.com a:mail.example.com -all\n"},
    });
}

BOOST_AUTO_TEST_CASE(explanations_that_nobody_can_read) {
    const std::string zone = record("v=spf1 exp=why.example.com -all");
    const std::string figures =
        " | lookups=0;8;10;0 void_lookups=0;;2;0 ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=31B;;;0\n";
    const std::string broken = "SPF WARNING - example.com: exp=why.example.com: why.example.com ";
    const std::string told =
        ", so senders that fail are told nothing; publish: example.com. IN TXT \"v=spf1 -all\"" + figures;
    run_scenarios({
        {"fine",
         zone + "why.example.com TXT \"%{i} is not one of %{d}'s\"",
         {"-d", "example.com"},
         0,
         "SPF OK - example.com: 0 of 10 lookups, ends in -all, 0 IPv4 addresses" + figures},
        {"gone", zone, {"-d", "example.com"}, 1, broken + "has no text" + told},
        {"two",
         zone + "why.example.com TXT \"one\"\nwhy.example.com TXT \"two\"",
         {"-d", "example.com"},
         1,
         broken + "has 2 texts; keep one" + told},
        {"bad_macro",
         zone + "why.example.com TXT \"%{q}\"",
         {"-d", "example.com"},
         1,
         broken + "cannot be used: 'q' is no macro letter" + told},
        {"not_ascii",
         zone + "why.example.com TXT \"caf\\233\"",
         {"-d", "example.com"},
         1,
         broken + "cannot be used: byte 0xe9 is not allowed here" + told},
        {"servfail",
         zone + "why.example.com !SERVFAIL",
         {"-d", "example.com"},
         3,
         "SPF UNKNOWN - example.com: TXT why.example.com: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"of_an_include_is_never_shown",
         record("v=spf1 include:in.example.net -all") + "in.example.net TXT \"v=spf1 exp=gone.example.net -all\"",
         {"-d", "example.com"},
         0,
         "SPF OK - example.com: 1 of 10 lookups, ends in -all, 0 IPv4 addresses | lookups=1;8;10;0 void_lookups=0;;2;0 "
         "ipv4_addresses=0;;;0 ipv6_networks=0;;;0 record=34B;;;0\n"},
    });
}

BOOST_AUTO_TEST_CASE(form_of_what_is_published) {
    std::string zone = "example.com 86401 TXT \"v=spf1 -all\"\n";
    for (int i = 0; i < 6; ++i) zone += "example.com 86401 TXT \"" + std::to_string(i) + std::string(200, 'x') + "\"\n";
    const auto got = run_with_zone(zone + "example.com 86401 TXT \"spf2.0/pra -all\"", {"-d", "example.com", "-v"});
    BOOST_TEST(got.exit_code == 0);
    for (const char* text : {"a Sender ID record (spf2.0) is obsolete; remove it",
                             "all TXT records of the name have 1232 bytes, so every receiver asks again over TCP",
                             "TTL 86401 s: a mistake stays for more than a day"}) {
        BOOST_TEST((got.text.find(text) != std::string::npos), text << " in " << got.text);
    }
    const auto other =
        run_with_zone(record("v=spf1 " + std::string(440, ' ') + "-all") + "example.com 60 TXT \"beside\"",
                      {"-d", "example.com", "-v"});
    for (const char* text : {"the record has 451 bytes; up to 450 it fits a small DNS answer", "TTL 60 s"}) {
        BOOST_TEST((other.text.find(text) != std::string::npos), text << " in " << other.text);
    }
}

BOOST_AUTO_TEST_CASE(the_helo_name_is_looked_at_too) {
    const auto with_helo = [](const char* helo) {
        return std::vector<std::string>{"-d", "example.com", "-i", "203.0.113.7", "--helo", helo, "-v"};
    };
    struct Row {
        const char* name;
        const char* helo_record;
        int exit_code;
        const char* text;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"pass", "TXT \"v=spf1 ip4:203.0.113.7 -all\"", 0,
              "HELO out.example.com from 203.0.113.7: pass by ip4:203.0.113.7\n"},
             {"none", "A 203.0.113.7", 0,
              "HELO out.example.com from 203.0.113.7: none (out.example.com has no SPF record)\n"},
             {"fail", "TXT \"v=spf1 -all\"", 1,
              "SPF WARNING - HELO out.example.com from 203.0.113.7: fail by -all; publish: out.example.com. IN TXT "
              "\"v=spf1 ip4:203.0.113.7 -all\" |"},
             {"permerror", "TXT \"v=spf1 nosuch\"", 1,
              "SPF WARNING - HELO out.example.com from 203.0.113.7: permerror"},
             {"temperror", "!SERVFAIL", 3, "SPF UNKNOWN - HELO out.example.com from 203.0.113.7: temperror"},
         }) {
        const auto got =
            run_with_zone(std::string(good) + "out.example.com " + row.helo_record, with_helo("out.example.com"));
        BOOST_TEST(got.exit_code == row.exit_code, row.name << ": " << got.text);
        BOOST_TEST((got.text.find(row.text) != std::string::npos), row.name << ": " << got.text);
    }
    for (const char* helo : {"example.com", "EXAMPLE.com.", "localhost", "[203.0.113.7]", "bad name.example.com"}) {
        const auto got = run_with_zone(good, with_helo(helo));
        BOOST_TEST((got.text.find("HELO") == std::string::npos), helo << ": " << got.text);
    }
    const auto json =
        run_with_zone(std::string(good) + "out.example.com TXT \"v=spf1 -all\"",
                      {"-d", "example.com", "-i", "203.0.113.7", "--helo", "out.example.com", "-o", "json"});
    BOOST_TEST(
        (json.text.find(R"("helo_evaluations":[{"ip":"203.0.113.7","sender":"postmaster@out.example.com",)"
                        R"("helo":"out.example.com","result":"fail","explanation":"DEFAULT")") != std::string::npos),
        json.text);
}

BOOST_AUTO_TEST_CASE(networks_that_come_and_go_are_named) {
    const std::string zone =
        record("v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip4:198.51.100.7 ip6:2001:db8::/32 -all");
    const auto expecting = [&zone](const std::vector<std::string>& networks) {
        std::vector<std::string> arguments{"-d", "example.com"};
        for (const std::string& network : networks) arguments.push_back("--expect-networks=" + network);
        return run_with_zone(zone, arguments);
    };
    BOOST_TEST(expecting({"192.0.2.0/24", "198.51.100.7", "2001:db8::/32"}).exit_code == 0);
    BOOST_TEST(
        expecting({"192.0.2.0/24", "198.51.100.6/31", "2001:db8::/32"})
            .text.find("SPF WARNING - example.com: 198.51.100.6/31 of --expect-networks is not authorised any more") ==
        0U);
    BOOST_TEST(
        expecting({"192.0.2.0/25", "198.51.100.7", "2001:db8::/32"})
            .text.find(
                "SPF WARNING - example.com: 192.0.2.0/24 is authorised, which --expect-networks does not have") == 0U);
    BOOST_TEST(expecting({"192.0.2.9/24"}).text.find("SPF UNKNOWN - --expect-networks: ") == 0U);
    const auto json = run_with_zone(zone, {"-d", "example.com", "-o", "json"});
    BOOST_TEST(
        (json.text.find(R"("networks":["192.0.2.0/24","198.51.100.7/32","2001:db8::/32"])") != std::string::npos),
        json.text);
}

BOOST_AUTO_TEST_CASE(authoritative_servers) {
    const std::string zone = record("v=spf1 ip4:192.0.2.0/24 -all") +
                             "example.com NS ns1.example.net\nexample.com NS ns2.example.net\n"
                             "ns1.example.net A 198.51.100.1\nns2.example.net A 198.51.100.2\n";
    const std::string same = "example.com TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\nexample.com TXT \"other\"";
    const std::vector<std::string> arguments{"-d", "example.com", "--authoritative"};
    struct Row {
        const char* name;
        const char* second;  // what the second server says
        int exit_code;
        const char* text;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"agree", "example.com TXT \"v=spf1 ip4:192.0.2.0/24 -all\"", 0, "SPF OK - example.com: 0 of 10 lookups"},
             {"differ", "example.com TXT \"v=spf1 ~all\"", 2,
              "SPF CRITICAL - example.com: the authoritative servers publish different SPF records; ns1.example.net "
              "(198.51.100.1): \"v=spf1 ip4:192.0.2.0/24 -all\"; ns2.example.net (198.51.100.2): \"v=spf1 ~all\" |"},
             {"one_has_none", "example.com A 192.0.2.1", 2, "ns2.example.net (198.51.100.2): none; ns1.example.net"},
             {"silent", "example.com !TIMEOUT", 3,
              "SPF UNKNOWN - example.com: ns2.example.net (198.51.100.2): TXT example.com: no answer\n"},
             {"refused", "example.com !REFUSED", 3,
              "ns2.example.net (198.51.100.2): TXT example.com: it answers REFUSED\n"},
         }) {
        const auto got = run_with_servers(zone, {{"198.51.100.1", same}, {"198.51.100.2", row.second}}, arguments);
        BOOST_TEST(got.exit_code == row.exit_code, row.name << ": " << got.text);
        BOOST_TEST((got.text.find(row.text) != std::string::npos), row.name << ": " << got.text);
    }
    const auto nobody = run_with_zone(record("v=spf1 -all"), arguments);
    BOOST_TEST((nobody.text.find("the authoritative servers could not be found") != std::string::npos), nobody.text);
    const auto old =
        run_with_servers(zone + "example.com SPF \"v=spf1 -all\"", {{"198.51.100.1", same}, {"198.51.100.2", same}},
                         {"-d", "example.com", "--authoritative", "-v", "-o", "json"});
    BOOST_TEST(old.exit_code == 0);
    BOOST_TEST((old.text.find("there is a record of the type SPF (99)") != std::string::npos), old.text);
    BOOST_TEST(
        (old.text.find(R"x("servers":[{"server":"ns1.example.net (198.51.100.1)",)x"
                       R"("texts":["other","v=spf1 ip4:192.0.2.0/24 -all"],"failure":""})") != std::string::npos),
        old.text);
}

BOOST_AUTO_TEST_CASE(json_has_every_evaluation) {
    const auto got = run_with_zone(good, {"-d", "example.com", "-i", "203.0.113.7", "-i", "::1", "--sender", "",
                                          "--helo", "mail.example.com", "-o", "json"});
    BOOST_TEST(got.exit_code == 1);  // ::1 is no address that a receiver sees
    const auto holds = [&got](const char* text) { return got.text.find(text) != std::string::npos; };
    BOOST_TEST(holds(R"("evaluations":[{"ip":"203.0.113.7","sender":"","helo":"mail.example.com","result":"pass",)"
                     R"("explanation":null,"mechanism":"include:_spf.example.net",)"
                     R"("terms":["include:_spf.example.net","ip4:203.0.113.0/24"],"record_domain":"_spf.example.net",)"
                     R"("reason":"","lookups":2,"void_lookups":0},)"));
    BOOST_TEST(holds(R"("result":"fail","explanation":"DEFAULT","mechanism":"-all")"));
    BOOST_TEST(holds(R"("addresses":{"ipv4":257,"ipv6_networks_64":65536},"networks":["192.0.2.10/32",)"));
    BOOST_TEST(holds(R"("children":[{"domain":"_spf.example.net","term":"include:_spf.example.net",)"));
}

BOOST_AUTO_TEST_SUITE_END()
