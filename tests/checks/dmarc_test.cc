// Proves check_dmarc: which record counts, what it asks for, and every finding with its state and its words.
#include <boost/test/unit_test.hpp>

#include "tests/support/dns_check.h"

namespace {

using mtawatch::test::run_scenarios;
using mtawatch::test::run_with_servers;
using mtawatch::test::run_with_zone;

const std::vector<std::string> arguments{"-d", "example.com"};

// The record at _dmarc.example.com, and places that take reports.
std::string record(const std::string& text) {
    return "_dmarc.example.com TXT \"" + text + R"("
example.com MX 10 mail.example.com
mail.example.com A 192.0.2.1
reports.example.net MX 10 mail.example.net
agreed.example.org MX 10 mail.example.org
example.com._report._dmarc.agreed.example.org TXT "v=DMARC1"
dead.example.org TXT "no mail"
)";
}
const std::string good = "v=DMARC1; p=reject; rua=mailto:d@example.com";

}  // namespace

BOOST_AUTO_TEST_SUITE(check_dmarc)

BOOST_AUTO_TEST_CASE(states) {
    run_scenarios({
        {"ok", record(good), arguments, 0, "DMARC OK - example.com: p=reject, reports to mailto:d@example.com\n"},
        {"crit_absent", "example.com A 192.0.2.1", arguments, 2,
         "DMARC CRITICAL - example.com: there is no DMARC record; publish: _dmarc.example.com. IN TXT \"v=DMARC1; "
         "p=none; rua=mailto:dmarc-reports@example.com\"\n"},
        {"unknown_servfail", "_dmarc.example.com !SERVFAIL", arguments, 3,
         "DMARC UNKNOWN - example.com: TXT _dmarc.example.com: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"unknown_timeout", "_dmarc.example.com !TIMEOUT", arguments, 3,
         "DMARC UNKNOWN - example.com: TXT _dmarc.example.com: no answer from the resolver 192.0.2.53\n"},
        {"unknown_parent_servfail",
         "_dmarc.example.com !SERVFAIL\nmail.example.com A 192.0.2.1",
         {"-d", "mail.example.com"},
         3,
         "DMARC UNKNOWN - mail.example.com: TXT _dmarc.example.com: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"warn_none", record("v=DMARC1; p=none; rua=mailto:d@example.com"), arguments, 1,
         "DMARC WARNING - example.com: receivers apply p=none, less than quarantine; publish: _dmarc.example.com. IN "
         "TXT \"v=DMARC1; p=quarantine; rua=mailto:d@example.com\"\n"},
        {"ok_none_wanted",
         record("v=DMARC1; p=none; rua=mailto:d@example.com"),
         {"-d", "example.com", "--min-policy", "none"},
         0,
         "DMARC OK - example.com: p=none, reports to mailto:d@example.com\n"},
        {"warn_less_than_reject",
         record("v=DMARC1; p=quarantine; rua=mailto:d@example.com"),
         {"-d", "example.com", "--min-policy", "reject"},
         1,
         "DMARC WARNING - example.com: receivers apply p=quarantine, less than reject; publish: _dmarc.example.com. IN "
         "TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n"},
        {"crit_two", record(good) + "_dmarc.example.com TXT \"v=DMARC1; p=none\"", arguments, 2,
         "DMARC CRITICAL - example.com: 2 DMARC records at _dmarc.example.com, so receivers ignore them all; keep one; "
         "publish: _dmarc.example.com. IN TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n"},
        {"crit_near_miss", record("v=dmarc1; p=reject"), arguments, 2,
         "DMARC CRITICAL - example.com: \"v=dmarc1; p=reject\" is no DMARC record: it must begin with exactly "
         "v=DMARC1; publish: _dmarc.example.com. IN TXT \"v=DMARC1; p=reject; "
         "rua=mailto:dmarc-reports@example.com\"\n"},
        {"crit_leading_blank", record(" v=DMARC1; p=reject"), arguments, 2,
         "DMARC CRITICAL - example.com: \" v=DMARC1; p=reject\" is no DMARC record: it must begin with exactly "
         "v=DMARC1; publish: _dmarc.example.com. IN TXT \"v=DMARC1; p=reject; "
         "rua=mailto:dmarc-reports@example.com\"\n"},
        {"crit_no_policy", record("v=DMARC1; rua=mailto:d@example.com"), arguments, 2,
         "DMARC CRITICAL - example.com: p= is missing after v=DMARC1; publish: _dmarc.example.com. IN TXT \"v=DMARC1; "
         "p=none; rua=mailto:d@example.com\" (and 2 more)\n"
         "CRITICAL: example.com: receivers act as if p=none were said\n"
         "WARNING: example.com: receivers apply p=none, less than quarantine\n"},
        {"crit_no_policy_no_rua", record("v=DMARC1"), arguments, 2,
         "DMARC CRITICAL - example.com: p= is missing after v=DMARC1; publish: _dmarc.example.com. IN TXT \"v=DMARC1; "
         "p=none; rua=mailto:dmarc-reports@example.com\" (and 2 more)\n"
         "CRITICAL: example.com: receivers apply no DMARC at all\n"
         "WARNING: example.com: rua= is missing, so nobody tells you what fails\n"},
        {"crit_bad_policy", record("v=DMARC1; p=block; rua=mailto:d@example.com"), arguments, 2,
         "DMARC CRITICAL - example.com: p=block is no policy; write p=none, quarantine or reject; publish: "
         "_dmarc.example.com. IN TXT \"v=DMARC1; p=none; rua=mailto:d@example.com\" (and 2 more)\n"
         "CRITICAL: example.com: receivers act as if p=none were said\n"
         "WARNING: example.com: receivers apply p=none, less than quarantine\n"},
        {"crit_bad_sp", record("v=DMARC1; p=reject; sp=x; rua=mailto:d@example.com"), arguments, 2,
         "DMARC CRITICAL - example.com: sp=x is no policy; write sp=none, quarantine or reject; publish: "
         "_dmarc.example.com. IN TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\" (and 2 more)\n"
         "CRITICAL: example.com: receivers act as if p=none were said\n"
         "WARNING: example.com: receivers apply p=none, less than quarantine\n"},
        {"crit_at_apex", "example.com TXT \"v=DMARC1; p=reject\"", arguments, 2,
         "DMARC CRITICAL - example.com: a DMARC record stands at example.com itself, where nobody looks; move it to "
         "_dmarc.example.com\n"},
        {"crit_dangling_cname", "_dmarc.example.com CNAME example.com.dmarc.vendor.example\nvendor.example A 192.0.2.1",
         arguments, 2,
         "DMARC CRITICAL - example.com: _dmarc.example.com is a CNAME to example.com.dmarc.vendor.example, where there "
         "is no DMARC record\n"},
        {"usage",
         "",
         {"-d", "a..b"},
         3,
         "DMARC UNKNOWN - --domain: \"a..b\" has an empty label; write a domain such as example.com\n"},
    });
}

