// Proves check_host() on the corners of RFC 7208 that need a zone of their own, section by section. The broad tables
// are in spf_check_host_test.cc, the grammar in spf_record_test.cc.
#include <boost/test/unit_test.hpp>

#include "shared/auth/spf_check_host.h"
#include "tests/support/fake_clock.h"
#include "tests/support/zone_transport.h"

namespace {

using namespace mtawatch;

struct Mail {
    std::string domain = "a.b";
    std::string ip = "192.0.2.1";
    std::string sender = "user@a.b";
    std::string helo = "mail.a.b";
};

auth::SpfEvaluation evaluate(test::ZoneText& zone, const Mail& mail) {
    test::FakeClock clock;
    const auto transport = zone.transport(&clock);
    auth::DnsCache dns(*transport, base::Deadline(clock, std::chrono::seconds(60)));
    return auth::spf_check_host(dns, {mail.domain, base::IpAddress::parse(mail.ip).value(), mail.sender, mail.helo},
                                1'700'000'000);
}

struct Row {
    const char* name;
    std::string zone;
    Mail mail;
    const char* result;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        test::ZoneText zone(row.zone);
        const auto got = evaluate(zone, row.mail);
        BOOST_TEST(name(got.result) == row.result, row.name << ": " << name(got.result) << " " << got.reason);
    }
}

// Whether evaluating this term asks for the addresses of `host`.
bool asks_for(const std::string& term, const std::string& host, const Mail& mail, const std::string& more = {}) {
    std::string strings;  // a character-string holds 255 bytes
    for (std::size_t at = 0; at < term.size(); at += 200) strings += " \"" + term.substr(at, 200) + "\"";
    test::ZoneText zone("a.b TXT \"v=spf1 \"" + strings + " \" -all\"\n" + more);
    static_cast<void>(evaluate(zone, mail));
    return zone.times_asked(host + " A") == 1;
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

const std::string label63(63, 'x');

}  // namespace

BOOST_AUTO_TEST_SUITE(spf_rfc7208)

BOOST_AUTO_TEST_CASE(section_4_3_a_malformed_domain_is_none_and_asks_nothing) {
    const std::string too_long = repeated(label63 + ".", 3) + std::string(62, 'y');  // 254 bytes
    const std::string longest = repeated(label63 + ".", 3) + std::string(61, 'y');   // 253 bytes
    for (const std::string& domain : {std::string(), std::string("."), std::string("com"), std::string("com."),
                                      std::string(".a.b"), std::string("a..b"), std::string("a.b.."), label63 + "x.b",
                                      too_long, std::string("[192.0.2.1]"), std::string("[IPv6:2001:db8::1]")}) {
        test::ZoneText zone("b TXT \"v=spf1 -all\"");
        const auto got = evaluate(zone, {.domain = domain});
        BOOST_TEST(name(got.result) == "none", domain);
        BOOST_TEST(!got.reason.empty(), domain);
        BOOST_TEST(zone.asked().empty(), domain);
    }
    test::ZoneText zone(longest + " TXT \"v=spf1 -all\"");
    BOOST_TEST(name(evaluate(zone, {.domain = longest}).result) == "fail");
}

BOOST_AUTO_TEST_CASE(section_4_4_only_txt_is_asked_for_a_record) {
    test::ZoneText zone(
        "a.b TXT \"v=spf1 include:c.d redirect=e.f\"\nc.d TXT \"v=spf1 -all\"\ne.f TXT \"v=spf1 -all\"");
    BOOST_TEST(name(evaluate(zone, {}).result) == "fail");
    BOOST_TEST((zone.asked() == std::vector<std::string>{"a.b TXT", "c.d TXT", "e.f TXT"}));
    check({
        {"formerr", "a.b !FORMERR", {}, "temperror"},
        {"unreachable", "a.b !UNREACHABLE", {}, "temperror"},
        {"truncated", "a.b !TRUNCATED", {}, "temperror"},
        {"nodata", "a.b !NODATA", {}, "none"},
    });
}

BOOST_AUTO_TEST_CASE(section_4_5_selection) {
    check({
        {"identical_twice", "a.b TXT \"v=spf1 -all\"\na.b TXT \"v=spf1 -all\"", {}, "permerror"},
        {"differ_in_case", "a.b TXT \"v=spf1 -all\"\na.b TXT \"V=SPF1 -all\"", {}, "permerror"},
        {"one_broken_of_two", "a.b TXT \"v=spf1 nosuch\"\na.b TXT \"v=spf1 -all\"", {}, "permerror"},
        {"version_in_two_strings", "a.b TXT \"v=sp\" \"f1 -all\"", {}, "fail"},
        {"empty_string_between", "a.b TXT \"v=spf1 \" \"\" \"-all\"", {}, "fail"},
        {"version_and_blanks", "a.b TXT \"v=spf1   \"", {}, "neutral"},
        {"other_version_beside", "a.b TXT \"v=spf2.0/pra -all\"\na.b TXT \"v=spf1 ?all\"", {}, "neutral"},
    });
}

BOOST_AUTO_TEST_CASE(section_4_6_4_lookups_count_over_the_whole_recursion) {
    // Each level costs its include and two more; the third level's second `a` is the eleventh.
    const std::string hosts = "h.b A 203.0.113.1\n";
    const auto levels = [&hosts](const char* last) {
        return hosts +
               "a.b TXT \"v=spf1 a:h.b a:h.b include:c.b -all\"\nc.b TXT \"v=spf1 a:h.b a:h.b include:d.b -all\"\n"
               "d.b TXT \"v=spf1 a:h.b a:h.b a:h.b " +
               last + "\"";
    };
    test::ZoneText ten(levels("exists:h.b ?all"));
    const auto at_limit = evaluate(ten, {});
    BOOST_TEST(name(at_limit.result) == "pass");
    BOOST_TEST(at_limit.lookups == 10U);
    check({
        {"eleven", levels("exists:n.b exists:h.b -all"), {}, "permerror"},
        {"redirect_is_the_eleventh", levels("exists:n.b redirect=h.b"), {}, "permerror"},
        {"ip4_is_free", levels("exists:n.b ip4:192.0.2.1"), {}, "pass"},
        {"a_macro_p_is_free", hosts + "a.b TXT \"v=spf1 " + repeated("exists:%{p}.n.b ", 2) + "?all\"", {}, "neutral"},
        {"ended_before_the_limit",
         hosts + "a.b TXT \"v=spf1 ip4:192.0.2.1 " + repeated("a:h.b ", 12) + "-all\"",
         {},
         "pass"},
        {"explanations_are_free",
         hosts + "a.b TXT \"v=spf1 " + repeated("a:h.b ", 10) + "-all exp=w.b\"\nw.b TXT \"no\"",
         {},
         "fail"},
    });
}

BOOST_AUTO_TEST_CASE(section_4_6_4_void_lookups_count_over_the_whole_recursion) {
    const std::string inner = "c.b TXT \"v=spf1 a:n1.b a:n2.b -all\"\n";
    check({
        {"two_in_an_include", inner + "a.b TXT \"v=spf1 include:c.b ?all\"", {}, "neutral"},
        {"third_behind_an_include", inner + "a.b TXT \"v=spf1 include:c.b a:n3.b ?all\"", {}, "permerror"},
        {"third_behind_a_redirect", inner + "a.b TXT \"v=spf1 a:n3.b redirect=c.b\"", {}, "permerror"},
        {"failing_is_not_void", "a.b TXT \"v=spf1 a:n1.b a:n2.b a:x.b ?all\"\nx.b !SERVFAIL", {}, "temperror"},
        {"wrong_family_is_void",
         "a.b TXT \"v=spf1 a:h.b a:h2.b a:h3.b ?all\"\nh.b A 192.0.2.9\nh2.b A 192.0.2.9\nh3.b A 192.0.2.9",
         {.ip = "2001:db8::1"},
         "permerror"},
        {"cname_to_nothing_is_one", "a.b TXT \"v=spf1 a:c.b ?all\"\nc.b CNAME d.b\nd.b CNAME e.b", {}, "neutral"},
        {"explanations_are_no_void_lookups", "a.b TXT \"v=spf1 a:n1.b a:n2.b exp=n3.b -all\"", {}, "fail"},
    });
}

BOOST_AUTO_TEST_CASE(section_4_8_a_name_that_cannot_be_asked_matches_nothing) {
    const Mail empty_label{.sender = "x..y@a.b"};
    const Mail long_label{.sender = label63 + "x@a.b"};
    const std::string host = "*.h.b A 203.0.113.1\n";
    for (const Mail& mail : {empty_label, long_label}) {
        check({
            {"a", host + "a.b TXT \"v=spf1 a:%{l}.h.b ?all\"", mail, "neutral"},
            {"exists", host + "a.b TXT \"v=spf1 exists:%{l}.h.b ?all\"", mail, "neutral"},
            {"mx", host + "a.b TXT \"v=spf1 mx:%{l}.h.b ?all\"", mail, "neutral"},
            {"ptr", host + "a.b TXT \"v=spf1 ptr:%{l}.h.b ?all\"", mail, "neutral"},
            {"include", host + "a.b TXT \"v=spf1 include:%{l}.h.b ?all\"", mail, "permerror"},
            {"redirect", host + "a.b TXT \"v=spf1 redirect=%{l}.h.b\"", mail, "permerror"},
            {"exp", host + "a.b TXT \"v=spf1 -all exp=%{l}.h.b\"", mail, "fail"},
        });
    }
}

BOOST_AUTO_TEST_CASE(section_5_families) {
    const std::string dual = "h.b A 192.0.2.1\nh.b AAAA 2001:db8::1\n";
    check({
        {"prefix4_for_ipv4", dual + "a.b TXT \"v=spf1 a:h.b/24//128 -all\"", {.ip = "192.0.2.99"}, "pass"},
        {"prefix4_not_for_ipv6", dual + "a.b TXT \"v=spf1 a:h.b/0 -all\"", {.ip = "2001:db8::2"}, "fail"},
        {"prefix6_for_ipv6", dual + "a.b TXT \"v=spf1 a:h.b/32//64 -all\"", {.ip = "2001:db8::2"}, "pass"},
        {"prefix6_not_for_ipv4", dual + "a.b TXT \"v=spf1 a:h.b//0 -all\"", {.ip = "192.0.2.2"}, "fail"},
        {"prefix6_zero", dual + "a.b TXT \"v=spf1 a:h.b//0 -all\"", {.ip = "2001:db9::"}, "pass"},
        {"prefix4_one", "h.b A 10.0.0.1\na.b TXT \"v=spf1 a:h.b/1 -all\"", {.ip = "127.255.255.255"}, "pass"},
        {"prefix4_one_outside", "h.b A 10.0.0.1\na.b TXT \"v=spf1 a:h.b/1 -all\"", {.ip = "128.0.0.0"}, "fail"},
        {"mapped_takes_prefix4", dual + "a.b TXT \"v=spf1 a:h.b/24 -all\"", {.ip = "::ffff:192.0.2.9"}, "pass"},
        {"mapped_is_not_ip6", "a.b TXT \"v=spf1 ip6:::ffff:0:0/96 -all\"", {.ip = "::ffff:192.0.2.9"}, "fail"},
        {"mx_through_cname", "a.b TXT \"v=spf1 mx -all\"\na.b MX 1 c.b\nc.b CNAME h.b\n" + dual, {}, "pass"},
        {"a_through_cname", "a.b TXT \"v=spf1 a:c.b -all\"\nc.b CNAME h.b\n" + dual, {}, "pass"},
        {"own_a", dual + "a.b TXT \"v=spf1 a -all\"\na.b A 192.0.2.1", {}, "pass"},
    });
    test::ZoneText zone("a.b TXT \"v=spf1 a:h.b exists:h.b -all\"\nh.b TXT \"x\"");
    static_cast<void>(evaluate(zone, {.ip = "::ffff:192.0.2.1"}));
    BOOST_TEST(zone.times_asked("h.b A") == 1U);  // both terms, once on the wire
    BOOST_TEST(zone.times_asked("h.b AAAA") == 0U);
}

BOOST_AUTO_TEST_CASE(section_5_2_include_of_a_record_that_redirects) {
    check({
        {"to_pass",
         "a.b TXT \"v=spf1 include:c.b -all\"\nc.b TXT \"v=spf1 redirect=d.b\"\nd.b TXT \"v=spf1 all\"",
         {},
         "pass"},
        {"to_fail",
         "a.b TXT \"v=spf1 include:c.b ?all\"\nc.b TXT \"v=spf1 redirect=d.b\"\nd.b TXT \"v=spf1 -all\"",
         {},
         "neutral"},
        {"to_none", "a.b TXT \"v=spf1 include:c.b ?all\"\nc.b TXT \"v=spf1 redirect=d.b\"", {}, "permerror"},
        {"default", "a.b TXT \"v=spf1 include:c.b -all\"\nc.b TXT \"v=spf1\"", {}, "fail"},
    });
}

BOOST_AUTO_TEST_CASE(section_5_5_ptr) {
    const std::string record = "a.b TXT \"v=spf1 ptr -all\"\n";
    check({
        {"delegated_reverse_zone",
         record + "1.2.0.192.in-addr.arpa CNAME 1.0-127.2.0.192.in-addr.arpa\n1.0-127.2.0.192.in-addr.arpa PTR m.a.b\n"
                  "m.a.b A 192.0.2.1",
         {},
         "pass"},
        {"the_domain_itself", record + "1.2.0.192.in-addr.arpa PTR a.b\na.b A 192.0.2.1", {}, "pass"},
        {"name_in_other_case", record + "1.2.0.192.in-addr.arpa PTR M.A.B\nm.a.b A 192.0.2.1", {}, "pass"},
        {"suffix_of_a_label", record + "1.2.0.192.in-addr.arpa PTR xa.b\nxa.b A 192.0.2.1", {}, "fail"},
        {"silent_name_is_skipped",
         record +
             "1.2.0.192.in-addr.arpa PTR s.a.b\n1.2.0.192.in-addr.arpa PTR m.a.b\ns.a.b !TIMEOUT\nm.a.b A 192.0.2.1",
         {},
         "pass"},
        {"silence_is_no_match", "a.b TXT \"v=spf1 ptr ?all\"\n1.2.0.192.in-addr.arpa !TIMEOUT", {}, "neutral"},
        {"mapped_asks_in_addr_arpa",
         record + "1.2.0.192.in-addr.arpa PTR m.a.b\nm.a.b A 192.0.2.1",
         {.ip = "::ffff:192.0.2.1"},
         "pass"},
    });
}

BOOST_AUTO_TEST_CASE(section_6_1_redirect) {
    check({
        {"macros_of_the_target",
         "a.b TXT \"v=spf1 redirect=c.b\"\nc.b TXT \"v=spf1 exists:%{d}.x.b -all\"\nc.b.x.b A 127.0.0.2",
         {},
         "pass"},
        {"sender_stays",
         "a.b TXT \"v=spf1 redirect=c.b\"\nc.b TXT \"v=spf1 exists:%{o}.x.b -all\"\na.b.x.b A 127.0.0.2",
         {},
         "pass"},
        {"by_macro", "a.b TXT \"v=spf1 redirect=_spf.%{o}\"\n_spf.a.b TXT \"v=spf1 ip4:192.0.2.1 -all\"", {}, "pass"},
        {"a_of_the_target", "a.b TXT \"v=spf1 redirect=c.b\"\nc.b TXT \"v=spf1 a -all\"\nc.b A 192.0.2.1", {}, "pass"},
        {"two_records",
         "a.b TXT \"v=spf1 redirect=c.b\"\nc.b TXT \"v=spf1 -all\"\nc.b TXT \"v=spf1 ?all\"",
         {},
         "permerror"},
        {"neutral_target", "a.b TXT \"v=spf1 redirect=c.b\"\nc.b TXT \"v=spf1\"", {}, "neutral"},
        {"to_itself", "a.b TXT \"v=spf1 redirect=a.b\"", {}, "permerror"},
        {"not_followed_after_a_match", "a.b TXT \"v=spf1 ip4:192.0.2.1 redirect=c.b\"", {}, "pass"},
    });
}

BOOST_AUTO_TEST_CASE(section_6_2_explanations) {
    const auto explained = [](const std::string& zone_text, const Mail& mail = {}) {
        test::ZoneText zone(zone_text);
        const auto got = evaluate(zone, mail);
        BOOST_TEST(name(got.result) == "fail", zone_text);
        return got.explanation.value_or("(default)");
    };
    const std::string record = "a.b TXT \"v=spf1 -all exp=%{d}.w.b\"\n";
    BOOST_TEST(explained(record + "a.b.w.b TXT \"two \" \"strings\"") == "two strings");
    BOOST_TEST(explained(record + "a.b.w.b CNAME v.b\nv.b TXT \"elsewhere\"") == "elsewhere");
    BOOST_TEST(explained(record + "a.b.w.b TXT \"%{c} is %{C}, %{r} is %{R}, at %{t} %{T}\"", {.ip = "2001:db8::1"}) ==
               "2001:db8::1 is 2001%3Adb8%3A%3A1, unknown is unknown, at 1700000000 1700000000");
    BOOST_TEST(
        explained(record + "a.b.w.b TXT \"%{p} of %{d}\"\n1.2.0.192.in-addr.arpa PTR m.a.b\nm.a.b A 192.0.2.1") ==
        "m.a.b of a.b");
    BOOST_TEST(explained(record + "a.b.w.b !TIMEOUT") == "(default)");
    BOOST_TEST(explained(record + "a.b.w.b TXT \"tab\\009\"") == "(default)");
    BOOST_TEST(explained(record + "a.b.w.b TXT \"100 %\"") == "(default)");
    BOOST_TEST(explained(record + "a.b.w.b TXT \"%{d\"") == "(default)");
    BOOST_TEST(explained(record + "a.b.w.b TXT \"\\239\\187\\191marked\"") == "(default)");
    BOOST_TEST(explained(record + "a.b.w.b TXT \"same\"\na.b.w.b TXT \"same\"") == "(default)");
    // Long texts are not cut to the length of a name.
    const std::string line = repeated("\"" + std::string(200, 'x') + "\" ", 3);
    BOOST_TEST(explained(record + "a.b.w.b TXT " + line) == std::string(600, 'x'));
}

BOOST_AUTO_TEST_CASE(section_7_every_letter_and_its_escaped_form) {
    const Mail mail{.ip = "192.0.2.1", .sender = "a+b@s.org", .helo = "h_1.example"};
    const std::string reverse = "1.2.0.192.in-addr.arpa PTR m.a.b\nm.a.b A 192.0.2.1\n";
    struct Letter {
        const char* macro;
        const char* value;
    };
    for (const Letter& one : std::initializer_list<Letter>{{"%{s}", "a+b@s.org"},
                                                           {"%{S}", "a%2bb%40s.org"},
                                                           {"%{l}", "a+b"},
                                                           {"%{L}", "a%2bb"},
                                                           {"%{o}", "s.org"},
                                                           {"%{O}", "s.org"},
                                                           {"%{d}", "a.b"},
                                                           {"%{D}", "a.b"},
                                                           {"%{i}", "192.0.2.1"},
                                                           {"%{I}", "192.0.2.1"},
                                                           {"%{p}", "m.a.b"},
                                                           {"%{P}", "m.a.b"},
                                                           {"%{v}", "in-addr"},
                                                           {"%{V}", "in-addr"},
                                                           {"%{h}", "h_1.example"},
                                                           {"%{H}", "h_1.example"},
                                                           {"%{ir}", "1.2.0.192"},
                                                           {"%{i1}", "1"},
                                                           {"%{i9}", "192.0.2.1"},
                                                           {"%{o1r}", "s"},
                                                           {"%{l+}", "a.b"},
                                                           {"%{l1+}", "b"},
                                                           {"%{lr+}", "b.a"},
                                                           {"%{h_.}", "h.1.example"},
                                                           {"%{h2r_}", "1.example.h"},
                                                           {"%{s.+}", "a.b@s.org"},
                                                           {"x%%y", "x%y"},
                                                           {"x%-y", "x%20y"}}) {
        BOOST_TEST(
            asks_for("exists:" + std::string(one.macro) + ".x.b", std::string(one.value) + ".x.b", mail, reverse),
            one.macro << " is not " << one.value);
    }
    BOOST_TEST(asks_for("exists:%{v}.x.b", "ip6.x.b", {.ip = "2001:db8::1"}));
    BOOST_TEST(asks_for("exists:%{i4r}.x.b", "1.0.0.2.x.b", {.ip = "1002:db8::1:0:0:2001"}) == false);
    BOOST_TEST(asks_for("exists:%{i4}.x.b", "2.0.0.1.x.b", {.ip = "1002:db8::2001"}));
}

BOOST_AUTO_TEST_CASE(section_4_1_and_4_3_the_sender_that_is_put_in) {
    BOOST_TEST(asks_for("exists:%{l}.%{o}.x.b", "postmaster.a.b.x.b", {.sender = "@a.b"}));
    BOOST_TEST(asks_for("exists:%{l}.%{o}.x.b", "postmaster.a.b.x.b", {.sender = "a.b"}));
    BOOST_TEST(asks_for("exists:%{l}.%{o}.x.b", "postmaster.mail.a.b.x.b", {.sender = ""}));
    BOOST_TEST(asks_for("exists:%{l}.%{o}.x.b", "x@y.c.d.x.b", {.sender = "x@y@c.d"}));
}

BOOST_AUTO_TEST_CASE(section_7_3_validated_names) {
    const std::string names =
        "1.2.0.192.in-addr.arpa PTR z.c.d\n1.2.0.192.in-addr.arpa PTR m.a.b\n"
        "z.c.d A 192.0.2.1\n";
    BOOST_TEST(asks_for("exists:%{p}.x.b", "m.a.b.x.b", {}, names + "m.a.b A 192.0.2.1"));  // below the domain first
    BOOST_TEST(asks_for("exists:%{p}.x.b", "z.c.d.x.b", {}, names + "m.a.b A 192.0.2.9"));
    BOOST_TEST(asks_for("exists:%{p}.x.b", "a.b.x.b", {},
                        names + "m.a.b A 192.0.2.1\n1.2.0.192.in-addr.arpa PTR a.b\na.b A 192.0.2.1"));
    BOOST_TEST(asks_for("exists:%{p}.x.b", "unknown.x.b", {}, "1.2.0.192.in-addr.arpa !SERVFAIL"));
    BOOST_TEST(asks_for("exists:%{p2}.x.b", "a.b.x.b", {}, names + "m.a.b A 192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(section_7_3_names_are_shortened_from_the_left) {
    const std::string tail = repeated(std::string(49, 't') + ".", 5);  // 250 bytes with its last dot
    // 253 bytes stay, 254 lose their first label, and as many as it takes.
    BOOST_TEST(asks_for("exists:%{l}." + tail + "b", "x." + tail + "b", {.sender = "x@a.b"}));
    BOOST_TEST(asks_for("exists:%{l}." + tail + "b", tail + "b", {.sender = "xyz@a.b"}));
    BOOST_TEST(asks_for("exists:%{l}." + tail + "b", tail + "b", {.sender = "one.two.three@a.b"}));
}

BOOST_AUTO_TEST_CASE(a_silent_name_behind_the_match_changes_nothing) {
    check({
        {"match_before",
         "a.b TXT \"v=spf1 ip4:192.0.2.1 a:s.b include:s.b mx:s.b exists:s.b -all\"\ns.b !TIMEOUT",
         {},
         "pass"},
        {"match_behind", "a.b TXT \"v=spf1 a:s.b ip4:192.0.2.1 -all\"\ns.b !TIMEOUT", {}, "temperror"},
        {"second_mail_host_is_silent",
         "a.b TXT \"v=spf1 mx -all\"\na.b MX 1 m.b\na.b MX 2 s.b\nm.b A 192.0.2.1\ns.b !TIMEOUT",
         {},
         "pass"},
    });
}

BOOST_AUTO_TEST_SUITE_END()
