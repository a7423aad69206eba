#include "exporter/web/web_policy.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "shared/base/ip.h"
#include "shared/base/text.h"
#include "shared/io/files.h"

namespace mtawatch::exporter::web {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// Far larger than any certificate chain or configuration.
constexpr std::size_t max_file_bytes = std::size_t{4} << 20U;
constexpr auto look_interval = std::chrono::seconds(1);

// Nobody is there to type one.
int no_passphrase(char*, int, int, void*) { return -1; }

base::Failure openssl_failure(const std::string& file, std::string_view what) {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    ERR_clear_error();
    return fail(Fault::configuration, "{}: {}: {}", file, what, reason == nullptr ? "not usable" : reason);
}

// PEM of a file, or written into the configuration: never both, the file counts.
struct Pem {
    std::string where;  // for messages
    std::string text;
};

Result<Pem> pem_of(const std::string& file, const std::string& written, const std::string& path, std::string_view key) {
    if (file.empty()) return Pem{fmt::format("{}: {}", path, key), written};
    auto content = io::Files().read(file, max_file_bytes);
    if (!content) return fail(content.error());
    return Pem{file, std::move(*content)};
}

template <auto Release>
struct With {
    template <class T>
    void operator()(T* object) const {
        Release(object);
    }
};
using Bio = std::unique_ptr<BIO, With<BIO_free>>;
using Certificate = std::unique_ptr<X509, With<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, With<EVP_PKEY_free>>;

Bio reader_of(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// The end of PEM is an error to OpenSSL.
std::vector<Certificate> certificates_in(const std::string& pem) {
    std::vector<Certificate> found;
    const Bio bytes = reader_of(pem);
    while (X509* one = PEM_read_bio_X509(bytes.get(), nullptr, no_passphrase, nullptr)) found.emplace_back(one);
    if (!found.empty()) ERR_clear_error();
    return found;
}

Result<void> set_identity(SSL_CTX* context, const TlsSettings& tls, const std::string& path) {
    const auto chain = pem_of(tls.cert_file, tls.cert, path, "cert");
    if (!chain) return fail(chain.error());
    const auto secret = pem_of(tls.key_file, tls.key, path, "key");
    if (!secret) return fail(secret.error());
    const std::vector<Certificate> certificates = certificates_in(chain->text);
    if (certificates.empty() || SSL_CTX_use_certificate(context, certificates.front().get()) != 1) {
        return openssl_failure(chain->where, "no certificate chain in PEM");
    }
    for (std::size_t i = 1; i < certificates.size(); ++i) {
        if (SSL_CTX_add1_chain_cert(context, certificates[i].get()) != 1) {
            return openssl_failure(chain->where, "no certificate chain in PEM");
        }
    }
    const Bio bytes = reader_of(secret->text);
    const Key key(PEM_read_bio_PrivateKey(bytes.get(), nullptr, no_passphrase, nullptr));
    if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
        return openssl_failure(secret->where, "no private key in PEM that fits the certificate");
    }
    return {};
}

std::string text_of(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string text_of(const GENERAL_NAME& name) {
    switch (name.type) {
        case GEN_DNS:
            return text_of(name.d.dNSName);
        case GEN_EMAIL:
            return text_of(name.d.rfc822Name);
        case GEN_URI:
            return text_of(name.d.uniformResourceIdentifier);
        case GEN_IPADD: {
            const auto address = base::IpAddress::from_bytes(text_of(name.d.iPAddress));
            return address ? address->to_string() : std::string();
        }
        default:
            return {};
    }
}

bool has_one_of(X509* certificate, const std::vector<std::string>& allowed) {
    auto* const names =
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const std::string name = text_of(*sk_GENERAL_NAME_value(names, i));
        found = found || (!name.empty() && std::ranges::find(allowed, name) != allowed.end());
    }
    GENERAL_NAMES_free(names);
    return found;
}

// Where a context keeps its TlsSettings, which must live as long.
int settings_place() {
    static const int place = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return place;
}

// Called for every certificate of a client's chain, its own one last. The modes that want a certificate and do not ask
// who signed it take any.
int check_client(int verified, X509_STORE_CTX* store) {
    auto* const session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const auto& tls = *static_cast<const TlsSettings*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), settings_place()));
    using enum ClientCertificates;
    if (tls.clients == verify_if_given || tls.clients == require_and_verify) {
        if (verified != 1) return 0;
    }
    if (!tls.check_sans || X509_STORE_CTX_get_error_depth(store) > 0) return 1;
    if (has_one_of(X509_STORE_CTX_get_current_cert(store), tls.client_sans)) return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
}

