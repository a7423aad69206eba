#include "exporter/web/scraper.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

#include "shared/base/hash.h"

namespace mtawatch::exporter::web {

exposition::ScraperId scraper_id(const Caller& caller, std::string_view user_agent) {
    std::uint64_t hash = base::hash_seed;
    for (const std::string_view part : {std::string_view(caller.user), std::string_view(caller.certificate),
                                        std::string_view(caller.address), user_agent}) {
        hash = base::hash_bytes(part, base::mix(hash ^ part.size(), base::hash_step));
    }
    return hash == 0 ? 1 : hash;
}

std::string address_text(const sockaddr& address, std::size_t size) {
    if (address.sa_family != AF_INET && address.sa_family != AF_INET6) return "";
    std::array<char, NI_MAXHOST> text{};
    const int failed =
        ::getnameinfo(&address, static_cast<socklen_t>(size), text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    return failed == 0 ? text.data() : "";
}

std::string checked_certificate_name(ssl_st* tls) {
    const std::unique_ptr<X509, void (*)(X509*)> certificate(SSL_get1_peer_certificate(tls), &X509_free);
    if (!certificate || SSL_get_verify_result(tls) != X509_V_OK) return "";
    const std::unique_ptr<BIO, void (*)(BIO*)> out(BIO_new(BIO_s_mem()), &BIO_free_all);
    if (!out || X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate.get()), 0, XN_FLAG_RFC2253) < 0) {
        return "";
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

}  // namespace mtawatch::exporter::web
