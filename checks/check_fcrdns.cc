// check_fcrdns: alerts when the reverse name of a sending address is missing or does not fit.
#include <fmt/format.h>

#include "checks/advice.h"
#include "checks/findings.h"
#include "shared/base/ip.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_auth/fcrdns.h"
#include "shared/probe/mail_auth/sending_addresses.h"

namespace mtawatch::checks {

namespace {

using base::fail;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;

options::OptionTable options() {
    return options::options_of({{{.name = "ip",
                                  .letter = 'i',
                                  .kind = Kind::network,
                                  .metavar = "IP",
                                  .help = "A sending address, or a network of them",
                                  .repeatable = true,
                                  .required = true},
                                 {.name = "helo",
                                  .kind = Kind::name,
                                  .metavar = "NAME",
                                  .help = "The name that the host says in HELO; it must fit every address"},
                                 {.name = "generic-names",
                                  .kind = Kind::flag,
                                  .help = "Reverse names made of the address are your own scheme, and fine"}},
                                plugin::dns_options()});
}

Result<probe::mail_auth::FcrdnsQuery> query_of(const Options& options) {
    probe::mail_auth::FcrdnsQuery query;
    auto ips = probe::mail_auth::sending_addresses(options.list("ip"));
    if (!ips) return fail(ips.error().at("--ip"));
    query.ips = std::move(*ips);
    query.helo = options.find_text("helo").value_or("");
    query.generic_names = options.flag("generic-names");
    query.advise = true;
    query.resolver.servers = options.list("dns-server");
    return query;
}

Report judge_address(const probe::mail_auth::ReverseLook& look, const Advice<probe::mail_auth::ReverseLook>& advice) {
    Report report;
    const std::string ip = look.ip.to_string();
    judge_findings(report, look.findings, ip, advice.after == nullptr ? nullptr : &advice.after->findings);
    if (look.findings.usable() && !look.findings.has(probe::mail_auth::Weight::weak)) {
        report.add(State::ok, fmt::format("{} is {}, which leads back", ip, fmt::join(look.confirmed, ", ")));
    }
    return report;
}

Report judge(const probe::mail_auth::FcrdnsObservation& seen) {
    Report report;
    double valid = 0;
    bool all_seen = true;
    for (const probe::mail_auth::ReverseLook& look : seen.addresses) {
        Report one = with_advice(look, look.remedies, judge_address);
        report.details.insert(report.details.end(), one.details.begin(), one.details.end());
        if (!look.confirmed.empty()) ++valid;
        all_seen = all_seen && !look.findings.has(probe::mail_auth::Weight::unseen);
    }
    if (all_seen) {
        report.figure("confirmed", valid, plugin::Unit::none, {}, 0, static_cast<double>(seen.addresses.size()));
    }
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::mail_auth::fcrdns(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen);
}

}  // namespace

plugin::Check fcrdns() {
    return {.name = "fcrdns",
            .purpose = "Alerts when the reverse name of a sending address is missing or does not fit",
            .options = options(),
            .run = run,
            .example = "check_fcrdns -i 192.0.2.10 --helo mail.example.com"};
}

}  // namespace mtawatch::checks
