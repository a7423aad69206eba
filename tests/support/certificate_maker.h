// Makes keys and certificates inside a test, so that no key lies in the repository and no fixture expires.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace mtawatch::test {

// FakeClock's first moment, 2023-11-14; the default certificate is valid from 10 days before to 80 days after it.
inline constexpr std::int64_t test_now = 1'700'000'000;
inline constexpr std::int64_t one_day = 86'400;

enum class KeyKind { ec_p256, rsa_512, rsa_1024, rsa_2048, ed25519 };

struct MadeCertificate {
    std::shared_ptr<x509_st> certificate;
    std::shared_ptr<evp_pkey_st> key;

    [[nodiscard]] std::string pem() const;
    [[nodiscard]] std::string der() const;
    [[nodiscard]] std::string key_pem() const;              // PKCS#8
    [[nodiscard]] std::string traditional_key_pem() const;  // PKCS#1 or SEC 1
    [[nodiscard]] std::string encrypted_key_pem() const;    // PKCS#8 with the passphrase "secret"
    [[nodiscard]] std::string public_key_der() const;       // SubjectPublicKeyInfo
    // The raw contents of the key's BIT STRING: RSAPublicKey for RSA, the 32 bytes for Ed25519.
    [[nodiscard]] std::string bare_public_key() const;
    // RSA: PKCS#1 v1.5 over SHA-256; Ed25519: pure.
    [[nodiscard]] std::string sign(const std::string& message) const;
};

struct Recipe {
    std::string common_name = {};             // subject
    std::vector<std::string> names = {};      // subjectAltName entries as OpenSSL writes them: "DNS:a", "IP:::1"
    const MadeCertificate* issuer = nullptr;  // null: signs itself
    bool authority = false;                   // may sign others
    KeyKind key = KeyKind::ec_p256;
    std::string digest = "SHA256";
    std::int64_t not_before = test_now - 10 * one_day;
    std::int64_t not_after = test_now + 80 * one_day;
    const MadeCertificate* same_key_as = nullptr;  // reuses that key
    std::string purpose = {};                      // extendedKeyUsage, "clientAuth"; empty: none
};

[[nodiscard]] MadeCertificate make_certificate(const Recipe& recipe);
// An authority valid for ten years around test_now.
[[nodiscard]] MadeCertificate make_authority(const std::string& common_name, const MadeCertificate* issuer = nullptr);

}  // namespace mtawatch::test
