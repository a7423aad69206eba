// Proves check_dkim: every fault of a key record with its name, the match with a private key, and signed messages.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "shared/base/base64.h"
#include "shared/io/files.h"
#include "tests/support/dkim_signer.h"
#include "tests/support/dns_check.h"

namespace {

using mtawatch::test::quoted_strings;
using mtawatch::test::SigningKey;
namespace base = mtawatch::base;

// Keys are costly to make: one of each kind for all cases.
struct Keys {
    SigningKey rsa768 = SigningKey::rsa(768);
    SigningKey rsa1024 = SigningKey::rsa(1024);
    SigningKey rsa2048 = SigningKey::rsa(2048);
    SigningKey other2048 = SigningKey::rsa(2048);
    SigningKey ed25519 = SigningKey::ed25519();
};
const Keys& keys() {
    static const Keys made;
    return made;
}

// Runs with files below a temporary folder.
class Run {
  public:
    Run() : folder_(std::filesystem::temp_directory_path() / ("dkim_test_" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~Run() { std::filesystem::remove_all(folder_); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void write(const std::string& name, const std::string& text, unsigned mode = 0600) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        std::filesystem::permissions(folder_ / name, static_cast<std::filesystem::perms>(mode));
    }
    mtawatch::plugin::Outcome operator()(const std::string& zone_text, const std::vector<std::string>& arguments) {
        mtawatch::test::ZoneText zone(zone_text);
        mtawatch::io::Files files(folder_.string());
        mtawatch::probe::world::World world;
        world.clock = &clock;
        world.files = &files;
        world.open_dns = zone.opener(&clock);
        return mtawatch::test::run_check(arguments, world);
    }
    mtawatch::test::FakeClock clock;

  private:
    std::filesystem::path folder_;
};

std::string zone(const std::string& record) { return "s1._domainkey.example.com 3600 TXT " + quoted_strings(record); }

const std::vector<std::string> arguments{"-d", "example.com", "-s", "s1"};

void expect(const mtawatch::plugin::Outcome& got, int exit_code, const std::string& wanted, const std::string& name) {
    BOOST_TEST(got.exit_code == exit_code, name << ": exit " << got.exit_code << "\n" << got.text);
    BOOST_TEST((got.text.find(wanted) != std::string::npos), name << ":\n" << got.text);
}

const std::string mail =
    "From: Jane <jane@example.com>\r\nTo: joe@example.org\r\nSubject: hello\r\nDate: Sat, 21 Nov 2026 10:00:00 "
    "+0000\r\n"
    "List-Unsubscribe: <https://example.com/u?1>\r\nList-Unsubscribe-Post: "
    "List-Unsubscribe=One-Click\r\n\r\nHi.\r\n\r\n";
const std::string fields = "h=from:from:to:subject:date:list-unsubscribe:list-unsubscribe-post";

}  // namespace

BOOST_AUTO_TEST_SUITE(check_dkim)

BOOST_AUTO_TEST_CASE(keys_and_their_faults) {
    const std::string p = keys().rsa2048.spki_base64();
    struct Row {
        const char* name;
        std::string record;
        int exit_code;
        const char* text;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"ok_rsa", "v=DKIM1; k=rsa; p=" + p, 0,
              "DKIM OK - s1._domainkey.example.com: RSA key of 2048 bits | bits=2048;2048:;1024:;0\n"},
             {"ok_no_version", "p=" + p, 0, "RSA key of 2048 bits"},
             {"ok_folded", "v=DKIM1;\\009p = " + p.substr(0, 60) + " " + p.substr(60), 0, "RSA key of 2048 bits"},
             {"ok_ed25519", "v=DKIM1; k=ed25519; p=" + keys().ed25519.ed25519_base64(), 0,
              "Ed25519 key | bits=256;;;0\n"},
             {"warn_1024_bits", "v=DKIM1; p=" + keys().rsa1024.spki_base64(), 1,
              "the RSA key has 1024 bits (below 2048); publish one of 2048"},
             {"crit_768_bits", "v=DKIM1; p=" + keys().rsa768.spki_base64(), 2,
              "the RSA key has 768 bits (below 1024), and receivers must not accept less than 1024 (RFC 8301)"},
             {"warn_testing", "v=DKIM1; t=y; p=" + p, 1, "t=y says testing"},
             {"ok_strict_domain", "v=DKIM1; t=s; p=" + p, 0, "RSA key of 2048 bits"},
             {"crit_sha1_only", "v=DKIM1; h=sha1; p=" + p, 2, "h=sha1 does not allow sha256"},
             {"ok_sha256_too", "v=DKIM1; h=sha1:sha256; p=" + p, 0, "RSA key of 2048 bits"},
             {"warn_version_not_first", "k=rsa; v=DKIM1; p=" + p, 1,
              "strict receivers ignore this key; publish: s1._domainkey.example.com. IN TXT \"v=DKIM1; k=rsa; p="},
             {"crit_bad_version", "v=DKIM2; p=" + p, 2, "v=DKIM2: receivers must ignore this key"},
             {"crit_duplicate_tag", "v=DKIM1; p=" + p + "; p=" + p, 2, "the tag p= stands there twice"},
             {"warn_g", "v=DKIM1; g=*; p=" + p, 1, "g=* is obsolete"},
             {"warn_bare_rsa_key", "v=DKIM1; p=" + keys().rsa2048.rsa_public_base64(), 1,
              "p= is a bare RSAPublicKey, which OpenDKIM and others cannot read; publish: s1._domainkey.example.com. "
              "IN TXT "
              "\"v=DKIM1; k=rsa; p="},
             {"crit_wrapped_ed25519", "v=DKIM1; k=ed25519; p=" + keys().ed25519.spki_base64(), 2,
              "publish: s1._domainkey.example.com. IN TXT \"v=DKIM1; k=ed25519; p="},
             {"crit_ed25519_without_k", "v=DKIM1; p=" + keys().ed25519.ed25519_base64(), 2, "k=ed25519 is missing"},
             {"crit_bad_base64", "v=DKIM1; p=MIIB*", 2, "p= is not base64"},
             {"crit_cut_short", "v=DKIM1; p=" + p.substr(0, 200), 2, "p= is no RSA public key"},
             {"crit_revoked", "v=DKIM1; p=", 2, "p= is empty: the key is revoked"},
             {"crit_no_p", "v=DKIM1; k=rsa", 2, "p= is missing"},
             {"crit_unknown_type", "v=DKIM1; k=dsa; p=" + p, 2, "k=dsa is no key type"},
             {"crit_other_service", "v=DKIM1; s=other; p=" + p, 2, "s=other does not name email"},
             {"crit_escaped", "v=DKIM1\\\\; k=rsa\\\\; p=" + p, 2, "v=DKIM1\\: receivers must ignore this key"},
             {"crit_quoted", "\\\"v=DKIM1; k=rsa; p=" + p + "\\\"", 2, "the quotation marks belong to the zone file"},
             {"crit_no_tags", "hello", 2, "\"hello\" is no tag"},
         }) {
        Run run;
        expect(run(zone(row.record), arguments), row.exit_code, row.text, row.name);
    }
}

