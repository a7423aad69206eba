// How a reply is taken apart, what a rule's text means, and what is said of a file of rules that is wrong.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "shared/mta/classes/classes_config.h"
#include "shared/mta/classes/reply_rules.h"

using namespace mtawatch::mta::classes;

BOOST_AUTO_TEST_CASE(a_reply_is_taken_apart) {
    struct {
        const char* status;
        const char* diag;
        const char* words;
        const char* places;
    } const rows[] = {
        {"", "", "", ""},
        {"5.1.1 (bad mailbox)", "", " 5xx: 5.1.1 bad mailbox", ""},
        // Of dsnStatus only the digits count beside a reply, and not even those beside a reply's own.
        {"5.2.1 (mailbox disabled)", "smtp;550 no", " 5xx: 550: no 5.2.1", ""},
        {"5.2.1 (mailbox disabled)", "smtp;550 5.7.1 no", " 5xx: 550: 5.7.1 no", ""},
        {"5.2.1", "smtp;550 no (#5.1.1)", " 5xx: 550: no 5.1.1", ""},
        {"4.4.1", "no answer", " 4xx: no answer 4.4.1", ""},
        // Codes that each line repeats.
        {"", "550-5.1.1 Not\r\n550-5.1.1 here, 550 5.1.1 see http://x.example/a?b=c - gsmtp",
         " 5xx: 550: 5.1.1 not here see gsmtp", " x example a b c ."},
        {"", "550-No\n550 such user", " 5xx: 550: no such user", ""},
        // To whom and from where says nothing.
        {"", "550 5.1.1 <dmarc@b.example>: User unknown", " 5xx: 550: 5.1.1 user unknown", ""},
        {"", "550 RCPT TO:<policy@b.example> refused by a@b.example.", " 5xx: 550: rcpt to refused by .", ""},
        {"", "421 mx1.antispam.example busy", " 4xx: 421: busy", " mx1 antispam example ."},
        {"", "550 unknown[192.0.2.1] and spam.example[192.0.2.1]: no", " 5xx: 550: and no", ""},
        {"", "550 [2001:db8::1] is bad, IPv6:2001:db8::2 and 192.0.2.1 too", " 5xx: 550: bad and too", ""},
        {"", "name=policy.example type=MX", " name type mx", ""},
        // Wrapping.
        {"", "host mx.spam.example[192.0.2.1] said: 450 4.2.0 Later (in reply to RCPT TO command)",
         " 4xx: 450: 4.2.0 later in reply to rcpt to command", ""},
        {"", "host mx.b.example[192.0.2.1] refused to talk to me: 554 5.7.1 no", " 5xx: 554: 5.7.1 no", ""},
        {"", "delivery temporarily suspended: connect to x.virus.example[192.0.2.1]:25: Connection refused",
         " connect to connection refused", ""},
        {"", "* Diagnostic-Code: X-Postfix; 550 no", " 5xx: 550: no", ""},
        {"", "x-pmta;bounce-queue", " x pmta bounce queue", ""},
        {"5.7.1",
         "400 Command rejected Response { code: 554, enhanced_code: Some(EnhancedStatusCode { class: 5, subject: 7, "
         "detail: 1 }), content: \"mx.b.example no\", command: None }",
         " 5.7.1 5xx: 554: no", " mx b example ."},
        // Signs, accents, languages.
        {"", "550 E-mail isn't OVER-QUOTA; user_unknown", " 5xx: 550: email isnt over quota . user unknown", ""},
        {"", "550 Boîte pleine, größe ÉTÉ", " 5xx: 550: boite pleine grosse ete", ""},
        {"", "550 Bo\xEEte \xFF\xFE", " 5xx: 550: boite yt", ""},
        {"", "550 IP被拒", " 5xx: 550: ip 被 拒", ""},
        {"", "550 deferred.Please see RESOLVER.ADR.NotFound", " 5xx: 550: deferred see resolver adr notfound", ""},
        {"", "550 <maxi> 15.2.2 5.2.2.1 v1.2", " 5xx: 550: 15.2.2 v1.2", ""},
    };
    ReplyReader reader;
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.diag) {
            const ReplyText text = reader.read(row.status, row.diag);
            BOOST_CHECK_EQUAL(text.words, row.words);
            BOOST_CHECK_EQUAL(text.places, row.places);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_text_means_what_is_written) {
    struct {
        const char* text;
        const char* reply;
        bool meets;
    } const rows[] = {
        {"user unknown", "550 User (unknown)", true},
        {"user unknown", "550 the user is unknown", true},
        {"user unknown", "550 user. Unknown", false},
        {"user unknown", "550 superuser unknown", false},
        {"user unknown", "550 user unknownst", false},
        {"throttl*", "421 throttling", true},
        {"throttl*", "421 unthrottled", false},
        {"reverse dns*", "550 reverse dnssec", true},
        {"a user .. not found", "550 user petra of ours not found", true},
        {"user .. not found", "550 user unknown. Page not found", false},
        {"user .. not found", "550 not found user", false},
        {"(no/bad/) user", "550 user", true},
        {"(no/bad) user", "550 user", false},
        {"(no (such /)/bad) user", "550 no such user", true},
        {"a & b", "550 b, a", false},
        {"xx & yy", "550 yy, xx", true},
        {"xx & !yy", "550 yy, xx", false},
        {"xx & !yy", "550 xx", true},
        {"4xx: & busy", "450 busy", true},
        {"4xx: & busy", "550 busy", false},
        {"550: & busy", "550 busy", true},
        {"busy & 5.1.1", "550 5.1.1 busy", true},
        {"busy & 5.1.1", "550 5.1.10 busy", false},
        {"@lists.example", "550 see https://www.lists.example/why", true},
        {"@lists.example", "550 <lists@lists.example> lists example", false},
        {"lists example", "550 see https://www.lists.example/why", false},
        {"用户不存在", "550 该用户不存在", true},
        {"boîte pleine", "550 Boite pleine", true},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.text << " in " << row.reply) {
            const ReplyRule rule{"x", ReplyClass::policy, BounceClass::block, false, row.text};
            ReplyTableBuilder builder;
            const auto done = builder.add(rule);
            if (!done) {
                BOOST_CHECK(!row.meets);
                continue;
            }
            const ReplyTable table = builder.table();
            ReplyReader reader;
            BOOST_CHECK_EQUAL(table.find(reader.read({}, row.reply)) == 0, row.meets);
            BOOST_CHECK_EQUAL(table.meets(0, reader.read({}, row.reply)), row.meets);
        }
    }
}

