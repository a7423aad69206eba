#include "tests/support/dkim_signer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "shared/auth/dkim_signature.h"
#include "shared/auth/message.h"
#include "shared/base/base64.h"
#include "shared/tls/key.h"

namespace mtawatch::test {

namespace {

std::shared_ptr<evp_pkey_st> owned(EVP_PKEY* key) {
    if (key == nullptr) throw std::runtime_error("OpenSSL cannot make a key");
    return {key, EVP_PKEY_free};
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
}

}  // namespace

SigningKey SigningKey::rsa(int bits) {
    SigningKey key;
    key.key_ = owned(EVP_RSA_gen(static_cast<unsigned>(bits)));
    return key;
}

SigningKey SigningKey::ed25519() {
    SigningKey key;
    key.key_ = owned(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    return key;
}

bool SigningKey::is_rsa() const { return EVP_PKEY_is_a(key_.get(), "RSA") == 1; }

std::string SigningKey::private_pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
}

std::string SigningKey::private_pem_pkcs1() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey_traditional(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
}

std::string SigningKey::spki_base64() const {
    BIO* bio = BIO_new(BIO_s_mem());
    i2d_PUBKEY_bio(bio, key_.get());
    return base::encode_base64(text_of(bio));
}

std::string SigningKey::rsa_public_base64() const {
    unsigned char* der = nullptr;
    const int size = i2d_PublicKey(key_.get(), &der);
    std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return base::encode_base64(out);
}

std::string SigningKey::ed25519_base64() const {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
    return base::encode_base64(raw);
}

std::string SigningKey::zone_text() const {
    return quoted_strings(is_rsa() ? "v=DKIM1; k=rsa; p=" + spki_base64()
                                   : "v=DKIM1; k=ed25519; p=" + ed25519_base64());
}

std::string SigningKey::sign(std::string_view bytes) const {
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string out(1024, '\0');
    std::size_t size = out.size();
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    if (EVP_DigestSignInit(context.get(), nullptr, is_rsa() ? EVP_sha256() : nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, data, bytes.size()) != 1) {
        throw std::runtime_error("OpenSSL cannot sign");
    }
    out.resize(size);
    return out;
}

std::string quoted_strings(std::string_view record) {
    std::string out;
    for (; !record.empty(); record.remove_prefix(std::min<std::size_t>(record.size(), 200))) {
        out += "\"" + std::string(record.substr(0, 200)) + "\" ";
    }
    return out;
}

std::string signed_message(const SigningKey& key, const std::string& tags, const std::string& message) {
    const std::string placeholder = base::encode_base64("0");
    auto make = [&](const std::string& hash, const std::string& signature) {
        return "DKIM-Signature: v=1; " + tags + "; bh=" + hash + "; b=" + signature + "\r\n" + message;
    };
    auto parsed = auth::parse_message(make(placeholder, placeholder)).value();
    const auto claims = auth::parse_dkim_signature(parsed.fields.front().value).value();
    std::string body = auth::canonical_body(parsed.body, claims.body);
    if (claims.body_length) body.resize(std::min<std::size_t>(body.size(), *claims.body_length));
    const std::string hash = base::encode_base64(tls::sha256(body));
    parsed = auth::parse_message(make(hash, placeholder)).value();
    const std::string bytes = auth::signed_header_bytes(parsed, parsed.fields.front(), claims);
    return make(hash, base::encode_base64(key.sign(key.is_rsa() ? bytes : tls::sha256(bytes))));
}

}  // namespace mtawatch::test