BOOST_AUTO_TEST_CASE(how_a_key_is_published) {
    const std::string p = "v=DKIM1; p=" + keys().rsa2048.spki_base64();
    const std::string cname = "s1._domainkey.example.com CNAME s1.dkim.vendor.example\n";
    Run run;
    expect(
        run("example.com A 192.0.2.1", arguments), 2,
        "DKIM CRITICAL - s1._domainkey.example.com: there is no key: the name does not exist; publish the public key "
        "that the signer has for this selector (--private-key FILE shows the line)\n",
        "crit_absent");
    expect(run(cname, arguments), 2, "the CNAME leads to s1.dkim.vendor.example, which does not exist",
           "crit_dangling");
    expect(run(cname + "s1.dkim.vendor.example TXT " + quoted_strings(p), {"-d", "example.com", "-s", "s1", "-v"}), 0,
           "the key is published at s1.dkim.vendor.example", "ok_delegated");
    expect(run(zone(p) + "\ns1._domainkey.example.com 3600 TXT \"junk\"", arguments), 2,
           "2 TXT records, so receivers may take any of them; keep the key alone", "crit_junk_beside");
    expect(run("s1._domainkey.example.com !SERVFAIL", arguments), 3, "answered SERVFAIL", "unknown_servfail");
    expect(run("s1._domainkey.example.com !TIMEOUT", arguments), 3, "no answer from the resolver", "unknown_timeout");
    expect(run("s1._domainkey.example.com !GARBAGE", arguments), 3, "cannot be read", "unknown_garbage");
    expect(run(zone(p), {"-d", "example.com", "-s", "s1", "-s", "s2"}), 2, "s2._domainkey.example.com: there is no key",
           "crit_one_of_two");
    expect(run("", {"-d", "example.com"}), 3, "give --domain and --selector together, or --message", "usage_half");
    expect(run("", {"-d", "a..b", "-s", "x"}), 3, "--domain: \"a..b\" has an empty label", "usage_domain");
    expect(run("", {"-d", "example.com", "-s", "s1", "-w", "2048"}), 3, "bits", "usage_bare_range");
}

