// check_dmarc: alerts when the DMARC record is missing, broken or weak.
#include <fmt/format.h>

#include "checks/advice.h"
#include "checks/findings.h"
#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_auth/dmarc.h"

namespace mtawatch::checks {

namespace {

using base::fail;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;

options::OptionTable options() {
    return options::options_of({{{.name = "domain",
                                  .letter = 'd',
                                  .kind = Kind::domain,
                                  .metavar = "DOMAIN",
                                  .help = "The domain in the From address",
                                  .required = true},
                                 {.name = "min-policy",
                                  .kind = Kind::choice,
                                  .metavar = "none|quarantine|reject",
                                  .help = "WARNING when receivers apply less",
                                  .fallback = "quarantine"},
                                 {.name = "spf-domain",
                                  .kind = Kind::domain,
                                  .metavar = "DOMAIN",
                                  .help = "The domain of a bounce address of its mail: does it align?",
                                  .repeatable = true},
                                 {.name = "dkim-domain",
                                  .kind = Kind::domain,
                                  .metavar = "DOMAIN",
                                  .help = "A d= that signs its mail: does it align?",
                                  .repeatable = true},
                                 {.name = "authoritative",
                                  .kind = Kind::flag,
                                  .help = "Ask every authoritative server directly, and compare what they publish"}},
                                plugin::dns_options()});
}

struct DmarcLimits {
    auth::DmarcPolicy least = auth::DmarcPolicy::none;
};

DmarcLimits limits_of(const Options& options) {
    const std::string wanted = options.text("min-policy");
    return {wanted == "reject"       ? auth::DmarcPolicy::reject
            : wanted == "quarantine" ? auth::DmarcPolicy::quarantine
                                     : auth::DmarcPolicy::none};
}

Result<probe::mail_auth::DmarcQuery> query_of(const Options& options) {
    probe::mail_auth::DmarcQuery query;
    query.domain = options.text("domain");
    query.spf_domains = options.list("spf-domain");
    query.dkim_domains = options.list("dkim-domain");
    query.authoritative = options.flag("authoritative");
    query.advise = true;
    query.least = limits_of(options).least;
    query.resolver.servers = options.list("dns-server");
    return query;
}

void judge_policy(Report& report, const DmarcLimits& limits, const probe::mail_auth::DmarcObservation& seen) {
    const auto policy = effective_policy(seen);
    if (!policy) return;
    const std::string_view wanted = auth::name(limits.least);
    const auth::DmarcDecision& decision = seen.decision;
    if (*policy < limits.least) {
        std::string text =
            fmt::format("{}: receivers apply p={}, less than {}", seen.domain, auth::name(*policy), wanted);
        if (decision.inherited) text += fmt::format(" ({}= of _dmarc.{})", decision.tag, decision.record_domain);
        report.add(State::warning, std::move(text));
    }
}

void summarise(Report& report, const probe::mail_auth::DmarcObservation& seen) {
    const auto policy = effective_policy(seen);
    if (!policy || report.state() == State::warning || report.state() == State::critical) return;
    std::string text = fmt::format("{}: p={}", seen.domain, auth::name(*policy));
    if (seen.decision.inherited) {
        text += fmt::format(" by {}= of _dmarc.{}", seen.decision.tag, seen.decision.record_domain);
    }
    if (!seen.decision.record->rua.empty()) {
        text += fmt::format(", reports to {}", seen.decision.record->rua.front().text);
    }
    report.add(State::ok, std::move(text));
}

Report judge_domain(const probe::mail_auth::DmarcObservation& seen, const DmarcLimits& limits,
                    const Advice<probe::mail_auth::DmarcObservation>& advice) {
    Report report;
    judge_findings(report, seen.findings, seen.domain, advice.after == nullptr ? nullptr : &advice.after->findings);
    judge_policy(report, limits, seen);
    summarise(report, seen);
    report.note(2, fmt::format("organizational domain: {} (public-suffix list: {})", seen.walk.organizational_domain,
                               seen.registrable_domain));
    for (const probe::mail_auth::DmarcAlignment& one : seen.alignments) {
        if (one.aligned.value_or(false)) {
            report.note(1, fmt::format("{}{} aligns", one.spf ? "the bounce domain " : "d=", one.domain));
        }
    }
    for (const auth::DmarcStep& step : seen.walk.steps) {
        report.note(2,
                    fmt::format("_dmarc.{}: {}", step.name, step.record ? step.record->text : "nothing that counts"));
    }
    report.observation = to_json(seen, advice.lines);
    return report;
}

Report judge(const probe::mail_auth::DmarcObservation& seen, const DmarcLimits& limits) {
    using Seen = probe::mail_auth::DmarcObservation;
    // A first record begins with p=none, whatever is wanted in the end: only its reports show what would be lost.
    const bool first = !effective_policy(seen);
    return with_advice(
        seen, seen.remedies,
        [&limits](const Seen& one, const Advice<Seen>& advice) { return judge_domain(one, limits, advice); },
        [first](std::string_view text) { return first && text.find("receivers apply p=none,") != text.npos; });
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::mail_auth::dmarc(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen, limits_of(options));
}

}  // namespace

plugin::Check dmarc() {
    return {.name = "dmarc",
            .purpose = "Alerts when the DMARC record is missing, broken or weak",
            .options = options(),
            .run = run,
            .example = "check_dmarc -d example.com --min-policy reject"};
}

}  // namespace mtawatch::checks
