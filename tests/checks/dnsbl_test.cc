// Proves what check_dnsbl answers: for listings, for lists that cannot be believed, and for the mistakes that other
// tools make.
#include <boost/test/unit_test.hpp>

#include "shared/base/text.h"
#include "tests/support/folder.h"
#include "tests/support/run_check.h"
#include "tests/support/zone_transport.h"

using namespace mtawatch;
using plugin::Outcome;

namespace {

// Lists below example: each with its test entries (RFC 5782), and 192.0.2.1 as the target.
constexpr std::string_view good_lists = R"(
2.0.0.127.good.example   A 127.0.0.2
2.0.0.127.other.example  A 127.0.0.2
2.0.0.127.third.example  A 127.0.0.2
2.0.0.127.hit.example    A 127.0.0.2
1.2.0.192.hit.example    A 127.0.0.2
1.2.0.192.hit.example    TXT "seen in a trap, 2026-11-20"
2.0.0.127.zen.spamhaus.org A 127.0.0.2
2.0.0.127.zen.spamhaus.org A 127.0.0.4
2.0.0.127.zen.spamhaus.org A 127.0.0.10
1.2.0.192.zen.spamhaus.org A 127.0.0.10
2.2.0.192.zen.spamhaus.org A 127.0.0.10
2.2.0.192.zen.spamhaus.org A 127.0.0.2
2.2.0.192.zen.spamhaus.org TXT "https://www.example.net/query/192.0.2.2"
2.0.0.127.v6.example      A 127.0.0.2
2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.v6.example A 127.0.0.2
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.v6.example A 127.0.0.2
test.domains.example      A 127.0.1.2
example.com.domains.example A 127.0.1.2
2.0.0.127.list.dnswl.org  A 127.0.10.0
2.0.0.127.list.dnswl.org  A 127.0.4.1
1.2.0.192.list.dnswl.org  A 127.0.4.1
test.surbl.org.multi.surbl.org A 127.0.0.254
example.com.multi.surbl.org A 127.0.0.72
example.net.multi.surbl.org A 127.0.0.32
mx.example.net            A 192.0.2.1
mx.example.net            A 192.0.2.3
inside.example.net        A 10.1.2.3
)";

// Lists that must not be believed.
constexpr std::string_view bad_lists = R"(
2.0.0.127.blocked.example  A 127.0.0.2
1.2.0.192.blocked.example  A 127.255.255.254
*.refusing.example         A 127.255.255.254
2.0.0.127.white.example    A 127.0.0.2
1.2.0.192.white.example    A 127.0.0.1
*.parked.example           A 93.184.216.34
2.0.0.127.odd.example      A 127.0.0.2
1.2.0.192.odd.example      A 93.184.216.34
*.world.example            A 127.0.0.2
*.fail.example             !SERVFAIL
*.closed.example           !REFUSED
*.silent.example           !TIMEOUT
*.silent2.example          !TIMEOUT
*.junk.example             !GARBAGE
*.cut.example              !TRUNCATED
2.0.0.127.flaky.example    A 127.0.0.2
1.2.0.192.flaky.example    !SERVFAIL
2.0.0.127.turn.example     A 127.0.0.2
1.2.0.192.turn.example     CNAME a.turn.example
a.turn.example             CNAME b.turn.example
b.turn.example             CNAME a.turn.example
2.0.0.127.chain.example    A 127.0.0.2
1.2.0.192.chain.example    CNAME x.chain.example
x.chain.example            CNAME y.chain.example
y.chain.example            A 127.0.0.4
noentry.emptied.example    TXT "closed"
)";

struct Fixture {
    test::ZoneText zone{std::string(good_lists) + std::string(bad_lists)};
    test::FakeClock clock;
    test::Folder folder;
    io::Files files = folder.files();
    probe::world::World world;

    Fixture() {
        world.clock = &clock;
        world.files = &files;
        world.open_dns = zone.opener(&clock);
    }
    Outcome run(std::string_view line) {
        std::vector<std::string> arguments;
        for (const auto word : base::words(line)) arguments.emplace_back(word);
        return test::run_check(arguments, world);
    }
};

struct Scenario {
    const char* name;
    const char* arguments;
    int exit_code;
    const char* first;  // the first line up to the performance data
};

