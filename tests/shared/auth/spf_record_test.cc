// Proves the reader of SPF records against the grammar of RFC 7208 section 12: what each term means, and for text that
// the grammar does not have, which term is at fault.
#include "shared/auth/spf_record.h"

#include <boost/test/unit_test.hpp>

namespace {

using namespace mtawatch;

std::string kind_name(auth::SpfKind kind) {
    constexpr std::array<const char*, 11> names{"all", "include", "a",        "mx",  "ptr",    "ip4",
                                                "ip6", "exists",  "redirect", "exp", "unknown"};
    return names.at(static_cast<std::size_t>(kind));
}

std::string shown(const auth::SpfTerm& term) {
    std::string text;
    const bool modifier = term.kind == auth::SpfKind::redirect || term.kind == auth::SpfKind::exp ||
                          term.kind == auth::SpfKind::unknown_modifier;
    if (!modifier) text += term.qualifier;
    text += kind_name(term.kind);
    if (term.domain) text += " " + term.domain->written;
    if (term.kind == auth::SpfKind::ip4 || term.kind == auth::SpfKind::ip6) {
        text += " " + term.network.to_string() + (term.host_bits_set ? " (host bits)" : "");
    }
    if (term.prefix4 != 32) text += " /" + std::to_string(term.prefix4);
    if (term.prefix6 != 128) text += " //" + std::to_string(term.prefix6);
    return text;
}

// Everything that the record says, one term after the other; "term: what is wrong" for what it cannot say.
std::string read(std::string_view record) {
    const auth::SpfRecord got = auth::parse_spf_record(record);
    std::string text;
    const auto add = [&text](const std::string& one) { text += (text.empty() ? "" : "; ") + one; };
    for (const auth::SpfTerm& term : got.mechanisms) add(shown(term));
    if (got.redirect) add(shown(*got.redirect));
    if (got.exp) add(shown(*got.exp));
    for (const auth::SpfTerm& term : got.unknown_modifiers) add(shown(term));
    for (const auth::SpfFault& fault : got.faults) add("[" + fault.term + "] " + fault.what);
    BOOST_TEST(got.valid() == got.faults.empty());
    return text;
}

struct Row {
    const char* terms;  // what follows "v=spf1 "
    const char* means;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        BOOST_TEST(read(std::string("v=spf1 ") + row.terms) == row.means, "\"" << row.terms << "\"");
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spf_record)

BOOST_AUTO_TEST_CASE(which_texts_are_records) {  // record = version terms *SP; version = "v=spf1"
    for (const char* yes : {"v=spf1", "V=SPF1", "v=SpF1 -all", "v=spf1 ", "v=spf1  \t"}) {
        BOOST_TEST(auth::is_spf_record(yes), "\"" << yes << "\"");
    }
    for (const char* no : {"", " v=spf1", "v=spf1\t-all", "v=spf1-all", "v=spf10", "v=spf2 -all", "v = spf1", "v=spf",
                           "\"v=spf1 -all\"", "spf1 -all", "v=spf1\r", "v=spf1,-all"}) {
        BOOST_TEST(!auth::is_spf_record(no), "\"" << no << "\"");
    }
}

BOOST_AUTO_TEST_CASE(mechanisms) {
    check({
        {"", ""},
        {"all", "+all"},
        {"+all", "+all"},
        {"-all", "-all"},
        {"~all", "~all"},
        {"?all", "?all"},
        {"-ALL", "-all"},
        {"include:a.example", "+include a.example"},
        {"?Include:a.example", "?include a.example"},
        {"a", "+a"},
        {"a:a.example", "+a a.example"},
        {"a/24", "+a /24"},
        {"a//64", "+a //64"},
        {"a/24//64", "+a /24 //64"},
        {"a:a.example/24", "+a a.example /24"},
        {"a:a.example//64", "+a a.example //64"},
        {"a:a.example/0//0", "+a a.example /0 //0"},
        {"a:a.example/32//128", "+a a.example"},
        {"A:A.Example.", "+a A.Example."},
        {"-mx", "-mx"},
        {"mx:a.example/31", "+mx a.example /31"},
        {"MX//1", "+mx //1"},
        {"ptr", "+ptr"},
        {"ptr:a.example", "+ptr a.example"},
        {"ip4:192.0.2.1", "+ip4 192.0.2.1/32"},
        {"ip4:192.0.2.0/24", "+ip4 192.0.2.0/24"},
        {"~IP4:192.0.2.9/24", "~ip4 192.0.2.0/24 (host bits)"},
        {"ip4:0.0.0.0/0", "+ip4 0.0.0.0/0"},
        {"ip6:2001:DB8::1", "+ip6 2001:db8::1/128"},
        {"ip6:2001:db8::/32", "+ip6 2001:db8::/32"},
        {"ip6:::1/128", "+ip6 ::1/128"},
        {"ip6:::ffff:192.0.2.1", "+ip6 ::ffff:192.0.2.1/128"},
        {"exists:%{i}.a.example", "+exists %{i}.a.example"},
        {"a b:c all", "+a; +all; [b:c] no such mechanism as \"b\""},
    });
}

BOOST_AUTO_TEST_CASE(modifiers) {
    check({
        {"redirect=a.example", "redirect a.example"},
        {"Redirect=%{d}", "redirect %{d}"},
        {"exp=a.example", "exp a.example"},
        {"EXP=%{l}._why.a.example", "exp %{l}._why.a.example"},
        {"a=b", "unknown b"},
        {"moo.cow-far_out9=man:dog/cat", "unknown man:dog/cat"},
        {"empty=", "unknown "},
        {"all=%{s}", "unknown %{s}"},
        {"m=a m=b", "unknown a; unknown b"},  // only redirect and exp may not stand there twice
        {"redirect=a.example redirect=b.example",
         "redirect a.example; [redirect=b.example] redirect= may stand in a record once only"},
        {"exp=a.example EXP=a.example", "exp a.example; [EXP=a.example] exp= may stand in a record once only"},
        {"-redirect=a.example", "[-redirect=a.example] no such mechanism as \"redirect\""},
        {"redirect=", "[redirect=] the domain name is empty"},
        {"exp=", "[exp=] the domain name is empty"},
        {"redirect:a.example", "[redirect:a.example] redirect is a modifier; write redirect=a.example"},
        {"1x=y", "[1x=y] no such mechanism as \"1x\""},
        {"=y", "[=y] no such mechanism as \"\""},
        {"x=%{c}", "[x=%{c}] the macro letter 'c' is allowed in explanation texts only"},
    });
}

BOOST_AUTO_TEST_CASE(blanks_separate_and_nothing_else_does) {
    check({
        {"   a    -all   ", "+a; -all"},
        {"a\t-all", "[a\t-all] no such mechanism; a blank is missing before -all"},
        {"a\nmx", "[a\nmx] no such mechanism as \"a\nmx\""},
        {"a,mx", "[a,mx] no such mechanism as \"a,mx\""},
        {"a;", "[a;] no such mechanism as \"a;\""},
        {"ip4: 192.0.2.1", "[ip4:] the address is missing; [192.0.2.1] no such mechanism as \"192.0.2.1\""},
        {"- all", "+all; [-] a qualifier alone; write it next to its term, without a blank"},
    });
}

BOOST_AUTO_TEST_CASE(values_that_a_mechanism_does_not_take) {
    check({
        {"all:a.example", "[all:a.example] \"all\" takes no value"},
        {"all/8", "[all/8] \"all\" takes no value"},
        {"include", "[include] the domain name is missing"},
        {"include/24", "[include/24] the domain name is missing"},
        {"include:", "[include:] the domain name is empty"},
        {"exists", "[exists] the domain name is missing"},
        {"exists:", "[exists:] the domain name is empty"},
        {"a:", "[a:] the domain name is empty"},
        {"mx:/24", "[mx:/24] the domain name is empty"},
        {"ptr:", "[ptr:] the domain name is empty"},
        {"ptr/24", "[ptr/24] \"ptr\" takes nothing but :DOMAIN"},
        {"ip4", "[ip4] the address is missing"},
        {"ip4/24", "[ip4/24] the address is missing"},
        {"ip6:", "[ip6:] the address is missing"},
        {"++all", "[++all] no such mechanism"},
        {"ipv4:192.0.2.1", "[ipv4:192.0.2.1] no such mechanism; write ip4:192.0.2.1"},
        {"ipv6:::1", "[ipv6:::1] no such mechanism; write ip6:::1"},
    });
}

BOOST_AUTO_TEST_CASE(prefix_lengths) {  // ip4-cidr-length = "/" ("0" / %x31-39 0*1DIGIT), ip6-cidr-length likewise
    for (const char* bad : {"33", "00", "01", "024", "999", "-1", "+8", "1a", "4294967296", "1e1"}) {
        for (const std::string& term :
             {std::string("ip4:192.0.2.0/") + bad, std::string("a:a.example/") + bad, std::string("mx/") + bad}) {
            BOOST_TEST(!auth::parse_spf_record("v=spf1 " + term).valid(), term);
        }
    }
    for (const char* bad : {"129", "00", "064", "1000", "-1", "x"}) {
        for (const std::string& term : {std::string("ip6:2001:db8::/") + bad, std::string("a:a.example//") + bad,
                                        std::string("mx//") + bad, std::string("a/24//") + bad}) {
            BOOST_TEST(!auth::parse_spf_record("v=spf1 " + term).valid(), term);
        }
    }
    check({
        {"ip4:192.0.2.0/", "[ip4:192.0.2.0/] \"/\" is no prefix length from 0 to 32"},
        {"ip4:192.0.2.0/33", "[ip4:192.0.2.0/33] \"/33\" is no prefix length from 0 to 32"},
        {"ip4:192.0.2.0//24", "[ip4:192.0.2.0//24] \"//24\" is no prefix length from 0 to 32"},
        {"ip6:::/129", "[ip6:::/129] \"/129\" is no prefix length from 0 to 128"},
        {"a/", "[a/] \"/\" is neither :DOMAIN nor a prefix length"},
        {"a//64/24", "[a//64/24] \"//64/24\" is neither :DOMAIN nor a prefix length"},
        {"a/24/24", "[a/24/24] \"/24/24\" is neither :DOMAIN nor a prefix length"},
    });
}

BOOST_AUTO_TEST_CASE(addresses) {  // ip4-network = qnum "." qnum "." qnum "." qnum; ip6-network as RFC 4291
    for (const char* bad : {"192.0.2", "192.0.2.1.2", "192.0.2.256", "192.0.2.01", "192.0.2.", "0xc0.0.2.1", "a.b.c.d",
                            "3221225985", "192.0.2.1:25", "192,0,2,1", "1.2.3.4x", "::192.0.2.1"}) {
        BOOST_TEST(!auth::parse_spf_record(std::string("v=spf1 ip4:") + bad).valid(), bad);
    }
    for (const char* bad : {"2001:db8", "1::2::3", "12345::", "::g", "fe80::1%eth0", "[::1]", "192.0.2.1",
                            ":::", "1:2:3:4:5:6:7:8:9", "::192.0.2.256"}) {
        BOOST_TEST(!auth::parse_spf_record(std::string("v=spf1 ip6:") + bad).valid(), bad);
    }
    check({
        {"ip4:2001:db8::1", "[ip4:2001:db8::1] \"2001:db8::1\" is an IPv6 address; write ip6:2001:db8::1"},
        {"ip6:192.0.2.1/24", "[ip6:192.0.2.1/24] \"192.0.2.1\" is an IPv4 address; write ip4:192.0.2.1/24"},
        {"a:192.0.2.1", "[a:192.0.2.1] \"192.0.2.1\" is an address; write ip4:192.0.2.1"},
        {"include:2001:db8::1", "[include:2001:db8::1] \"2001:db8::1\" is an address; write ip6:2001:db8::1"},
        {"ip4:192.0.2.1-all",
         "[ip4:192.0.2.1-all] \"192.0.2.1-all\" is no IPv4 address; a blank is missing before -all"},
        {"ip4:192.0.2.0/24~all",
         "[ip4:192.0.2.0/24~all] \"/24~all; a blank is missing before ~all\" is no prefix length from 0 to 32"},
    });
}

BOOST_AUTO_TEST_CASE(
    domain_specs) {  // domain-spec = macro-string domain-end; domain-end = ( "." toplabel [ "." ] ) / macro-expand
    for (const char* good :
         {"a.b",           "a.b.",      "x.9a",       "x.a9",           "x.a-b", "x.a--9", "x.1-1", "_x._y.example",
          "a:b/c.example", "%{d}",      "a.%{d}",     "%{d}.example",   "a%%",   "a%_",    "a%-",   "a.b%{i}",
          "*.example",     "!.example", "a..example", "%{i}/24.example"}) {
        BOOST_TEST(auth::parse_spf_record(std::string("v=spf1 include:") + good).valid(), good);
    }
    for (const char* bad : {"a",     "a.",     ".",      "..",     "a.123",        "a.-b",   "a.b-",       "a.b_c",
                            "a.b..", "%{d}a",  "%{d}.",  "%{d}.1", "%{d}-example", "a.b:25", "a.\xc3\xa9", "a.b\x7f",
                            "a.b\"", "%",      "%a",     "% ",     "%{",           "%{}",    "%{d",        "%{x}",
                            "%{d0}", "%{d2x}", "%{dr2}", "%{d.r}", "%{ d}",        "%{d }",  "%{d!}",      "%{2}"}) {
        BOOST_TEST(!auth::parse_spf_record(std::string("v=spf1 include:") + bad).valid(), bad);
    }
    // A slash and digits at the end of a: and mx: are a prefix length and never part of the name.
    check({{"a:%{d}/24", "+a %{d} /24"}, {"a:a.example/b.c", "+a a.example/b.c"}});
}

BOOST_AUTO_TEST_CASE(macros) {
    struct MacroRow {
        const char* text;
        auth::SpfMacro macro;
    };
    for (const MacroRow& row : std::initializer_list<MacroRow>{{"%{s}", {'s', false, 0, false, ""}},
                                                               {"%{L}", {'l', true, 0, false, ""}},
                                                               {"%{o1}", {'o', false, 1, false, ""}},
                                                               {"%{d2r}", {'d', false, 2, true, ""}},
                                                               {"%{iR}", {'i', false, 0, true, ""}},
                                                               {"%{p128}", {'p', false, 128, false, ""}},
                                                               {"%{v-}", {'v', false, 0, false, "-"}},
                                                               {"%{H10r.-+,/_=}", {'h', true, 10, true, ".-+,/_="}},
                                                               {"%{d001}", {'d', false, 1, false, ""}}}) {
        const auto got = auth::parse_spf_macro_string(row.text, auth::SpfMacroPlace::term);
        BOOST_TEST_REQUIRE(got.has_value(), row.text);
        BOOST_TEST_REQUIRE(got->pieces.size() == 1U, row.text);
        BOOST_TEST((got->pieces.front().macro == row.macro), row.text);
    }
    const auto mixed = auth::parse_spf_macro_string("a%%b%_%-%{d}c", auth::SpfMacroPlace::term);
    BOOST_TEST_REQUIRE(mixed.has_value());
    BOOST_TEST_REQUIRE(mixed->pieces.size() == 3U);
    BOOST_TEST(mixed->pieces[0].text == "a%b %20");
    BOOST_TEST(mixed->pieces[2].text == "c");
    for (const char* letter : {"%{c}", "%{r}", "%{t}"}) {  // in explanations only (section 7.2)
        BOOST_TEST(!auth::parse_spf_macro_string(letter, auth::SpfMacroPlace::term).has_value(), letter);
        BOOST_TEST(auth::parse_spf_macro_string(letter, auth::SpfMacroPlace::explanation).has_value(), letter);
    }
}

BOOST_AUTO_TEST_CASE(every_fault_of_a_record_is_told) {
    BOOST_TEST(read("v=spf1 nosuch ip4:1.2.3 a:x -all exp=a.b exp=a.b") ==
               "-all; exp a.b; [nosuch] no such mechanism as \"nosuch\"; [ip4:1.2.3] \"1.2.3\" is no IPv4 address; "
               "[a:x] \"x\" does not end like a domain name (a dot and a top-level label); [exp=a.b] exp= may stand in "
               "a record once only");
}

BOOST_AUTO_TEST_CASE(which_terms_count_as_lookups) {  // section 4.6.4
    const auth::SpfRecord record = auth::parse_spf_record(
        "v=spf1 include:a.b a mx ptr exists:a.b ip4:192.0.2.1 ip6:::1 all redirect=a.b exp=a.b x=y");
    std::string counted;
    for (const auth::SpfTerm& term : record.mechanisms) counted += term.queries() ? "1" : "0";
    BOOST_TEST(counted == "11111000");
    BOOST_TEST(record.redirect->queries());
    BOOST_TEST(!record.exp->queries());
    BOOST_TEST(!record.unknown_modifiers.front().queries());
    BOOST_TEST((record.all() != nullptr && record.all()->written == "all"));
}

BOOST_AUTO_TEST_SUITE_END()
