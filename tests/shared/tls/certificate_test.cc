// What is read out of certificates, which chains verify and why others do not, and DANE.
#include "shared/tls/certificate.h"

#include <boost/test/unit_test.hpp>

#include "shared/tls/verify.h"
#include "tests/support/certificate_maker.h"

namespace mtawatch::tls {
namespace {

using test::MadeCertificate;
using test::make_authority;
using test::make_certificate;
using test::one_day;
using test::test_now;

Certificate read(const MadeCertificate& made) { return read_certificates(made.der()).value().at(0); }

std::vector<Certificate> chain_of(std::initializer_list<const MadeCertificate*> made) {
    std::vector<Certificate> chain;
    for (const auto* one : made) chain.push_back(read(*one));
    return chain;
}

std::shared_ptr<const Context> trusting(const MadeCertificate& authority) {
    return Context::make({.authorities = authority.pem()}).value();
}

std::string problems(const ChainVerdict& verdict) {
    std::string text;
    for (const auto& finding : verdict.findings) {
        text += (text.empty() ? "" : " ") + std::string(name(finding.problem)) + "@" + std::to_string(finding.position);
    }
    return text;
}

BOOST_AUTO_TEST_CASE(everything_an_operator_asks_for_is_read) {
    const auto root = make_authority("Example Root");
    const auto made =
        make_certificate({.common_name = "mx1.example.net",
                          .names = {"DNS:mx1.example.net", "DNS:*.mail.example.net", "IP:192.0.2.1", "IP:2001:db8::1"},
                          .issuer = &root});
    const Certificate facts = read(made);
    BOOST_TEST(facts.subject == "CN=mx1.example.net");
    BOOST_TEST(facts.issuer == "CN=Example Root");
    BOOST_TEST(facts.common_name == "mx1.example.net");
    BOOST_TEST(facts.dns_names == (std::vector<std::string>{"mx1.example.net", "*.mail.example.net"}),
               boost::test_tools::per_element());
    BOOST_TEST(facts.ip_addresses == (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}),
               boost::test_tools::per_element());
    BOOST_TEST(facts.not_before.value() == test_now - 10 * one_day);
    BOOST_TEST(facts.not_after.value() == test_now + 80 * one_day);
    BOOST_TEST((facts.key_type == KeyType::ec));
    BOOST_TEST(facts.key_bits == 256);
    BOOST_TEST(facts.signature_algorithm == "ecdsa-with-SHA256");
    BOOST_TEST(!facts.weak_signature);
    BOOST_TEST(!facts.self_signed);
    BOOST_TEST(read(root).self_signed);
    BOOST_TEST(facts.fingerprint == hex(sha256(made.der())));
    BOOST_TEST(facts.key_fingerprint == hex(sha256(made.public_key_der())));
    BOOST_TEST(der(facts) == made.der());
}

BOOST_AUTO_TEST_CASE(dates_far_from_ours_are_read) {
    constexpr std::int64_t end_of_time = 253'402'300'799;  // 9999-12-31 23:59:59
    constexpr std::int64_t long_ago = -315'619'200;        // 1960-01-01
    const Certificate facts =
        read(make_certificate({.common_name = "a", .not_before = long_ago, .not_after = end_of_time}));
    BOOST_TEST(facts.not_before.value() == long_ago);
    BOOST_TEST(facts.not_after.value() == end_of_time);
}

BOOST_AUTO_TEST_CASE(names_match_as_rfc_6125_says) {
    const Certificate facts =
        read(make_certificate({.common_name = "old.example.net",
                               .names = {"DNS:mx1.example.net", "DNS:*.mail.example.net", "IP:2001:db8::1"}}));
    BOOST_TEST(is_for(facts, "MX1.example.net"));
    BOOST_TEST(is_for(facts, "a.mail.example.net"));
    BOOST_TEST(!is_for(facts, "a.b.mail.example.net"));
    BOOST_TEST(!is_for(facts, "old.example.net"));  // the common name does not count beside DNS names
    BOOST_TEST(is_for(facts, "2001:db8:0::1"));
    BOOST_TEST(!is_for(facts, "192.0.2.1"));
    BOOST_TEST(is_for(read(make_certificate({.common_name = "only.example.net"})), "only.example.net"));
}

BOOST_AUTO_TEST_CASE(hostile_names_become_one_readable_line) {
    const Certificate facts = read(make_certificate({.common_name = "a\nb|c \xc3\xbc"}));
    BOOST_TEST(facts.subject.find('\n') == std::string::npos);
    BOOST_TEST(facts.common_name.find("\xc3\xbc") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_of_every_shape) {
    const auto one = make_certificate({.common_name = "one"});
    const auto two = make_certificate({.common_name = "two"});
    const auto bundle = read_certificates("# comment\n" + one.pem() + one.key_pem() + two.pem());
    BOOST_REQUIRE(bundle.has_value());
    BOOST_REQUIRE(bundle->size() == 2U);
    BOOST_TEST(bundle->at(1).common_name == "two");
    const std::string nothing = "no certificate in it (PEM or DER)";
    BOOST_TEST(read_certificates("").error().what == nothing);
    BOOST_TEST(read_certificates("hello\n").error().what == nothing);
    BOOST_TEST(read_certificates(one.key_pem()).error().what == nothing);
    BOOST_TEST(read_certificates(one.der() + "x").error().what == nothing);
    BOOST_TEST(read_certificates(one.der().substr(0, 100)).error().what == nothing);
    const std::string pem = two.pem();
    BOOST_TEST(read_certificates(one.pem() + pem.substr(0, pem.size() / 2)).error().what ==
               "the PEM block after certificate number 1 is cut off or damaged");
}

struct ChainCase {
    const char* name;
    std::vector<Certificate> served;
    std::shared_ptr<const Context> context;
    std::int64_t now = test_now;
    std::string problems;
    std::size_t path;
};

BOOST_AUTO_TEST_CASE(chains_and_what_is_wrong_with_them) {
    const auto root = make_authority("root");
    const auto middle = make_authority("middle", &root);
    const auto leaf = make_certificate({.common_name = "leaf", .issuer = &middle});
    const auto alone = make_certificate({.common_name = "alone"});
    const auto client = make_certificate({.common_name = "client", .issuer = &middle, .purpose = "clientAuth"});
    const auto stray = make_certificate({.common_name = "stray", .issuer = &root, .not_after = test_now - one_day});
    const auto no_authority = make_certificate({.common_name = "leaf2", .issuer = &leaf});
    const auto other_middle = make_authority("middle", &root);  // same name, another key
    const auto ours = trusting(root);
    const auto nobody = Context::make({.ca_directory = ""}).value();
    const ChainCase cases[] = {
        {"ok", chain_of({&leaf, &middle}), ours, test_now, "", 3},
        {"ok_with_root_and_stray_sent", chain_of({&leaf, &stray, &middle, &root}), ours, test_now, "", 3},
        {"ok_by_named_intermediate", chain_of({&leaf}), trusting(middle), test_now, "", 2},
        {"expired_leaf", chain_of({&leaf, &middle}), ours, test_now + 81 * one_day, "expired@0", 3},
        {"expired_all", chain_of({&leaf, &middle}), ours, test_now + 3650 * one_day, "expired@2 expired@1 expired@0",
         3},
        {"not_yet", chain_of({&leaf, &middle}), ours, test_now - 11 * one_day, "not_yet_valid@0", 3},
        {"missing_intermediate", chain_of({&leaf}), ours, test_now, "missing_issuer@0", 1},
        {"wrong_intermediate_key", chain_of({&leaf, &other_middle}), ours, test_now, "missing_issuer@0", 1},
        {"self_signed", chain_of({&alone}), ours, test_now, "self_signed@0", 1},
        {"self_signed_but_named", chain_of({&alone}), trusting(alone), test_now, "", 1},
        {"unknown_root", chain_of({&leaf, &middle, &root}), nobody, test_now, "untrusted_root@2", 3},
        {"client_certificate", chain_of({&client, &middle}), ours, test_now, "wrong_purpose@0", 3},
        {"signed_by_no_authority", chain_of({&no_authority, &leaf, &middle}), ours, test_now, "wrong_purpose@1", 4},
    };
    for (const auto& c : cases) {
        BOOST_TEST_CONTEXT(c.name) {
            const auto verdict = verify_chain(*c.context, c.served, c.now);
            BOOST_TEST(problems(verdict) == c.problems);
            BOOST_TEST(verdict.path.size() == c.path);
            BOOST_TEST(verdict.trusted() == c.problems.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_chain_of_50_verifies) {
    std::vector<MadeCertificate> authorities{make_authority("root")};
    for (int i = 1; i < 50; ++i) {
        authorities.push_back(make_authority("level " + std::to_string(i), &authorities.back()));
    }
    std::vector<Certificate> served{read(make_certificate({.common_name = "leaf", .issuer = &authorities.back()}))};
    for (std::size_t i = authorities.size() - 1; i > 0; --i) served.push_back(read(authorities[i]));
    const auto verdict = verify_chain(*trusting(authorities.front()), served, test_now);
    BOOST_TEST(problems(verdict).empty());
    BOOST_TEST(verdict.path.size() == 51U);
}

BOOST_AUTO_TEST_CASE(sha1_in_a_chain_is_weak_but_not_in_a_root) {
    const auto root = make_certificate({.common_name = "root", .authority = true, .digest = "SHA1"});
    BOOST_TEST(!read(root).weak_signature);
    BOOST_TEST(read(make_certificate({.common_name = "leaf", .issuer = &root, .digest = "SHA1"})).weak_signature);
}

Tlsa tlsa(int usage, int selector, int matching_type, std::string data) {
    return {static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector),
            static_cast<std::uint8_t>(matching_type), std::move(data)};
}

BOOST_AUTO_TEST_CASE(dane_as_rfc_7672_wants_it) {
    const auto root = make_authority("root");
    const auto leaf = make_certificate({.common_name = "leaf", .names = {"DNS:mx.example.net"}, .issuer = &root});
    const auto nobody = Context::make({.ca_directory = ""}).value();
    const auto served = chain_of({&leaf, &root});
    const std::string key = leaf.public_key_der();
    struct Case {
        const char* name;
        std::vector<Tlsa> records;
        std::vector<std::string> names;
        std::int64_t now;
        std::optional<std::size_t> matched;
        std::string reason;
    };
    const std::int64_t late = test_now + 400 * one_day;
    const std::string no_match = "no TLSA record matches the certificate that is served";
    const Case cases[] = {
        {"3_1_1", {tlsa(3, 1, 1, sha256(key))}, {"mx.example.net"}, test_now, 0, ""},
        {"3_0_0_whole_certificate", {tlsa(3, 0, 0, leaf.der())}, {"mx.example.net"}, test_now, 0, ""},
        {"rollover_second_matches",
         {tlsa(3, 1, 1, sha256("old")), tlsa(3, 1, 1, sha256(key))},
         {"mx.example.net"},
         test_now,
         1,
         ""},
        {"ee_ignores_name_and_date", {tlsa(3, 1, 1, sha256(key))}, {"other.example.net"}, late, 0, ""},
        {"2_0_1", {tlsa(2, 0, 1, sha256(root.der()))}, {"mx.example.net"}, test_now, 0, ""},
        {"ta_wants_the_name",
         {tlsa(2, 0, 1, sha256(root.der()))},
         {"other.example.net"},
         test_now,
         {},
         "hostname mismatch"},
        {"ta_wants_the_date",
         {tlsa(2, 0, 1, sha256(root.der()))},
         {"mx.example.net"},
         late,
         {},
         "certificate has expired"},
        {"no_match", {tlsa(3, 1, 1, sha256("x"))}, {"mx.example.net"}, test_now, {}, no_match},
        {"pkix_usages_are_unusable",
         {tlsa(1, 1, 1, sha256(key)), tlsa(0, 0, 1, sha256(root.der()))},
         {"mx.example.net"},
         test_now,
         {},
         "no TLSA record is usable for mail (only 2 x x and 3 x x are, RFC 7672)"},
        {"bad_digest_length",
         {tlsa(3, 1, 1, "short")},
         {"mx.example.net"},
         test_now,
         {},
         "no TLSA record is usable for mail (only 2 x x and 3 x x are, RFC 7672)"},
        {"unknown_selector_and_hash",
         {tlsa(3, 9, 1, sha256(key)), tlsa(3, 1, 9, sha256(key))},
         {"mx.example.net"},
         test_now,
         {},
         ""},
        {"none", {}, {"mx.example.net"}, test_now, {}, "there is no TLSA record"},
    };
    for (const auto& c : cases) {
        BOOST_TEST_CONTEXT(c.name) {
            const auto verdict = verify_dane(*nobody, served, c.records, c.names, c.now);
            BOOST_TEST((verdict.matched == c.matched));
            if (!c.reason.empty()) BOOST_TEST(verdict.reason == c.reason);
            BOOST_TEST(verdict.matched.has_value() == verdict.reason.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(authorities_that_cannot_be_had_are_an_error) {
    BOOST_TEST((Context::make({.authorities = "x"}).error().fault == base::Fault::malformed));
    const auto missing = Context::make({.ca_directory = "/nonexistent/certs"});
    BOOST_TEST((missing.error().fault == base::Fault::not_found));
    BOOST_TEST(
        missing.error().what ==
        "/nonexistent/certs: no such directory of trusted authorities; install ca-certificates or name --ca-file");
}

}  // namespace
}  // namespace mtawatch::tls
