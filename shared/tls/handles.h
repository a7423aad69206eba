// RAII owners of OpenSSL's objects. Only for sources of shared/tls.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <concepts>
#include <memory>
#include <string_view>

namespace mtawatch::tls {

struct OpenSslDeleter {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
    void operator()(EVP_MD_CTX* state) const { EVP_MD_CTX_free(state); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(STACK_OF(X509) * certificates) const { sk_X509_pop_free(certificates, X509_free); }
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
    void operator()(X509_STORE_CTX* run) const { X509_STORE_CTX_free(run); }
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
    void operator()(SSL* session) const { SSL_free(session); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

using BioHandle = std::unique_ptr<BIO, OpenSslDeleter>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, OpenSslDeleter>;
using KeyHandle = std::unique_ptr<EVP_PKEY, OpenSslDeleter>;
using CertificateHandle = std::unique_ptr<X509, OpenSslDeleter>;
using CertificateStack = std::unique_ptr<STACK_OF(X509), OpenSslDeleter>;
using StoreHandle = std::unique_ptr<X509_STORE, OpenSslDeleter>;
using StoreRunHandle = std::unique_ptr<X509_STORE_CTX, OpenSslDeleter>;
using NamesHandle = std::unique_ptr<GENERAL_NAMES, OpenSslDeleter>;
using SessionHandle = std::unique_ptr<SSL, OpenSslDeleter>;
using ContextHandle = std::unique_ptr<SSL_CTX, OpenSslDeleter>;

// OpenSSL speaks unsigned char, the project speaks char: the two casts live here.
[[nodiscard]] inline const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
template <std::integral Size>
[[nodiscard]] std::string_view as_text(const unsigned char* bytes, Size size) {
    return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

}  // namespace mtawatch::tls
