// check_mta_sts: alerts when the MTA-STS policy is missing, broken or does not fit the mail hosts.
#include <fmt/format.h>

#include "checks/advice.h"
#include "checks/findings.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_auth/mta_sts.h"

namespace mtawatch::checks {

namespace {

using base::fail;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;

options::OptionTable options() {
    return options::options_of({{{.name = "domain",
                                  .letter = 'd',
                                  .kind = Kind::domain,
                                  .metavar = "DOMAIN",
                                  .help = "The domain that takes mail",
                                  .required = true},
                                 {.name = "ca-file",
                                  .metavar = "FILE",
                                  .help = "Authorities in PEM to trust",
                                  .fallback_text = "the system's authorities"}},
                                plugin::dns_options()});
}

Result<probe::mail_auth::MtaStsQuery> query_of(const Options& options) {
    probe::mail_auth::MtaStsQuery query;
    query.domain = options.text("domain");
    query.ca_file = options.find_text("ca-file").value_or("");
    query.resolver.servers = options.list("dns-server");
    return query;
}

Report judge_domain(const probe::mail_auth::MtaStsObservation& seen,
                    const Advice<probe::mail_auth::MtaStsObservation>& advice) {
    Report report;
    judge_findings(report, seen.findings, seen.domain, advice.after == nullptr ? nullptr : &advice.after->findings);
    if (seen.policy.max_age) {
        report.figure("max_age", static_cast<double>(*seen.policy.max_age), plugin::Unit::seconds, {}, 0);
    }
    if (seen.findings.usable() && !seen.findings.has(probe::mail_auth::Weight::weak)) {
        report.add(plugin::State::ok, fmt::format("{}: mode {}, {} of {} mail hosts covered", seen.domain,
                                                  seen.policy.mode ? auth::name(*seen.policy.mode) : "none",
                                                  seen.hosts.size() - seen.uncovered.size(), seen.hosts.size()));
    }
    report.observation = to_json(seen, advice.lines);
    return report;
}

Report judge(const probe::mail_auth::MtaStsObservation& seen) { return with_advice(seen, seen.remedies, judge_domain); }

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::mail_auth::mta_sts(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen);
}

}  // namespace

plugin::Check mta_sts() {
    return {.name = "mta_sts",
            .purpose = "Alerts when the MTA-STS policy is missing, broken or does not fit the mail hosts",
            .options = options(),
            .run = run,
            .example = "check_mta_sts -d example.com"};
}

}  // namespace mtawatch::checks
