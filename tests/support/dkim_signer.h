// Makes keys and signs mail for tests of DKIM; nothing here is ever stored.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace mtawatch::test {

class SigningKey {
  public:
    static SigningKey rsa(int bits);
    static SigningKey ed25519();

    [[nodiscard]] std::string private_pem() const;        // PKCS#8
    [[nodiscard]] std::string private_pem_pkcs1() const;  // RSA alone
    [[nodiscard]] std::string spki_base64() const;        // SubjectPublicKeyInfo
    [[nodiscard]] std::string rsa_public_base64() const;  // bare RSAPublicKey
    [[nodiscard]] std::string ed25519_base64() const;     // the 32 bytes
    // "v=DKIM1; k=…; p=…" as quoted strings for a zone.
    [[nodiscard]] std::string zone_text() const;
    // rsa-sha256, or Ed25519 over the bytes as they are.
    [[nodiscard]] std::string sign(std::string_view bytes) const;
    [[nodiscard]] bool is_rsa() const;

  private:
    std::shared_ptr<evp_pkey_st> key_;
};

// A record as quoted strings of at most 200 bytes.
[[nodiscard]] std::string quoted_strings(std::string_view record);

// The message with a DKIM-Signature field in front. `tags` are those between v=1 and bh=: "a=…; c=…; d=…; s=…; h=…".
[[nodiscard]] std::string signed_message(const SigningKey& key, const std::string& tags, const std::string& message);

}  // namespace mtawatch::test