BOOST_AUTO_TEST_CASE(a_key_without_dnssec_is_told_and_judged_by_nothing) {
    const std::string published = zone("v=DKIM1; p=" + keys().rsa2048.spki_base64());
    const std::string told = "the key is not secure: no DNSSEC proof came with it from a resolver on this machine";
    const std::vector<std::string> verbose{"-d", "example.com", "-s", "s1", "-v"};
    Run run;
    expect(run(published, verbose), 0, told, "not_signed");
    BOOST_TEST((run(published, arguments).text.find(told) == std::string::npos));
    BOOST_TEST((run(published + "\nexample.com !SIGNED", verbose).text.find(told) == std::string::npos));
    expect(run("example.com A 192.0.2.1", verbose), 2, "there is no key", "absent");
    BOOST_TEST((run("example.com A 192.0.2.1", verbose).text.find(told) == std::string::npos));
    expect(run(published + "\nexample.com !SIGNED", {"-d", "example.com", "-s", "s1", "-o", "json"}), 0,
           "\"authenticated\":true", "json");
}

// A public key as SubjectPublicKeyInfo whose modulus has so many bits; nobody knows a private one.
std::string rsa_of_bits(std::size_t bits) {
    const auto der = [](char tag, const std::string& body) {
        std::string head{tag, '\x82'};
        head += static_cast<char>(body.size() >> 8U);
        return head + static_cast<char>(body.size() & 0xffU) + body;
    };
    const std::string modulus = '\0' + std::string(bits / 8, '\xc1');
    const std::string key = der('\x30', der('\x02', modulus) + std::string("\x02\x03\x01\x00\x01", 5));
    const std::string rsa("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15);
    return base::encode_base64(der('\x30', rsa + der('\x03', '\0' + key)));
}

BOOST_AUTO_TEST_CASE(what_is_weak_or_worth_knowing_about_a_key) {
    const std::string p = "p=" + keys().rsa2048.spki_base64();
    struct Row {
        const char* name;
        std::string record;
        int exit_code;
        const char* text;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"no_version", "k=rsa; " + p, 0, "v= is missing; begin the record with v=DKIM1"},
             {"strict_domain", "v=DKIM1; t=s; " + p, 0, "t=s: signatures with an i= below the domain do not verify"},
             {"testing_and_strict", "v=DKIM1; t=y:s; " + p, 1, "t=y says testing"},
             {"unknown_tag", "v=DKIM1; x=1; n=note; " + p, 0, "x= is no tag of a key record"},
             {"service_list", "v=DKIM1; s=other:email; " + p, 0, "RSA key of 2048 bits"},
             {"any_service", "v=DKIM1; s=*; " + p, 0, "RSA key of 2048 bits"},
             {"control_character", "v=DKIM1; n=a\\007b; " + p, 2, "n= holds control characters"},
             {"short_ed25519", "v=DKIM1; k=ed25519; p=AAAA", 2, "p= holds 3 bytes; an Ed25519 key has 32 (RFC 8463)"},
             {"ed25519_said_to_be_rsa", "v=DKIM1; k=rsa; p=" + keys().ed25519.spki_base64(), 2, "but k=rsa is said"},
             {"4096_bits", "v=DKIM1; p=" + rsa_of_bits(4096), 0, "RSA key of 4096 bits"},
             {"longer_than_anyone_must_take", "v=DKIM1; p=" + rsa_of_bits(8192), 1,
              "8192 bits: receivers need not take more than 4096"},
         }) {
        Run run;
        expect(run(zone(row.record), {"-d", "example.com", "-s", "s1", "-v"}), row.exit_code, row.text, row.name);
    }
    Run run;
    const std::string slow = "s1._domainkey.example.com 86401 TXT " + quoted_strings("v=DKIM1; " + p);
    expect(run(slow, {"-d", "example.com", "-s", "s1", "-v"}), 0,
           "TTL 86401 s: a new key is not seen for more than a day", "long_ttl");
}

