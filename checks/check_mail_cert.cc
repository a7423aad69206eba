// check_mail_cert: judges the certificates that mail services show and that lie in files.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "shared/base/duration.h"
#include "shared/base/text.h"
#include "shared/base/utc.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_server/mail_cert.h"

namespace mtawatch::checks {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Range;
using plugin::Report;
using plugin::State;
using probe::mail_server::CertLook;
using probe::mail_server::CertOutcome;

constexpr double seconds_per_day = 86'400;
constexpr int weak_rsa_bits = 2048;    // RFC 8301 and the CA/Browser forum: below it no certificate is issued
constexpr int broken_rsa_bits = 1024;  // factored in practice below it
constexpr int weak_ec_bits = 224;      // 112 bits of security, as RSA 2048

options::OptionTable target_options() {
    return {
        {.name = "endpoint",
         .letter = 'e',
         .metavar = "URL",
         .help =
             "What to look at: smtp:// submission:// lmtp:// imap:// pop3:// sieve:// with STARTTLS, smtps:// imaps:// "
             "pop3s:// https:// with TLS at once, each with HOST[:PORT]; file:///PATH for PEM or DER files, also a "
             "glob",
         .repeatable = true},
        {.name = "hostname",
         .letter = 'H',
         .kind = Kind::host,
         .metavar = "HOST",
         .help = "Host of one further endpoint"},
        {.name = "port",
         .letter = 'p',
         .kind = Kind::integer,
         .metavar = "PORT",
         .help = "Port of --hostname",
         .least = 1,
         .most = 65535},
        {.name = "starttls",
         .kind = Kind::choice,
         .metavar = "smtp|submission|lmtp|imap|pop3|sieve",
         .help = "STARTTLS protocol of --hostname",
         .fallback_text = "by port"}};
}

options::OptionTable judging_options() {
    return {
        {.name = "warning",
         .letter = 'w',
         .metavar = "RANGE",
         .help = "Days left, or percent of the own certificate's lifetime as 25%",
         .fallback = "30:"},
        {.name = "critical", .letter = 'c', .metavar = "RANGE", .help = "The same for CRITICAL", .fallback = "7:"},
        {.name = "name",
         .kind = Kind::host,
         .metavar = "NAME",
         .help = "Name the certificate must be for, also sent as SNI",
         .fallback_text = "the host"},
        {.name = "ca-file",
         .metavar = "FILE",
         .help = "PEM file of the only authorities to trust",
         .fallback_text = "the system's in /etc/ssl/certs"},
        {.name = "no-verify", .kind = Kind::flag, .help = "Do not judge name and chain, dates and strength only"},
        {.name = "same-as", .metavar = "FILE", .help = "The served certificate must be the first one in this file"},
        {.name = "key", .metavar = "FILE", .help = "The private key in this file must belong to the certificate"},
        {.name = "dane", .kind = Kind::flag, .help = "A DNSSEC-authenticated TLSA record must match at every address"},
        {.name = "trust-ad",
         .kind = Kind::flag,
         .help = "Believe the AD bit of a resolver that is not on this machine"},
        {.name = "all-addresses",
         .kind = Kind::flag,
         .help = "Look at every address of a host, not only at the first that answers"},
        {.name = "min-tls",
         .kind = Kind::choice,
         .metavar = "1.0|1.1|1.2|1.3",
         .help = "CRITICAL when the server speaks only older versions of TLS",
         .fallback_text = "WARNING below 1.2"},
        {.name = "helo",
         .metavar = "NAME",
         .help = "How to greet SMTP and LMTP servers",
         .fallback = "localhost.localdomain"}};
}

options::OptionTable options() {
    return options::options_of({target_options(), judging_options(), plugin::dns_options(), plugin::family_options()});
}

Result<probe::mail_server::MailCertQuery> query_of(const Options& options) {
    probe::mail_server::MailCertQuery query;
    std::vector<std::string> texts = options.list("endpoint");
    std::set<std::string> seen;
    for (const std::string& text : texts) {
        auto endpoint = probe::mail_server::parse_cert_endpoint(text);
        if (!endpoint) return fail(endpoint.error().at("--endpoint"));
        if (seen.insert(text).second) query.endpoints.push_back(std::move(*endpoint));
    }
    if (const auto host = options.find_text("hostname")) {
        const std::string starttls = options.find_text("starttls").value_or("");
        const std::uint16_t usual = starttls.empty()
                                        ? std::uint16_t{0}
                                        : probe::mail_server::parse_cert_endpoint(starttls + "://x").value().port;
        const auto port = options.find_integer("port");
        if (!port && usual == 0) {
            return fail(Fault::usage,
                        "--hostname {}: add --port PORT or --starttls PROTOCOL, or write --endpoint smtp://{}", *host,
                        *host);
        }
        auto endpoint =
            probe::mail_server::cert_endpoint(*host, port ? static_cast<std::uint16_t>(*port) : usual, starttls);
        if (!endpoint) return fail(endpoint.error());
        query.endpoints.push_back(std::move(*endpoint));
    } else if (options.given("port") || options.given("starttls")) {
        return fail(Fault::usage,
                    "--port and --starttls belong to --hostname; an --endpoint has its own port and scheme");
    }
    if (query.endpoints.empty()) {
        return fail(Fault::usage,
                    "name what to look at: --endpoint smtp://mx1.example.net, --endpoint file:///etc/ssl/mail.pem or "
                    "--hostname HOST --port PORT");
    }
    query.dane = options.flag("dane");
    for (const auto& endpoint : query.endpoints) {
        const bool named = endpoint.scheme != "file" && !base::IpAddress::parse(endpoint.host);
        if (query.dane && !named) {
            return fail(Fault::usage, "--dane: {} has no host name that could have TLSA records", endpoint.text);
        }
    }
    query.name = options.find_text("name").value_or("");
    query.ca_file = options.find_text("ca-file").value_or("");
    query.verify = !options.flag("no-verify");
    query.same_as = options.find_text("same-as").value_or("");
    query.key = options.find_text("key").value_or("");
    query.all_addresses = options.flag("all-addresses");
    query.hello = options.text("helo");
    query.names.resolver = {.servers = options.list("dns-server"), .trust_ad = options.flag("trust-ad")};
    if (options.family() == plugin::Family::ipv4) query.names.family = dns::Family::v4;
    if (options.family() == plugin::Family::ipv6) query.names.family = dns::Family::v6;
    return query;
}

// One threshold: days left, or percent of the lifetime left.
struct CertLimit {
    Range range;
    bool percent = false;
};

// "30:" is days, "25%" and "25%:" are percent of the lifetime; a bare number of days is refused.
Result<std::optional<CertLimit>> read_limit(const Options& options, std::string_view option) {
    const std::string text = options.text(option);
    if (text.ends_with('%')) {
        auto range = Range::parse(text.find(':') == std::string::npos ? text + ":" : text);
        if (!range) return fail(range.error().at(fmt::format("--{}", option)));
        return CertLimit{*range, true};
    }
    auto range = Range::parse(text);
    if (!range) return fail(range.error().at(fmt::format("--{}", option)));
    if (auto done = plugin::refuse_bare(*range, fmt::format("--{}", option), "days"); !done) {
        return fail(done.error());
    }
    return CertLimit{*range, text.find('%') != std::string::npos};
}

struct CertLimits {
    std::optional<CertLimit> warning;
    std::optional<CertLimit> critical;
    std::string min_tls;  // "TLSv1.2"
    bool min_tls_given = false;
    bool key_given = false;
};

Result<CertLimits> limits_of(const Options& options) {
    CertLimits limits;
    for (const auto& [option, limit] : {std::pair{"warning", &limits.warning}, {"critical", &limits.critical}}) {
        auto read = read_limit(options, option);
        if (!read) return fail(read.error());
        *limit = std::move(*read);
    }
    limits.min_tls = "TLSv" + options.find_text("min-tls").value_or("1.2");
    limits.min_tls_given = options.given("min-tls");
    return limits;
}

struct JudgedCert {
    const CertLook* look = nullptr;
    State state = State::ok;
    std::vector<std::string> texts;  // problems, worst not necessarily first
    std::optional<double> days;      // of the certificate that expires first
    const tls::Certificate* soonest = nullptr;

