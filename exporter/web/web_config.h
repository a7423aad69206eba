// Parser of the file of --web.config.file (TLS, headers, users), in the format of Prometheus' exporter-toolkit.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/web/basic_auth.h"
#include "exporter/web/rate_limit.h"
#include "shared/base/result.h"

namespace mtawatch::exporter::web {

enum class ClientCertificates { none, request, require_any, verify_if_given, require_and_verify };

struct TlsSettings {
    // Each in a file or, where that is empty, in the configuration itself.
    std::string cert_file, cert;
    std::string key_file, key;
    std::string client_ca_file, client_ca;
    // A client's certificate must have one of these as a subject alternative name: a DNS name, an e-mail address, an IP
    // address or a URI. Empty without `check_sans`: any.
    bool check_sans = false;
    std::vector<std::string> client_sans;
    ClientCertificates clients = ClientCertificates::none;
    int min_version = 0x0303;                // TLS 1.2, as in the protocol
    int max_version = 0x0304;                // TLS 1.3
    std::vector<std::string> cipher_suites;  // OpenSSL names for TLS 1.2; empty is the library's choice
    std::vector<std::string> curves;         // OpenSSL group names; empty is the library's choice
    bool prefer_server_ciphers = true;
};

struct WebConfig {
    bool tls_enabled = false;
    TlsSettings tls;
    std::vector<std::pair<std::string, std::string>> headers;
    Users users;
    RateLimit rate;
};

// Reads the text of the file at `path`. Relative file names in it are below the folder of the file. Keys that promtool
// check web-config refuses are refused here too, with file, line and key (Fault::configuration). TLS below 1.2 is
// refused although the format knows it.
[[nodiscard]] base::Result<WebConfig> parse_web_config(std::string_view text, const std::string& path);

}  // namespace mtawatch::exporter::web
