#include "shared/tls/verify.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <new>

#include "shared/base/text.h"
#include "shared/tls/handles.h"
#include "shared/tls/x509.h"

namespace mtawatch::tls {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr int max_depth = 100;  // certificates in a path; OpenSSL's own default

ChainProblem problem_of(int error) {
    switch (error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return ChainProblem::expired;
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return ChainProblem::not_yet_valid;
        case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
        case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
            return ChainProblem::bad_date;
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return ChainProblem::self_signed;
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return ChainProblem::untrusted_root;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return ChainProblem::missing_issuer;
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return ChainProblem::bad_signature;
        case X509_V_ERR_INVALID_PURPOSE:
        case X509_V_ERR_INVALID_CA:
            return ChainProblem::wrong_purpose;
        default:
            return ChainProblem::other;
    }
}

// Notes every problem and lets OpenSSL go on, so one run names all of them.
int record_problem(int good, X509_STORE_CTX* run) {
    if (good == 1) return 1;
    auto& findings = *static_cast<std::vector<ChainFinding>*>(X509_STORE_CTX_get_app_data(run));
    const int error = X509_STORE_CTX_get_error(run);
    const ChainFinding finding{problem_of(error),
                               static_cast<std::size_t>(std::max(0, X509_STORE_CTX_get_error_depth(run))),
                               X509_verify_cert_error_string(error)};
    const bool known = std::ranges::any_of(findings, [&](const ChainFinding& other) {
        return other.problem == finding.problem && other.position == finding.position;
    });
    if (!known) findings.push_back(finding);
    return 1;
}

CertificateStack stack_of(const std::vector<Certificate>& certificates) {
    CertificateStack stack(sk_X509_new_null());
    if (!stack) throw std::bad_alloc();
    for (const Certificate& certificate : certificates) {
        X509_up_ref(certificate.handle.get());
        if (sk_X509_push(stack.get(), certificate.handle.get()) == 0) throw std::bad_alloc();
    }
    return stack;
}

StoreRunHandle start_run(const Context& context, const Certificate& own, STACK_OF(X509) * helpers, std::int64_t now) {
    StoreRunHandle run(X509_STORE_CTX_new());
    if (!run || X509_STORE_CTX_init(run.get(), context.store(), own.handle.get(), helpers) != 1) throw std::bad_alloc();
    X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(run.get());
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_time(rules, static_cast<std::time_t>(now));
    X509_VERIFY_PARAM_set_depth(rules, max_depth);
    X509_VERIFY_PARAM_set_auth_level(rules, 0);  // weak keys and digests are facts of their own, judged by the caller
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);  // a named intermediate is an authority too
    return run;
}

void set_offer(SSL_CTX* client, Offer offer) {
    const bool anything = offer == Offer::anything;
    SSL_CTX_set_min_proto_version(client, anything ? TLS1_VERSION : TLS1_2_VERSION);
    if (!anything) return;
    SSL_CTX_set_security_level(client, 0);
    SSL_CTX_set_cipher_list(client, "ALL:!aNULL:!eNULL");  // without aNULL: the certificate is what we came for
    SSL_CTX_set_options(client, SSL_OP_LEGACY_SERVER_CONNECT);
}

Result<void> trust_text(X509_STORE* store, const std::string& authorities) {
    const auto certificates = read_certificates(authorities);
    if (!certificates) return fail(certificates.error());
    for (const Certificate& certificate : *certificates) X509_STORE_add_cert(store, certificate.handle.get());
    ERR_clear_error();  // the same authority twice is no trouble
    return {};
}

Result<void> trust_directory(X509_STORE* store, const std::string& directory) {
    struct stat info {};
    if (::stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        return fail(Fault::not_found,
                    "{}: no such directory of trusted authorities; install ca-certificates or name --ca-file",
                    directory);
    }
    if (::access(directory.c_str(), R_OK | X_OK) != 0) {
        return fail(Fault::permission, "{}: the directory of trusted authorities may not be read", directory);
    }
    if (X509_STORE_load_path(store, directory.c_str()) != 1) throw std::bad_alloc();
    return {};
}

// Which of `records` OpenSSL found to match.
std::optional<std::size_t> matched_record(SSL* holder, const std::vector<Tlsa>& records) {
    SSL_set_verify_result(holder, X509_V_OK);  // the match is told only for a verified peer
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching_type = 0;
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    if (SSL_get0_dane_tlsa(holder, &usage, &selector, &matching_type, &data, &size) < 0) return std::nullopt;
    const auto at = std::ranges::find(records, Tlsa{usage, selector, matching_type, std::string(as_text(data, size))});
    if (at == records.end()) return std::nullopt;
    return static_cast<std::size_t>(at - records.begin());
}

}  // namespace

