// check_dkim: alerts when a DKIM key is missing, broken or weak, or does not let our mail pass.
#include <fmt/format.h>

#include <algorithm>

#include "checks/advice.h"
#include "checks/findings.h"
#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_auth/dkim.h"

namespace mtawatch::checks {

namespace {

using base::fail;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;

options::OptionTable options() {
    return options::options_of(
        {{{.name = "domain",
           .letter = 'd',
           .kind = Kind::domain,
           .metavar = "DOMAIN",
           .help = "The domain that signs (d=)"},
          {.name = "selector",
           .letter = 's',
           .kind = Kind::name,
           .metavar = "SELECTOR",
           .help = "The selector of a key (s=)",
           .repeatable = true},
          {.name = "private-key",
           .metavar = "FILE",
           .help = "The private key in PEM that must belong to every published key"},
          {.name = "warning",
           .letter = 'w',
           .kind = Kind::range,
           .help = "Bits of an RSA key; Ed25519 counts as strong",
           .fallback = "2048:",
           .low_is_bad = "bits"},
          {.name = "critical",
           .letter = 'c',
           .kind = Kind::range,
           .help = "Bits of an RSA key",
           .fallback = "1024:",
           .low_is_bad = "bits"},
          {.name = "message", .metavar = "FILE", .help = "Verify every signature of this message; - is standard input"},
          {.name = "require-signed",
           .metavar = "HEADER,...",
           .help = "Header fields of the message that a passing signature must cover"}},
         plugin::dns_options()});
}

Result<probe::mail_auth::DkimQuery> query_of(const Options& options) {
    probe::mail_auth::DkimQuery query;
    query.domain = options.find_text("domain").value_or("");
    query.selectors = options.list("selector");
    query.private_key_file = options.find_text("private-key").value_or("");
    query.message_file = options.find_text("message").value_or("");
    query.advise = true;
    query.resolver.servers = options.list("dns-server");
    if (const auto fields = options.find_text("require-signed")) {
        for (const std::string_view field : base::split(*fields, ',')) {
            if (!base::trim(field).empty()) query.require_signed.emplace_back(base::trim(field));
        }
        if (query.message_file.empty()) {
            return fail(base::Fault::usage, "--require-signed needs --message FILE to look at");
        }
    }
    for (const std::string& selector : query.selectors) {
        const std::size_t at = selector.find("._domainkey");
        if (at == std::string::npos) continue;
        return fail(base::Fault::usage, "--selector {}: the rest of the name is added; write --selector {}",
                    base::one_line(selector, 60), base::one_line(selector.substr(0, at), 60));
    }
    const bool keys = !query.domain.empty() && !query.selectors.empty();
    if (!keys && (query.message_file.empty() || !query.domain.empty() || !query.selectors.empty())) {
        return fail(base::Fault::usage, "give --domain and --selector together, or --message; see --help");
    }
    if (!query.private_key_file.empty() && !keys) {
        return fail(base::Fault::usage, "--private-key needs --domain and --selector of the key it belongs to");
    }
    return query;
}

Report judge_key(const probe::mail_auth::DkimKeyLook& look, const plugin::Thresholds& bits, bool several,
                 const Advice<probe::mail_auth::DkimKeyLook>& advice) {
    Report report;
    const std::string subject = fmt::format("{}._domainkey.{}", look.selector, look.domain);
    judge_findings(report, look.findings, subject, advice.after == nullptr ? nullptr : &advice.after->findings);
    if (!look.key.key) return report;
    const bool rsa = look.key.key->type() == tls::KeyType::rsa;
    const std::string label = several ? look.selector + "_bits" : "bits";
    report.figure(label, look.key.bits, plugin::Unit::none, rsa ? bits : plugin::Thresholds{}, 0);
    const State size = rsa ? bits.judge(look.key.bits) : State::ok;
    if (size != State::ok) {
        report.add(size, fmt::format("{}: the RSA key has {} bits ({}){}; publish one of 2048", subject, look.key.bits,
                                     bits.reason(look.key.bits),
                                     look.key.bits < auth::dkim_min_rsa_bits
                                         ? fmt::format(", and receivers must not accept less than {} (RFC 8301)",
                                                       auth::dkim_min_rsa_bits)
                                         : ""));
    }
    const auto judged = std::ranges::any_of(look.findings.items, [](const probe::mail_auth::Finding& one) {
        return one.weight != probe::mail_auth::Weight::note;
    });
    if (judged || size != State::ok) return report;
    std::string text =
        rsa ? fmt::format("{}: RSA key of {} bits", subject, look.key.bits) : fmt::format("{}: Ed25519 key", subject);
    if (look.matches) text += ", belongs to the private key";
    report.add(State::ok, std::move(text));
    return report;
}

State state_of(auth::DkimResult result, bool another_passes) {
    if (result == auth::DkimResult::pass) return State::ok;
    if (another_passes) return State::warning;
    return result == auth::DkimResult::temperror ? State::unknown : State::critical;
}

void judge_signatures(Report& report, const probe::mail_auth::DkimMessageLook& look) {
    const bool any_passes = std::ranges::any_of(
        look.signatures, [](const auth::DkimVerification& one) { return one.result == auth::DkimResult::pass; });
    if (look.signatures.empty()) report.add(State::critical, "the message is not signed");
    for (std::size_t i = 0; i < look.signatures.size(); ++i) {
        const auth::DkimVerification& one = look.signatures[i];
        std::string text = fmt::format("signature {} of {}", i + 1, look.signatures.size());
        if (!one.domain.empty()) text += fmt::format(", d={} s={} {}", one.domain, one.selector, one.algorithm);
        text += fmt::format(": {}", auth::name(one.result));
        if (!one.reason.empty()) text += fmt::format(": {}", one.reason);
        const std::string subject = fmt::format("signature {}", i + 1);
        report.add(state_of(one.result, any_passes), std::move(text));
        judge_findings(report, one.findings, subject);
        if (one.testing) report.add(State::warning, fmt::format("{}: its key says t=y (testing); remove t=y", subject));
    }
}

void judge_message(Report& report, const probe::mail_auth::DkimMessageLook& look) {
    const auto passed = std::ranges::count_if(
        look.signatures, [](const auth::DkimVerification& one) { return one.result == auth::DkimResult::pass; });
    judge_signatures(report, look);
    if (look.from_fields != 1) {
        report.add(State::critical, fmt::format("the message has {} From fields; it must have one", look.from_fields));
    }
    for (const auto& [field, coverage] : look.required) {
        if (coverage == probe::mail_auth::Coverage::not_there) {
            report.add(State::critical, fmt::format("the message has no {} field", field));
        } else if (coverage == probe::mail_auth::Coverage::not_signed) {
            report.add(State::critical, fmt::format("{} is not covered by a passing signature; add it to h=", field));
        } else if (coverage == probe::mail_auth::Coverage::not_passing) {
            report.add(State::critical, fmt::format("{} is signed, but by no signature that passes", field));
        } else if (coverage == probe::mail_auth::Coverage::unseen) {
            report.add(State::unknown,
                       fmt::format("whether {} is covered cannot be told: the key of its signature could not be looked "
                                   "up",
                                   field));
        }
    }
    if (look.aligned && !*look.aligned) {
        report.add(
            State::warning,
            fmt::format("no passing signature aligns with the From domain {0}, so DMARC passes by SPF alone if at "
                        "all; sign with a name within {0}",
                        look.from_domain));
    }
    switch (look.one_click) {
        case auth::OneClick::not_offered:
            report.note(1, "no one-click unsubscribe (RFC 8058)");
            break;
        case auth::OneClick::offered:
            report.note(1, "one-click unsubscribe (RFC 8058) is offered and signed");
            break;
        case auth::OneClick::not_https:
            report.add(State::warning, "one-click unsubscribe does not work: List-Unsubscribe has no https address");
            break;
        case auth::OneClick::wrong_value:
            report.add(State::warning,
                       "one-click unsubscribe does not work; write List-Unsubscribe-Post: List-Unsubscribe=One-Click");
            break;
        case auth::OneClick::not_signed:
            if (passed == 0) break;  // said already
            report.add(
                State::warning,
                "one-click unsubscribe does not count: sign List-Unsubscribe and List-Unsubscribe-Post (RFC 8058)");
            break;
    }
    if (look.bare_lf) report.note(2, "the line ends were LF and were read as CRLF");
    report.figure("signatures", static_cast<double>(look.signatures.size()), plugin::Unit::none, {}, 0);
    report.figure("signatures_passed", static_cast<double>(passed), plugin::Unit::none, {}, 0);
}

Report judge(const probe::mail_auth::DkimObservation& seen, const plugin::Thresholds& bits) {
    Report report;
    const bool several = seen.keys.size() > 1;
    using Look = probe::mail_auth::DkimKeyLook;
    for (const Look& look : seen.keys) {
        const Report one = with_advice(look, look.remedies, [&](const Look& key, const Advice<Look>& advice) {
            return judge_key(key, bits, several, advice);
        });
        report.details.insert(report.details.end(), one.details.begin(), one.details.end());
        report.figures.insert(report.figures.end(), one.figures.begin(), one.figures.end());
    }
    judge_findings(report, seen.private_key, "private key");
    if (seen.message) judge_message(report, *seen.message);
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::mail_auth::dkim(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen, options.thresholds());
}

}  // namespace

plugin::Check dkim() {
    return {.name = "dkim",
            .purpose = "Alerts when a DKIM key is missing, broken or weak, or does not let our mail pass",
            .options = options(),
            .run = run,
            .example = "check_dkim -d example.com -s mail2026 --private-key /etc/dkim/mail2026.pem"};
}

}  // namespace mtawatch::checks
