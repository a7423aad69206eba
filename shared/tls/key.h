// Public keys (kind, size, match with a private key), signature verification and SHA-256. The only way to cryptography
// for DKIM and certificates.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"

struct evp_pkey_st;
struct evp_md_ctx_st;

namespace mtawatch::tls {

enum class KeyType { rsa, rsa_pss, ec, ed25519, ed448, other };

// "RSA", "RSA-PSS", "EC", "Ed25519", "Ed448", "unknown kind".
[[nodiscard]] std::string_view name(KeyType type);

// A public key; copies share it, and it never changes. All readers take the whole input: bytes after the key are an
// error. Fault::malformed says what is wrong with the bytes.
class PublicKey {
  public:
    // DER of X.509 SubjectPublicKeyInfo (RFC 5280 section 4.1): what DKIM's p= holds for RSA.
    [[nodiscard]] static base::Result<PublicKey> from_subject_public_key_info(std::string_view der);
    // DER of a bare RSAPublicKey (RFC 8017 appendix A.1.1), which RFC 6376 section 3.6.1 literally asks for.
    [[nodiscard]] static base::Result<PublicKey> from_rsa_public_key(std::string_view der);
    // The 32 raw bytes of RFC 8032, as RFC 8463 publishes them.
    [[nodiscard]] static base::Result<PublicKey> from_ed25519(std::string_view raw);
    // The public half of a PEM private key: PKCS#1, SEC 1, PKCS#8. The secret half is gone when this returns.
    // An encrypted key is Fault::usage (there is nobody to ask for the passphrase); text without a key is malformed.
    // No message ever quotes the key.
    [[nodiscard]] static base::Result<PublicKey> from_private_pem(std::string_view pem);

    [[nodiscard]] KeyType type() const;
    // Size of the modulus, curve or, for Ed25519, 256 (the strength of none of these can be compared by this number).
    [[nodiscard]] int bits() const;
    // DER SubjectPublicKeyInfo.
    [[nodiscard]] std::string subject_public_key_info() const;
    // The 32 bytes; absent for any other kind of key.
    [[nodiscard]] std::optional<std::string> ed25519_raw() const;
    // Same kind and same value, however it was written down.
    [[nodiscard]] bool operator==(const PublicKey& other) const;

    // RSASSA-PKCS1-v1_5 with SHA-256 over `message` (DKIM rsa-sha256). A key of another kind or any malformed
    // signature is simply false. The caller judges the key's size.
    [[nodiscard]] bool verifies_rsa_sha256(std::string_view message, std::string_view signature) const;
    // Pure Ed25519 over `message`; DKIM (RFC 8463 section 3) signs the SHA-256 of the headers, so pass that.
    [[nodiscard]] bool verifies_ed25519(std::string_view message, std::string_view signature) const;

    // Takes over a reference that the caller owns; for shared/tls itself.
    explicit PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

  private:
    std::shared_ptr<evp_pkey_st> key_;
};

// A running SHA-256, for bodies of any size in constant memory.
class Sha256 {
  public:
    Sha256();
    void update(std::string_view bytes);
    // The 32 bytes; the object starts anew.
    [[nodiscard]] std::string finish();

  private:
    std::shared_ptr<evp_md_ctx_st> state_;
};

[[nodiscard]] std::string sha256(std::string_view bytes);
// Lower-case hexadecimal without separators.
[[nodiscard]] std::string hex(std::string_view bytes);

}  // namespace mtawatch::tls
