// Proves what a typed answer says for every way the DNS can answer or fail to.
#include <boost/test/unit_test.hpp>

#include "shared/dns/lookup.h"
#include "tests/support/zone_transport.h"

using namespace mtawatch;
using dns::Failure;
using dns::Outcome;
using dns::Type;

namespace {

constexpr std::string_view zone = R"(
# a little of everything
mx.example.com       A      192.0.2.1
mx.example.com       60 A   192.0.2.2
mx.example.com       AAAA   2001:db8::1
example.com          MX     20 MX.Example.com
example.com          MX     10 mx2.example.com
null.example         MX     0 .
example.com          TXT    "v=spf1 " "-all"
example.com          TXT    "second"
example.com          NS     ns1.example.net
example.com          SOA    ns1.example.net. hostmaster.example.com. 7 3600 600 86400 60
1.2.0.192.in-addr.arpa PTR  mx.example.com
_25._tcp.mx.example.com TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
www.example.com      CNAME  a.example.com
a.example.com        CNAME  mx.example.com
loop.example         CNAME  loop2.example
loop2.example        CNAME  loop.example
dangling.example     CNAME  nothing.example
*.wild.example       A      127.0.0.2
deep.one.wild.example TXT   "x"
bad.example          !SERVFAIL
no.example           !REFUSED
odd.example          !FORMERR
slow.example         !TIMEOUT
gone.example         !UNREACHABLE
junk.example         !GARBAGE
short.example        !TRUNCATED
short.example        A 192.0.2.9
mixed.example        A 192.0.2.9
mixed.example  TXT   !TIMEOUT
*.dead.example       !TIMEOUT
signed.example       !SIGNED
signed.example       A 192.0.2.7
out.signed.example   CNAME mx.example.com
)";

struct Fixture {
    test::ZoneText text{zone};
    test::FakeClock clock;
    std::unique_ptr<dns::Transport> transport = text.transport(&clock);
    base::Deadline deadline{clock, std::chrono::seconds(60)};