BOOST_AUTO_TEST_CASE(findings) {
    run_scenarios({
        {"no_rua", record("v=DMARC1; p=reject"), arguments, 1,
         "DMARC WARNING - example.com: rua= is missing, so nobody tells you what fails; publish: _dmarc.example.com. "
         "IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc-reports@example.com\"\n"},
        {"sp_weaker", record(good + "; sp=none; np=quarantine"), arguments, 1,
         "DMARC WARNING - example.com: sp=none leaves subdomains less protected than p=reject; remove sp= (and 1 "
         "more)\n"
         "WARNING: example.com: np=quarantine leaves made-up subdomains less protected than p=reject; remove np=\n"},
        {"test_mode", record(good + "; t=y"), arguments, 1,
         "DMARC WARNING - example.com: t=y: receivers apply the next weaker policy; remove t=y when the trial is "
         "over\n"},
        {"pct",
         record(good + "; pct=50; ri=3600; rf=afrf"),
         {"-d", "example.com", "-v"},
         1,
         "DMARC WARNING - example.com: pct=50 was removed by RFC 9989: newer receivers apply the policy to all mail, "
         "older ones to a part; remove pct=, or for a trial write the next weaker policy (t=y is new: most receivers "
         "do not know it and apply the policy in full)\n"
         "example.com: ri= was removed by RFC 9989; remove it\n"
         "example.com: rf= was removed by RFC 9989; remove it\n"
         "example.com: p=reject loses mail that people of this domain send through mailing lists\n"},
        {"unknown_and_bad",
         record(good + "; x=1; adkim=strict; fo=2"),
         {"-d", "example.com", "-v"},
         1,
         "DMARC WARNING - example.com: adkim=strict is ignored; it takes one of the letters rs; publish: "
         "_dmarc.example.com. IN TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com; x=1\" (and 1 more)\n"
         "WARNING: example.com: fo=2 is ignored; write fo=1\n"
         "example.com: x= is no tag of DMARC; it is ignored\n"
         "example.com: p=reject loses mail that people of this domain send through mailing lists\n"},
        {"p_not_second", record("v=DMARC1; rua=mailto:d@example.com; p=reject"), arguments, 1,
         "DMARC WARNING - example.com: p= is not right after v=DMARC1, as RFC 7489 receivers want it; publish: "
         "_dmarc.example.com. IN TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n"},
        {"no_scheme", record("v=DMARC1; p=reject; rua=d@example.com"), arguments, 1,
         "DMARC WARNING - example.com: rua=d@example.com lacks its scheme; write rua=mailto:d@example.com; publish: "
         "_dmarc.example.com. IN TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n"},
        {"https", record("v=DMARC1; p=reject; rua=https://example.com/r"), arguments, 1,
         "DMARC WARNING - example.com: rua=https://example.com/r is no address for reports; write rua=mailto:ADDRESS; "
         "publish: _dmarc.example.com. IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc-reports@example.com\"\n"},
        {"size",
         record("v=DMARC1; p=reject; rua=mailto:d@example.com!10m"),
         {"-d", "example.com", "-v"},
         0,
         "DMARC OK - example.com: p=reject, reports to mailto:d@example.com!10m\n"
         "example.com: mailto:d@example.com!10m: the size limit is obsolete (RFC 9989)\n"
         "example.com: p=reject loses mail that people of this domain send through mailing lists\n"},
        {"no_consent", record("v=DMARC1; p=reject; rua=mailto:d@reports.example.net"), arguments, 1,
         "DMARC WARNING - example.com: reports.example.net has not agreed to take reports, so none are sent there; "
         "publish: example.com._report._dmarc.reports.example.net. IN TXT \"v=DMARC1\"\n"},
        {"consent", record("v=DMARC1; p=reject; rua=mailto:d@agreed.example.org"), arguments, 0,
         "DMARC OK - example.com: p=reject, reports to mailto:d@agreed.example.org\n"},
        {"dead_destination", record("v=DMARC1; p=reject; rua=mailto:d@dead.example.org"), arguments, 1,
         "DMARC WARNING - example.com: mailto:d@dead.example.org: dead.example.org takes no mail, so reports are "
         "lost\n"},
        {"consent_unseen",
         record("v=DMARC1; p=reject; rua=mailto:d@reports.example.net") +
             "example.com._report._dmarc.reports.example.net !SERVFAIL",
         arguments, 3,
         "DMARC UNKNOWN - example.com: whether reports.example.net takes reports could not be looked up\n"},
        {"psd_misuse", record(good + "; psd=y"), arguments, 1,
         "DMARC WARNING - example.com: psd=y is for public suffixes, which example.com is not; remove it\n"},
        {"strict",
         record(good + "; aspf=s; adkim=s"),
         {"-d", "example.com", "-v"},
         0,
         "DMARC OK - example.com: p=reject, reports to mailto:d@example.com\n"
         "example.com: p=reject loses mail that people of this domain send through mailing lists\n"
         "example.com: aspf=s: mail with a bounce address below the domain does not align by SPF\n"
         "example.com: adkim=s: a signature of a name below the domain does not align\n"},
        {"other_text",
         record(good) + "_dmarc.example.com TXT \"v=spf1 -all\"",
         {"-d", "example.com", "-v"},
         0,
         "DMARC OK - example.com: p=reject, reports to mailto:d@example.com\n"
         "example.com: 1 other TXT records at _dmarc.example.com (a wildcard?)\n"
         "example.com: p=reject loses mail that people of this domain send through mailing lists\n"},
        {"upper_case_policy", record("v = DMARC1 ; P=REJECT ; rua=mailto:d@example.com"), arguments, 0,
         "DMARC OK - example.com: p=reject, reports to mailto:d@example.com\n"},
        {"broken_piece", record(good + ";;nonsense"), arguments, 1,
         "DMARC WARNING - example.com: there is nothing between two semicolons; receivers read such a record "
         "differently; publish: _dmarc.example.com. IN TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\" (and 1 "
         "more)\n"
         "WARNING: example.com: \"nonsense\" is no tag (name=value); receivers read such a record differently\n"},
    });
}

