#include "shared/tls/certificate.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
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

constexpr std::size_t max_name_bytes = 512;  // of a subject or issuer in a message

std::string text_of(const X509_NAME* name) {
    const BioHandle out(BIO_new(BIO_s_mem()));
    if (!out) throw std::bad_alloc();
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return base::one_line({text, static_cast<std::size_t>(size)}, max_name_bytes);
}

std::string common_name_of(const X509_NAME* name) {
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return {};
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) return {};
    std::string text = base::one_line(as_text(utf8, size), max_name_bytes);
    OPENSSL_free(utf8);
    return text;
}

std::optional<std::int64_t> seconds_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    return static_cast<std::int64_t>(::timegm(&parts));
}

void add_names(const X509* certificate, Certificate& facts) {
    const NamesHandle names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    if (!names) return;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS && facts.dns_names.size() < Certificate::max_names) {
            const auto* text = name->d.dNSName;
            facts.dns_names.push_back(
                base::one_line(as_text(ASN1_STRING_get0_data(text), ASN1_STRING_length(text)), max_name_bytes));
        } else if (name->type == GEN_IPADD && facts.ip_addresses.size() < Certificate::max_names) {
            std::array<char, INET6_ADDRSTRLEN> text{};
            const auto* bytes = name->d.iPAddress;
            const int size = ASN1_STRING_length(bytes);
            if (size != 4 && size != 16) continue;
            inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(), text.size());
            facts.ip_addresses.emplace_back(text.data());
        }
    }
}

std::string serial_of(const X509* certificate) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
    return hex(as_text(ASN1_STRING_get0_data(serial), ASN1_STRING_length(serial)));
}

bool is_weak(const X509* certificate) {
    int digest = NID_undef;
    if (X509_get_signature_info(const_cast<X509*>(certificate), &digest, nullptr, nullptr, nullptr) != 1) return false;
    return digest == NID_md2 || digest == NID_md4 || digest == NID_md5 || digest == NID_sha1;
}

void add_key(const X509* certificate, Certificate& facts) {
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr) return;
    const auto spki = public_key(facts);
    if (!spki) return;
    facts.key_type = spki->type();
    facts.key_bits = spki->bits();
}

bool is_certificate_block(std::string_view name) {
    return name == PEM_STRING_X509 || name == PEM_STRING_X509_OLD || name == PEM_STRING_X509_TRUSTED;
}

Result<std::vector<Certificate>> read_pem(std::string_view bytes) {
    const BioHandle text(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    if (!text) throw std::bad_alloc();
    std::vector<Certificate> found;
    for (;;) {
        char* name = nullptr;
        char* header = nullptr;
        unsigned char* data = nullptr;
        long size = 0;
        if (PEM_read_bio(text.get(), &name, &header, &data, &size) != 1) break;
        CertificateHandle certificate;
        const bool wanted = is_certificate_block(name);
        if (wanted) {
            const unsigned char* at = data;
            certificate.reset(d2i_X509_AUX(nullptr, &at, size));
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(size));  // it may be a private key
        if (!wanted) continue;
        if (!certificate) return fail(Fault::malformed, "certificate number {} in it cannot be read", found.size() + 1);
        if (found.size() == max_certificates_per_file) {
            return fail(Fault::limit, "more than {} certificates in it", max_certificates_per_file);
        }
        found.push_back(facts_of(certificate.get()));
    }
    // The end of the text is "no start line"; anything else is a block that begins and does not decode.
    const auto error = ERR_peek_last_error();
    const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (!at_end && !found.empty()) {
        return fail(Fault::malformed, "the PEM block after certificate number {} is cut off or damaged", found.size());
    }
    return found;
}

}  // namespace

Certificate facts_of(X509* certificate) {
    Certificate facts;
    X509_up_ref(certificate);
    facts.handle = std::shared_ptr<X509>(certificate, X509_free);
    facts.subject = text_of(X509_get_subject_name(certificate));
    facts.issuer = text_of(X509_get_issuer_name(certificate));
    facts.common_name = common_name_of(X509_get_subject_name(certificate));
    add_names(certificate, facts);
    facts.serial = serial_of(certificate);
    facts.not_before = seconds_of(X509_get0_notBefore(certificate));
    facts.not_after = seconds_of(X509_get0_notAfter(certificate));
    add_key(certificate, facts);
    const int signature = X509_get_signature_nid(certificate);
    facts.signature_algorithm = signature == NID_undef ? "unknown" : OBJ_nid2ln(signature);
    facts.self_signed = X509_self_signed(certificate, 1) == 1;
    facts.weak_signature = !facts.self_signed && is_weak(certificate);
    facts.fingerprint = hex(sha256(der(facts)));
    unsigned char* key = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    if (size > 0) {
        facts.key_fingerprint = hex(sha256(as_text(key, size)));
        OPENSSL_free(key);
    }
    ERR_clear_error();
    return facts;
}

std::string der(const Certificate& certificate) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate.handle.get(), &bytes);
    if (size <= 0) throw std::bad_alloc();
    std::string copy(as_text(bytes, size));
    OPENSSL_free(bytes);
    return copy;
}

Result<PublicKey> public_key(const Certificate& certificate) {
    EVP_PKEY* key = X509_get_pubkey(certificate.handle.get());
    ERR_clear_error();
    if (key == nullptr) return fail(Fault::malformed, "the certificate's public key cannot be read");
    return PublicKey(std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

bool is_for(const Certificate& certificate, const std::string& name) {
    X509* handle = certificate.handle.get();
    std::array<unsigned char, 16> address{};
    const bool numeric =
        inet_pton(AF_INET, name.c_str(), address.data()) == 1 || inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
    const int good =
        numeric ? X509_check_ip_asc(handle, name.c_str(), 0)
                : X509_check_host(handle, name.data(), name.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr);
    ERR_clear_error();
    return good == 1;
}

Result<std::vector<Certificate>> read_certificates(std::string_view bytes) {
    constexpr std::size_t max_bytes = 64U << 20U;  // a CA bundle is 200 KiB; what OpenSSL reads must fit an int
    if (bytes.size() > max_bytes) return fail(Fault::limit, "{} bytes are too many for certificates", bytes.size());
    ERR_clear_error();
    std::vector<Certificate> found;
    if (!bytes.empty() && bytes.front() == '\x30') {  // a DER SEQUENCE; PEM is text
        const unsigned char* at = bytes_of(bytes);
        const CertificateHandle one(d2i_X509(nullptr, &at, static_cast<long>(bytes.size())));
        if (one && at == bytes_of(bytes) + bytes.size()) found.push_back(facts_of(one.get()));
    } else {
        auto read = read_pem(bytes);
        ERR_clear_error();
        if (!read) return read;
        found = std::move(*read);
    }
    ERR_clear_error();
    if (found.empty()) return fail(Fault::malformed, "no certificate in it (PEM or DER)");
    return found;
}

}  // namespace mtawatch::tls