    void add(State how, std::string text) {
        state = plugin::worse(state, how);
        texts.push_back(std::move(text));
    }
};

// "the certificate", "the issuer certificate CN=R3".
std::string described(const tls::Certificate& certificate, const CertLook& look) {
    if (look.path.empty() || certificate.fingerprint == look.path.front().fingerprint) return "the certificate";
    return "the " + std::string(look.endpoint.scheme == "file" ? "further" : "issuer") + " certificate " +
           (certificate.subject.empty() ? "without a name" : certificate.subject);
}

std::string time_left(const tls::Certificate& certificate, std::int64_t now) {
    const std::chrono::seconds left(*certificate.not_after - now);
    if (left.count() < 0) {
        return fmt::format("expired {} ago, on {}", base::human_duration(-left),
                           base::utc_date(*certificate.not_after));
    }
    return fmt::format("expires in {}, on {}", base::human_duration(left), base::utc_date(*certificate.not_after));
}

State judge_limit(const std::optional<CertLimit>& limit, const JudgedCert& judged, const tls::Certificate& own,
                  std::int64_t now, State state) {
    if (!limit) return State::ok;
    double value = *judged.days;
    if (limit->percent) {
        // Of the server's own certificate: the lifetime of an authority says nothing about the next renewal.
        if (!own.not_before || !own.not_after || *own.not_after <= *own.not_before) return state;
        value =
            100.0 * static_cast<double>(*own.not_after - now) / static_cast<double>(*own.not_after - *own.not_before);
    }
    return limit->range.alerts(value) ? state : State::ok;
}

void judge_dates(JudgedCert& judged, const CertLimits& limits, std::int64_t now) {
    const CertLook& look = *judged.look;
    for (const tls::Certificate& certificate : look.path) {
        if (!certificate.not_after || !certificate.not_before) {
            judged.add(State::critical, described(certificate, look) + " has no valid date");
        } else if (*certificate.not_before > now) {
            judged.add(State::critical, fmt::format("{} is not valid before {}", described(certificate, look),
                                                    base::utc_date(*certificate.not_before)));
        }
        if (!certificate.not_after) continue;
        if (judged.soonest == nullptr || *certificate.not_after < *judged.soonest->not_after) {
            judged.soonest = &certificate;
        }
    }
    if (judged.soonest == nullptr) return;
    judged.days = static_cast<double>(*judged.soonest->not_after - now) / seconds_per_day;
    const tls::Certificate& own = look.path.front();
    State state = judge_limit(limits.critical, judged, own, now, State::critical);
    if (state == State::ok) state = judge_limit(limits.warning, judged, own, now, State::warning);
    const bool expired = *judged.days < 0;
    // Whoever verifies refuses an expired one, whatever the thresholds say.
    if (expired && look.verified.has_value()) state = State::critical;
    if (state != State::ok) judged.add(state, described(*judged.soonest, look) + " " + time_left(*judged.soonest, now));
    for (const tls::Certificate& stray : look.served) {
        const bool in_path = std::ranges::any_of(
            look.path, [&](const tls::Certificate& one) { return one.fingerprint == stray.fingerprint; });
        if (!in_path && stray.not_after && *stray.not_after < now) {
            judged.add(State::warning, fmt::format("an unneeded certificate is sent along and {}: {}",
                                                   time_left(stray, now), stray.subject));
        }
    }
}

void judge_strength(JudgedCert& judged) {
    for (const tls::Certificate& one : judged.look->path) {
        const bool rsa = one.key_type == tls::KeyType::rsa || one.key_type == tls::KeyType::rsa_pss;
        const bool weak =
            (rsa && one.key_bits < weak_rsa_bits) || (one.key_type == tls::KeyType::ec && one.key_bits < weak_ec_bits);
        if (weak) {
            const bool broken = rsa && one.key_bits < broken_rsa_bits;
            judged.add(broken ? State::critical : State::warning,
                       fmt::format("{} has a weak key: {} with {} bits", described(one, *judged.look),
                                   tls::name(one.key_type), one.key_bits));
        }
        if (one.weak_signature) {
            judged.add(State::warning, fmt::format("{} is signed over a weak digest: {}", described(one, *judged.look),
                                                   one.signature_algorithm));
        }
    }
}

std::string chain_text(const tls::ChainFinding& finding, const CertLook& look) {
    const std::string who =
        finding.position < look.path.size() ? described(look.path[finding.position], look) : "the chain";
    switch (finding.problem) {
        case tls::ChainProblem::self_signed:
            return "the certificate is self-signed and not trusted here";
        case tls::ChainProblem::untrusted_root:
            return "the chain ends in an authority that is not trusted here: " + look.path.back().subject;
        case tls::ChainProblem::missing_issuer:
            return fmt::format(
                "no trusted authority is known for {}: send the certificate of its issuer along, or name the authority "
                "by "
                "--ca-file; issuer: {}",
                who, look.path.back().issuer);
        default:
            return fmt::format("{}: {}", who, finding.text);
    }
}

void judge_trust(JudgedCert& judged) {
    const CertLook& look = *judged.look;
    if (look.dane && look.dane->valid) return;  // RFC 7672: senders that use DANE do not ask the authorities
    for (const tls::ChainFinding& finding : look.findings) {
        using enum tls::ChainProblem;  // dates have been judged with the thresholds
        if (finding.problem == expired || finding.problem == not_yet_valid || finding.problem == bad_date) continue;
        judged.add(State::critical, chain_text(finding, look));
    }
    if (look.name_matches == false) {
        std::string names = base::join(look.served.front().dns_names, " ");
        if (names.empty()) {
            names = look.served.front().common_name.empty() ? "no name" : look.served.front().common_name;
        }
        judged.add(State::critical, fmt::format("the certificate is not for {} but for {}", look.expected_name,
                                                base::one_line(names, 200)));
    }
}

void judge_expectations(JudgedCert& judged, const CertLimits& limits) {
    const CertLook& look = *judged.look;
    if (!look.protocol.empty() && look.protocol.starts_with("TLSv1")) {
        const std::string shown = look.protocol == "TLSv1" ? "TLSv1.0" : look.protocol;
        if (shown < limits.min_tls) {
            judged.add(limits.min_tls_given ? State::critical : State::warning,
                       fmt::format("the server speaks {} at best, wanted is {}", shown, limits.min_tls));
        }
    }
    if (look.same_as_file == false) {
        const auto served_until = look.served.front().not_after;
        const bool renewed = look.file_not_after && served_until && *look.file_not_after > *served_until;
        judged.add(
            renewed ? State::warning : State::critical,
            renewed ? fmt::format(
                          "the file holds a newer certificate (until {}) than is served (until {}): reload the service",
                          base::utc_date(*look.file_not_after), base::utc_date(*served_until))
                    : std::string("the certificate is not the one in the file"));
    }
    if (look.key_matches == false) {
        judged.add(State::critical, "the private key in the file does not belong to the certificate");
    }
    if (!look.dane || look.dane->valid) return;
    if (look.dane->error) {
        judged.add(plugin::state_of(look.dane->error->fault), "DANE: " + look.dane->error->what);
    } else {
        judged.add(State::critical, fmt::format("DANE: {} ({})", look.dane->reason, look.dane->base));
    }
}

std::string outcome_text(const CertLook& look) {
    const std::string said = look.reason.empty() ? "" : ": " + look.reason;
    switch (look.outcome) {
        case CertOutcome::greeting_refused:
            return "the server's greeting is a refusal" + said;
        case CertOutcome::hello_refused:
            return "the server refuses our hello" + said;
        case CertOutcome::not_offered:
            return "STARTTLS is not offered, so mail and passwords go in plain text" + said;
        case CertOutcome::refused:
            return "STARTTLS is offered, but refused" + said;
        case CertOutcome::injected:
            return "plain text came behind the STARTTLS go-ahead; somebody in between can inject it" + said;
        case CertOutcome::not_protocol:
            return fmt::format("what answers does not speak {}{}",
                               look.endpoint.starttls ? smtp::name(*look.endpoint.starttls) : "TLS", said);
        case CertOutcome::closed:
            return "the server closed the connection before TLS was up" + said;
        case CertOutcome::not_tls:
            return "what answers does not speak TLS" + said;
        case CertOutcome::handshake_failed:
            return "no TLS connection" + said;
        case CertOutcome::no_certificate:
            return "the server shows no certificate";
        case CertOutcome::shown:
            break;
    }
    return {};
}

JudgedCert judge_look(const CertLook& look, const CertLimits& limits, std::int64_t now) {
    JudgedCert judged;
    judged.look = &look;
    if (look.error) {
        // A service whose name does not exist is as bad as one that refuses; a file that is missing was not looked at.
        const bool gone = look.error->fault == Fault::not_found && look.endpoint.scheme != "file";
        std::string text = look.error->what;
        if (look.error->fault == Fault::timeout && look.phases.connect) {
            text += look.endpoint.starttls && !look.phases.starttls ? ", before TLS" : ", in the TLS handshake";
        }
        judged.add(gone ? State::critical : plugin::state_of(look.error->fault), std::move(text));
    } else if (look.outcome != CertOutcome::shown) {
        judged.add(State::critical, outcome_text(look));
    } else {
        judge_dates(judged, limits, now);
        judge_trust(judged);
        judge_strength(judged);
        judge_expectations(judged, limits);
        if (judged.texts.empty() && judged.soonest != nullptr) {
            judged.texts.push_back(described(*judged.soonest, look) + " " + time_left(*judged.soonest, now));
        }
    }
    return judged;
}

// "mx1.example.net_smtp", "mx1.example.net_smtp_2525", "ssl_mail.pem".
std::string label_of(const CertLook& look) {
    if (look.endpoint.scheme == "file") return look.target.substr(look.target.starts_with('/') ? 1 : 0);
    const auto usual = probe::mail_server::parse_cert_endpoint(look.endpoint.scheme + "://x");
    std::string label = look.endpoint.host + "_" + look.endpoint.scheme;
    if (usual && usual->port != look.endpoint.port) label += "_" + std::to_string(look.endpoint.port);
    return look.target == look.endpoint.text ? label : label + "_" + look.address;
}

plugin::Thresholds shown_limits(const CertLimits& limits) {
    plugin::Thresholds shown;
    if (limits.warning && !limits.warning->percent) shown.warning = limits.warning->range;
    if (limits.critical && !limits.critical->percent) shown.critical = limits.critical->range;
    return shown;
}

Report judge(const probe::mail_server::MailCertObservation& seen, const CertLimits& limits) {
    const std::int64_t now = base::unix_seconds(seen.at);
    std::vector<JudgedCert> all;
    for (const CertLook& look : seen.looks) all.push_back(judge_look(look, limits, now));
    Report report;
    for (const JudgedCert& judged : all) {  // in the order asked for, so that graphs by position stay the same
        // Rounded down: a graph must not show 30 where 29.999 has alerted.
        if (judged.days) {
            report.figure(label_of(*judged.look), std::floor(*judged.days * 100) / 100, plugin::Unit::none,
                          shown_limits(limits));
        }
    }
    std::ranges::stable_sort(all, [](const JudgedCert& a, const JudgedCert& b) {
        if (a.state != b.state) return plugin::severity(a.state) > plugin::severity(b.state);
        constexpr double not_seen = -1e18;  // worse than any date
        return a.days.value_or(not_seen) < b.days.value_or(not_seen);
    });
    for (const JudgedCert& judged : all) {
        const CertLook& look = *judged.look;
        const std::string texts = base::join(judged.texts, "; ");
        report.add(judged.state, texts.starts_with(look.target + ":") ? texts : look.target + ": " + texts);
        if (!look.served.empty()) {
            const tls::Certificate& own = look.served.front();
            report.note(2, fmt::format("{}: {} issued by {}, {} {} bits, {}{}{}", look.target, own.subject, own.issuer,
                                       tls::name(own.key_type), own.key_bits, own.signature_algorithm,
                                       look.protocol.empty() ? "" : ", " + look.protocol + " " + look.cipher,
                                       look.client_certificate_wanted ? ", wants a client certificate" : ""));
        }
    }
    if (report.state() == State::ok && all.size() > 1) {
        const auto first = std::ranges::min_element(
            all, [](const JudgedCert& a, const JudgedCert& b) { return a.days.value_or(0) < b.days.value_or(0); });
        report.summary = fmt::format("{} targets are fine; first to expire: {}: {}", all.size(), first->look->target,
                                     base::join(first->texts, "; "));
    }
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto limits = limits_of(options);
    if (!limits) return fail(limits.error());
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::mail_server::mail_cert(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen, *limits);
}

}  // namespace

plugin::Check mail_cert() {
    return {.name = "mail_cert",
            .purpose = "Alerts when a certificate of a mail service or file is about to expire or does not verify",
            .options = options(),
            .run = run,
            .example = "check_mail_cert -e smtp://mx1.example.net -e imaps://imap.example.net -w 30: -c 7:"};
}

}  // namespace mtawatch::checks