BOOST_AUTO_TEST_CASE(whose_record_counts) {
    const std::string org = record("v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:d@example.com");
    run_scenarios({
        {"subdomain_sp",
         org + "a.example.com A 192.0.2.1",
         {"-d", "a.example.com"},
         1,
         "DMARC WARNING - a.example.com: sp=quarantine leaves subdomains less protected than p=reject; remove sp=\n"},
        {"subdomain_np",
         org,
         {"-d", "made-up.example.com"},
         1,
         "DMARC WARNING - made-up.example.com: sp=quarantine leaves subdomains less protected than p=reject; remove "
         "sp= (and 1 more)\n"
         "WARNING: made-up.example.com: receivers with a public-suffix list (RFC 7489) apply quarantine from "
         "_dmarc.example.com, others reject from _dmarc.example.com\n"},
        {"own_record_wins",
         org + "_dmarc.a.example.com TXT \"v=DMARC1; p=none; rua=mailto:d@example.com\"",
         {"-d", "a.example.com"},
         1,
         "DMARC WARNING - a.example.com: receivers apply p=none, less than quarantine; publish: _dmarc.a.example.com. "
         "IN TXT \"v=DMARC1; p=quarantine; rua=mailto:d@example.com\"\n"},
        {"shortest_name_counts",
         org + "_dmarc.b.example.com TXT \"v=DMARC1; p=none\"\na.b.example.com A 192.0.2.1",
         {"-d", "a.b.example.com", "-vv"},
         1,
         "DMARC WARNING - a.b.example.com: sp=quarantine leaves subdomains less protected than p=reject; remove sp=\n"
         "organizational domain: example.com (public-suffix list: example.com)\n"
         "_dmarc.a.b.example.com: nothing that counts\n"
         "_dmarc.b.example.com: v=DMARC1; p=none\n"
         "_dmarc.example.com: v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:d@example.com\n"
         "_dmarc.com: nothing that counts\n"},
        {"psd_n_stops",
         org + "_dmarc.b.example.com TXT \"v=DMARC1; p=quarantine; psd=n; "
               "rua=mailto:d@b.example.com\"\na.b.example.com A 192.0.2.1\nb.example.com MX 1 x.example.com",
         {"-d", "a.b.example.com", "-vv"},
         0,
         "DMARC OK - a.b.example.com: p=quarantine by p= of _dmarc.b.example.com, reports to mailto:d@b.example.com\n"
         "a.b.example.com: receivers with a public-suffix list (RFC 7489) apply quarantine from _dmarc.example.com, "
         "others quarantine from _dmarc.b.example.com\n"
         "organizational domain: b.example.com (public-suffix list: example.com)\n"
         "_dmarc.a.b.example.com: nothing that counts\n"
         "_dmarc.b.example.com: v=DMARC1; p=quarantine; psd=n; rua=mailto:d@b.example.com\n"},
        {"psd_y_above",
         "_dmarc.co.uk TXT \"v=DMARC1; p=reject; psd=y; rua=mailto:d@nic.uk\"\nnic.uk MX 1 x.nic.uk\na.example.co.uk A "
         "192.0.2.1\nco.uk._report._dmarc.nic.uk TXT \"v=DMARC1\"",
         {"-d", "a.example.co.uk", "-vv"},
         1,
         "DMARC WARNING - a.example.co.uk: receivers with a public-suffix list (RFC 7489) apply none at all, others "
         "reject from _dmarc.co.uk\n"
         "organizational domain: example.co.uk (public-suffix list: example.co.uk)\n"
         "_dmarc.a.example.co.uk: nothing that counts\n"
         "_dmarc.example.co.uk: nothing that counts\n"
         "_dmarc.co.uk: v=DMARC1; p=reject; psd=y; rua=mailto:d@nic.uk\n"},
        {"two_are_none",
         org + "_dmarc.a.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.a.example.com TXT \"v=DMARC1; p=reject\"",
         {"-d", "a.example.com"},
         2,
         "DMARC CRITICAL - a.example.com: 2 DMARC records at _dmarc.a.example.com, so receivers ignore them all; keep "
         "one (and 1 more)\n"
         "WARNING: a.example.com: sp=quarantine leaves subdomains less protected than p=reject; remove sp=\n"},
        {"nine_labels",
         org + "a.b.c.d.e.f.g.example.com A 192.0.2.1",
         {"-d", "a.b.c.d.e.f.g.example.com", "-vv"},
         1,
         "DMARC WARNING - a.b.c.d.e.f.g.example.com: sp=quarantine leaves subdomains less protected than p=reject; "
         "remove sp=\n"
         "organizational domain: example.com (public-suffix list: example.com)\n"
         "_dmarc.a.b.c.d.e.f.g.example.com: nothing that counts\n"
         "_dmarc.c.d.e.f.g.example.com: nothing that counts\n"
         "_dmarc.d.e.f.g.example.com: nothing that counts\n"
         "_dmarc.e.f.g.example.com: nothing that counts\n"
         "_dmarc.f.g.example.com: nothing that counts\n"
         "_dmarc.g.example.com: nothing that counts\n"
         "_dmarc.example.com: v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:d@example.com\n"
         "_dmarc.com: nothing that counts\n"},
    });
}

