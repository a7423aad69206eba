#include "exporter/web/web_policy.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

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

base::Failure openssl_failure(const std::string& file, std::string_view what) {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    ERR_clear_error();
    return fail(Fault::configuration, "{}: {}: {}", file, what, reason == nullptr ? "not usable" : reason);
}

Result<void> readable(const std::string& file) {
    const auto content = io::Files().read(file, max_file_bytes);
    if (!content) return fail(content.error());
    return {};
}

Result<void> set_identity(SSL_CTX* context, const TlsSettings& tls) {
    for (const std::string& file : {tls.cert_file, tls.key_file}) {
        if (auto done = readable(file); !done) return done;
    }
    if (SSL_CTX_use_certificate_chain_file(context, tls.cert_file.c_str()) != 1) {
        return openssl_failure(tls.cert_file, "no certificate chain in PEM");
    }
    if (SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return openssl_failure(tls.key_file, "no private key in PEM that fits the certificate");
    }
    return {};
}

// For the modes that want a certificate and do not ask who signed it.
int accept_any(int /*verified*/, X509_STORE_CTX* /*store*/) { return 1; }

Result<void> set_client_check(SSL_CTX* context, const TlsSettings& tls) {
    using enum ClientCertificates;
    int mode = SSL_VERIFY_NONE;
    if (tls.clients != none) mode = SSL_VERIFY_PEER;
    if (tls.clients == require_any || tls.clients == require_and_verify) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    const bool verifies = tls.clients == verify_if_given || tls.clients == require_and_verify;
    SSL_CTX_set_verify(context, mode, verifies ? nullptr : accept_any);
    if (tls.client_ca_file.empty()) return {};
    if (auto done = readable(tls.client_ca_file); !done) return done;
    if (SSL_CTX_load_verify_file(context, tls.client_ca_file.c_str()) != 1) {
        return openssl_failure(tls.client_ca_file, "no CA certificate in PEM");
    }
    if (auto* names = SSL_load_client_CA_file(tls.client_ca_file.c_str()); names != nullptr) {
        SSL_CTX_set_client_CA_list(context, names);
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
    if (auto done = set_identity(handle, tls); !done) return fail(done.error());
    if (auto done = set_client_check(handle, tls); !done) return fail(done.error());
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
    if (config->tls_enabled) {
        auto context = tls_context(config->tls, path);
        if (!context) return fail(context.error());
        policy->tls = std::move(*context);
    }
    policy->config = std::move(*config);
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
