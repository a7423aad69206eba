#include "shared/probe/mail_server/mail_cert_look.h"

#include <fmt/format.h>

#include "shared/dns/names.h"
#include "shared/io/connector.h"
#include "shared/io/files.h"
#include "shared/tls/client.h"

namespace mtawatch::probe::mail_server {
namespace {

using base::Deadline;
using base::Error;
using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_file_bytes = 16U << 20U;  // a CA bundle is 200 KiB

// How long a step took, by the deadline's clock.
class Stopwatch {
  public:
    explicit Stopwatch(const Deadline& deadline) : clock_(deadline.clock()), begin_(clock_.steady()) {}
    [[nodiscard]] base::Duration lap() {
        const auto now = clock_.steady();
        const base::Duration took = now - begin_;
        begin_ = now;
        return took;
    }

  private:
    const base::Clock& clock_;
    base::SteadyTime begin_;
};

CertOutcome outcome_of(smtp::StartTlsEnd end) {
    switch (end) {
        case smtp::StartTlsEnd::ready:
            return CertOutcome::shown;
        case smtp::StartTlsEnd::greeting_refused:
            return CertOutcome::greeting_refused;
        case smtp::StartTlsEnd::hello_refused:
            return CertOutcome::hello_refused;
        case smtp::StartTlsEnd::not_offered:
            return CertOutcome::not_offered;
        case smtp::StartTlsEnd::refused:
            return CertOutcome::refused;
        case smtp::StartTlsEnd::injected:
            return CertOutcome::injected;
        case smtp::StartTlsEnd::not_protocol:
            return CertOutcome::not_protocol;
        case smtp::StartTlsEnd::closed:
            break;
    }
    return CertOutcome::closed;
}

CertOutcome outcome_of(const tls::Handshake& shaken, bool after_starttls) {
    if (shaken.session) return CertOutcome::shown;  // what came after the certificate does not matter here
    switch (shaken.end) {
        case tls::HandshakeEnd::done:
            return CertOutcome::no_certificate;
        // Plain text in place of TLS behind the go-ahead is the same attack, a packet later.
        case tls::HandshakeEnd::not_tls:
            return after_starttls ? CertOutcome::injected : CertOutcome::not_tls;
        case tls::HandshakeEnd::closed:
            return CertOutcome::closed;
        case tls::HandshakeEnd::alerted:
        case tls::HandshakeEnd::failed:
            break;
    }
    return CertOutcome::handshake_failed;
}

std::string expected_name(const CertEndpoint& endpoint, const MailCertQuery& query) {
    const std::string& written = query.name.empty() ? endpoint.host : query.name;
    return dns::ascii_name(written).value_or(written);
}

// Chain, name, file and key: everything that needs no network.
void judge_free_facts(CertLook& look, const CertLookContext& context) {
    const tls::Certificate& own = look.served.front();
    if (context.same_as) {
        look.same_as_file = context.same_as->fingerprint == own.fingerprint;
        look.file_not_after = context.same_as->not_after;
    }
    if (context.key) {
        const auto served_key = tls::public_key(own);
        look.key_matches = served_key && *served_key == *context.key;
    }
}

void verify(CertLook& look, const CertLookContext& context) {
    auto verdict = tls::verify_chain(*context.trust, look.served, context.now);
    look.path = std::move(verdict.path);
    if (!context.query.verify) return;
    look.verified = verdict.findings.empty();
    look.findings = std::move(verdict.findings);
    look.expected_name = expected_name(look.endpoint, context.query);
    look.name_matches = tls::is_for(look.served.front(), look.expected_name);
}

void store_session(CertLook& look, tls::Session session, const CertLookContext& context) {
    look.protocol = std::move(session.protocol);
    look.cipher = std::move(session.cipher);
    look.client_certificate_wanted = session.client_certificate_wanted;
    look.served = std::move(session.chain);
    judge_free_facts(look, context);
    verify(look, context);
}

// The way to TLS over an open connection; false when the outcome says why it ended.
Result<bool> start_tls(CertLook& look, io::Stream& stream, const MailCertQuery& query, const Deadline& deadline) {
    const smtp::Protocol protocol = *look.endpoint.starttls;
    auto started = smtp::start_tls(stream, protocol, query.hello, deadline);
    // A server that sends more than any server of this protocol does speaks another one.
    if (!started && started.error().fault == base::Fault::limit) {
        look.outcome = CertOutcome::not_protocol;
        look.reason = started.error().what;
        return false;
    }
    if (!started) return fail(started.error());
    if (started->end == smtp::StartTlsEnd::ready) return true;
    look.outcome = outcome_of(started->end);
    look.reason = std::move(started->line);
    if (look.outcome == CertOutcome::not_offered) (void)stream.write(smtp::goodbye(protocol), deadline);
    return false;
}

Result<void> examine(CertLook& look, std::unique_ptr<io::Stream> stream, const CertLookContext& context,
                     const Deadline& deadline) {
    Stopwatch watch(deadline);
    const auto& starttls = look.endpoint.starttls;
    if (starttls) {
        const auto ready = start_tls(look, *stream, context.query, deadline);
        if (!ready) return fail(ready.error());
        look.phases.starttls = watch.lap();
        if (!*ready) return {};
    }
    auto shaken =
        tls::shake_hands(std::move(stream), *context.trust, {expected_name(look.endpoint, context.query)}, deadline);
    if (!shaken) return fail(shaken.error());
    look.phases.handshake = watch.lap();
    look.outcome = outcome_of(*shaken, starttls.has_value());
    if (look.outcome != CertOutcome::shown) {
        look.reason = shaken->first_bytes.empty() ? shaken->reason : shaken->first_bytes;
    }
    // Politeness keeps "lost connection" out of the server's log; its answer is of no interest.
    if (shaken->stream && starttls) (void)shaken->stream->write(smtp::goodbye(*starttls), deadline);
    if (shaken->session) store_session(look, std::move(*shaken->session), context);
    return {};
}

// The TLSA records of the endpoint. Authenticated addresses are the first condition of RFC 7672 section 2.2.
struct TlsaRecords {
    DaneFacts facts;
    std::vector<tls::Tlsa> records;
};

TlsaRecords tlsa_records(const CertEndpoint& endpoint, const dns::HostAddresses& addresses,
                         const CertLookContext& context, const Deadline& deadline) {
    TlsaRecords found;
    const std::string host = dns::ascii_name(endpoint.host).value_or(endpoint.host);
    auto resolver = world::open_resolver(context.world, context.query.names.resolver);
    if (!resolver) {
        found.facts.error = resolver.error();
        return found;
    }
    // RFC 7672 section 2.2.2: the name that secure CNAMEs lead to first, then the name itself.
    std::vector<std::string> bases{host};
    if (addresses.authenticated && !addresses.canonical.empty() && addresses.canonical != host) {
        bases.insert(bases.begin(), addresses.canonical);
    }
    for (const std::string& base : bases) {
        found.facts.base = fmt::format("_{}._tcp.{}", endpoint.port, base);
        const dns::Question question{.name = found.facts.base, .type = dns::Type::tlsa, .dnssec = true};
        const auto answer = dns::lookup(**resolver, question, deadline);
        if (!answer.known()) found.facts.error = dns::failure_error(**resolver, question, answer);
        found.facts.addresses_authenticated = addresses.authenticated;
        found.facts.authenticated = addresses.authenticated && answer.authenticated;
        for (const auto& record : answer.records.tlsa) {
            found.records.push_back({record.usage, record.selector, record.matching, record.data});
        }
        if (!found.records.empty() || found.facts.error) break;
    }
    found.facts.records = found.records.size();
    return found;
}

void judge_dane(CertLook& look, const TlsaRecords& tlsa, const CertLookContext& context) {
    if (look.served.empty()) return;
    look.dane = tlsa.facts;
    DaneFacts& facts = *look.dane;
    if (facts.error) return;
    const std::string base_name = facts.base.substr(facts.base.find("._tcp.") + 6);
    std::vector<std::string> names{base_name};
    if (const auto own = expected_name(look.endpoint, context.query); own != base_name) names.push_back(own);
    const auto verdict = tls::verify_dane(*context.trust, look.served, tlsa.records, names, context.now);
    facts.usable = verdict.usable;
    if (verdict.matched) {
        const auto& record = tlsa.records[*verdict.matched];
        facts.matched = fmt::format("{} {} {}", record.usage, record.selector, record.matching_type);
    }
    facts.valid = facts.authenticated && facts.matched;
    facts.reason = verdict.reason;
    if (facts.matched && !facts.authenticated) {
        facts.reason = fmt::format(
            "the {} are not DNSSEC-authenticated (unsigned zone{}, or a resolver that does not "
            "validate), so senders ignore the TLSA records",
            facts.addresses_authenticated ? "TLSA records" : "host's addresses",
            facts.addresses_authenticated ? "" : ", /etc/hosts");
    }
}

void finish(CertLook& look, base::Result<void> looked, const TlsaRecords& tlsa, const CertLookContext& context) {
    if (!looked) look.error = std::move(looked.error());
    if (context.query.dane && looked) judge_dane(look, tlsa, context);
}

}  // namespace

std::vector<CertLook> probe_service(const CertEndpoint& endpoint, const CertLookContext& context,
                                    const Deadline& deadline) {
    CertLook blank;
    blank.endpoint = endpoint;
    blank.target = endpoint.text;
    Stopwatch watch(deadline);
    const auto found = world::addresses_of(endpoint.host, context.query.names, context.world, deadline);
    if (!found) {
        blank.error = found.error();
        return {blank};
    }
    blank.phases.resolve = watch.lap();
    TlsaRecords tlsa;
    if (context.query.dane) tlsa = tlsa_records(endpoint, *found, context, deadline);
    const bool every = context.query.all_addresses || context.query.dane;
    std::vector<std::vector<base::IpAddress>> groups;
    if (!every) groups.push_back(found->addresses);
    for (std::size_t i = 0; every && i < found->addresses.size(); ++i) groups.push_back({found->addresses[i]});

    std::vector<CertLook> looks;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        CertLook look = blank;
        if (groups.size() > 1) look.target += fmt::format(" ({})", groups[i].front().to_string());
        const auto share = deadline.within(deadline.remaining() / static_cast<base::Duration::rep>(groups.size() - i));
        (void)watch.lap();
        auto dialled = world::dial_first(groups[i], endpoint.port, context.world, share);
        if (!dialled) {
            look.error = std::move(dialled.error());
        } else {
            look.phases.connect = watch.lap();
            look.address = dialled->address.to_string();
            finish(look, examine(look, std::move(dialled->stream), context, share), tlsa, context);
        }
        looks.push_back(std::move(look));
    }
    return looks;
}