// The fast search must give what a look at every rule gives.
BOOST_AUTO_TEST_CASE(the_index_finds_what_a_look_at_every_rule_finds) {
    std::ifstream file(MTAWATCH_SOURCE_DIR "/shared/mta/classes/reply_rules.yml");
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto rules = parse_reply_rules(text, "reply_rules.yml");
    BOOST_REQUIRE_MESSAGE(rules, rules.error().what);
    ReplyTableBuilder builder;
    for (const ReplyRuleEntry& entry : *rules) BOOST_REQUIRE(builder.add(entry.rule));
    const ReplyTable table = builder.table();
    BOOST_CHECK(check_reply_rules(*rules, table).empty());
    ReplyReader reader;
    std::ifstream replies(MTAWATCH_SOURCE_DIR "/tests/shared/mta/classes/reply_texts.tsv");
    for (std::string line; std::getline(replies, line);) {
        const ReplyText reply = reader.read({}, line.substr(line.rfind('\t') + 1));
        std::size_t first = 0;
        while (first < rules->size() && !table.meets(first, reply)) ++first;
        const std::size_t found = table.find(reply);
        BOOST_CHECK_MESSAGE(found == (first == rules->size() ? ReplyTable::none : first), line);
    }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_file_of_rules_is_said) {
    const std::string good =
        "- {rule: one, reason: policy, class: block, source: x, text: go away, match: 550 go away, near: 550 away}\n";
    const auto faults = [](const std::string& text) -> std::string {
        const auto rules = parse_reply_rules(text, "rules.yml");
        if (!rules) return rules.error().what;
        ReplyTableBuilder builder;
        for (const ReplyRuleEntry& entry : *rules) {
            if (const auto done = builder.add(entry.rule); !done) return done.error().what;
        }
        std::string all;
        for (const std::string& fault : check_reply_rules(*rules, builder.table())) all += fault + "\n";
        return all;
    };
    BOOST_CHECK_EQUAL(faults(good), "");
    BOOST_CHECK_EQUAL(
        faults(good + "- {rule: two, reason: size, class: soft, source: x, text: please go away now, match: 550 go "
                      "away, near: x}\n"),
        "line 2: two: match: \"550 go away\" is taken by one\n"
        "line 2: two: text: \"please go away now\" never decides, one takes it\n");
    BOOST_CHECK_EQUAL(
        faults(good + "- {rule: one, reason: size, class: soft, source: x, text: too big, match: 550 too big, near: "
                      "550 is too big}\n"),
        "line 2: one: there is another rule with this name\n"
        "line 2: one: near: \"550 is too big\" meets the rule\n");
    const auto with = [&](const std::string& key, const std::string& value) {
        std::string text = good;
        const std::size_t at = text.find(key + ": ");
        return faults(text.replace(at, text.find(',', at) - at, key + ": " + value));
    };
    BOOST_CHECK_EQUAL(with("reason", "bad"),
                      "rules.yml line 1: [0]: reason: \"bad\" is none of the reasons in docs/replies.md");
    BOOST_CHECK_EQUAL(with("class", "hard"), "rules.yml line 1: [0]: class: policy is always block");
    BOOST_CHECK_EQUAL(with("text", "\"!away\""), "the text \"!away\" says only what must not be there");
    BOOST_CHECK_EQUAL(with("text", "a"), "the text \"a\" has a part without a word (host names begin with @)");
    BOOST_CHECK_EQUAL(with("text", "abc*"), "the text \"abc*\" needs four letters before the *");
    BOOST_CHECK_EQUAL(with("text", "go .. to .. it"),
                      "the text \"go .. to .. it\" has a \" .. \" that does not stand between two phrases of words");
    BOOST_CHECK_EQUAL(with("text", "go & to .. it"), "the text \"go & to .. it\" has a \" .. \" in a condition");
}

