// check_spf: alerts when the SPF record is missing, broken, weak, or does not let our mail pass.
#include <fmt/format.h>

#include <algorithm>

#include "checks/advice.h"
#include "checks/findings.h"
#include "shared/base/ip.h"
#include "shared/base/target_text.h"
#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_auth/sending_addresses.h"
#include "shared/probe/mail_auth/spf.h"

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
           .metavar = "DOMAIN",
           .help = "The domain; default: that of --sender, else --helo",
           .may_be_empty = true},
          {.name = "ip",
           .letter = 'i',
           .kind = Kind::network,
           .metavar = "IP",
           .help = "A sending address that must pass, or a network of them",
           .repeatable = true},
          {.name = "sender",
           .metavar = "ADDRESS",
           .help = "The envelope sender to evaluate; \"\" is the null sender",
           .fallback_text = "postmaster@DOMAIN",
           .may_be_empty = true},
          {.name = "helo",
           .metavar = "NAME",
           .help = "The name the sending host says in HELO",
           .fallback_text = "DOMAIN",
           .may_be_empty = true},
          {.name = "warning",
           .letter = 'w',
           .kind = Kind::range,
           .help = "DNS lookups the record costs",
           .fallback = "8"},
          {.name = "critical",
           .letter = 'c',
           .kind = Kind::range,
           .help = "DNS lookups the record costs; receivers stop at 10",
           .fallback = "10"},
          {.name = "void-lookups",
           .kind = Kind::range,
           .help = "Lookups that find nothing; CRITICAL outside the range",
           .fallback = "2"},
          {.name = "require-all",
           .kind = Kind::choice,
           .metavar = "fail|softfail",
           .help = "The weakest end of the record that is fine: fail is -all, softfail is ~all",
           .fallback = "softfail"},
          {.name = "expect", .metavar = "RECORD", .help = "The exact text that the record must have"},
          {.name = "expect-networks",
           .metavar = "NETWORK",
           .help = "What the record may authorise with all it includes: WARNING for more or less",
           .repeatable = true},
          {.name = "authoritative",
           .kind = Kind::flag,
           .help = "Ask every authoritative server directly, and compare what they publish"}},
         plugin::dns_options()});
}

// "<a@example.com>", as every log has it, without the angle brackets; "<>" is the null sender.
std::string bare_sender(const std::string& text) {
    const bool enclosed = text.size() >= 2 && text.front() == '<' && text.back() == '>';
    return enclosed ? text.substr(1, text.size() - 2) : text;
}

// Another kind of thing than a domain is refused. A name that is only malformed (an empty label, an address literal) is
// what the evaluation of a sender begins with: its result is "none" (RFC 7208 section 4.3), so with --ip it is taken.
Result<void> check_domain(const std::string& text, bool evaluated) {
    auto done = base::expect_target(text, base::TargetKind::domain);
    if (done || !evaluated) return done;
    const bool another_thing = text.find_first_of("@/,;<>*\"'() \t") != std::string::npos ||
                               (text.find(':') != std::string::npos && !text.starts_with('['));
    return another_thing ? std::move(done) : Result<void>();
}

// The domain to check, when -d is not given.
Result<std::string> domain_of(const Options& options) {
    if (const auto domain = options.find_text("domain")) {
        if (auto done = check_domain(*domain, options.given("ip")); !done) return fail(done.error().at("--domain"));
        return *domain;
    }
    const std::string given = options.find_text("sender").value_or("");
    const std::string sender = bare_sender(given);
    if (sender.find_first_of("<>, ") != std::string::npos) {
        auto done = base::expect_target(given, base::TargetKind::mailbox);
        if (!done) return fail(done.error().at("--sender"));
    }
    if (const std::size_t at = sender.rfind('@'); at != std::string::npos) return sender.substr(at + 1);
    if (!sender.empty()) return sender;
    if (const auto helo = options.find_text("helo")) return *helo;
    return fail(base::Fault::usage, "--domain DOMAIN is required; see --help");
}

Result<probe::mail_auth::SpfQuery> query_of(const Options& options) {
    probe::mail_auth::SpfQuery query;
    auto domain = domain_of(options);
    if (!domain) return fail(domain.error());
    query.domain = std::move(*domain);
    auto ips = probe::mail_auth::sending_addresses(options.list("ip"));
    if (!ips) return fail(ips.error().at("--ip"));
    query.ips = std::move(*ips);
    query.helo = options.find_text("helo").value_or(query.domain);
    query.sender = options.given("sender") ? bare_sender(options.text("sender")) : "postmaster@" + query.domain;
    query.check_helo = options.find_text("helo").has_value();
    query.authoritative = options.flag("authoritative");
    query.advise = true;
    query.strict_end = options.text("require-all") == "fail";
    query.resolver.servers = options.list("dns-server");
    return query;
}

struct SpfLimits {
    plugin::Thresholds lookups;
    plugin::Thresholds void_lookups;
    std::string weakest_all;            // "fail" or "softfail"
    std::optional<std::string> record;  // the exact text that it must have
    std::vector<base::IpNetwork> networks;
};