BOOST_AUTO_TEST_CASE(ttl_and_failure_options) {
    const auto notes = [](const std::string& zone) { return run_with_zone(zone, {"-d", "example.com", "-v"}).text; };
    const auto with_ttl = [](const char* ttl) {
        return "_dmarc.example.com " + std::string(ttl) + " TXT \"" + good + "\"\nexample.com MX 10 mail.example.com";
    };
    const auto holds = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
    BOOST_TEST(holds(notes(with_ttl("86401")), "example.com: TTL 86401 s: a mistake stays for more than a day\n"));
    BOOST_TEST(holds(notes(with_ttl("299")), "example.com: TTL 299 s: receivers ask for it again and again\n"));
    BOOST_TEST(!holds(notes(with_ttl("86400")), "TTL"));
    BOOST_TEST(!holds(notes(with_ttl("300")), "TTL"));
    BOOST_TEST(holds(notes(record(good + "; ruf=mailto:d@example.com; fo=0:1:d")),
                     "fo= asks for 0 and for 1, which holds 0 already; write fo=1\n"));
    BOOST_TEST(holds(notes(record(good + "; fo=1")), "fo= does nothing without ruf=\n"));
}

BOOST_AUTO_TEST_CASE(notes_on_tags) {
    const auto notes = [](const std::string& zone, const char* domain) {
        return run_with_zone(zone, {"-d", domain, "-v"}).text;
    };
    const std::string three =
        record("v=DMARC1; p=reject; rua=mailto:a@example.com,mailto:b@example.com,mailto:c@example.com");
    BOOST_TEST(
        (notes(three, "example.com").find("3 rua addresses; receivers may send to two only\n") != std::string::npos));
    const std::string below =
        record(good) + "_dmarc.a.example.com TXT \"" + good + "; sp=none\"\na.example.com MX 1 x.example.com";
    const std::string unused = "sp= and np= do nothing here: a.example.com is not the organizational domain\n";
    BOOST_TEST((notes(below, "a.example.com").find(unused) != std::string::npos));
}

