// check_mx: alerts when a domain cannot receive mail, or not at the expected hosts.
#include <fmt/format.h>

#include "checks/findings.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_auth/mx.h"

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
                                  .help = "A domain that takes mail: bounce, feedback-loop and unsubscribe domains too",
                                  .repeatable = true,
                                  .required = true},
                                 {.name = "expect",
                                  .kind = Kind::name,
                                  .metavar = "HOST",
                                  .help = "A mail host that every domain must have; others are then a WARNING",
                                  .repeatable = true}},
                                plugin::dns_options()});
}

Result<probe::mail_auth::MxQuery> query_of(const Options& options) {
    probe::mail_auth::MxQuery query;
    query.domains = options.list("domain");
    query.expected = options.list("expect");
    query.resolver.servers = options.list("dns-server");
    return query;
}

void summarise(Report& report, const probe::mail_auth::MxLook& look) {
    if (look.null_mx) {
        report.add(State::ok, fmt::format("{}: takes no mail (null MX)", look.domain));
        return;
    }
    std::string text = fmt::format("{}:", look.domain);
    for (const probe::mail_auth::MxHost& host : look.hosts) text += fmt::format(" {} {},", host.preference, host.name);
    text.pop_back();
    report.add(State::ok, std::move(text));
}

Report judge(const probe::mail_auth::MxObservation& seen) {
    Report report;
    double good = 0;
    bool all_seen = true;
    for (const probe::mail_auth::MxLook& look : seen.domains) {
        judge_findings(report, look.findings, look.domain);
        if (look.findings.usable()) ++good;
        all_seen = all_seen && !look.findings.has(probe::mail_auth::Weight::unseen);
        if (look.findings.usable() && !look.findings.has(probe::mail_auth::Weight::weak)) summarise(report, look);
    }
    if (all_seen) report.figure("good", good, plugin::Unit::none, {}, 0, static_cast<double>(seen.domains.size()));
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::mail_auth::mx(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen);
}

}  // namespace

plugin::Check mx() {
    return {.name = "mx",
            .purpose = "Alerts when a domain cannot receive mail, or not at the expected hosts",
            .options = options(),
            .run = run,
            .example = "check_mx -d example.com -d bounce.example.com --expect mail.example.com"};
}

}  // namespace mtawatch::checks