Result<SpfLimits> limits_of(const Options& options) {
    SpfLimits limits;
    limits.lookups = options.thresholds();
    limits.void_lookups.critical = options.find_range("void-lookups");
    limits.weakest_all = options.text("require-all");
    limits.record = options.find_text("expect");
    for (const std::string& text : options.list("expect-networks")) {
        const auto network = base::IpNetwork::parse(text);
        if (!network) return fail(network.error().at("--expect-networks"));
        limits.networks.push_back(*network);
    }
    return limits;
}

State state_of(auth::SpfResult result) {
    if (result == auth::SpfResult::pass) return State::ok;
    return result == auth::SpfResult::temperror ? State::unknown : State::critical;
}

void judge_evaluation(Report& report, const probe::mail_auth::SpfObservation& seen,
                      const probe::mail_auth::SpfPass& pass) {
    const auth::SpfEvaluation& one = pass.evaluation;
    std::string text = fmt::format("{} from {}: {}", seen.domain, pass.ip.to_string(), auth::name(one.result));
    if (!one.terms.empty()) text += fmt::format(" by {}", fmt::join(one.terms, ", "));
    if (!one.reason.empty()) text += fmt::format(" ({})", one.reason);
    if (one.explanation) text += fmt::format(" \"{}\"", *one.explanation);
    if (const auto hidden = base::not_public(pass.ip)) {
        report.add(State::warning, fmt::format("{} is {}, which no receiver ever sees: give the address that the "
                                               "Internet sees",
                                               pass.ip.to_string(), *hidden));
        report.note(1, std::move(text));
        return;
    }
    report.add(state_of(one.result), std::move(text));
}

// Receivers may look at the HELO name too (RFC 7208 section 2.3). Without a record of its own it decides nothing.
void judge_helo(Report& report, const probe::mail_auth::SpfPass& pass) {
    const auth::SpfEvaluation& one = pass.evaluation;
    std::string text = fmt::format("HELO {} from {}: {}", pass.helo, pass.ip.to_string(), auth::name(one.result));
    if (!one.terms.empty()) text += fmt::format(" by {}", fmt::join(one.terms, ", "));
    if (!one.reason.empty()) text += fmt::format(" ({})", one.reason);
    if (one.result == auth::SpfResult::temperror) {
        report.add(State::unknown, std::move(text));
    } else if (one.result == auth::SpfResult::pass || one.result == auth::SpfResult::none) {
        report.note(1, std::move(text));
    } else {
        report.add(State::warning, std::move(text));
    }
}

// Networks that were added or removed compared with --expect-networks.
void judge_networks(Report& report, const probe::mail_auth::SpfObservation& seen,
                    const std::vector<base::IpNetwork>& expected) {
    if (expected.empty() || seen.lint.findings.has(probe::mail_auth::Weight::unseen)) return;
    for (const base::IpNetwork& network : auth::networks_beyond(seen.lint.networks, expected)) {
        report.add(State::warning, fmt::format("{}: {} is authorised, which --expect-networks does not have",
                                               seen.domain, network.to_string()));
    }
    for (const base::IpNetwork& network : auth::networks_beyond(expected, seen.lint.networks)) {
        report.add(State::warning, fmt::format("{}: {} of --expect-networks is not authorised any more", seen.domain,
                                               network.to_string()));
    }
}

void judge_all(Report& report, const probe::mail_auth::SpfObservation& seen, const std::string& wanted) {
    const char all = seen.lint.tree.all;
    if (all == '-' || (all == '~' && wanted == "softfail")) return;
    if (all == '+') {
        report.add(State::critical, fmt::format("{}: the record ends in +all: anyone may send as {}; list your "
                                                "senders and end in ~all",
                                                seen.domain, seen.domain));
    } else if (all != 0) {
        report.add(State::warning, fmt::format("{}: the record ends in {}all; write {}", seen.domain, all,
                                               wanted == "fail" ? "-all" : "~all or -all"));
    } else if (!seen.lint.findings.has("no-all") && seen.lint.findings.usable()) {
        report.add(State::warning,
                   fmt::format("{}: neither the record nor what it redirects to has all; append ~all", seen.domain));
    }
}

void report_tree(Report& report, const auth::SpfNode& node, const std::string& indent) {
    report.note(2, fmt::format("{}{} {}: {}: {}", indent, node.term, node.domain, base::counted(node.lookups, "lookup"),
                               node.record));
    for (const auth::SpfNode& child : node.children) report_tree(report, child, indent + "> ");
}

// "include:_spf.example.net 3, a 1": what each term of the domain's own record costs.
std::string costs_of(const auth::SpfNode& tree) {
    std::vector<std::string> costs;
    for (const auth::SpfCost& cost : auth::spf_costs(tree))
        costs.push_back(fmt::format("{} {}", cost.term, cost.lookups));
    return base::join(costs, ", ");
}

