// PowerMTA's own bounce patterns, and a site's own words.
#include <boost/test/unit_test.hpp>
#include <string>

#include "shared/mta/classes/bounce_patterns.h"
#include "shared/mta/classes/classes_config.h"

using namespace mtawatch;
using namespace mtawatch::mta::classes;

namespace {

const std::string config_text = R"(
<smtp-pattern-list common>
    reply /greylisted/ mode=normal
</smtp-pattern-list>
<Bounce-Category-Patterns>
    # a comment
    /mailbox +(is +)?full/ quota-issues
    /a\/b/ slash-related   # a note
    /(?-i)SPAM/ spam-related
    /^[45]\.1\.1;/ bad-mailbox
    // other
</Bounce-Category-Patterns>
)";

std::string refusal(const std::string& text) {
    const auto patterns = BouncePatterns::parse(text, "patterns.conf");
    return patterns ? "" : patterns.error().what;
}

std::string class_refusal(const std::string& text) {
    const auto classes = parse_classes(text, "c.yml");
    return classes ? "" : classes.error().what;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_pattern_that_matches_gives_the_category) {
    const auto patterns = BouncePatterns::parse(config_text, "config");
    BOOST_REQUIRE_MESSAGE(patterns, (patterns ? "" : patterns.error().what));
    BOOST_CHECK_EQUAL(patterns->size(), 5U);
    BOOST_CHECK_EQUAL(patterns->category("5.2.2 (x)", "smtp;552 Mailbox  IS full"), "quota-issues");
    BOOST_CHECK_EQUAL(patterns->category("", "smtp;550 A/B"), "slash-related");
    BOOST_CHECK_EQUAL(patterns->category("5.1.1 (bad)", "smtp;550 spam"), "bad-mailbox");
    BOOST_CHECK_EQUAL(patterns->category("5.1.1 (bad)", "smtp;550 SPAM"), "spam-related");
    BOOST_CHECK_EQUAL(patterns->category("5.1.12", "smtp;550"), "other");
    BOOST_CHECK_EQUAL(patterns->category("", std::string("\0\xff\xfe", 3)), "other");
}

BOOST_AUTO_TEST_CASE(a_file_without_tags_is_all_patterns) {
    const auto patterns = BouncePatterns::parse("/quota/ quota-issues\n\n# end\n", "include.conf");
    BOOST_REQUIRE(patterns);
    BOOST_CHECK_EQUAL(patterns->category("", "over Quota"), "quota-issues");
    BOOST_CHECK_EQUAL(patterns->category("", "else"), "");
}

BOOST_AUTO_TEST_CASE(a_runaway_pattern_is_no_match) {
    const auto patterns = BouncePatterns::parse("/^(a+)+$/ runaway\n/b/ found\n", "p");
    BOOST_REQUIRE(patterns);
    BOOST_CHECK_EQUAL(patterns->category("", std::string(60, 'a') + "b"), "found");
}

BOOST_AUTO_TEST_CASE(a_wrong_pattern_is_named_with_its_line) {
    BOOST_CHECK_EQUAL(refusal("/ok/ fine\n/(/ bad\n"),
                      "patterns.conf line 2: the pattern /(/ is wrong at its byte 2: missing closing parenthesis");
    BOOST_CHECK_EQUAL(
        refusal("quota quota-issues\n"),
        "patterns.conf line 1: \"quota quota-issues\" is no pattern; write /regular expression/ category");
    BOOST_CHECK_EQUAL(refusal("/a/\n"), "patterns.conf line 1: the pattern /a/ needs one category after it");
    BOOST_CHECK_EQUAL(refusal("/a\\"),
                      "patterns.conf line 1: \"/a\\\" is no pattern; write /regular expression/ category");
    BOOST_CHECK_EQUAL(refusal(""), "patterns.conf: no bounce category pattern in it");
}

BOOST_AUTO_TEST_CASE(the_classes_section_adds_to_the_built_in_words) {
    const auto classes = parse_classes(R"(
accounting: {files: [/var/log/pmta/acct-*.csv]}
classes:
  providers:
    intranet: {domains: [corp.example], mx: mx.corp.example, rollup: [corp]}
  bounce_classes: {block: [our-block], local: [our-stop-list]}
  aliases: {sent_at: timeLogged}
  record_types: {r: d}
  bounce_patterns: /etc/pmta/config-defaults
)",
                                       "c.yml");
    BOOST_REQUIRE_MESSAGE(classes, (classes ? "" : classes.error().what));
    BOOST_CHECK_EQUAL(classes->providers.name(classes->providers.by_mx("a.mx.corp.example")), "intranet");
    BOOST_CHECK_EQUAL(classes->providers.name(classes->providers.by_domain("gmail.com")), "gmail");
    BOOST_CHECK(classes->bounce_classes.of_category("our-stop-list") == BounceClass::local);
    BOOST_CHECK(classes->bounce_classes.of_category("bad-mailbox") == BounceClass::hard);
    BOOST_CHECK(classes->aliases.at("sent_at") == mta::logs::Column::time_logged);
    BOOST_CHECK(classes->record_types.at("r") == mta::logs::RecordType::d);
    BOOST_CHECK_EQUAL(classes->bounce_patterns_file, "/etc/pmta/config-defaults");
    BOOST_CHECK_EQUAL(class_refusal(""), "");
}

BOOST_AUTO_TEST_CASE(a_wrong_class_is_named_with_file_line_and_key) {
    for (const char* text : {"classes: {bounce_classes: {harsh: [x]}}", "classes: {aliases: {a: nonsense}}",
                             "classes: {record_types: {r: q}}", "classes: {providers: {x: {domains: ['a b']}}}",
                             "classes: {colour: red}", "- a list"}) {
        const std::string refused = class_refusal(text);
        BOOST_CHECK_MESSAGE(refused.starts_with("c.yml line 1"), text << ": " << refused);
    }
}