BOOST_AUTO_TEST_CASE(alignment) {
    const std::string fine = "DMARC OK - example.com: p=reject, reports to mailto:d@example.com\n";
    const std::string never = "so all of its mail fails DMARC";
    struct Row {
        const char* name;
        std::string tags;
        std::vector<std::string> options;
        int exit_code;
        std::string text;
    };
    for (
        const Row& row : std::initializer_list<Row>{
            {"same_name", "; aspf=s; adkim=s", {"--spf-domain=example.com", "--dkim-domain=EXAMPLE.com"}, 0, fine},
            {"relaxed_subdomain", "", {"--spf-domain=bounce.example.com", "--dkim-domain=m.example.com"}, 0, fine},
            {"strict_spf",
             "; aspf=s",
             {"--spf-domain=bounce.example.com", "--dkim-domain=example.com"},
             1,
             "DMARC WARNING - example.com: the bounce domain bounce.example.com never aligns: aspf=s wants example.com "
             "itself; remove aspf=s\n"},
            {"strict_dkim",
             "; adkim=s",
             {"--dkim-domain=m.example.com"},
             2,
             "DMARC CRITICAL - example.com: no domain given aligns with example.com, so all of its mail fails DMARC "
             "(and "
             "1 more)\n"
             "WARNING: example.com: d=m.example.com never aligns: adkim=s wants example.com itself; remove adkim=s\n"},
            {"vendor_signs",
             "",
             {"--spf-domain=example.com", "--dkim-domain=mail.vendor.example"},
             1,
             "DMARC WARNING - example.com: d=mail.vendor.example never aligns: it belongs to vendor.example, not to "
             "example.com; sign with a name within example.com\n"},
            {"vendor_bounces_and_signs", "", {"--spf-domain=vendor.example", "--dkim-domain=vendor.example"}, 2, never},
            {"one_of_two_signatures", "", {"--dkim-domain=example.com", "--dkim-domain=vendor.example"}, 0, fine},
            {"unseen",
             "",
             {"--dkim-domain=dark.example"},
             3,
             "DMARC UNKNOWN - example.com: whether d=dark.example aligns could not be looked up\n"},
            {"usage", "", {"--spf-domain=a..b"}, 3, "DMARC UNKNOWN - --spf-domain: "},
        }) {
        std::vector<std::string> arguments{"-d", "example.com"};
        arguments.insert(arguments.end(), row.options.begin(), row.options.end());
        const auto got = run_with_zone(
            record(good + row.tags) + "_dmarc.vendor.example TXT \"v=DMARC1; p=none\"\n_dmarc.dark.example !SERVFAIL",
            arguments);
        BOOST_TEST(got.exit_code == row.exit_code, row.name << ": " << got.text);
        BOOST_TEST((got.text.find(row.text) != std::string::npos), row.name << ": " << got.text);
    }
    const auto json = run_with_zone(record(good), {"-d", "example.com", "--spf-domain=b.example.com", "-o", "json"});
    BOOST_TEST((json.text.find(R"("alignments":[{"identifier":"spf","domain":"b.example.com","mode":"relaxed",)"
                               R"("organizational_domain":"example.com","aligned":true}])") != std::string::npos),
               json.text);
    const auto none = run_with_zone("example.com A 192.0.2.1", {"-d", "example.com", "--dkim-domain=example.com"});
    BOOST_TEST(none.exit_code == 2);  // without a record there is nothing to align with
    BOOST_TEST((none.text.find("there is no DMARC record") != std::string::npos), none.text);
}