void judge_cost(Report& report, const SpfLimits& limits, const probe::mail_auth::SpfObservation& seen,
                const Advice<probe::mail_auth::SpfObservation>& advice) {
    const auth::SpfNode& tree = seen.lint.tree;
    if (const State state = limits.lookups.judge(tree.lookups); state != State::ok) {
        std::string text = fmt::format("{}: the record costs {} ({}; receivers stop at {}): {}", seen.domain,
                                       base::counted(tree.lookups, "DNS lookup"), limits.lookups.reason(tree.lookups),
                                       auth::spf_max_lookups, costs_of(tree));
        const bool mended =
            advice.after != nullptr && limits.lookups.judge(advice.after->lint.tree.lookups) == State::ok;
        if (!mended) {
            text +=
                "; drop includes of services whose bounce address is their own domain, then a and mx that add no "
                "address, then let a service send from a subdomain; write addresses in place of an include only "
                "for servers of your own";
        }
        report.add(state, std::move(text));
    }
    if (limits.void_lookups.judge(tree.void_lookups) != State::ok) {
        report.add(
            State::critical,
            fmt::format("{}: {} nothing; receivers stop after {}", seen.domain,
                        tree.void_lookups == 1 ? "1 lookup finds" : fmt::format("{} lookups find", tree.void_lookups),
                        auth::spf_max_void_lookups));
    }
    report_tree(report, tree, "");
    if (seen.lint.findings.has(probe::mail_auth::Weight::unseen)) {
        return;  // what was not seen would be missing in every figure
    }
    report.figure("lookups", tree.lookups, plugin::Unit::none, limits.lookups, 0);
    report.figure("void_lookups", tree.void_lookups, plugin::Unit::none, limits.void_lookups, 0);
    report.figure("ipv4_addresses", static_cast<double>(seen.lint.addresses.ipv4), plugin::Unit::none, {}, 0);
    report.figure("ipv6_networks", seen.lint.addresses.ipv6_networks, plugin::Unit::none, {}, 0);
    report.figure("record", static_cast<double>(seen.lint.records.front().size()), plugin::Unit::bytes, {}, 0);
}

// With nothing to complain about, one line says what was seen.
void summarise(Report& report, const probe::mail_auth::SpfObservation& seen) {
    const bool clean =
        std::ranges::all_of(report.details, [](const plugin::Detail& one) { return one.state == State::ok; });
    if (!clean) return;
    std::string text = fmt::format("{}: {} of {} lookups, ends in {}, {} IPv4 address{}", seen.domain,
                                   seen.lint.tree.lookups, auth::spf_max_lookups, effective_all(seen),
                                   seen.lint.addresses.ipv4, seen.lint.addresses.ipv4 == 1 ? "" : "es");
    if (seen.lint.addresses.ipv6_networks > 0) {
        text += fmt::format(" and {} x /64 of IPv6", base::plain(seen.lint.addresses.ipv6_networks));
    }
    for (const probe::mail_auth::SpfPass& pass : seen.evaluations) {
        text += fmt::format(", {} passes", pass.ip.to_string());
    }
    report.summary = text;
    report.add(State::ok, std::move(text));
}

Report judge_domain(const probe::mail_auth::SpfObservation& seen, const SpfLimits& limits,
                    const Advice<probe::mail_auth::SpfObservation>& advice) {
    Report report;
    judge_findings(report, seen.lint.findings, seen.domain,
                   advice.after == nullptr ? nullptr : &advice.after->lint.findings);
    for (const probe::mail_auth::SpfPass& pass : seen.evaluations) judge_evaluation(report, seen, pass);
    judge_networks(report, seen, limits.networks);
    const std::string* record = seen.lint.record();
    if (limits.record && (record == nullptr || *record != *limits.record)) {
        report.add(State::critical, fmt::format("{}: the record is not the expected one but \"{}\"", seen.domain,
                                                record == nullptr ? "" : *record));
    }
    if (seen.lint.records.size() == 1) {
        judge_all(report, seen, limits.weakest_all);
        judge_cost(report, limits, seen, advice);
    }
    report.observation = to_json(seen, advice.lines);
    return report;
}

Report judge_helo_name(const probe::mail_auth::SpfObservation& seen) {
    Report report;
    for (const probe::mail_auth::SpfPass& pass : seen.helo_evaluations) judge_helo(report, pass);
    return report;
}

Report judge(const probe::mail_auth::SpfObservation& seen, const SpfLimits& limits) {
    using Seen = probe::mail_auth::SpfObservation;
    Report report = with_advice(seen, seen.remedies, [&limits](const Seen& one, const Advice<Seen>& advice) {
        return judge_domain(one, limits, advice);
    });
    const Report helo = with_advice(seen, seen.helo_remedies,
                                    [](const Seen& one, const Advice<Seen>&) { return judge_helo_name(one); });
    report.details.insert(report.details.end(), helo.details.begin(), helo.details.end());
    summarise(report, seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto limits = limits_of(options);
    if (!limits) return fail(limits.error());
    const auto seen = probe::mail_auth::spf(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen, *limits);
}

}  // namespace

plugin::Check spf() {
    return {.name = "spf",
            .purpose = "Alerts when the SPF record is missing, broken, weak, or does not let our mail pass",
            .options = options(),
            .run = run,
            .example = "check_spf -d example.com -i 192.0.2.10 --helo mail.example.com"};
}

}  // namespace mtawatch::checks