std::string first_line(const Outcome& outcome) {
    const std::string line = outcome.text.substr(0, outcome.text.find('\n'));
    return line.substr(0, line.find(" | "));
}

constexpr Scenario states[] = {
    {"ok_on_no_list", "-a 192.0.2.9 -l good.example -l other.example", 0, "DNSBL OK - 192.0.2.9 is on none of 2 lists"},
    {"crit_listed_by_one_list", "-a 192.0.2.1 -l good.example -l hit.example", 2,
     "DNSBL CRITICAL - 192.0.2.1 is listed by hit.example (127.0.0.2), \"seen in a trap, 2026-11-20\""},
    {"warn_listed_by_an_advisory_list", "-a 192.0.2.1 -l good.example -l hit.example=advisory", 1,
     "DNSBL WARNING - 192.0.2.1 is listed by hit.example (127.0.0.2), \"seen in a trap, 2026-11-20\""},
    {"warn_severity_is_per_code", "-a 192.0.2.1 -l zen.spamhaus.org", 1,
     "DNSBL WARNING - 192.0.2.1 is listed by zen.spamhaus.org: PBL: address range that the provider says sends no mail "
     "(127.0.0.10); delisting: https://check.spamhaus.org/"},
    {"crit_every_a_record_counts", "-a 192.0.2.2 -l zen.spamhaus.org", 2,
     "DNSBL CRITICAL - 192.0.2.2 is listed by zen.spamhaus.org: PBL: address range that the provider says sends no "
     "mail; "
     "SBL: spam source or spam service (127.0.0.10, 127.0.0.2), \"https://www.example.net/query/192.0.2.2\"; "
     "delisting: "
     "https://check.spamhaus.org/"},
    {"ok_within_thresholds", "-a 192.0.2.1 -l good.example -l hit.example -c 1", 0,
     "DNSBL OK - 1 listing within the limits"},
    {"crit_above_threshold", "-a 192.0.2.1 -l good.example -l hit.example -w 0 -c 0", 2,
     "DNSBL CRITICAL - 192.0.2.1 is listed by hit.example (127.0.0.2), \"seen in a trap, 2026-11-20\" (and 1 more)"},
    {"crit_ipv6", "-a 2001:db8::1 -l v6.example", 2,
     "DNSBL CRITICAL - 2001:db8::1 is listed by v6.example (127.0.0.2)"},
    {"crit_domain", "-d Example.COM. -l domains.example", 2,
     "DNSBL CRITICAL - example.com is listed by domains.example (127.0.1.2)"},
    {"crit_bits_of_a_domain_list", "-d example.com -l multi.surbl.org", 2,
     "DNSBL CRITICAL - example.com is listed by multi.surbl.org: PH: phishing; ABUSE: spam and abuse (127.0.0.72); "
     "delisting: https://surbl.org/surbl-analysis"},
    {"ok_informational_bit", "-d example.net -l multi.surbl.org", 0,
     "DNSBL OK - example.net is not on multi.surbl.org"},
    {"ok_allow_list_never_alarms", "-a 192.0.2.1 -l list.dnswl.org -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example"},
    {"ok_network", "-a 192.0.2.8/30 -l good.example", 0, "DNSBL OK - 4 targets are not on good.example"},
    {"crit_name_means_all_its_addresses", "-H mx.example.net -l hit.example", 2,
     "DNSBL CRITICAL - 192.0.2.1 is listed by hit.example (127.0.0.2), \"seen in a trap, 2026-11-20\""},
    {"crit_answer_through_a_cname_chain", "-a 192.0.2.1 -l chain.example", 2,
     "DNSBL CRITICAL - 192.0.2.1 is listed by chain.example (127.0.0.4)"},
};