BOOST_AUTO_TEST_CASE(authoritative_servers) {
    const std::string zone = record(good) +
                             "example.com NS ns1.example.net\nexample.com NS ns2.example.net\n"
                             "ns1.example.net A 198.51.100.1\nns2.example.net AAAA 2001:db8::2\n";
    const std::string same = "_dmarc.example.com TXT \"" + good + "\"";
    const auto with_second = [&](const std::string& second) {
        return run_with_servers(zone, {{"198.51.100.1", same}, {"2001:db8::2", second}},
                                {"-d", "example.com", "--authoritative"});
    };
    BOOST_TEST(with_second(same + "\n_dmarc.example.com TXT \"beside\"").exit_code == 0);
    const auto old = with_second("_dmarc.example.com TXT \"v=DMARC1; p=none\"");
    BOOST_TEST(old.exit_code == 2);
    BOOST_TEST((old.text.find(
                    "the authoritative servers publish different DMARC records; ns2.example.net (2001:db8::2): "
                    "\"v=DMARC1; p=none\"; ns1.example.net (198.51.100.1): \"v=DMARC1; p=reject") != std::string::npos),
               old.text);
    const auto silent = with_second("_dmarc.example.com !TIMEOUT");
    BOOST_TEST(silent.exit_code == 3);
    BOOST_TEST(
        (silent.text.find("ns2.example.net (2001:db8::2): TXT _dmarc.example.com: no answer") != std::string::npos),
        silent.text);
}

BOOST_AUTO_TEST_CASE(json) {
    const auto got = run_with_zone(record(good), {"-d", "example.com", "-o", "json"});
    BOOST_TEST(
        (got.text.find(R"("observation":{"domain":"example.com","record_domain":"example.com",)") != std::string::npos),
        got.text);
    BOOST_TEST(
        (got.text.find(
             R"("organizational_domain":"example.com","policy":"reject","policy_tag":"p","subdomain_policy":"reject",)") !=
         std::string::npos),
        got.text);
}

BOOST_AUTO_TEST_SUITE_END()
