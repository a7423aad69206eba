// check_tls_rpt: alerts when senders do not know where to report TLS failures to.
#include <fmt/format.h>

#include "checks/advice.h"
#include "checks/findings.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_auth/tls_rpt.h"

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
                                  .required = true}},
                                plugin::dns_options()});
}

Result<probe::mail_auth::TlsRptQuery> query_of(const Options& options) {
    probe::mail_auth::TlsRptQuery query;
    query.domain = options.text("domain");
    query.resolver.servers = options.list("dns-server");
    return query;
}

Report judge_domain(const probe::mail_auth::TlsRptObservation& seen,
                    const Advice<probe::mail_auth::TlsRptObservation>& advice) {
    Report report;
    judge_findings(report, seen.findings, seen.domain, advice.after == nullptr ? nullptr : &advice.after->findings);
    if (seen.findings.usable() && !seen.findings.has(probe::mail_auth::Weight::weak)) {
        std::string text = fmt::format("{}: reports go to", seen.domain);
        for (const auth::ReportUri& uri : seen.read.destinations) text += fmt::format(" {},", uri.text);
        text.pop_back();
        report.add(plugin::State::ok, std::move(text));
    }
    report.observation = to_json(seen, advice.lines);
    return report;
}

Report judge(const probe::mail_auth::TlsRptObservation& seen) { return with_advice(seen, seen.remedies, judge_domain); }

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::mail_auth::tls_rpt(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen);
}

}  // namespace

plugin::Check tls_rpt() {
    return {.name = "tls_rpt",
            .purpose = "Alerts when senders do not know where to report TLS failures to",
            .options = options(),
            .run = run,
            .example = "check_tls_rpt -d example.com"};
}

}  // namespace mtawatch::checks
