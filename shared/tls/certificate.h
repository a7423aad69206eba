// X.509 certificate as plain facts; whether it is trusted is the work of shared/tls/verify.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/tls/key.h"

struct x509_st;

namespace mtawatch::tls {

// Text fields are one line of valid UTF-8, whatever bytes the certificate holds.
struct Certificate {
    std::string subject;                    // RFC 4514 order, "CN=mx1.example.net,O=Example"; may be empty
    std::string issuer;                     // the same for who signed it
    std::string common_name;                // of the subject; empty when it has none
    std::vector<std::string> dns_names;     // subjectAltName DNS entries, at most max_names
    std::vector<std::string> ip_addresses;  // subjectAltName IP entries as text, at most max_names
    std::string serial;                     // lower-case hexadecimal
    // Seconds since 1970, negative before it; absent where the certificate's date is no valid time.
    std::optional<std::int64_t> not_before;
    std::optional<std::int64_t> not_after;
    KeyType key_type = KeyType::other;
    int key_bits = 0;                 // 0 when the key cannot be read
    std::string signature_algorithm;  // OpenSSL's long name, e.g. "sha256WithRSAEncryption"
    bool weak_signature = false;      // signed over MD5, MD4, MD2 or SHA-1 and not self-signed: forgeable
    bool self_signed = false;         // subject and issuer are equal and its own key signed it
    std::string fingerprint;          // SHA-256 of the DER, lower-case hexadecimal
    std::string key_fingerprint;      // SHA-256 of the SubjectPublicKeyInfo, lower-case hexadecimal

    std::shared_ptr<x509_st> handle;  // for shared/tls itself; never null in a Certificate this folder returned

    static constexpr std::size_t max_names = 200;  // enough for a shared certificate, bounded against a hostile one
};

[[nodiscard]] std::string der(const Certificate& certificate);
// The key it certifies. Fault::malformed for a key that OpenSSL cannot read.
[[nodiscard]] base::Result<PublicKey> public_key(const Certificate& certificate);
// Whether `name` (a host name in A-label form, or an address) is one the certificate is for (RFC 6125; wildcards
// cover one whole label; the common name counts only where there is no DNS name).
[[nodiscard]] bool is_for(const Certificate& certificate, const std::string& name);

// Certificates of one file or chain beyond this many are Fault::limit: a CA bundle has some 150.
inline constexpr std::size_t max_certificates_per_file = 1000;

// Every certificate of a PEM text (other blocks are skipped) or of one DER certificate. None is Fault::malformed.
[[nodiscard]] base::Result<std::vector<Certificate>> read_certificates(std::string_view bytes);

}  // namespace mtawatch::tls
