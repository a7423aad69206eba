// check_mail_cert of files, of what is served beside them, and of what DNS says of it (DANE).
#include "shared/tls/key.h"
#include "tests/checks/mail_cert_fixture.h"

namespace mtawatch::checks {
namespace {

using namespace test::mail_cert;
using test::make_authority;

BOOST_AUTO_TEST_CASE(files) {
    const auto write = [](const char* name, std::function<std::string(Fixture&)> bytes) {
        return [name, bytes](Fixture& net) { net.folder.write(name, bytes(net)); };
    };
    check({
        {"pem_bundle_soonest_decides",
         write("/a.pem", [](Fixture& net) { return net.leaf.pem() + net.certificate(20).pem() + net.leaf.key_pem(); }),
         {"-e", "file:///a.pem"},
         1,
         "MAIL_CERT WARNING - /a.pem: the further certificate CN=mx1.example.net expires in 20 d, on 2023-12-04 | "
         "a.pem=20;30:;7:\n"},
        {"der",
         write("/a.der", [](Fixture& net) { return net.leaf.der(); }),
         {"-e", "file:///a.der"},
         0,
         "MAIL_CERT OK - /a.der: the certificate expires in 80 d, on 2024-02-02 | a.der=80;30:;7:\n"},
        {"expired",
         write("/a.pem", [](Fixture& net) { return net.certificate(-1).pem(); }),
         {"-e", "file:///a.pem"},
         2,
         "MAIL_CERT CRITICAL - /a.pem: the certificate expired 1 d ago, on 2023-11-13 | a.pem=-1;30:;7:\n"},
        {"glob_worst_first",
         [](Fixture& net) {
             net.folder.write("/1.pem", net.leaf.pem());
             net.folder.write("/2.pem", net.certificate(2).pem());
             net.folder.write("/3.pem", "no certificate");
         },
         {"-e", "file:///[123].pem"},
         2,
         "MAIL_CERT CRITICAL - /2.pem: the certificate expires in 2 d, on 2023-11-16 (and 1 more) | 1.pem=80;30:;7: "
         "2.pem=2;30:;7:\n"
         "UNKNOWN: /3.pem: no certificate in it (PEM or DER)\n"},
        {"glob_of_nothing",
         [](Fixture&) {},
         {"-e", "file:///none*.pem"},
         3,
         "MAIL_CERT UNKNOWN - file:///none*.pem: no file matches /none*.pem\n"},
        {"no_certificate",
         write("/a.pem", [](Fixture&) { return std::string("hello"); }),
         {"-e", "file:///a.pem"},
         3,
         "MAIL_CERT UNKNOWN - /a.pem: no certificate in it (PEM or DER)\n"},
        {"empty_file",
         write("/a.pem", [](Fixture&) { return std::string(); }),
         {"-e", "file:///a.pem"},
         3,
         "MAIL_CERT UNKNOWN - /a.pem: no certificate in it (PEM or DER)\n"},
        {"missing_file",
         [](Fixture&) {},
         {"-e", "file:///a.pem"},
         3,
         "MAIL_CERT UNKNOWN - /a.pem: No such file or directory\n"},
        {"name_of_a_file",
         write("/a.pem", [](Fixture& net) { return net.leaf.pem(); }),
         {"-e", "file:///a.pem", "--name", "mx2.example.net"},
         2,
         "MAIL_CERT CRITICAL - /a.pem: the certificate is not for mx2.example.net but for mx1.example.net | "
         "a.pem=80;30:;7:\n"},
    });
}

BOOST_AUTO_TEST_CASE(served_equals_file_and_key) {
    const std::string end = " | mx1.example.net_smtp=80;30:;7:\n";
    const auto prepare = [](std::function<std::string(Fixture&)> bytes) {
        return [bytes](Fixture& net) {
            net.serve(net.leaf);
            net.folder.write("/disk.pem", bytes(net));
        };
    };
    check({
        {"the_same",
         prepare([](Fixture& net) { return net.leaf.pem() + net.middle.pem(); }),
         {"-e", target, "--same-as", "/disk.pem"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02" + end},
        {"renewed_but_not_reloaded",
         prepare([](Fixture& net) { return net.certificate(170).pem(); }),
         {"-e", target, "--same-as", "/disk.pem"},
         1,
         "MAIL_CERT WARNING - smtp://mx1.example.net: the file holds a newer certificate (until 2024-05-02) than is "
         "served (until 2024-02-02): reload the service" +
             end},
        {"another_one",
         prepare([](Fixture& net) { return net.certificate(50).pem(); }),
         {"-e", target, "--same-as", "/disk.pem"},
         2,
         "MAIL_CERT CRITICAL - smtp://mx1.example.net: the certificate is not the one in the file" + end},
        {"file_without_certificate",
         prepare([](Fixture& net) { return net.leaf.key_pem(); }),
         {"-e", target, "--same-as", "/disk.pem"},
         3,
         "MAIL_CERT UNKNOWN - /disk.pem: no certificate in it (PEM or DER)\n"},
        {"key_belongs",
         prepare([](Fixture& net) { return net.leaf.key_pem(); }),
         {"-e", target, "--key", "/disk.pem"},
         0,
         "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02" + end},
        {"key_does_not",
         prepare([](Fixture& net) { return net.middle.traditional_key_pem(); }),
         {"-e", target, "--key", "/disk.pem"},
         2,
         "MAIL_CERT CRITICAL - smtp://mx1.example.net: the private key in the file does not belong to the certificate" +
             end},
        {"key_encrypted",
         prepare([](Fixture& net) { return net.leaf.encrypted_key_pem(); }),
         {"-e", target, "--key", "/disk.pem"},
         3,
         "MAIL_CERT UNKNOWN - /disk.pem: the private key is encrypted; write a copy without passphrase that only this "
         "user can read\n"},
        {"key_is_none",
         prepare([](Fixture& net) { return net.leaf.pem(); }),
         {"-e", target, "--key", "/disk.pem"},
         3,
         "MAIL_CERT UNKNOWN - /disk.pem: no readable PEM private key in it\n"},
    });
}

// The zone mx1.example.net with the TLSA records of a case.
struct DaneCase {
    const char* name;
    std::function<std::string(const Fixture&)> records;
    bool is_signed;
    std::vector<std::string> arguments;
    int exit_code;
    std::string text;
};

std::string tlsa_of(const char* parameters, const std::string& bytes) {
    return std::string("_25._tcp.mx1.example.net TLSA ") + parameters + " " + tls::hex(tls::sha256(bytes)) + "\n";
}

BOOST_AUTO_TEST_CASE(dane) {
    const std::string ok =
        "MAIL_CERT OK - smtp://mx1.example.net: the certificate expires in 80 d, on 2024-02-02 | "
        "mx1.example.net_smtp=80;30:;7:\n";
    const std::string head = "MAIL_CERT CRITICAL - smtp://mx1.example.net: DANE: ";
    const std::string end = " (_25._tcp.mx1.example.net) | mx1.example.net_smtp=80;30:;7:\n";
    const auto right = [](const Fixture& net) { return tlsa_of("3 1 1", net.leaf.public_key_der()); };
    const DaneCase cases[] = {
        {"ok_3_1_1", right, true, {}, 0, ok},
        {"ok_2_1_1_of_the_issuer",
         [](const Fixture& net) { return tlsa_of("2 1 1", net.middle.public_key_der()); },
         true,
         {},
         0,
         ok},
        {"ok_rollover",
         [](const Fixture& net) { return tlsa_of("3 1 1", "old") + tlsa_of("3 1 1", net.leaf.public_key_der()); },
         true,
         {},
         0,
         ok},
        {"ok_though_no_authority_knows_it", right, true, {"--ca-file", "/other.pem"}, 0, ok},
        {"crit_mismatch",
         [](const Fixture&) { return tlsa_of("3 1 1", "x"); },
         true,
         {},
         2,
         head + "no TLSA record matches the certificate that is served" + end},
        {"crit_none",
         [](const Fixture&) { return std::string(); },
         true,
         {},
         2,
         head + "there is no TLSA record" + end},
        {"crit_pkix_usage",
         [](const Fixture& net) { return tlsa_of("1 1 1", net.leaf.public_key_der()); },
         true,
         {},
         2,
         head + "no TLSA record is usable for mail (only 2 x x and 3 x x are, RFC 7672)" + end},
        {"crit_not_authenticated",
         right,
         false,
         {},
         2,
         head +
             "the host's addresses are not DNSSEC-authenticated (unsigned zone, /etc/hosts, or a resolver that does "
             "not validate), so senders ignore the TLSA records" +
             end},
        {"unknown_resolver_fails",
         [](const Fixture&) { return std::string("_25._tcp.mx1.example.net !SERVFAIL\n"); },
         true,
         {},
         3,
         "MAIL_CERT UNKNOWN - smtp://mx1.example.net: DANE: TLSA _25._tcp.mx1.example.net: the resolver 192.0.2.53 "
         "answered SERVFAIL | mx1.example.net_smtp=80;30:;7:\n"},
    };
    for (const DaneCase& c : cases) {
        BOOST_TEST_CONTEXT(c.name) {
            Fixture net;
            net.serve(net.leaf);
            net.folder.write("/other.pem", make_authority("Other Root").pem());
            test::ZoneText zone("mx1.example.net A 192.0.2.25\n" + c.records(net) +
                                (c.is_signed ? "example.net !SIGNED\n" : ""));
            net.world.open_dns = zone.opener();
            std::vector<std::string> arguments{"-e", target, "--dane"};
            arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
            const bool own_ca = !c.arguments.empty();
            const auto outcome = own_ca ? test::run_check(arguments, net.world) : net.run(arguments);
            BOOST_TEST(outcome.text == c.text);
            BOOST_TEST(outcome.exit_code == c.exit_code);
        }
    }
}

}  // namespace
}  // namespace mtawatch::checks
