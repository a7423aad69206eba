#include "tests/support/certificate_maker.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <ctime>
#include <stdexcept>

namespace mtawatch::test {
namespace {

void must(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("certificate maker: ") + what);
}

std::shared_ptr<EVP_PKEY> make_key(KeyKind kind) {
    EVP_PKEY* key = nullptr;
    switch (kind) {
        case KeyKind::ec_p256:
            key = EVP_EC_gen("P-256");
            break;
        case KeyKind::rsa_512:
            key = EVP_RSA_gen(512);
            break;
        case KeyKind::rsa_1024:
            key = EVP_RSA_gen(1024);
            break;
        case KeyKind::rsa_2048:
            key = EVP_RSA_gen(2048);
            break;
        case KeyKind::ed25519:
            key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
            break;
    }
    must(key != nullptr, "no key");
    return {key, EVP_PKEY_free};
}

// What a writer puts into a memory BIO, as text.
template <class Writer>
std::string written(Writer&& write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    must(bio != nullptr && write(bio.get()) == 1, "cannot write");
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    must(extension != nullptr, "bad extension");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

void set_name(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                               static_cast<int>(text.size()), -1, 0);
}

void set_times(X509* certificate, const Recipe& recipe) {
    ASN1_TIME* from = ASN1_TIME_set(nullptr, static_cast<std::time_t>(recipe.not_before));
    ASN1_TIME* until = ASN1_TIME_set(nullptr, static_cast<std::time_t>(recipe.not_after));
    must(from != nullptr && until != nullptr, "bad date");
    X509_set1_notBefore(certificate, from);
    X509_set1_notAfter(certificate, until);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
}

}  // namespace

MadeCertificate make_certificate(const Recipe& recipe) {
    static std::atomic<long> next_serial{0x1000};
    MadeCertificate made;
    made.key = recipe.same_key_as != nullptr ? recipe.same_key_as->key : make_key(recipe.key);
    made.certificate = {X509_new(), X509_free};
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), next_serial++);
    set_times(certificate, recipe);
    X509_set_pubkey(certificate, made.key.get());
    set_name(X509_get_subject_name(certificate), recipe.common_name);
    X509* issuer = recipe.issuer != nullptr ? recipe.issuer->certificate.get() : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    add_extension(certificate, issuer, NID_basic_constraints,
                  recipe.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    if (recipe.issuer != nullptr) add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
    if (recipe.authority) add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!recipe.purpose.empty()) add_extension(certificate, issuer, NID_ext_key_usage, recipe.purpose);
    std::string names;
    for (const auto& name : recipe.names) names += (names.empty() ? "" : ",") + name;
    if (!names.empty()) add_extension(certificate, issuer, NID_subject_alt_name, names);
    EVP_PKEY* signer = recipe.issuer != nullptr ? recipe.issuer->key.get() : made.key.get();
    const bool own_digest = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519;
    must(X509_sign(certificate, signer, own_digest ? nullptr : EVP_get_digestbyname(recipe.digest.c_str())) > 0,
         "not signed");
    return made;
}

MadeCertificate make_authority(const std::string& common_name, const MadeCertificate* issuer) {
    Recipe recipe{.common_name = common_name, .issuer = issuer, .authority = true};
    recipe.not_before = test_now - 1825 * one_day;
    recipe.not_after = test_now + 1825 * one_day;
    return make_certificate(recipe);
}

std::string MadeCertificate::pem() const {
    return written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
}
std::string MadeCertificate::der() const {
    return written([&](BIO* bio) { return i2d_X509_bio(bio, certificate.get()); });
}
std::string MadeCertificate::key_pem() const {
    return written(
        [&](BIO* bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}
std::string MadeCertificate::traditional_key_pem() const {
    return written([&](BIO* bio) {
        return PEM_write_bio_PrivateKey_traditional(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}
std::string MadeCertificate::encrypted_key_pem() const {
    std::string passphrase = "secret";
    return written([&](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_128_cbc(), passphrase.data(),
                                             static_cast<int>(passphrase.size()), nullptr, nullptr);
    });
}
std::string MadeCertificate::public_key_der() const {
    return written([&](BIO* bio) { return i2d_PUBKEY_bio(bio, key.get()); });
}
std::string MadeCertificate::bare_public_key() const {
    const unsigned char* bytes = nullptr;
    int size = 0;
    X509_PUBKEY_get0_param(nullptr, &bytes, &size, nullptr, X509_get_X509_PUBKEY(certificate.get()));
    return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}
std::string MadeCertificate::sign(const std::string& message) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const bool own_digest = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519;
    must(EVP_DigestSignInit(state.get(), nullptr, own_digest ? nullptr : EVP_sha256(), nullptr, key.get()) == 1,
         "sign");
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    must(EVP_DigestSign(state.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                        reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1,
         "sign");
    signature.resize(size);
    return signature;
}

}  // namespace mtawatch::test