BOOST_AUTO_TEST_CASE(a_from_field_that_others_may_add_is_told) {
    Run run;
    const std::string published = "s1._domainkey.example.com TXT " + keys().rsa2048.zone_text();
    const auto signed_with = [](const std::string& names) {
        return mtawatch::test::signed_message(keys().rsa2048, "a=rsa-sha256; d=example.com; s=s1; h=" + names, mail);
    };
    run.write("mail", signed_with("from:to:subject:date:list-unsubscribe:list-unsubscribe-post"));
    expect(run(published, {"--message", "/mail", "-v"}), 0, "From is not oversigned (name it once more in h=)", "once");
    run.write("mail", signed_with("from:from:to:date:list-unsubscribe:list-unsubscribe-post"));
    expect(run(published, {"--message", "/mail", "-v"}), 0, "Subject is not signed", "no_subject");
}

BOOST_AUTO_TEST_CASE(a_large_record_is_told) {
    Run run;
    const std::string n = "n=" + std::string(100, 'x') + "; ";
    expect(run(zone("v=DKIM1; " + n + "p=" + keys().rsa2048.spki_base64()), {"-d", "example.com", "-s", "s1", "-v"}), 0,
           "bytes: receivers without EDNS have to ask again over TCP", "large");
    BOOST_TEST((run(zone("v=DKIM1; p=" + keys().rsa2048.spki_base64()), {"-d", "example.com", "-s", "s1", "-v"})
                    .text.find("EDNS") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_private_key_belongs_to_the_record_or_not) {
    Run run;
    const auto with_key = [](const char* file) {
        return std::vector<std::string>{"-d", "example.com", "-s", "s1", "--private-key", file};
    };
    run.write("pkcs8.pem", keys().rsa2048.private_pem());
    run.write("pkcs1.pem", keys().rsa2048.private_pem_pkcs1());
    run.write("other.pem", keys().other2048.private_pem());
    run.write("ed.pem", keys().ed25519.private_pem());
    run.write("open.pem", keys().rsa2048.private_pem(), 0644);
    run.write("text.pem", "no key");
    const std::string rsa = zone("v=DKIM1; p=" + keys().rsa2048.spki_base64());
    const std::string ed = zone("v=DKIM1; k=ed25519; p=" + keys().ed25519.ed25519_base64());
    expect(run(rsa, with_key("/pkcs8.pem")), 0, "belongs to the private key", "pkcs8");
    expect(run(rsa, with_key("/pkcs1.pem")), 0, "belongs to the private key", "pkcs1");
    expect(run(zone("v=DKIM1; p=" + keys().rsa2048.rsa_public_base64()), with_key("/pkcs1.pem")), 1, "bare",
           "bare_matches");
    expect(run(ed, with_key("/ed.pem")), 0, "Ed25519 key, belongs to the private key", "ed25519");
    expect(run(rsa, with_key("/other.pem")), 2,
           "the private key is another one, so nothing verifies; publish: s1._domainkey.example.com. IN TXT \"v=DKIM1; "
           "k=rsa; p=" +
               keys().other2048.spki_base64().substr(0, 200),
           "mismatch");
    expect(run(rsa, with_key("/ed.pem")), 2, "the private key is another one", "other_kind");
    expect(run("example.com A 192.0.2.1", with_key("/pkcs8.pem")), 2,
           "; publish: s1._domainkey.example.com. IN TXT \"v=DKIM1; k=rsa; p=" +
               keys().rsa2048.spki_base64().substr(0, 200),
           "absent_pastes_the_key");
    expect(run(rsa, with_key("/open.pem")), 1, "/open.pem can be read by others (mode 0644); chmod 600 it", "mode");
    expect(run(rsa, with_key("/text.pem")), 3, "/text.pem", "no_key_in_file");
    expect(run(rsa, with_key("/nothere.pem")), 3, "/nothere.pem", "no_file");
    const std::string secret = keys().rsa2048.private_pem().substr(100, 60);
    const auto json = run(rsa, {"-d", "example.com", "-s", "s1", "--private-key", "/pkcs8.pem", "-o", "json", "-vvv"});
    BOOST_TEST((json.text.find(secret) == std::string::npos));
    BOOST_TEST((json.text.find("\"matches_private_key\":true") != std::string::npos));
    BOOST_TEST(
        (json.text.find(
             R"({"domain":"example.com","selector":"s1","type":"rsa","bits":2048,"testing":false,"revoked":false)") !=
         std::string::npos));
}

BOOST_AUTO_TEST_CASE(messages) {
    Run run;
    const std::string published =
        "s1._domainkey.example.com TXT " + keys().rsa2048.zone_text() + "\ned._domainkey.example.com TXT " +
        keys().ed25519.zone_text() + "\nweak._domainkey.example.com TXT " + keys().rsa768.zone_text() +
        "\nstrict._domainkey.example.com TXT " + quoted_strings("v=DKIM1; t=s; p=" + keys().rsa2048.spki_base64()) +
        "\nslow._domainkey.example.com !TIMEOUT\n";
    const auto rsa = [](const std::string& more) { return mtawatch::test::signed_message(keys().rsa2048, more, mail); };
    const std::string good = rsa("a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; " + fields);
    const auto changed = [](std::string text, const std::string& from, const std::string& to) {
        return text.replace(text.rfind(from), from.size(), to);
    };
    std::string lf = good;
    std::erase(lf, '\r');
    struct Row {
        const char* name;
        std::string message;
        int exit_code;
        const char* text;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"relaxed", good, 0,
              "DKIM OK - signature 1 of 1, d=example.com s=s1 rsa-sha256: pass | signatures=1;;;0 "
              "signatures_passed=1;;;0\n"},
             {"simple", rsa("a=rsa-sha256; d=example.com; s=s1; " + fields), 0, "pass"},
             {"simple_relaxed", rsa("a=rsa-sha256; c=simple/relaxed; d=example.com; s=s1; " + fields), 0, "pass"},
             {"relaxed_alone", rsa("a=rsa-sha256; c=relaxed; d=example.com; s=s1; " + fields), 0, "pass"},
             {"ed25519",
              mtawatch::test::signed_message(
                  keys().ed25519, "a=ed25519-sha256; c=relaxed/simple; d=example.com; s=ed; " + fields, mail),
              0, "ed25519-sha256: pass"},
             {"bare_lf_input", lf, 0, "pass"},
             {"blanks_changed_relaxed", changed(good, "Subject: hello", "SUBJECT :  hello  "), 0, "pass"},
             {"trailing_lines", good + "\r\n\r\n", 0, "pass"},
             {"body_changed", changed(good, "Hi.", "Ho."), 2,
              "the body was changed after signing (bh= does not match)"},
             {"subject_changed", changed(good, "hello", "hullo"), 2, "a signed header field was changed after signing"},
             {"second_from", "From: evil@example.net\r\n" + good, 2, "a signed header field was changed"},
             {"not_signed", mail, 2, "the message is not signed"},
             {"short_key",
              mtawatch::test::signed_message(keys().rsa768, "a=rsa-sha256; d=example.com; s=weak; " + fields, mail), 2,
              "policy: the key has 768 bits; less than 1024 must not count"},
             {"no_key", rsa("a=rsa-sha256; d=example.com; s=none; " + fields), 2,
              "permerror: there is no key at none._domainkey.example.com"},
             {"silent_dns", rsa("a=rsa-sha256; d=example.com; s=slow; " + fields), 3, "temperror"},
             {"expired", rsa("a=rsa-sha256; d=example.com; s=s1; t=1; x=1699996400; " + fields), 2,
              "policy: expired 1 h ago (x=)"},
             {"future", rsa("a=rsa-sha256; d=example.com; s=s1; t=1700007200; " + fields), 1,
              "t= is 1 h 59 min ahead of this machine's clock"},
             {"expires_before_it_begins", rsa("a=rsa-sha256; d=example.com; s=s1; " + fields).insert(21, "t=9; x=8; "),
              2, "x= is not after t="},
             {"length_short", rsa("a=rsa-sha256; d=example.com; s=s1; l=2; " + fields), 1,
              "l=2 leaves 3 bytes of the body unsigned"},
             {"length_beyond", rsa("a=rsa-sha256; d=example.com; s=s1; l=99; " + fields), 2,
              "the body has 5 bytes, less than the signed l=99"},
             {"h_without_from", changed(good, "h=from:from:to", "h=sender:to:to"), 2, "h= does not name From"},
             {"foreign_identity", changed(good, "d=example.com;", "d=example.com; i=@example.org;"), 2,
              "is not within d="},
             {"identity_below_strict", rsa("a=rsa-sha256; d=example.com; i=x@mail.example.com; s=strict; " + fields), 2,
              "i= is below d=example.com, which the key forbids"},
             {"identity_below", rsa("a=rsa-sha256; d=example.com; i=x@mail.example.com; s=s1; " + fields), 0, "pass"},
             {"sha1", changed(good, "rsa-sha256", "rsa-sha1"), 2, "a=rsa-sha1 must not be used any more"},
             {"wrong_algorithm", changed(good, "rsa-sha256", "ed25519-sha256"), 2,
              "does not fit the published k=rsa key"},
             {"unknown_version", changed(good, "v=1", "v=2"), 2, "v=2 is not 1"},
             {"missing_tag", changed(good, "s=s1; ", ""), 2, "s= is missing"},
             {"duplicate_tag", changed(good, "s=s1; ", "s=s1; s=s1; "), 2, "stands there twice"},
             {"one_of_two_fails", "DKIM-Signature: v=1; nonsense\r\n" + good, 1, "signature 1 of 2: permerror"},
             {"unsigned_one_click", rsa("a=rsa-sha256; d=example.com; s=s1; h=from:from:to:subject:date"), 1,
              "sign List-Unsubscribe and List-Unsubscribe-Post (RFC 8058)"},
             {"no_message", "\r\nbody", 3, "this is no mail message"},
             {"broken_header", "From\r\n\r\n", 3, "/mail: header line 1 is no field"},
             // It was "the message is not signed", CRITICAL, of whatever held a colon.
             {"garbage_with_a_colon", "\x1b[31m|\xff\xfe\x07:\r\n", 3, "/mail: header line 1 is no field"},
         }) {
        run.write("mail", row.message);
        expect(run(published, {"--message", "/mail"}), row.exit_code, row.text, row.name);
    }
    run.write("mail", good);
    expect(run(published, {"--message", "/mail", "--require-signed", "List-Unsubscribe,Subject", "-v"}), 0,
           "one-click unsubscribe (RFC 8058) is offered and signed", "required_ok");
    expect(run(published, {"--message", "/mail", "--require-signed", "Feedback-ID"}), 2,
           "the message has no Feedback-ID field", "required_absent");
    run.write("mail", "Feedback-ID: 1:2\r\n" + good);
    expect(run(published, {"--message", "/mail", "--require-signed", "Feedback-ID"}), 2,
           "Feedback-ID is not covered by a passing signature; add it to h=", "required_unsigned");
}

BOOST_AUTO_TEST_CASE(the_message_of_rfc_8463_verifies_with_both_keys) {
    Run run;
    run.write("mail", R"(DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
)");
    const std::string published =
        "brisbane._domainkey.football.example.com TXT \"v=DKIM1; k=ed25519; "
        "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\ntest._domainkey.football.example.com TXT \"v=DKIM1; k=rsa; "
        "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b\" "
        "\"yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/"
        "K4w3Q\" "
        "\"IDAQAB\"\n";
    expect(run(published, {"--message", "/mail"}), 0, "signatures=2;;;0 signatures_passed=2;;;0", "rfc_8463");
}

BOOST_AUTO_TEST_SUITE_END()
