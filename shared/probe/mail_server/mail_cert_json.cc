// The JSON form of what the probe mail_cert saw.
#include "shared/base/json.h"
#include "shared/probe/mail_server/mail_cert.h"

namespace mtawatch::probe::mail_server {
namespace {

void write_certificate(base::JsonWriter& json, const tls::Certificate& certificate) {
    json.object().member("subject", certificate.subject).member("issuer", certificate.issuer);
    json.member("dns_names", certificate.dns_names).member("ip_addresses", certificate.ip_addresses);
    json.member("serial", certificate.serial);
    json.member("not_before", certificate.not_before).member("not_after", certificate.not_after);
    json.member("key_type", tls::name(certificate.key_type)).member("key_bits", certificate.key_bits);
    json.member("signature_algorithm", certificate.signature_algorithm);
    json.member("weak_signature", certificate.weak_signature).member("self_signed", certificate.self_signed);
    json.member("sha256", certificate.fingerprint).member("key_sha256", certificate.key_fingerprint).end();
}

void write_dane(base::JsonWriter& json, const DaneFacts& dane) {
    json.object().member("name", dane.base).member("addresses_authenticated", dane.addresses_authenticated);
    json.member("authenticated", dane.authenticated);
    json.member("records", dane.records).member("usable", dane.usable).member("matched", dane.matched);
    const std::string reason = dane.error ? dane.error->what : dane.reason;
    json.key("valid");
    if (dane.error) {
        json.null();
    } else {
        json.value(dane.valid);
    }
    json.member("reason", reason).end();
}

std::optional<double> seconds(const std::optional<base::Duration>& duration) {
    if (!duration) return std::nullopt;
    return std::chrono::duration<double>(*duration).count();
}

void write_look(base::JsonWriter& json, const CertLook& look) {
    json.object().member("target", look.target).member("scheme", look.endpoint.scheme).member("address", look.address);
    json.key("error");
    if (look.error) {
        json.object().member("fault", base::name(look.error->fault)).member("text", look.error->what).end();
        json.member("outcome", std::optional<bool>());
    } else {
        json.null();
        json.member("outcome", name(look.outcome));
    }
    json.member("reason", look.reason);
    json.key("served").array();
    for (const auto& certificate : look.served) write_certificate(json, certificate);
    json.end().key("path").array();
    for (const auto& certificate : look.path) json.value(certificate.fingerprint);
    json.end().key("findings").array();
    for (const auto& finding : look.findings) {
        json.object().member("problem", tls::name(finding.problem)).member("position", finding.position);
        json.member("text", finding.text).end();
    }
    json.end().member("verified", look.verified).member("expected_name", look.expected_name);
    json.member("name_matches", look.name_matches).member("protocol", look.protocol).member("cipher", look.cipher);
    json.member("client_certificate_wanted", look.client_certificate_wanted);
    json.member("same_as_file", look.same_as_file).member("key_matches", look.key_matches).key("dane");
    if (look.dane) {
        write_dane(json, *look.dane);
    } else {
        json.null();
    }
    json.key("seconds").object().member("resolve", seconds(look.phases.resolve));
    json.member("connect", seconds(look.phases.connect)).member("starttls", seconds(look.phases.starttls));
    json.member("handshake", seconds(look.phases.handshake)).end().end();
}

}  // namespace

std::string to_json(const MailCertObservation& observation) {
    base::JsonWriter json;
    json.object().member("at", base::unix_seconds(observation.at)).key("endpoints").array();
    for (const auto& look : observation.looks) write_look(json, look);
    json.end().end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_server