// mail-auth facts: what other tools call a listing or clean, and what it is. Each with two believable lists beside it,
// which must stay reported.
constexpr Scenario peers_mistakes[] = {
    {"open_resolver_code_is_no_listing", "-a 192.0.2.1 -l blocked.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: blocked.example (it answers "
     "127.255.255.254: it refuses public and open resolvers)"},
    {"code_127_0_0_1_is_no_listing", "-a 192.0.2.1 -l white.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: white.example (it answers 127.0.0.1: it "
     "refuses this resolver)"},
    {"answer_outside_127_is_no_listing", "-a 192.0.2.1 -l odd.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: odd.example (it answers 93.184.216.34, "
     "outside 127.0.0.0/8: a parked domain or a rewriting resolver)"},
    {"parked_list_has_no_say", "-a 192.0.2.1 -l parked.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: parked.example (it answers 93.184.216.34 "
     "for its test entry: a parked domain)"},
    {"wildcard_list_has_no_say", "-a 192.0.2.1 -l world.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: world.example (it answers 127.0.0.2 for an "
     "entry that must not be listed: it lists everything)"},
    {"emptied_list_is_not_clean", "-a 192.0.2.1 -l emptied.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: emptied.example (it does not list its own "
     "test entry: emptied or shut down)"},
    {"servfail_is_not_clean", "-a 192.0.2.1 -l fail.example", 3,
     "DNSBL UNKNOWN - the list could not tell about 192.0.2.1 (--min-answers 50): fail.example (SERVFAIL)"},
    {"servfail_for_the_target_alone_is_not_clean", "-a 192.0.2.1 -l flaky.example", 3,
     "DNSBL UNKNOWN - the list could not tell about 192.0.2.1 (--min-answers 50): flaky.example (SERVFAIL)"},
    {"refused_is_not_clean", "-a 192.0.2.1 -l closed.example -l good.example -l other.example", 0,
     "DNSBL OK - 192.0.2.1 is on none of 2 lists; one list could not tell: closed.example (REFUSED)"},
    {"all_lists_silent_is_not_ok", "-a 192.0.2.1 -l silent.example -l silent2.example", 3,
     "DNSBL UNKNOWN - the resolver 192.0.2.53 does not answer, so nothing is known; name another with --dns-server"},
    {"one_silent_list_hides_no_listing", "-a 192.0.2.1 -l silent.example -l good.example -l hit.example", 2,
     "DNSBL CRITICAL - 192.0.2.1 is listed by hit.example (127.0.0.2), \"seen in a trap, 2026-11-20\""},
    {"one_silent_list_is_named", "-a 192.0.2.9 -l silent.example -l good.example -l hit.example", 0,
     "DNSBL OK - 192.0.2.9 is on none of 2 lists; one list could not tell: silent.example (no answer in time)"},
    {"garbage_is_not_clean", "-a 192.0.2.1 -l junk.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: junk.example (malformed)"},
    {"cut_answer_is_not_clean", "-a 192.0.2.1 -l cut.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: cut.example (malformed)"},
    {"cname_loop_is_not_clean", "-a 192.0.2.1 -l turn.example -l good.example", 0,
     "DNSBL OK - 192.0.2.1 is not on good.example; one list could not tell: turn.example (CNAME loop)"},
    {"every_list_refuses_the_resolver", "-a 192.0.2.1 -l refusing.example -l closed.example", 3,
     "DNSBL UNKNOWN - every list refuses the resolver 192.0.2.53 (public, open or too busy): ask through a resolver of "
     "your "
     "own with --dns-server, or use keyed zones (key_file in --list-file)"},
    {"too_few_lists_answer", "-a 192.0.2.9 -l good.example -l fail.example -l silent.example", 3,
     "DNSBL UNKNOWN - only 1 of 3 lists could tell about 192.0.2.9 (--min-answers 50): fail.example (SERVFAIL), "
     "silent.example (no answer in time)"},
    {"dead_list_gives_a_warning", "-a 192.0.2.9 -l good.example -l ix.dnsbl.manitu.net", 1,
     "DNSBL WARNING - ix.dnsbl.manitu.net is no list any more (NiX Spam, emptied on 16 January 2025): take it out of "
     "the "
     "configuration"},
    {"dead_list_below_a_dead_zone", "-a 192.0.2.9 -l good.example -l dnsbl.sorbs.net", 1,
     "DNSBL WARNING - dnsbl.sorbs.net is no list any more (emptied on 5 June 2024): take it out of the configuration"},
};

