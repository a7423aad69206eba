// Verification of a certificate chain at a time, and through DANE (RFC 7672), by OpenSSL against the system's
// authorities. Reports facts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/tls/certificate.h"

struct x509_store_st;
struct ssl_ctx_st;

namespace mtawatch::tls {

enum class Offer {
    secure,    // TLS 1.2 and 1.3 with OpenSSL's default ciphers: for carrying data
    anything,  // TLS 1.0 to 1.3, weak ciphers and keys too: for looking at what a server does
};

// Which authorities are trusted. The hashed directory is read lazily, one authority at a time; the bundle file of
// the same content would cost 20 ms to load.
struct TrustSettings {
    std::string authorities = {};  // PEM text of a CA file; when not empty these alone are trusted
    // As c_rehash or update-ca-certificates makes it; empty: nobody is trusted (for looking without judging).
    std::string ca_directory = "/etc/ssl/certs";
    Offer offer = Offer::secure;  // to the servers that are talked to
};

// Authorities plus OpenSSL's client state: made once, then shared by any number of threads.
class Context {
  public:
    // Faults: malformed (no certificate in `authorities`), not_found or permission (the directory).
    [[nodiscard]] static base::Result<std::shared_ptr<const Context>> make(const TrustSettings& settings);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    // For shared/tls itself.
    [[nodiscard]] ssl_ctx_st* client() const { return client_; }
    [[nodiscard]] x509_store_st* store() const;

  private:
    Context() = default;
    ssl_ctx_st* client_ = nullptr;
};

enum class ChainProblem {
    expired,
    not_yet_valid,
    bad_date,        // notBefore or notAfter is no valid time
    self_signed,     // the server's own certificate signs itself
    untrusted_root,  // the chain ends in an authority that is not trusted here
    missing_issuer,  // an intermediate certificate is not sent (or an authority is unknown)
    bad_signature,
    wrong_purpose,  // not a server certificate, or a CA that may not be one
    other,
};
// A stable word for JSON, e.g. "missing_issuer".
[[nodiscard]] std::string_view name(ChainProblem problem);

struct ChainFinding {
    ChainProblem problem = ChainProblem::other;
    std::size_t position = 0;  // in the path, 0 is the server's own certificate
    std::string text;          // OpenSSL's words
};

struct ChainVerdict {
    std::vector<ChainFinding> findings;  // empty: the chain leads to a trusted authority and every date fits
    std::vector<Certificate> path;       // what was verified, own certificate first, as far as a path was found
    [[nodiscard]] bool trusted() const { return findings.empty(); }
};

// Verifies `served` (own certificate first, any further ones as helpers) at `now` (seconds since 1970) as a TLS
// server's chain. Names are not looked at: is_for() does that. An empty chain is a caller's mistake.
[[nodiscard]] ChainVerdict verify_chain(const Context& context, const std::vector<Certificate>& served,
                                        std::int64_t now);

// One TLSA record, RFC 6698 section 2.1.
struct Tlsa {
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching_type = 0;
    std::string data;  // raw bytes
    bool operator==(const Tlsa&) const = default;
};

struct DaneVerdict {
    std::size_t usable = 0;              // records that can be used for mail: DANE-TA(2) and DANE-EE(3)
    std::optional<std::size_t> matched;  // index into the records; absent: none authenticates this server
    std::string reason;                  // why not, in words; empty when matched
};

// RFC 7672: usages 0 and 1 are unusable for SMTP; 3 x x compares the server's own certificate and looks at neither
// name nor date; 2 x x needs a path to the matched authority, dates, and one of `names` on the certificate.
[[nodiscard]] DaneVerdict verify_dane(const Context& context, const std::vector<Certificate>& served,
                                      const std::vector<Tlsa>& records, const std::vector<std::string>& names,
                                      std::int64_t now);

}  // namespace mtawatch::tls