    dns::Answer ask(const std::string& name, Type type = Type::a) {
        return dns::lookup(*transport, {name, type, true, 0}, deadline);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lookups, Fixture)

BOOST_AUTO_TEST_CASE(every_type_comes_as_its_struct) {
    const auto a = ask("mx.example.com");
    BOOST_TEST(a.records.addresses.size() == 2U);
    BOOST_TEST(a.records.addresses[1].to_string() == "192.0.2.2");
    BOOST_TEST(a.records.ttl == 60U);
    BOOST_TEST(ask("mx.example.com", Type::aaaa).records.addresses.at(0).to_string() == "2001:db8::1");
    const auto mx = ask("EXAMPLE.com", Type::mx);
    BOOST_TEST((mx.records.mx == std::vector<dns::Mx>{{20, "mx.example.com"}, {10, "mx2.example.com"}}));
    BOOST_TEST((ask("null.example", Type::mx).records.mx == std::vector<dns::Mx>{{0, ""}}));
    BOOST_TEST((ask("example.com", Type::txt).records.texts == std::vector<std::string>{"v=spf1 -all", "second"}));
    BOOST_TEST(ask("example.com", Type::ns).records.names.at(0) == "ns1.example.net");
    BOOST_TEST(ask("1.2.0.192.in-addr.arpa", Type::ptr).records.names.at(0) == "mx.example.com");
    BOOST_TEST(ask("example.com", Type::soa).records.soa.at(0).serial == 7U);
    const auto tlsa = ask("_25._tcp.mx.example.com", Type::tlsa).records.tlsa.at(0);
    BOOST_TEST(int{tlsa.usage} == 3);
    BOOST_TEST(tlsa.data.size() == 32U);
    BOOST_TEST(tlsa.data.substr(0, 2) == "\x01\x23");
}

BOOST_AUTO_TEST_CASE(absence_is_known_and_told_apart) {
    BOOST_TEST((ask("mx.example.com", Type::txt).outcome == Outcome::no_data));
    BOOST_TEST((ask("com").outcome == Outcome::no_data));  // it has names below it
    BOOST_TEST((ask("nothing.example").outcome == Outcome::no_name));
    BOOST_TEST((ask(std::string(64, 'x') + ".example").outcome == Outcome::no_name));
    BOOST_TEST(ask("nothing.example").known());
}

BOOST_AUTO_TEST_CASE(wildcards_follow_rfc_4592) {
    BOOST_TEST(ask("anything.wild.example").found());
    BOOST_TEST(ask("2.0.0.127.wild.example").found());
    BOOST_TEST((ask("other.one.wild.example").outcome == Outcome::no_name));
}

BOOST_AUTO_TEST_CASE(every_failure_has_its_name) {
    const std::pair<const char*, Failure> cases[] = {
        {"bad.example", Failure::servfail},     {"no.example", Failure::refused},
        {"odd.example", Failure::other_code},   {"slow.example", Failure::timeout},
        {"gone.example", Failure::unreachable}, {"junk.example", Failure::malformed},
        {"short.example", Failure::malformed},  {"x.dead.example", Failure::timeout},
        {"dead.example", Failure::timeout},     {"loop.example", Failure::cname_loop},
    };
    for (const auto& [name, failure] : cases) {
        const auto answer = ask(name);
        BOOST_TEST((answer.outcome == Outcome::failed), name);
        BOOST_TEST((answer.failure == failure), name << " " << dns::name(answer.failure));
        BOOST_TEST(answer.records.empty());
    }
    BOOST_TEST(dns::failure_text(ask("odd.example")) == "FORMERR");
    BOOST_TEST(dns::failure_text(ask("bad.example")) == "SERVFAIL");
    BOOST_TEST(ask("mixed.example").found());
    BOOST_TEST((ask("mixed.example", Type::txt).failure == Failure::timeout));
}

// "There is no SPF record" and "on none of 1 list" were said of a server that had only named others.
BOOST_AUTO_TEST_CASE(a_server_that_names_others_has_not_said_that_there_is_nothing) {
    using namespace std::string_literals;
    const auto message = [](char flags, char more, std::string_view authority) {
        return "\x12\x34"s + flags + more + "\0\1\0\0\0\1\0\0"s + "\7example\3com\0\0\1\0\1"s + std::string(authority);
    };
    const std::string ns = "\0\0\2\0\1\0\0\x0e\x10\0\5\3ns1\0"s;
    const std::string soa = "\0\0\6\0\1\0\0\x0e\x10\0\x16\0\0"s + std::string(20, '\1');
    const dns::Question question{"example.com", Type::a, false, 0};
    const auto is_referral = [&](const std::string& wire) {
        return dns::read_message(wire, question).value().referral;
    };
    BOOST_TEST(is_referral(message('\x81', '\0', ns)));
    BOOST_TEST(!is_referral(message('\x85', '\0', ns)), "authoritative");
    BOOST_TEST(!is_referral(message('\x81', '\x80', ns)), "a resolver");
    BOOST_TEST(!is_referral(message('\x81', '\3', ns)), "NXDOMAIN");
    BOOST_TEST(!is_referral(message('\x81', '\0', soa)), "an SOA says that there is nothing");
}

BOOST_AUTO_TEST_CASE(the_end_of_the_deadline_is_not_the_resolvers_fault) {
    clock.advance(std::chrono::minutes(2));
    const auto answer = ask("mx.example.com");
    BOOST_TEST((answer.failure == Failure::deadline));
    const auto error = dns::failure_error(*transport, {"mx.example.com", Type::a, false, 0}, answer);
    BOOST_TEST((error.fault == base::Fault::deadline));
    BOOST_TEST(error.what ==
               "A mx.example.com: the time of the whole run ended before an answer of use came from the resolver " +
                   transport->describe());
}

BOOST_AUTO_TEST_CASE(cnames_are_followed) {
    const auto answer = ask("www.example.com");
    BOOST_TEST(answer.records.addresses.size() == 2U);
    BOOST_TEST((answer.chain == std::vector<std::string>{"a.example.com", "mx.example.com"}));
    BOOST_TEST((ask("dangling.example").outcome == Outcome::no_name));
    BOOST_TEST(ask("www.example.com", Type::cname).records.names.at(0) == "a.example.com");
}

BOOST_AUTO_TEST_CASE(a_long_chain_ends_at_the_limit) {
    std::string lines;
    for (int i = 0; i < 14; ++i) lines += fmt::format("c{}.example CNAME c{}.example\n", i, i + 1);
    test::ZoneText chains(lines + "c14.example A 192.0.2.1\n");
    const auto through = chains.transport();
    BOOST_TEST((dns::lookup(*through, {"c0.example", Type::a, false, 0}, deadline).failure == Failure::cname_limit));
    BOOST_TEST(dns::lookup(*through, {"c3.example", Type::a, false, 0}, deadline).found());
}

BOOST_AUTO_TEST_CASE(authenticated_takes_every_step_of_the_chain) {
    BOOST_TEST(ask("signed.example").authenticated);
    BOOST_TEST(!ask("mx.example.com").authenticated);
    BOOST_TEST((ask("absent.signed.example").outcome == Outcome::no_name));
    BOOST_TEST(ask("absent.signed.example").authenticated);
}

BOOST_AUTO_TEST_CASE(many_answers_come_in_the_order_of_the_questions) {
    const std::vector<dns::Question> questions = {{"slow.example", Type::a, false, 0},
                                                  {"mx.example.com", Type::a, false, 0},
                                                  {"nothing.example", Type::a, false, 0}};
    const auto answers = dns::lookup_many(*transport, questions, deadline);
    BOOST_TEST((answers[0].failure == Failure::timeout));
    BOOST_TEST(answers[1].found());
    BOOST_TEST((answers[2].outcome == Outcome::no_name));
    BOOST_TEST(text.times_asked("slow.example A") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