constexpr Scenario bad_input[] = {
    {"nothing_given", "", 3,
     "DNSBL UNKNOWN - nothing to look for: give --address IP, network or host name, or --domain"},
    {"unknown_list", "-a 192.0.2.1 -l spamhouse", 3,
     "DNSBL UNKNOWN - unknown list \"spamhouse\"; write the zone of a list"},
    {"unknown_severity", "-a 192.0.2.1 -l hit.example=high", 3,
     "DNSBL UNKNOWN - list hit.example: \"high\" is no severity; write hit.example=critical or hit.example=advisory"},
    {"same_list_twice", "-a 192.0.2.1 -l hit.example -l HIT.example=advisory", 3,
     "DNSBL UNKNOWN - list hit.example is given twice"},
    {"private_address", "-a 10.0.0.1 -l hit.example", 3,
     "DNSBL UNKNOWN - 10.0.0.1 is private (RFC 1918); no list holds it, write the address the Internet sees"},
    {"cgnat_address", "-a 100.64.0.1 -l hit.example", 3,
     "DNSBL UNKNOWN - 100.64.0.1 is shared by carrier-grade NAT (RFC 6598)"},
    {"loopback_address", "-a ::1 -l hit.example", 3, "DNSBL UNKNOWN - ::1 is loopback"},
    {"mapped_loopback", "-a ::ffff:127.0.0.2 -l hit.example", 3,
     "DNSBL UNKNOWN - ::ffff:127.0.0.2: 127.0.0.2 is loopback"},
    {"link_local_address", "-a fe80::1 -l hit.example", 3, "DNSBL UNKNOWN - fe80::1 is link-local"},
    {"unique_local_address", "-a fd00::1 -l hit.example", 3, "DNSBL UNKNOWN - fd00::1 is unique local (RFC 4193)"},
    {"name_with_a_private_address", "-a inside.example.net -l hit.example", 3,
     "DNSBL UNKNOWN - inside.example.net: 10.1.2.3 is private (RFC 1918)"},
    {"bad_network", "-a 192.0.2.0/33 -l hit.example", 3,
     "DNSBL UNKNOWN - --address: \"192.0.2.0/33\" has no prefix length that fits the address"},
    {"host_bits", "-a 192.0.2.1/24 -l hit.example", 3,
     "DNSBL UNKNOWN - --address: \"192.0.2.1/24\" has host bits set; write 192.0.2.0/24"},
    {"not_an_address", "-a 300.1.2.3 -l hit.example", 3,
     "DNSBL UNKNOWN - --address: \"300.1.2.3\" is neither a name nor an IP address"},
    {"too_many_addresses", "-a 192.0.0.0/16 -l hit.example", 3,
     "DNSBL UNKNOWN - 192.0.0.0/16: more than 4096 addresses"},
    {"too_many_in_sum", "-a 198.18.0.0/20 -a 192.0.2.1 -l hit.example", 3,
     "DNSBL UNKNOWN - more than 4096 addresses and domains"},
    {"ipv6_network_too_large", "-a 2001:db8::/64 -l v6.example", 3,
     "DNSBL UNKNOWN - 2001:db8::/64: more than 4096 addresses"},
    {"no_such_host", "-a nowhere.example.net -l hit.example", 3,
     "DNSBL UNKNOWN - there is no host nowhere.example.net in the DNS"},
    {"host_cannot_be_looked_up", "-a x.fail.example -l hit.example", 3,
     "DNSBL UNKNOWN - A x.fail.example: the resolver 192.0.2.53 answered SERVFAIL"},
    {"bad_domain", "-d a..b -l domains.example", 3, "DNSBL UNKNOWN - --domain: \"a..b\" has an empty label"},
    {"address_as_domain", "-d 192.0.2.1 -l domains.example", 3,
     "DNSBL UNKNOWN - --domain: \"192.0.2.1\" is an IP address; write a domain"},
    {"no_list_for_domains", "-d example.com -l zen.spamhaus.org", 3,
     "DNSBL UNKNOWN - none of the lists takes what was given; name others with --list"},
    {"no_list_for_ipv6", "-a 2001:db8::1 -l bl.spamcop.net", 3,
     "DNSBL UNKNOWN - none of the lists takes 2001:db8::1: name one for addresses of its family with --list"},
    {"missing_list_file", "-a 192.0.2.1 --list-file /none.yml", 3, "DNSBL UNKNOWN - list file: "},
    {"bad_server", "-a 192.0.2.1 -l hit.example --dns-server resolver", 3, "DNSBL UNKNOWN - "},
    {"run_that_cannot_end", "-a 198.18.0.0/20 -l good.example", 3,
     "DNSBL UNKNOWN - 4096 targets on 1 list take about 13 s: give -t 17 or more"},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(check_dnsbl, Fixture)

BOOST_AUTO_TEST_CASE(states_and_their_lines) {
    for (const Scenario& scenario : states) {
        const Outcome outcome = run(scenario.arguments);
        BOOST_TEST(outcome.exit_code == scenario.exit_code, scenario.name << ": " << outcome.text);
        BOOST_TEST(first_line(outcome) == scenario.first, scenario.name << ": " << outcome.text);
    }
}

BOOST_AUTO_TEST_CASE(mistakes_of_other_tools) {
    for (const Scenario& scenario : peers_mistakes) {
        const Outcome outcome = run(scenario.arguments);
        BOOST_TEST(outcome.exit_code == scenario.exit_code, scenario.name << ": " << outcome.text);
        BOOST_TEST(first_line(outcome) == scenario.first, scenario.name << ": " << outcome.text);
    }
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused_with_the_reason) {
    for (const Scenario& scenario : bad_input) {
        const Outcome outcome = run(scenario.arguments);
        BOOST_TEST(outcome.exit_code == scenario.exit_code, scenario.name << ": " << outcome.text);
        BOOST_TEST(outcome.text.starts_with(scenario.first), scenario.name << ": " << outcome.text);
    }
}

BOOST_AUTO_TEST_CASE(without_the_self_test_an_answer_counts_as_it_is) {
    BOOST_TEST(run("-a 192.0.2.1 -l world.example --no-self-test").exit_code == 2);
    BOOST_TEST(run("-a 192.0.2.9 -l emptied.example --no-self-test").exit_code == 0);
    BOOST_TEST(run("-a 192.0.2.1 -l blocked.example --no-self-test").exit_code == 3);
    BOOST_TEST(zone.times_asked("2.0.0.127.world.example A") == 0U);
}

BOOST_AUTO_TEST_CASE(performance_data_counts_listings_and_silence) {
    const Outcome outcome = run("-a 192.0.2.1 -l good.example -l hit.example -l hit2.example -l silent.example -c 3");
    BOOST_TEST(outcome.text.find("| listings=1;;3;0 critical=1;;;0 advisory=0;;;0 could_not_tell=2;;;0;4 lists=4;;;0 "
                                 "time=2.001s;;;0\n") != std::string::npos,
               outcome.text);
}

BOOST_AUTO_TEST_CASE(json_has_every_pair_and_the_health_of_every_list) {
    const Outcome outcome =
        run("-a 192.0.2.1 -l hit.example -l silent.example -l zen.spamhaus.org --min-answers 0 -o json");
    const auto has = [&outcome](std::string_view part) { return outcome.text.find(part) != std::string::npos; };
    BOOST_TEST(
        has(R"({"target":"192.0.2.1","list":"hit.example","verdict":"listed","why":null,"codes":["127.0.0.2"],)"
            R"("meaning":null,"text":"seen in a trap, 2026-11-20","severity":"critical","delist":null,"asked":null})"),
        outcome.text);
    BOOST_TEST(has(R"({"target":"192.0.2.1","list":"silent.example","verdict":"unknown","why":"no answer in time",)"
                   R"("codes":[],"meaning":null,"text":null,"severity":null,"delist":null,"asked":null})"),
               outcome.text);
    BOOST_TEST(has(R"("severity":"advisory","delist":"https://check.spamhaus.org/","asked":null})"), outcome.text);
    BOOST_TEST(has(R"({"list":"silent.example","health":"timeout","why":"it does not answer"})"), outcome.text);
    BOOST_TEST(has(R"({"list":"hit.example","health":"ok","why":""})"), outcome.text);
}

BOOST_AUTO_TEST_CASE(a_keyed_zone_shows_only_its_name) {
    std::string key = "k";
    for (int i = 0; i < 12; ++i) key += static_cast<char>('a' + (std::rand() % 26));  // made here, so in no fixture
    folder.write("/keys/list.key", key + "\n");
    folder.write("/lists.yml", R"(
lists:
  - {name: keyed, zone: "{key}.keyed.example", key_file: /keys/list.key, delist: "https://www.example.net/remove"}
)");
    test::ZoneText keyed("2.0.0.127." + key + ".keyed.example A 127.0.0.2\n" +  //
                         "1.2.0.192." + key + ".keyed.example A 127.0.0.2\n" +  //
                         "1.2.0.192." + key + ".keyed.example TXT \"see https://" + key + ".example/\"\n");
    world.open_dns = keyed.opener(&clock);
    for (const char* arguments :
         {"-a 192.0.2.1 --list-file /lists.yml -vvv", "-a 192.0.2.1 --list-file /lists.yml -o json"}) {
        const Outcome outcome = run(arguments);
        BOOST_TEST(outcome.exit_code == 2, outcome.text);
        BOOST_TEST(outcome.text.find(key) == std::string::npos, outcome.text);
        BOOST_TEST(outcome.text.find("192.0.2.1 is listed by keyed (127.0.0.2)") != std::string::npos, outcome.text);
        BOOST_TEST(outcome.text.find("see https://***.example/") != std::string::npos, outcome.text);
    }
}

BOOST_AUTO_TEST_CASE(a_list_file_says_where_it_is_wrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "/l.yml: no list in it; write entries below \"lists:\""},
        {"lists: []\n", "/l.yml: no list in it"},
        {"lists:\n  - {name: a.example, enabled: false}\n", "/l.yml: no list in it is enabled"},
        {"lists:\n  - {name: a.example}\n  - {name: a.example}\n",
         "/l.yml line 3: lists[1]: the list a.example is there twice"},
        {"lists:\n  - {name: a.example, codes: [{match: 1.2}]}\n",
         "/l.yml line 2: lists[0].codes[0]: match: must be an IPv4 address"},
        {"lists:\n  - {name: a.example, error_codes: [mask:999]}\n", "/l.yml line 2: lists[0].error_codes: must be"},
        {"lists:\n  - {name: a.example, colour: red}\n", "/l.yml line 2: "},
        {"lists:\n  - {name: a.example, kind: mail}\n", "/l.yml line 2: lists[0].kind"},
        {"lists:\n  - {kind: ip}\n", "/l.yml line 2: lists[0]: a list needs a name or a zone"},
        {"lists:\n  - {name: a, zone: \"{key}.a.example\"}\n",
         "/l.yml line 2: lists[0]: a: {key} in the zone and key_file go together"},
        {"lists:\n  - {name: a, zone: \"bad..zone\"}\n", "/l.yml line 2: lists[0]: the zone of a is not a domain name"},
        {"lists:\n  - {name: a, zone: \"{key}.a.example\", key_file: /nokey}\n", "list a: key_file: "},
        {"lists:\n  - {name: a.example, test_listed: [x.y]}\n",
         "/l.yml line 2: lists[0]: test entry \"x.y\" is not an IP address"},
    };
    for (const auto& [text, message] : cases) {
        folder.write("/l.yml", text);
        const Outcome outcome = run("-a 192.0.2.1 --list-file /l.yml");
        BOOST_TEST(outcome.exit_code == 3, text << outcome.text);
        BOOST_TEST(outcome.text.starts_with(std::string("DNSBL UNKNOWN - ") + message), text << ": " << outcome.text);
    }
}

BOOST_AUTO_TEST_CASE(the_built_in_set_is_asked_by_default) {
    const Outcome outcome = run("-a 192.0.2.9 -v");
    BOOST_TEST(outcome.exit_code == 3);  // of the built-in lists the zone text knows one
    BOOST_TEST(zone.times_asked("9.2.0.192.zen.spamhaus.org A") == 1U);
    BOOST_TEST(zone.times_asked("9.2.0.192.bl.spamcop.net A") == 1U);
    BOOST_TEST(zone.times_asked("9.2.0.192.b.barracudacentral.org A") == 0U);  // for registered resolvers
    BOOST_TEST(zone.times_asked("9.2.0.192.dbl.spamhaus.org A") == 0U);        // for domains
}

BOOST_AUTO_TEST_SUITE_END()
