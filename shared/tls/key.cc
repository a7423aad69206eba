#include "shared/tls/key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <climits>
#include <new>

#include "shared/tls/handles.h"

namespace mtawatch::tls {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// A 16384-bit RSA key, the largest OpenSSL works with, is 2 KiB of DER; anything much larger is no key.
constexpr std::size_t max_key_bytes = 64U << 10U;

Result<PublicKey> own(evp_pkey_st* key) {
    if (key == nullptr) throw std::bad_alloc();
    return PublicKey(std::shared_ptr<evp_pkey_st>(key, EVP_PKEY_free));
}

// Answers OpenSSL's wish for a passphrase with "none", and notes that there was such a wish.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

bool verify(evp_pkey_st* key, const EVP_MD* digest, std::string_view message, std::string_view signature) {
    const DigestHandle state(EVP_MD_CTX_new());
    if (!state) throw std::bad_alloc();
    const bool good =
        EVP_DigestVerifyInit(state.get(), nullptr, digest, nullptr, key) == 1 &&
        EVP_DigestVerify(state.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
    ERR_clear_error();
    return good;
}

}  // namespace

std::string_view name(KeyType type) {
    switch (type) {
        case KeyType::rsa:
            return "RSA";
        case KeyType::rsa_pss:
            return "RSA-PSS";
        case KeyType::ec:
            return "EC";
        case KeyType::ed25519:
            return "Ed25519";
        case KeyType::ed448:
            return "Ed448";
        case KeyType::other:
            break;
    }
    return "unknown kind";
}

Result<PublicKey> PublicKey::from_subject_public_key_info(std::string_view der) {
    if (der.size() > max_key_bytes) return fail(Fault::malformed, "{} bytes are too many for a public key", der.size());
    const unsigned char* at = bytes_of(der);
    evp_pkey_st* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()));
    ERR_clear_error();
    if (key == nullptr) return fail(Fault::malformed, "not a SubjectPublicKeyInfo structure");
    auto owned = own(key);
    if (at != bytes_of(der) + der.size()) return fail(Fault::malformed, "bytes follow the public key");
    return owned;
}

Result<PublicKey> PublicKey::from_rsa_public_key(std::string_view der) {
    if (der.size() > max_key_bytes) return fail(Fault::malformed, "{} bytes are too many for a public key", der.size());
    const unsigned char* at = bytes_of(der);
    evp_pkey_st* key = d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size()));
    ERR_clear_error();
    if (key == nullptr) return fail(Fault::malformed, "not an RSAPublicKey structure");
    auto owned = own(key);
    if (at != bytes_of(der) + der.size()) return fail(Fault::malformed, "bytes follow the RSA public key");
    return owned;
}

Result<PublicKey> PublicKey::from_ed25519(std::string_view raw) {
    constexpr std::size_t raw_size = 32;
    if (raw.size() != raw_size) {
        return fail(Fault::malformed, "an Ed25519 public key is 32 bytes, this one is {}", raw.size());
    }
    return own(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()));
}

Result<PublicKey> PublicKey::from_private_pem(std::string_view pem) {
    constexpr std::size_t max_pem_bytes = 1U << 20U;  // a key with certificates around it; not a disk image
    if (pem.size() > max_pem_bytes) return fail(Fault::malformed, "{} bytes are too many for a key file", pem.size());
    const BioHandle text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!text) throw std::bad_alloc();
    bool asked = false;
    const KeyHandle secret(PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, &asked));
    ERR_clear_error();
    if (asked) {
        return fail(Fault::usage,
                    "the private key is encrypted; write a copy without passphrase that only this user can read");
    }
    if (!secret) return fail(Fault::malformed, "no readable PEM private key in it");
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(secret.get(), &der);
    if (size <= 0) return fail(Fault::malformed, "the private key has no public half");
    const std::string copy(as_text(der, size));
    OPENSSL_free(der);
    return from_subject_public_key_info(copy);
}

KeyType PublicKey::type() const {
    switch (EVP_PKEY_get_base_id(key_.get())) {
        case EVP_PKEY_RSA:
            return KeyType::rsa;
        case EVP_PKEY_RSA_PSS:
            return KeyType::rsa_pss;
        case EVP_PKEY_EC:
            return KeyType::ec;
        case EVP_PKEY_ED25519:
            return KeyType::ed25519;
        case EVP_PKEY_ED448:
            return KeyType::ed448;
        default:
            return KeyType::other;
    }
}

int PublicKey::bits() const { return type() == KeyType::ed25519 ? 256 : EVP_PKEY_get_bits(key_.get()); }

std::string PublicKey::subject_public_key_info() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &der);
    if (size <= 0) throw std::bad_alloc();
    std::string copy(as_text(der, size));
    OPENSSL_free(der);
    return copy;
}

std::optional<std::string> PublicKey::ed25519_raw() const {
    if (type() != KeyType::ed25519) return std::nullopt;
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size) != 1) return std::nullopt;
    return std::string(as_text(raw.data(), size));
}

bool PublicKey::operator==(const PublicKey& other) const {
    const bool same = EVP_PKEY_eq(key_.get(), other.key_.get()) == 1;
    ERR_clear_error();
    return same;
}

bool PublicKey::verifies_rsa_sha256(std::string_view message, std::string_view signature) const {
    return type() == KeyType::rsa && verify(key_.get(), EVP_sha256(), message, signature);
}

bool PublicKey::verifies_ed25519(std::string_view message, std::string_view signature) const {
    return type() == KeyType::ed25519 && verify(key_.get(), nullptr, message, signature);
}

Sha256::Sha256() : state_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!state_ || EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

void Sha256::update(std::string_view bytes) {
    if (EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(state_.get(), digest.data(), &size) != 1 ||
        EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr) != 1) {
        throw std::bad_alloc();
    }
    return std::string(as_text(digest.data(), size));
}

std::string sha256(std::string_view bytes) {
    Sha256 digest;
    digest.update(bytes);
    return digest.finish();
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        text += digits[static_cast<unsigned char>(c) >> 4U];
        text += digits[static_cast<unsigned char>(c) & 0xfU];
    }
    return text;
}

}  // namespace mtawatch::tls