std::vector<CertLook> probe_files(const CertEndpoint& endpoint, const CertLookContext& context) {
    CertLook blank;
    blank.endpoint = endpoint;
    blank.target = endpoint.text;
    const bool pattern = endpoint.path.find_first_of("*?[") != std::string::npos;
    std::vector<std::string> paths{endpoint.path};
    if (pattern) {
        auto matched = context.world.files->glob(endpoint.path);
        if (matched && matched->empty()) matched = fail(Fault::not_found, "no file matches {}", endpoint.path);
        if (!matched) {
            blank.error = matched.error();
            return {blank};
        }
        paths = std::move(*matched);
    }
    std::vector<CertLook> looks;
    for (const std::string& path : paths) {
        CertLook look = blank;
        look.target = path;
        const auto bytes = context.world.files->read(path, max_file_bytes);
        auto certificates =
            bytes ? tls::read_certificates(*bytes) : Result<std::vector<tls::Certificate>>(fail(bytes.error()));
        if (!certificates) {
            look.error = bytes ? certificates.error().at(path) : certificates.error();
        } else {
            look.served = std::move(*certificates);
            look.path = look.served;
            judge_free_facts(look, context);
            if (!context.query.name.empty()) {
                look.expected_name = expected_name(endpoint, context.query);
                look.name_matches = tls::is_for(look.served.front(), look.expected_name);
            }
        }
        looks.push_back(std::move(look));
    }
    return looks;
}

}  // namespace mtawatch::probe::mail_server
