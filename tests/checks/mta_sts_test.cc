// Proves check_mta_sts: the record, the policy over HTTPS, and the mail hosts that it covers.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "shared/io/files.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/dns_check.h"
#include "tests/support/scripted_stream.h"

namespace {

using namespace mtawatch::test;

const std::string zone = R"(
_mta-sts.example.com  TXT "v=STSv1; id=20261121;"
example.com           MX  10 mx1.example.com
example.com           MX  20 mx.backup.example.net
mta-sts.example.com   A   192.0.2.80
)";
const std::string policy =
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: *.backup.example.net\r\nmax_age: 604800\r\n";

std::string http(const std::string& body, const std::string& status = "200 OK", const std::string& type = "text/plain",
                 const std::string& more = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\n" + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

struct Row {
    const char* name;
    std::string zone;
    std::string answer;  // what the web server says; "" is a closed port
    int exit_code;
    std::string text;
};

class Fixture {
  public:
    Fixture() : folder_(std::filesystem::temp_directory_path() / ("mta_sts_test_" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
        std::ofstream(folder_ / "ca.pem") << authority_.pem();
    }
    ~Fixture() { std::filesystem::remove_all(folder_); }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    void trust(std::string_view pem) { std::ofstream(folder_ / "ca.pem") << pem; }

    mtawatch::plugin::Outcome run(const Row& row, const std::string& certificate_name = "mta-sts.example.com") {
        ScriptedNetwork network;
        if (!row.answer.empty()) {
            const Recipe recipe{
                .common_name = certificate_name, .names = {"DNS:" + certificate_name}, .issuer = &authority_};
            network.add("192.0.2.80:443",
                        {tls({.own = make_certificate(recipe), .chain = {}}), anything(), say(row.answer), close()});
        }
        ZoneText text(row.zone);
        FakeClock clock;
        mtawatch::io::Files files(folder_.string());
        mtawatch::probe::world::World world;
        world.clock = &clock;
        world.files = &files;
        world.connector = &network;
        world.open_dns = text.opener(&clock);
        return run_check({"-d", "example.com", "--ca-file", "/ca.pem"}, world);
    }

  private:
    std::filesystem::path folder_;
    MadeCertificate authority_ = make_authority("Test Authority");
};

std::string without(std::string text, const std::string& part) { return text.erase(text.find(part), part.size()); }
std::string with(std::string text, const std::string& part, const std::string& other) {
    return text.replace(text.find(part), part.size(), other);
}

}  // namespace

BOOST_AUTO_TEST_CASE(check_mta_sts) {
    Fixture fixture;
    for (const Row& row : std::initializer_list<Row>{
             {"ok", zone, http(policy), 0,
              "MTA_STS OK - example.com: mode enforce, 2 of 2 mail hosts covered | max_age=604800s;;;0\n"},
             {"ok_lf_and_unknown_key", zone,
              http("version: STSv1\nmode: enforce\nmx: *.example.com\nmx: mx.backup.example.net\nmax_age: "
                   "86400\nfuture: x\n"),
              0, "MTA_STS OK - example.com: mode enforce, 2 of 2 mail hosts covered | max_age=86400s;;;0\n"},
             {"warn_duplicate_key", zone, http(policy + "mode: none\r\n"), 1,
              "MTA_STS WARNING - example.com: the policy: \"mode:\" stands there twice; only the first one counts | "
              "max_age=604800s;;;0\n"},
             {"crit_bad_max_age", zone, http(with(policy, "604800", "one week")), 2,
              "MTA_STS CRITICAL - example.com: the policy: \"max_age: one week\" is no number of seconds\n"},
             {"crit_absent", "example.com MX 10 mx1.example.com", http(policy), 2,
              "MTA_STS CRITICAL - example.com: there is no MTA-STS record; serve a policy at "
              "https://mta-sts.example.com/.well-known/mta-sts.txt first, then publish v=STSv1; id=20231114T221320Z; "
              "at _mta-sts.example.com\n"},
             {"crit_two", zone + "_mta-sts.example.com TXT \"v=STSv1; id=2;\"", http(policy), 2,
              "MTA_STS CRITICAL - example.com: 2 MTA-STS records at _mta-sts.example.com, so senders ignore them all; "
              "keep one\n"},
             {"crit_no_id", with(zone, "id=20261121;", ""), http(policy), 2,
              "MTA_STS CRITICAL - example.com: id= is missing; publish: _mta-sts.example.com. IN TXT \"v=STSv1; "
              "id=20231114T221320Z;\" | max_age=604800s;;;0\n"},
             {"crit_bad_id", with(zone, "20261121", "2026-11-21"), http(policy), 2,
              "MTA_STS CRITICAL - example.com: id=2026-11-21 is not 1 to 32 letters and digits; publish: "
              "_mta-sts.example.com. IN TXT \"v=STSv1; id=20231114T221320Z;\" | max_age=604800s;;;0\n"},
             {"unknown_servfail", "_mta-sts.example.com !SERVFAIL", http(policy), 3,
              "MTA_STS UNKNOWN - example.com: TXT _mta-sts.example.com: the resolver 192.0.2.53 answered SERVFAIL\n"},
             {"unknown_mx_timeout",
              "_mta-sts.example.com TXT \"v=STSv1; id=1;\"\nmta-sts.example.com A 192.0.2.80\nexample.com !TIMEOUT",
              http(policy), 3,
              "MTA_STS UNKNOWN - example.com: MX example.com: no answer from the resolver 192.0.2.53 | "
              "max_age=604800s;;;0\n"},
             {"crit_no_policy_host", without(zone, "mta-sts.example.com   A   192.0.2.80\n"), http(policy), 2,
              "MTA_STS CRITICAL - example.com: the policy cannot be fetched: there is no host mta-sts.example.com in "
              "the DNS\n"},
             {"unknown_policy_host_servfail",
              without(zone, "mta-sts.example.com   A   192.0.2.80\n") + "mta-sts.example.com !SERVFAIL", http(policy),
              3, "MTA_STS UNKNOWN - example.com: A mta-sts.example.com: the resolver 192.0.2.53 answered SERVFAIL\n"},
             {"crit_closed", zone, "", 2,
              "MTA_STS CRITICAL - example.com: the policy cannot be fetched: 192.0.2.80:443: connection refused\n"},
             {"crit_404", zone, http("not found", "404 Not Found"), 2,
              "MTA_STS CRITICAL - example.com: https://mta-sts.example.com/.well-known/mta-sts.txt answers with status "
              "404; serve the policy there\n"},
             {"crit_redirect", zone,
              http("", "301 Moved Permanently", "text/plain", "Location: https://www.example.com/\r\n"), 2,
              "MTA_STS CRITICAL - example.com: https://mta-sts.example.com/.well-known/mta-sts.txt redirects (status "
              "301), which senders must not follow; serve the policy there\n"},
             {"warn_html", zone, http(policy, "200 OK", "text/html; charset=utf-8"), 1,
              "MTA_STS WARNING - example.com: the policy comes as \"text/html; charset=utf-8\"; serve it as text/plain "
              "| max_age=604800s;;;0\n"},
             {"crit_garbage", zone, "SSH-2.0-nothing\r\n", 2,
              "MTA_STS CRITICAL - example.com: the policy cannot be fetched: "
              "https://mta-sts.example.com/.well-known/mta-sts.txt: the answer is not HTTP: 'SSH-2.0-nothing' (bad "
              "version)\n"},
             // "version:" is missing (and 4 more), it said, as of a policy that somebody had written badly.
             {"crit_empty", zone, http("\n"), 2,
              "MTA_STS CRITICAL - example.com: https://mta-sts.example.com/.well-known/mta-sts.txt is empty; write the "
              "policy into it\n"},
             {"crit_uncovered", zone, http(without(policy, "mx: *.backup.example.net\r\n")), 2,
              "MTA_STS CRITICAL - example.com: the policy does not cover 1 of 2 mail hosts, to which senders then "
              "deliver nothing; add mx: mx.backup.example.net, and then give the record a new id: 20231114T221320Z | "
              "max_age=604800s;;;0\n"},
             {"crit_wildcard_is_one_label", zone, http(with(policy, "*.backup.example.net", "*.example.net")), 2,
              "MTA_STS CRITICAL - example.com: the policy does not cover 1 of 2 mail hosts, to which senders then "
              "deliver nothing; add mx: mx.backup.example.net, and then give the record a new id: 20231114T221320Z | "
              "max_age=604800s;;;0\n"},
             {"warn_testing", zone, http(with(policy, "enforce", "testing")), 1,
              "MTA_STS WARNING - example.com: mode: testing protects nothing yet; write mode: enforce | "
              "max_age=604800s;;;0\n"},
             {"warn_none", zone, http("version: STSv1\nmode: none\nmax_age: 604800\n"), 1,
              "MTA_STS WARNING - example.com: mode: none switches MTA-STS off; write mode: enforce | "
              "max_age=604800s;;;0\n"},
             {"crit_missing_version", zone, http(without(policy, "version: STSv1\r\n")), 2,
              "MTA_STS CRITICAL - example.com: the policy: \"version:\" is missing | max_age=604800s;;;0\n"},
             {"crit_missing_mx", zone, http("version: STSv1\nmode: enforce\nmax_age: 604800\n"), 2,
              "MTA_STS CRITICAL - example.com: the policy: \"mx:\" is missing | max_age=604800s;;;0\n"},
             {"crit_bad_mode", zone, http(with(policy, "enforce", "strict")), 2,
              "MTA_STS CRITICAL - example.com: the policy: \"mode: strict\" is none of enforce, testing, none | "
              "max_age=604800s;;;0\n"},
             {"crit_long_max_age", zone, http(with(policy, "604800", "31557601")), 2,
              "MTA_STS CRITICAL - example.com: the policy: max_age: 31557601 is more than the 31557600 allowed | "
              "max_age=31557601s;;;0\n"},
             {"warn_short_max_age", zone, http(with(policy, "604800", "3600")), 1,
              "MTA_STS WARNING - example.com: the policy: max_age: 3600 protects for less than a day; write max_age: "
              "604800 | "
              "max_age=3600s;;;0\n"},
             {"crit_bad_line", zone, http(policy + "<html>\r\n"), 2,
              "MTA_STS CRITICAL - example.com: the policy: \"<html>\" is no line of a policy | max_age=604800s;;;0\n"},
             {"crit_bad_mx", zone, http(with(policy, "*.backup", "mx*.backup")), 2,
              "MTA_STS CRITICAL - example.com: the policy: \"mx: mx*.backup.example.net\" is no host name and no "
              "*.DOMAIN (and 1 more) | max_age=604800s;;;0\n"
              "CRITICAL: example.com: the policy does not cover 1 of 2 mail hosts, to which senders then deliver "
              "nothing; add mx: mx.backup.example.net, and then give the record a new id: 20231114T221320Z\n"},
         }) {
        const auto got = fixture.run(row);
        BOOST_TEST(got.exit_code == row.exit_code, row.name << ": exit " << got.exit_code);
        BOOST_TEST(got.text == row.text, row.name << ":\n" << got.text);
    }
    const auto untrusted = fixture.run({"", zone, http(policy), 2, ""}, "www.example.com");
    BOOST_TEST(untrusted.exit_code == 2);
    BOOST_TEST((untrusted.text.find("the certificate is not for mta-sts.example.com; senders ignore the policy") !=
                std::string::npos),
               untrusted.text);
}

// An empty file trusted nobody, and the policy's server was blamed.
BOOST_AUTO_TEST_CASE(an_authorities_file_without_any_is_our_own_fault) {
    Fixture fixture;
    for (const auto& [text, why] : {std::pair{"", "/ca.pem: the file is empty"},
                                    std::pair{"no PEM\n", "/ca.pem: no certificate in it (PEM or DER)"}}) {
        fixture.trust(text);
        const auto got = fixture.run({"", zone, http(policy), 3, ""});
        BOOST_TEST(got.exit_code == 3);
        BOOST_TEST(got.text == fmt::format("MTA_STS UNKNOWN - {}\n", why));
    }
}
