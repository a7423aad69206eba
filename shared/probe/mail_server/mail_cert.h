// Probe of certificates: which ones a mail host serves or holds in its files, and whether clients would trust them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/probe/world/dial.h"
#include "shared/probe/world/world.h"
#include "shared/smtp/starttls.h"
#include "shared/tls/certificate.h"
#include "shared/tls/verify.h"

namespace mtawatch::probe::mail_server {

// Where to look: a service with how it comes to TLS, or a file.
struct CertEndpoint {
    std::string scheme;  // "smtp", …, "file"
    std::string host;    // as written, an IPv6 address without brackets; empty for a file
    std::uint16_t port = 0;
    std::optional<smtp::Protocol> starttls;  // absent: TLS from the first byte
    std::string path;                        // file: absolute path or glob(7) pattern
    std::string text;                        // as the operator wrote it, for messages
    bool operator==(const CertEndpoint&) const = default;
};

// "smtp://mx1.example.net", "imaps://[2001:db8::1]:993", "file:///etc/ssl/mail.pem". Usage error that names the text:
// unknown scheme (with those there are), bad port, a path or user name that does not belong there.
[[nodiscard]] base::Result<CertEndpoint> parse_cert_endpoint(std::string_view text);
// From -H, -p and --starttls ("" is none). Without a protocol the port decides; a port that tells nothing is a usage
// error that says what to write.
[[nodiscard]] base::Result<CertEndpoint> cert_endpoint(const std::string& host, std::uint16_t port,
                                                       std::string_view starttls);

struct MailCertQuery {
    std::vector<CertEndpoint> endpoints;  // at most max_endpoints
    std::string name;                     // to verify and to send as SNI instead of the host; "" is the host
    std::string ca_file;                  // trusted instead of the system's authorities; "" is the system
    bool verify = true;                   // false: names and chains are not looked at
    std::string same_as;                  // file whose first certificate should be the one that is served; "" is none
    std::string key;                      // file with the private key that should belong to it; "" is none
    bool dane = false;                    // look at TLSA records; every address is looked at then
    bool all_addresses = false;           // each address of a host, not only the first that answers
    world::NameChoice names;
    std::string hello = "localhost.localdomain";  // how SMTP and LMTP are greeted

    static constexpr std::size_t max_endpoints = 2000;  // 64 at a time: more do not fit into one run's time
};

// How far it went. Everything but `shown` is the server's doing and named for the operator.
enum class CertOutcome {
    shown,  // certificates were seen
    greeting_refused,
    hello_refused,
    not_offered,
    refused,
    injected,
    not_protocol,
    closed,
    not_tls,
    handshake_failed,
    no_certificate,  // TLS without a certificate
};
[[nodiscard]] std::string_view name(CertOutcome outcome);  // "not_offered", …: for JSON

struct DaneFacts {
    std::string base;                      // "_25._tcp.mx1.example.net"
    bool addresses_authenticated = false;  // the host's addresses are DNSSEC-authenticated
    bool authenticated = false;            // addresses and TLSA records are
    std::size_t records = 0;               // TLSA records published
    std::size_t usable = 0;                // of these, usages 2 and 3 that can be read
    std::optional<std::string> matched;    // "3 1 1", the record that matches
    std::string reason;                    // why `valid` is false
    bool valid = false;                    // authenticated and matched
    std::optional<base::Error> error;      // the resolver could not tell
};

struct Phases {  // absent: not reached
    std::optional<base::Duration> resolve;
    std::optional<base::Duration> connect;
    std::optional<base::Duration> starttls;
    std::optional<base::Duration> handshake;
};

// One endpoint at one address, or one file.
struct CertLook {
    CertEndpoint endpoint;
    std::string target;                // the endpoint's text; with the address where several are looked at; a path
    std::string address;               // connected to; "" for a file or where it did not come to that
    std::optional<base::Error> error;  // not seen: refused, silent, unknown name, unreadable file; all below is empty
    CertOutcome outcome = CertOutcome::shown;
    std::string reason;  // what the outcome rests on, in the server's or OpenSSL's words

    std::vector<tls::Certificate> served;     // as served, own first; of a file all certificates in order
    std::vector<tls::Certificate> path;       // as verified, own first (a file: all certificates)
    std::vector<tls::ChainFinding> findings;  // empty where the chain leads to a trusted authority or is not judged
    std::optional<bool> verified;             // chain and dates; absent: not asked for, or a file
    std::optional<bool> name_matches;         // absent: not asked for
    std::string expected_name;                // what name_matches is about
    std::string protocol;                     // "TLSv1.3"; empty for a file
    std::string cipher;
    bool client_certificate_wanted = false;
    std::optional<bool> same_as_file;            // absent: not asked for
    std::optional<std::int64_t> file_not_after;  // of the file's certificate
    std::optional<bool> key_matches;             // absent: not asked for
    std::optional<DaneFacts> dane;               // absent: not asked for
    Phases phases;
};

struct MailCertObservation {
    std::vector<CertLook> looks;  // in the order of the query
    base::WallTime at;            // the time that dates were compared with
};

// All endpoints at once, a thread each, at most max_threads. Errors: what the query itself needs cannot be had (CA
// file, --same-as, --key, no directory of authorities, too many endpoints); everything else is told per look.
[[nodiscard]] base::Result<MailCertObservation> mail_cert(const MailCertQuery& query, const base::Deadline& deadline,
                                                          world::World& world);

// {"at": seconds, "endpoints": [...]}; docs/certificates.md names the fields.
[[nodiscard]] std::string to_json(const MailCertObservation& observation);

inline constexpr std::size_t max_cert_threads = 64;

}  // namespace mtawatch::probe::mail_server