Result<void> set_client_check(SSL_CTX* context, const TlsSettings& tls, const std::string& path) {
    using enum ClientCertificates;
    int mode = SSL_VERIFY_NONE;
    if (tls.clients != none) mode = SSL_VERIFY_PEER;
    if (tls.clients == require_any || tls.clients == require_and_verify) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_ex_data(context, settings_place(), const_cast<TlsSettings*>(&tls));
    SSL_CTX_set_verify(context, mode, check_client);
    if (tls.client_ca_file.empty() && tls.client_ca.empty()) return {};
    const auto authorities = pem_of(tls.client_ca_file, tls.client_ca, path, "client_ca");
    if (!authorities) return fail(authorities.error());
    const std::vector<Certificate> certificates = certificates_in(authorities->text);
    if (certificates.empty()) return openssl_failure(authorities->where, "no CA certificate in PEM");
    for (const Certificate& certificate : certificates) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
        SSL_CTX_add_client_CA(context, certificate.get());
    }
    return {};
}

Result<void> set_protocol(SSL_CTX* context, const TlsSettings& tls, const std::string& path) {
    SSL_CTX_set_min_proto_version(context, tls.min_version);
    SSL_CTX_set_max_proto_version(context, tls.max_version);
    if (tls.prefer_server_ciphers) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Sessions are tied to the checked client certificate by this name.
    constexpr std::string_view context_name = "pmta_exporter";
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(context_name.data()),
                                   static_cast<unsigned>(context_name.size()));
    const std::string suites = base::join(tls.cipher_suites, ":");
    if (!suites.empty() && SSL_CTX_set_cipher_list(context, suites.c_str()) != 1) {
        return openssl_failure(path, "cipher_suites");
    }
    const std::string groups = base::join(tls.curves, ":");
    if (!groups.empty() && SSL_CTX_set1_groups_list(context, groups.c_str()) != 1) {
        return openssl_failure(path, "curve_preferences");
    }
    return {};
}

Result<std::shared_ptr<asio::ssl::context>> tls_context(const TlsSettings& tls, const std::string& path) {
    ERR_clear_error();
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX* handle = context->native_handle();
    if (auto done = set_identity(handle, tls, path); !done) return fail(done.error());
    if (auto done = set_client_check(handle, tls, path); !done) return fail(done.error());
    if (auto done = set_protocol(handle, tls, path); !done) return fail(done.error());
    return context;
}

}  // namespace

Result<std::shared_ptr<const WebPolicy>> load_web_policy(const std::string& path) {
    const auto text = io::Files().read(path, max_file_bytes);
    if (!text) return fail(text.error());
    auto config = parse_web_config(*text, path);
    if (!config) return fail(config.error());
    auto policy = std::make_shared<WebPolicy>();
    policy->config = std::move(*config);
    if (policy->config.tls_enabled) {
        auto context = tls_context(policy->config.tls, path);
        if (!context) return fail(context.error());
        policy->tls = std::move(*context);
    }
    return std::shared_ptr<const WebPolicy>(std::move(policy));
}

WebPolicies::WebPolicies(std::string path, std::shared_ptr<const WebPolicy> first, const base::Log& log)
    : path_(std::move(path)), policy_(std::move(first)), log_(&log), seen_(stamp()) {}

WebPolicies::Stamp WebPolicies::stamp() const {
    Stamp stamp;
    const TlsSettings& tls = policy_->config.tls;
    for (const std::string& file : {path_, tls.cert_file, tls.key_file, tls.client_ca_file}) {
        std::error_code error;
        if (!file.empty()) stamp.push_back(std::filesystem::last_write_time(file, error));
    }
    return stamp;
}

std::shared_ptr<const WebPolicy> WebPolicies::current() {
    if (path_.empty()) return policy_;
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_at_ < look_interval) return policy_;
    looked_at_ = now;
    Stamp stamp_now = stamp();
    if (stamp_now == seen_) return policy_;
    auto fresh = load_web_policy(path_);
    if (fresh) {
        policy_ = std::move(*fresh);
        stamp_now = stamp();
        log_->info("the web configuration changed and was read again", {{"file", path_}});
    } else {
        log_->error("the web configuration changed and cannot be used, the old one stays in force",
                    {{"file", path_}, {"reason", fresh.error().what}});
    }
    seen_ = std::move(stamp_now);
    return policy_;
}

}  // namespace mtawatch::exporter::web