std::string_view name(ChainProblem problem) {
    switch (problem) {
        case ChainProblem::expired:
            return "expired";
        case ChainProblem::not_yet_valid:
            return "not_yet_valid";
        case ChainProblem::bad_date:
            return "bad_date";
        case ChainProblem::self_signed:
            return "self_signed";
        case ChainProblem::untrusted_root:
            return "untrusted_root";
        case ChainProblem::missing_issuer:
            return "missing_issuer";
        case ChainProblem::bad_signature:
            return "bad_signature";
        case ChainProblem::wrong_purpose:
            return "wrong_purpose";
        case ChainProblem::other:
            break;
    }
    return "other";
}

Result<std::shared_ptr<const Context>> Context::make(const TrustSettings& settings) {
    // Without the system's openssl.cnf: what is trusted and offered is decided here, and start-up stays short.
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    std::shared_ptr<Context> context(new Context);
    context->client_ = SSL_CTX_new(TLS_client_method());
    if (context->client_ == nullptr || SSL_CTX_dane_enable(context->client_) != 1) throw std::bad_alloc();
    set_offer(context->client_, settings.offer);
    SSL_CTX_set_cert_verify_callback(context->client_, keep_chain, nullptr);
    SSL_CTX_set_client_cert_cb(context->client_, record_certificate_request);
    if (!settings.authorities.empty()) {
        if (auto done = trust_text(context->store(), settings.authorities); !done) return fail(done.error());
    } else if (!settings.ca_directory.empty()) {
        if (auto done = trust_directory(context->store(), settings.ca_directory); !done) {
            return fail(done.error());
        }
    }
    return context;
}

Context::~Context() { SSL_CTX_free(client_); }

x509_store_st* Context::store() const { return SSL_CTX_get_cert_store(client_); }

ChainVerdict verify_chain(const Context& context, const std::vector<Certificate>& served, std::int64_t now) {
    const CertificateStack helpers = stack_of(served);
    const StoreRunHandle run = start_run(context, served.front(), helpers.get(), now);
    ChainVerdict verdict;
    X509_STORE_CTX_set_app_data(run.get(), &verdict.findings);
    X509_STORE_CTX_set_verify_cb(run.get(), record_problem);
    if (X509_verify_cert(run.get()) != 1 && verdict.findings.empty()) {
        const int error = X509_STORE_CTX_get_error(run.get());
        verdict.findings.push_back({problem_of(error), 0, X509_verify_cert_error_string(error)});
    }
    if (STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(run.get()); path != nullptr) {
        for (int i = 0; i < sk_X509_num(path); ++i) {
            X509* one = sk_X509_value(path, i);  // mostly one of those that were served and read before
            const auto known =
                std::ranges::find_if(served, [&](const Certificate& other) { return other.handle.get() == one; });
            verdict.path.push_back(known != served.end() ? *known : facts_of(one));
        }
    }
    if (verdict.path.empty()) verdict.path.push_back(served.front());
    ERR_clear_error();
    return verdict;
}

DaneVerdict verify_dane(const Context& context, const std::vector<Certificate>& served,
                        const std::vector<Tlsa>& records, const std::vector<std::string>& names, std::int64_t now) {
    DaneVerdict verdict;
    const SessionHandle holder(SSL_new(context.client()));  // only carries the records; no connection belongs to it
    if (!holder || SSL_dane_enable(holder.get(), names.empty() ? nullptr : names.front().c_str()) != 1) {
        throw std::bad_alloc();
    }
    SSL_dane_set_flags(holder.get(), DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    for (const Tlsa& record : records) {
        if (record.usage != 2 && record.usage != 3) continue;
        if (SSL_dane_tlsa_add(holder.get(), record.usage, record.selector, record.matching_type, bytes_of(record.data),
                              record.data.size()) == 1) {
            ++verdict.usable;
        }
    }
    if (verdict.usable == 0) {
        ERR_clear_error();
        verdict.reason = records.empty() ? "there is no TLSA record"
                                         : "no TLSA record is usable for mail (only 2 x x and 3 x x are, RFC 7672)";
        return verdict;
    }
    const CertificateStack helpers = stack_of(served);
    const StoreRunHandle run = start_run(context, served.front(), helpers.get(), now);
    X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(run.get());
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    for (const std::string& name : names) X509_VERIFY_PARAM_add1_host(rules, name.data(), name.size());
    X509_STORE_CTX_set0_dane(run.get(), SSL_get0_dane(holder.get()));
    if (X509_verify_cert(run.get()) == 1) verdict.matched = matched_record(holder.get(), records);
    if (!verdict.matched) {
        const int error = X509_STORE_CTX_get_error(run.get());
        verdict.reason = error == X509_V_ERR_DANE_NO_MATCH || error == X509_V_OK
                             ? "no TLSA record matches the certificate that is served"
                             : X509_verify_cert_error_string(error);
    }
    ERR_clear_error();
    return verdict;
}

}  // namespace mtawatch::tls