BOOST_AUTO_TEST_CASE(an_operators_rule_comes_first) {
    const auto classes = parse_classes(
        "classes:\n"
        "  replies:\n"
        "    our-partner: {text: \"contract & !spam\", reason: policy}\n"
        "    not-full: {text: mailbox full, reason: inactive, class: hard}\n",
        "x.yml");
    BOOST_REQUIRE_MESSAGE(classes, classes.error().what);
    const ReplyClassifier classifier(classes->reply_rules);
    const auto rule = [&](const char* reply) { return std::string(classifier.classify({}, reply).rule); };
    BOOST_CHECK_EQUAL(rule("550 5.1.1 not in our contract"), "our-partner");
    BOOST_CHECK_EQUAL(rule("552 mailbox full"), "not-full");
    BOOST_CHECK_EQUAL(rule("550 user unknown"), "user-unknown");
    BOOST_CHECK_EQUAL(classifier.rules(), ReplyClassifier().rules() + 2);
    const auto refused = [](const std::string& body) {
        const auto read = parse_classes("classes:\n  replies:\n    x: " + body + "\n", "x.yml");
        return read ? std::string("read") : read.error().what;
    };
    BOOST_CHECK_EQUAL(refused("{text: go}"), "x.yml line 3: classes.replies.x: \"reason\" is missing");
    BOOST_CHECK_EQUAL(
        refused("{text: the, reason: policy}"),
        "x.yml line 3: classes.replies.x: the text \"the\" has a part without a word (host names begin with @)");
    BOOST_CHECK_EQUAL(refused("{text: go, reason: other}"),
                      "x.yml line 3: classes.replies.x: reason: \"other\" is none of the reasons in docs/replies.md");
}
