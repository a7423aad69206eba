// Proves check_host() rule by rule; the section of RFC 7208 stands in each scenario's name or beside it.
#include "shared/auth/spf_check_host.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/fake_clock.h"
#include "tests/support/zone_transport.h"

namespace {

using namespace mtawatch;

struct Scenario {
    const char* name;
    const char* zone;
    const char* domain;
    const char* ip;
    const char* result;
};

auth::SpfEvaluation evaluate(const char* zone_text, auth::SpfIdentity identity) {
    test::ZoneText zone(zone_text);
    test::FakeClock clock;
    const auto transport = zone.transport(&clock);
    auth::DnsCache dns(*transport, base::Deadline(clock, std::chrono::seconds(60)));
    return auth::spf_check_host(dns, identity, 1'700'000'000);
}

auth::SpfIdentity identity(const char* domain, const char* ip) {
    return {domain, base::IpAddress::parse(ip).value(), std::string("strong-bad@") + domain, "mail.example.com"};
}

void run(const std::vector<Scenario>& scenarios) {
    for (const Scenario& s : scenarios) {
        const auto got = evaluate(s.zone, identity(s.domain, s.ip));
        BOOST_TEST(name(got.result) == s.result, s.name << ": " << name(got.result) << " " << got.reason);
    }
}

// One record at example.com, beside some hosts that the scenarios share.
struct Record {
    const char* name;
    const char* record;
    const char* ip;
    const char* result;
};

constexpr const char* hosts = R"(
mail.example.com      A     192.0.2.10
mail.example.com      AAAA  2001:db8::10
a.example.com         A     192.0.2.1
a.example.com         A     192.0.2.2
foo:bar/baz.example.com A   192.0.2.5
x.host-9              A     192.0.2.6
example.com           MX    10 mail.example.com
example.com           A     192.0.2.1
ten.example.com       MX    10 mail.example.com
null.example.com      MX    0 .
text.example.com      TXT   "nothing of interest"
broken.example.com    !SERVFAIL
silent.example.com    !TIMEOUT
refused.example.com   !REFUSED
pass.example.com      TXT   "v=spf1 +all"
fail.example.com      TXT   "v=spf1 -all"
soft.example.com      TXT   "v=spf1 ~all"
neutral.example.com   TXT   "v=spf1 ?all"
syntax.example.com    TXT   "v=spf1 nosuch:x -all"
two.example.com       TXT   "v=spf1 -all"
two.example.com       TXT   "v=spf1 ?all"
exp.example.com       TXT   "v=spf1 exp=why.example.com -all"
why.example.com       TXT   "of the inner record"
loop.example.com      TXT   "v=spf1 include:loop.example.com -all"
10.2.0.192.in-addr.arpa PTR mail.example.com
10.2.0.192.in-addr.arpa PTR other.example.net
11.2.0.192.in-addr.arpa PTR mail.example.com
12.2.0.192.in-addr.arpa !SERVFAIL
13.2.0.192.in-addr.arpa PTR broken.example.com
13.2.0.192.in-addr.arpa PTR here.example.com
here.example.com      A     192.0.2.13
)";

// The record of example.com, in strings short enough for a zone file.
std::string txt(std::string_view record) {
    std::string line = "example.com TXT \"v=spf1 \"";
    for (; !record.empty(); record.remove_prefix(std::min<std::size_t>(record.size(), 200))) {
        line += " \"" + std::string(record.substr(0, 200)) + "\"";
    }
    return line + "\n";
}

void run_records(const std::vector<Record>& records) {
    for (const Record& r : records) {
        const std::string zone = std::string(hosts) + txt(r.record);
        const auto got = evaluate(zone.c_str(), identity("example.com", r.ip));
        BOOST_TEST(name(got.result) == r.result, r.name << ": " << name(got.result) << " " << got.reason);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spf_check_host)

BOOST_AUTO_TEST_CASE(which_domains_are_looked_at) {  // sections 4.3 and 4.4
    const std::string long_label = std::string(64, 'a') + ".example.com";
    const std::string fits = std::string(63, 'a') + ".example.com";
    const std::string zone = fits + " TXT \"v=spf1 -all\"\n";
    run({
        {"label_of_64", zone.c_str(), long_label.c_str(), "192.0.2.1", "none"},
        {"label_of_63", zone.c_str(), fits.c_str(), "192.0.2.1", "fail"},
        {"empty_label", zone.c_str(), "A...example.com", "192.0.2.1", "none"},
        {"single_label", "com TXT \"v=spf1 -all\"", "com", "192.0.2.1", "none"},
        {"trailing_dot", "a.b TXT \"v=spf1 -all\"", "a.b.", "192.0.2.1", "fail"},
        {"literal", "[192.0.2.1] TXT \"v=spf1 -all\"", "[192.0.2.1]", "192.0.2.1", "none"},
        {"empty", "", "", "192.0.2.1", "none"},
        {"nxdomain", "", "no.example.com", "192.0.2.1", "none"},
        {"nodata", "a.b A 192.0.2.1", "a.b", "192.0.2.1", "none"},
        {"servfail", "a.b !SERVFAIL", "a.b", "192.0.2.1", "temperror"},
        {"silence", "a.b !TIMEOUT", "a.b", "192.0.2.1", "temperror"},
        {"refused", "a.b !REFUSED", "a.b", "192.0.2.1", "temperror"},
        {"garbage", "a.b !GARBAGE", "a.b", "192.0.2.1", "temperror"},
        {"idn", "xn--bcher-kva.example TXT \"v=spf1 -all\"",
         "b\xc3\xbc"
         "cher.example",
         "192.0.2.1", "fail"},
    });
}

BOOST_AUTO_TEST_CASE(which_records_count) {  // section 4.5
    run({
        {"upper_case_version", "a.b TXT \"V=SPF1 -all\"", "a.b", "192.0.2.1", "fail"},
        {"version_alone", "a.b TXT \"v=spf1\"", "a.b", "192.0.2.1", "neutral"},
        {"version_10", "a.b TXT \"v=spf10 -all\"", "a.b", "192.0.2.1", "none"},
        {"no_blank", "a.b TXT \"v=spf1-all\"", "a.b", "192.0.2.1", "none"},
        {"leading_blank", "a.b TXT \" v=spf1 -all\"", "a.b", "192.0.2.1", "none"},
        {"tab_after_version", "a.b TXT \"v=spf1\\009-all\"", "a.b", "192.0.2.1", "none"},
        {"strings_joined", "a.b TXT \"v=spf1 ip4:192.0.2.\" \"1 -all\"", "a.b", "192.0.2.1", "pass"},
        {"joined_without_blank", "a.b TXT \"v=spf1 ip4:192.0.2.1\" \"-all\"", "a.b", "192.0.2.1", "permerror"},
        {"others_ignored", "a.b TXT \"caf\\233\"\na.b TXT \"v=spf1 -all\"", "a.b", "192.0.2.1", "fail"},
        {"two", "a.b TXT \"v=spf1 -all\"\na.b TXT \"v=spf1 ?all\"", "a.b", "192.0.2.1", "permerror"},
        {"at_a_cname", "a.b CNAME c.d\nc.d TXT \"v=spf1 -all\"", "a.b", "192.0.2.1", "fail"},
        {"cname_circle", "a.b CNAME c.d\nc.d CNAME a.b", "a.b", "192.0.2.1", "temperror"},
    });
}

BOOST_AUTO_TEST_CASE(syntax_errors_win_wherever_they_are) {  // sections 4.6 and 12
    for (const char* bad : {"+all nosuch",
                            "+all ip4:1.2.3",
                            "all:x",
                            "all/8",
                            "all.",
                            "-",
                            "ip4",
                            "ip4:",
                            "ip4:192.0.2.1:8080",
                            "ip4/8",
                            "ip4:192.0.2.1/",
                            "ip4:192.0.2.1/032",
                            "ip4:192.0.2.1/33",
                            "ip4:192.0.2.1//24",
                            "ip4:192.0.2.01",
                            "ip4:2001:db8::1",
                            "ip4:192.0.2.1/24/24",
                            "ip6",
                            "ip6:",
                            "ip6:::1/129",
                            "ip6:::1/08",
                            "ip6:192.0.2.1",
                            "ip6:::1//64",
                            "ip6:fe80::1%eth0",
                            "a:",
                            "a:/24",
                            "a/",
                            "a//",
                            "a/33",
                            "a//129",
                            "a/24/64",
                            "a/024",
                            "a:example.com:8080",
                            "a:192.0.2.1",
                            "a:museum",
                            "a:museum.",
                            "a:foo.x_y",
                            "a:foo.-com",
                            "a:foo.com-",
                            "a:foo..",
                            "a:abc.123",
                            "mx:",
                            "mx:x",
                            "mx/-1",
                            "ptr:",
                            "ptr/24",
                            "ptr:x",
                            "include",
                            "include:",
                            "include:x",
                            "include:example.com/24",
                            "exists",
                            "exists:",
                            "exists/8",
                            "exists:x",
                            "redirect=",
                            "redirect:example.com",
                            "redirect=x",
                            "redirect=a.b redirect=a.b",
                            "exp=",
                            "exp=x",
                            "exp=a.b exp=a.b",
                            "+redirect=a.b",
                            "=x",
                            "9a=b",
                            "a+=b",
                            "x=%",
                            "x=%{",
                            "x=%{}",
                            "x=%{q}",
                            "x=%{d0}",
                            "x=%{dx}",
                            "x=%(d)",
                            "exists:%{d}%",
                            "exists:%{c}.a.b",
                            "exists:%{r}.a.b",
                            "exists:%{t}.a.b",
                            "exists:%{d2r!}.a.b",
                            "x=\\009",
                            "a:abc\\000.example.com",
                            "ip4:192.0.2.1\\160",
                            "x=caf\\233",
                            "all\\010"}) {
        run_records({{bad, bad, "203.0.113.1", "permerror"}});
    }
}

BOOST_AUTO_TEST_CASE(what_the_grammar_allows) {
    run_records({
        {"blanks", "  ip4:192.0.2.1   -all  ", "192.0.2.1", "pass"},
        {"upper_case", "IP4:192.0.2.1 -ALL", "192.0.2.9", "fail"},
        {"unknown_modifier", "foo=%{s} moo.cow-far_out=man:dog/cat ~all", "192.0.2.1", "softfail"},
        {"empty_unknown_modifier", "foo= ~all", "192.0.2.1", "softfail"},
        {"mechanism_name_as_modifier", "all=x ~all", "192.0.2.1", "softfail"},
        {"dash_in_toplabel", "a:x.host-9 -all", "192.0.2.6", "pass"},
        {"colon_and_slash_in_name", "a:foo:bar/baz.example.com -all", "192.0.2.5", "pass"},
        {"trailing_dot", "a:a.example.com. -all", "192.0.2.2", "pass"},
        {"dual_cidr", "a:a.example.com/31//64 -all", "192.0.2.3", "pass"},
        {"big_digits", "exists:%{d99999999999999999999}.a.b -all", "192.0.2.3", "fail"},
        {"capital_R", "exists:%{d1R}.a.b -all", "192.0.2.3", "fail"},
        {"nothing_matches", "ip4:192.0.2.1", "192.0.2.2", "neutral"},
        {"first_match_wins", "?all -all", "192.0.2.2", "neutral"},
    });
}

BOOST_AUTO_TEST_CASE(addresses) {  // sections 5.3, 5.6 and 5: a mapped address is IPv4
    run_records({
        {"ip4", "ip4:192.0.2.0/24 -all", "192.0.2.77", "pass"},
        {"ip4_outside", "ip4:192.0.2.0/24 -all", "192.0.3.77", "fail"},
        {"ip4_host_bits", "ip4:192.0.2.9/24 -all", "192.0.2.77", "pass"},
        {"ip4_zero", "ip4:0.0.0.0/0 -all", "203.0.113.9", "pass"},
        {"mapped", "ip4:192.0.2.1 -all", "::ffff:192.0.2.1", "pass"},
        {"ip6", "ip6:2001:db8::/32 -all", "2001:db8:1::5", "pass"},
        {"ip6_zero", "ip6:::/0 -all", "2001:db8:1::5", "pass"},
        {"ip6_dotted", "ip6:::ffff:192.0.2.1 -all", "192.0.2.1", "fail"},
        {"ip6_never_ipv4", "ip6:::/0 -all", "192.0.2.1", "fail"},
        {"ip4_never_ipv6", "ip4:0.0.0.0/0 -all", "2001:db8::1", "fail"},
        {"a", "a -all", "192.0.2.1", "pass"},
        {"a_second_address", "a:a.example.com -all", "192.0.2.2", "pass"},
        {"a_cidr", "a:a.example.com/28 -all", "192.0.2.15", "pass"},
        {"a_cidr_zero", "a:a.example.com/0 -all", "203.0.113.1", "pass"},
        {"a_cidr_zero_without_address", "a:text.example.com/0 -all", "203.0.113.1", "fail"},
        {"a_cidr4_not_for_ipv6", "a:mail.example.com/0 -all", "2001:db9::", "fail"},
        {"a_cidr6", "a:mail.example.com//32 -all", "2001:db8:9::", "pass"},
        {"a_ipv6_of_ipv4_host", "a:a.example.com -all", "2001:db8::1", "fail"},
        {"a_nxdomain", "a:nothere.example.com -all", "192.0.2.1", "fail"},
        {"a_servfail", "a:broken.example.com -all", "192.0.2.1", "temperror"},
        {"a_silent", "a:silent.example.com -all", "192.0.2.1", "temperror"},
        {"a_refused", "a:refused.example.com -all", "192.0.2.1", "temperror"},
        {"mx", "mx -all", "192.0.2.10", "pass"},
        {"mx_of", "mx:ten.example.com//64 -all", "2001:db8::99", "pass"},
        {"mx_is_not_a", "mx:a.example.com -all", "192.0.2.1", "fail"},
        {"mx_null", "mx:null.example.com -all", "192.0.2.1", "fail"},
        {"mx_servfail", "mx:broken.example.com -all", "192.0.2.1", "temperror"},
        {"exists", "exists:a.example.com -all", "203.0.113.1", "pass"},
        {"exists_asks_a_for_ipv6_too", "exists:a.example.com -all", "2001:db8::1", "pass"},
        {"exists_nodata", "exists:text.example.com -all", "203.0.113.1", "fail"},
        {"exists_servfail", "exists:broken.example.com -all", "203.0.113.1", "temperror"},
    });
}

BOOST_AUTO_TEST_CASE(ptr) {  // section 5.5
    run_records({
        {"validated", "ptr -all", "192.0.2.10", "pass"},
        {"of_another_domain", "ptr:example.org -all", "192.0.2.10", "fail"},
        {"not_validated", "ptr -all", "192.0.2.11", "fail"},
        {"servfail_is_no_match", "ptr -all", "192.0.2.12", "fail"},
        {"bad_name_is_skipped", "ptr -all", "192.0.2.13", "pass"},
        {"no_ptr", "ptr -all", "192.0.2.99", "fail"},
        {"case", "ptr:EXAMPLE.com -all", "192.0.2.10", "pass"},
        {"whole_labels", "ptr:ample.com -all", "192.0.2.10", "fail"},
    });
    run({
        {"loop_is_skipped",
         "a.b TXT \"v=spf1 ptr -all\"\n1.2.0.192.in-addr.arpa PTR loop.a.b\n1.2.0.192.in-addr.arpa PTR ok.a.b\n"
         "loop.a.b CNAME loop2.a.b\nloop2.a.b CNAME loop.a.b\nok.a.b A 192.0.2.1",
         "a.b", "192.0.2.1", "pass"},
        {"ipv6",
         "a.b TXT \"v=spf1 ptr -all\"\nok.a.b AAAA 2001:db8::1\n"
         "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR ok.a.b",
         "a.b", "2001:db8::1", "pass"},
    });
}

BOOST_AUTO_TEST_CASE(include_maps_results) {  // section 5.2
    run_records({
        {"pass", "?include:pass.example.com -all", "192.0.2.1", "neutral"},
        {"fail", "include:fail.example.com ~all", "192.0.2.1", "softfail"},
        {"softfail", "include:soft.example.com -all", "192.0.2.1", "fail"},
        {"neutral", "include:neutral.example.com -all", "192.0.2.1", "fail"},
        {"temperror", "include:broken.example.com -all", "192.0.2.1", "temperror"},
        {"permerror", "include:syntax.example.com -all", "192.0.2.1", "permerror"},
        {"two_records", "include:two.example.com -all", "192.0.2.1", "permerror"},
        {"none", "include:text.example.com -all", "192.0.2.1", "permerror"},
        {"nxdomain", "include:nothere.example.com -all", "192.0.2.1", "permerror"},
        {"malformed", "include:a..example.com -all", "192.0.2.1", "permerror"},
        {"loop", "include:loop.example.com -all", "192.0.2.1", "permerror"},
        {"not_reached", "all include:nothere.example.com", "192.0.2.1", "pass"},
        {"redirect", "redirect=fail.example.com", "192.0.2.1", "fail"},
        {"redirect_after_no_match", "ip4:192.0.2.9 redirect=soft.example.com", "192.0.2.1", "softfail"},
        {"redirect_first_in_text", "redirect=soft.example.com ip4:192.0.2.1", "192.0.2.1", "pass"},
        {"redirect_ignored_with_all", "redirect=fail.example.com ?all", "192.0.2.1", "neutral"},
        {"redirect_none", "redirect=text.example.com", "192.0.2.1", "permerror"},
        {"redirect_nxdomain", "redirect=nothere.example.com", "192.0.2.1", "permerror"},
        {"redirect_servfail", "redirect=broken.example.com", "192.0.2.1", "temperror"},
        {"redirect_permerror", "redirect=syntax.example.com", "192.0.2.1", "permerror"},
    });
}

BOOST_AUTO_TEST_CASE(limits) {  // section 4.6.4
    std::string ten;
    for (int i = 0; i < 10; ++i) ten += "a:a.example.com ";
    const std::string eleven = ten + "mx -all";
    const std::string at_limit = ten + "ip4:203.0.113.1 -all";
    const std::string redirect = ten + "redirect=fail.example.com";
    run_records({
        {"ten", at_limit.c_str(), "203.0.113.1", "pass"},
        {"eleven", eleven.c_str(), "203.0.113.1", "permerror"},
        {"redirect_counts", redirect.c_str(), "203.0.113.1", "permerror"},
        {"two_void", "a:n1.example.com mx:text.example.com ?all", "203.0.113.1", "neutral"},
        {"three_void", "a:n1.example.com mx:text.example.com exists:n2.example.com ?all", "203.0.113.1", "permerror"},
        {"void_ptr", "ptr a:n1.example.com a:n2.example.com ?all", "203.0.113.1", "permerror"},
    });
    const auto got = evaluate((std::string(hosts) + "example.com TXT \"v=spf1 a:n1.example.com mx ptr -all\"").c_str(),
                              identity("example.com", "203.0.113.1"));
    BOOST_TEST(got.lookups == 3U);
    BOOST_TEST(got.void_lookups == 2U);

    std::string mx = "a.b TXT \"v=spf1 mx -all\"\n";
    for (int i = 0; i < 10; ++i) {
        mx += "a.b MX 10 m" + std::to_string(i) + ".a.b\nm" + std::to_string(i) + ".a.b A 192.0.2.1\n";
    }
    const std::string too_many = mx + "a.b MX 10 m10.a.b\n";
    std::string names = "a.b TXT \"v=spf1 ptr -all\"\n";
    for (int i = 0; i < 10; ++i) names += "1.2.0.192.in-addr.arpa PTR n" + std::to_string(i) + ".c.d\n";
    const std::string eleventh = names + "1.2.0.192.in-addr.arpa PTR ok.a.b\nok.a.b A 192.0.2.1\n";
    run({
        {"ten_mx_hosts", mx.c_str(), "a.b", "192.0.2.1", "pass"},
        {"eleven_mx_hosts", too_many.c_str(), "a.b", "192.0.2.1", "permerror"},
        {"eleventh_ptr_name_is_ignored", eleventh.c_str(), "a.b", "192.0.2.1", "fail"},
        {"include_of_a_loop_of_two", "a.b TXT \"v=spf1 redirect=c.d\"\nc.d TXT \"v=spf1 redirect=a.b\"", "a.b",
         "192.0.2.1", "permerror"},
    });
}

BOOST_AUTO_TEST_CASE(a_mail_host_without_an_address_of_this_family_is_one_void_term) {
    // Three hosts without AAAA are one term that found nothing, not three.
    run({{"mx",
          "a.b TXT \"v=spf1 mx -all\"\na.b MX 1 x.a.b\na.b MX 2 y.a.b\na.b MX 3 z.a.b\nx.a.b A 192.0.2.1\n"
          "y.a.b A 192.0.2.2\nz.a.b A 192.0.2.3",
          "a.b", "2001:db8::1", "fail"}});
}

BOOST_AUTO_TEST_CASE(explanations) {  // section 6.2
    struct Row {
        const char* name;
        const char* record;
        const char* text;  // null: none
    };
    const std::string zone = std::string(hosts) + R"(
plain.example.com    TXT "Mail from %{i} is not %{d}'s: %{s} %{c} %{r} %{t} 100%%%_x%-"
two.why.example.com  TXT "one"
two.why.example.com  TXT "two"
bad.why.example.com  TXT "%{q}"
byte.why.example.com TXT "caf\233"
url.example.com      TXT "https://example.com/?l=%{L}&h=%{H}"
)";
    for (const Row& row : std::initializer_list<Row>{
             {"macros", "exp=plain.example.com -all",
              "Mail from 203.0.113.1 is not example.com's: a+b=c&d@example.com 203.0.113.1 unknown 1700000000 100% "
              "x%20"},
             {"url", "exp=url.example.com -all", "https://example.com/?l=a%2Bb%3Dc%26d&h=mail.example.com"},
             {"two_texts", "exp=two.why.example.com -all", nullptr},
             {"syntax", "exp=bad.why.example.com -all", nullptr},
             {"not_ascii", "exp=byte.why.example.com -all", nullptr},
             {"nxdomain", "exp=nothere.example.com -all", nullptr},
             {"no_text", "exp=a.example.com -all", nullptr},
             {"servfail", "exp=broken.example.com -all", nullptr},
             {"malformed", "exp=a..example.com -all", nullptr},
             {"only_with_fail", "exp=plain.example.com ~all", nullptr},
             {"none_given", "-all", nullptr},
             {"not_of_the_included", "-include:pass.example.com exp=why.example.com", "of the inner record"},
             {"included_one_is_ignored", "include:exp.example.com -all", nullptr},
             {"of_the_redirect_target", "redirect=exp.example.com exp=plain.example.com", "of the inner record"},
             {"redirect_target_without", "redirect=fail.example.com exp=plain.example.com", nullptr},
             {"written_after_all", "-all exp=why.example.com", "of the inner record"}}) {
        auto who = identity("example.com", "203.0.113.1");
        who.sender = "a+b=c&d@example.com";
        const auto got = evaluate((zone + txt(row.record)).c_str(), who);
        BOOST_TEST(got.explanation.value_or("(none)") == (row.text == nullptr ? "(none)" : row.text), row.name);
    }
}

BOOST_AUTO_TEST_CASE(macros_in_names) {  // section 7
    struct Row {
        const char* record;
        const char* host;  // the only one that exists
        const char* ip;
        const char* sender;
        const char* helo;
    };
    const std::string deep = "exists:%{d}." + std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                             std::string(60, 'c') + "." + std::string(56, 'd') + ".ex -all";
    const std::string cut = "com." + std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') +
                            "." + std::string(56, 'd') + ".ex";
    for (const Row& row : std::initializer_list<Row>{
             {"exists:%{ir}.%{v}.x.org -all", "4.3.2.1.in-addr.x.org", "1.2.3.4", "u@example.com", "h.example.com"},
             {"exists:%{i}.%{v}.x.org -all",
              "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1.ip6.x.org", "2001:db8::cb01",
              "u@example.com", "h.example.com"},
             {"exists:%{l1r-}.%{o2}.x.org -all", "strong.example.com.x.org", "1.2.3.4", "strong-bad@e.example.com",
              "h.b"},
             {"exists:%{lr-}.%{d1}.x.org -all", "bad.strong.com.x.org", "1.2.3.4", "strong-bad@e.example.com", "h.b"},
             {"exists:%{l}.x.org -all", "postmaster.x.org", "1.2.3.4", "@example.com", "h.b"},
             {"exists:%{s}.x.org -all", "postmaster@h.b.x.org", "1.2.3.4", "", "h.b"},
             {"exists:%{h}.x.org -all", "[192.0.2.1].x.org", "1.2.3.4", "u@example.com", "[192.0.2.1]"},
             {"exists:%{H}.x.org -all", "a%27%20b.x.org", "1.2.3.4", "u@example.com", "a' b"},
             {"exists:%{d2r.}%-x%%.x.org -all", "com.example%20x%.x.org", "1.2.3.4", "u@example.com", "h.b"},
             {"exists:%{s+-.@}.x.org -all", "", "1.2.3.4", "", ""},
             {"exists:%{p}.x.org -all", "unknown.x.org", "1.2.3.4", "u@example.com", "h.b"},
             {"exists:%{p}.x.org -all", "mail.example.com.x.org", "192.0.2.10", "u@example.com", "h.b"},
             {"exists:%{l+}.x.org -all", "a.b-c.d.x.org", "1.2.3.4", "a+b-c.d@example.com", "h.b"},
             {deep.c_str(), cut.c_str(), "1.2.3.4", "u@example.com", "h.b"},
         }) {
        if (*row.host == '\0') {
            run_records({{row.record, row.record, "1.2.3.4", "permerror"}});  // '@' is no delimiter
            continue;
        }
        std::string escaped = row.host;
        if (const auto blank = escaped.find(' '); blank != std::string::npos) escaped.replace(blank, 1, "\\032");
        const std::string zone = std::string(hosts) + txt(row.record) + escaped + " A 127.0.0.2\n";
        const auto got =
            evaluate(zone.c_str(), {"example.com", base::IpAddress::parse(row.ip).value(), row.sender, row.helo});
        BOOST_TEST(name(got.result) == "pass", row.record << ": " << name(got.result) << " " << got.reason);
    }
}

BOOST_AUTO_TEST_CASE(a_sender_in_utf8_matches_nothing_and_breaks_nothing) {  // RFC 8616 section 4
    const auto got = evaluate("a.b TXT \"v=spf1 exists:%{l}.x.org ?all\"",
                              {"a.b", base::IpAddress::parse("192.0.2.1").value(), "b\xc3\xbc@a.b", "h.b"});
    BOOST_TEST(name(got.result) == "neutral");
    BOOST_TEST(got.void_lookups == 0U);
}

BOOST_AUTO_TEST_CASE(the_deciding_terms_are_named) {
    const auto got = evaluate(
        "a.b TXT \"v=spf1 redirect=c.d\"\nc.d TXT \"v=spf1 include:e.f -all\"\n"
        "e.f TXT \"v=spf1 ip4:192.0.2.0/24 -all\"",
        identity("a.b", "192.0.2.1"));
    BOOST_TEST((got.terms == std::vector<std::string>{"redirect=c.d", "include:e.f", "ip4:192.0.2.0/24"}));
    BOOST_TEST(got.record_domain == "e.f");
    BOOST_TEST(got.lookups == 2U);
    const auto nothing = evaluate("a.b TXT \"v=spf1 ip4:192.0.2.1\"", identity("a.b", "192.0.2.2"));
    BOOST_TEST(nothing.terms.empty());
}

BOOST_AUTO_TEST_SUITE_END()
