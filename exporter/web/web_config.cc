#include "exporter/web/web_config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <span>

#include "shared/base/text.h"
#include "shared/config/node.h"

namespace mtawatch::exporter::web {
namespace {

using base::fail;
using base::Result;
using config::MapReader;
using config::Node;

struct Name {
    std::string_view go;
    std::string_view openssl;
};

// The TLS 1.2 suites by Go's name. Those of TLS 1.3 cannot be chosen, in Go neither: naming one changes nothing.
constexpr std::array suites{
    Name{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    Name{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    Name{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    Name{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    Name{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Name{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Name{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    Name{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    Name{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    Name{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    Name{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    Name{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    Name{"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    Name{"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    Name{"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    Name{"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    Name{"TLS_AES_128_GCM_SHA256", ""},
    Name{"TLS_AES_256_GCM_SHA384", ""},
    Name{"TLS_CHACHA20_POLY1305_SHA256", ""},
};
constexpr std::array curve_names{Name{"CurveP256", "P-256"}, Name{"CurveP384", "P-384"}, Name{"CurveP521", "P-521"},
                                 Name{"X25519", "X25519"}};
// The headers that the format lets an administrator set, with the values it takes where it names them.
constexpr std::array<std::string_view, 5> header_names{"Content-Security-Policy", "Strict-Transport-Security",
                                                       "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection"};

Result<void> read_names(const Node& node, std::span<const Name> table, std::vector<std::string>& into) {
    const auto items = node.items();
    if (!items) return fail(items.error());
    for (const Node& item : *items) {
        const auto word = item.text();
        if (!word) return fail(word.error());
        const auto found = std::ranges::find(table, std::string_view(*word), &Name::go);
        if (found == table.end()) return fail(item.error("\"" + *word + "\" is not a name that is known here"));
        if (!found->openssl.empty()) into.emplace_back(found->openssl);
    }
    return {};
}

Result<void> read_version(const Node& node, int& into) {
    const auto word = node.text();
    if (!word) return fail(word.error());
    if (*word == "TLS13") {
        into = 0x0304;
    } else if (*word == "TLS12") {
        into = 0x0303;
    } else {
        return fail(node.error("write TLS12 or TLS13: older versions are not offered"));
    }
    return {};
}

Result<void> read_clients(const Node& node, ClientCertificates& into) {
    using enum ClientCertificates;
    const auto word = node.text();
    if (!word) return fail(word.error());
    if (word->empty() || *word == "NoClientCert") {
        into = none;
    } else if (*word == "RequestClientCert") {
        into = request;
    } else if (*word == "RequireAnyClientCert" || *word == "RequireClientCert") {
        into = require_any;
    } else if (*word == "VerifyClientCertIfGiven") {
        into = verify_if_given;
    } else if (*word == "RequireAndVerifyClientCert") {
        into = require_and_verify;
    } else {
        return fail(
            node.error("write NoClientCert, RequestClientCert, RequireAnyClientCert, "
                       "VerifyClientCertIfGiven or RequireAndVerifyClientCert"));
    }
    return {};
}

Result<void> read_sans(const Node& node, TlsSettings& into) {
    if (node.is_null()) return {};
    const auto items = node.items();
    if (!items) return fail(items.error());
    into.check_sans = true;
    for (const Node& item : *items) {
        const auto name = item.text();
        if (!name) return fail(name.error());
        into.client_sans.push_back(*name);
    }
    return {};
}

std::string below(const std::filesystem::path& folder, const std::string& name) {
    return name.empty() || name.starts_with('/') ? name : (folder / name).string();
}

Result<void> check_tls(const Node& node, const TlsSettings& tls) {
    if (tls.cert_file.empty() && tls.cert.empty()) return fail(node.error("cert_file (or cert) is missing"));
    if (tls.key_file.empty() && tls.key.empty()) return fail(node.error("key_file (or key) is missing"));
    if (tls.min_version > tls.max_version) return fail(node.error("min_version is above max_version"));
    const bool verifies =
        tls.clients == ClientCertificates::verify_if_given || tls.clients == ClientCertificates::require_and_verify;
    const bool has_ca = !tls.client_ca_file.empty() || !tls.client_ca.empty();
    if (verifies && !has_ca) {
        return fail(node.error("client_auth_type verifies certificates, so client_ca_file must name the CA"));
    }
    const bool requires_one =
        tls.clients == ClientCertificates::require_any || tls.clients == ClientCertificates::require_and_verify;
    if (tls.check_sans && !requires_one) {
        return fail(node.error("client_allowed_sans needs the client_auth_type RequireAndVerifyClientCert"));
    }
    if (has_ca && tls.clients == ClientCertificates::none) {
        return fail(node.error("client_ca_file is of no use with the client_auth_type NoClientCert"));
    }
    return {};
}

Result<void> read_tls(const Node& node, const std::filesystem::path& folder, WebConfig& into) {
    if (node.is_null()) return {};
    TlsSettings& tls = into.tls;
    MapReader map(node);
    map.text("cert_file", tls.cert_file).text("key_file", tls.key_file).text("client_ca_file", tls.client_ca_file);
    map.text("cert", tls.cert).text("key", tls.key).text("client_ca", tls.client_ca);
    map.node("client_allowed_sans", [&](const Node& value) { return read_sans(value, tls); });
    map.boolean("prefer_server_cipher_suites", tls.prefer_server_ciphers);
    map.node("client_auth_type", [&](const Node& value) { return read_clients(value, tls.clients); });
    map.node("min_version", [&](const Node& value) { return read_version(value, tls.min_version); });
    map.node("max_version", [&](const Node& value) { return read_version(value, tls.max_version); });
    map.node("cipher_suites", [&](const Node& value) { return read_names(value, suites, tls.cipher_suites); });
    map.node("curve_preferences", [&](const Node& value) { return read_names(value, curve_names, tls.curves); });
    if (auto done = map.finish(); !done) return done;
    if (auto done = check_tls(node, tls); !done) return done;
    for (std::string* file : {&tls.cert_file, &tls.key_file, &tls.client_ca_file}) *file = below(folder, *file);
    into.tls_enabled = true;
    return {};
}

Result<void> read_headers(const Node& node, WebConfig& into) {
    if (node.is_null()) return {};
    const auto members = node.members();
    if (!members) return fail(members.error());
    for (const auto& [name, value] : *members) {
        const auto text = value.text();
        if (!text) return fail(text.error());
        if (std::ranges::find(header_names, std::string_view(name)) == header_names.end()) {
            return fail(
                value.error("this header cannot be set; those that can: Content-Security-Policy, "
                            "Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, "
                            "X-XSS-Protection"));
        }
        if (std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
            return fail(value.error("a header is one line"));
        }
        if (!text->empty()) into.headers.emplace_back(name, *text);
    }
    return {};
}

Result<void> read_http(const Node& node, WebConfig& into) {
    // HTTP/2 is accepted and not offered: it gains a scraper nothing.
    bool http2 = true;
    MapReader map(node);
    map.boolean("http2", http2);
    map.node("headers", [&](const Node& value) { return read_headers(value, into); });
    return map.finish();
}

Result<void> read_rate(const Node& node, WebConfig& into) {
    std::chrono::milliseconds interval{0};
    MapReader map(node);
    map.duration("interval", interval).integer("burst", into.rate.burst, 0);
    into.rate.interval = interval;
    return map.finish();
}

Result<void> read_users(const Node& node, WebConfig& into) {
    if (node.is_null()) return {};
    const auto members = node.members();
    if (!members) return fail(members.error());
    for (const auto& [name, value] : *members) {
        const auto hash = value.text();
        if (!hash) return fail(hash.error());
        // The message never shows the value: somebody may have written the password itself.
        if (!is_bcrypt_hash(*hash)) {
            return fail(value.error("must be a bcrypt hash ($2y$...), as htpasswd -nBC 10 prints it"));
        }
        into.users.emplace(name, *hash);
    }
    return {};
}

}  // namespace

Result<WebConfig> parse_web_config(std::string_view text, const std::string& path) {
    const auto root = config::parse_yaml(text, path);
    if (!root) return fail(root.error());
    WebConfig config;
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    MapReader map(*root);
    map.node("tls_server_config", [&](const Node& node) { return read_tls(node, folder, config); });
    map.node("http_server_config", [&](const Node& node) { return read_http(node, config); });
    map.node("rate_limit", [&](const Node& node) { return read_rate(node, config); });
    map.node("basic_auth_users", [&](const Node& node) { return read_users(node, config); });
    if (auto done = map.finish(); !done) return fail(done.error());
    return config;
}

}  // namespace mtawatch::exporter::web
