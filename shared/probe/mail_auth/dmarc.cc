#include "shared/probe/mail_auth/dmarc.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "shared/auth/spf_record.h"
#include "shared/base/json.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"
#include "shared/probe/mail_auth/dmarc_advice.h"

namespace mtawatch::probe::mail_auth {

namespace {

using auth::DmarcDecision;
using auth::DmarcPolicy;
using auth::DmarcStep;
using base::fail;

constexpr std::uint32_t short_ttl = 300;
constexpr std::uint32_t long_ttl = 86'400;

std::string shown(const std::optional<DmarcPolicy>& policy) {
    return policy ? std::string(auth::name(*policy)) : std::string("none at all");
}

// What is published at the domain itself, apart from the record's own text.
void check_name(const DmarcStep& step, auth::DnsCache& dns, Findings& findings) {
    if (step.records > 1) {
        findings.add(Weight::broken, "several-records",
                     fmt::format("{} DMARC records at _dmarc.{}, so receivers ignore them all; keep one", step.records,
                                 step.name));
    }
    for (const std::string& text : step.near_misses) {
        const std::string shown = base::one_line(text, 60);
        if (step.record) {
            findings.add(
                Weight::note, "stray",
                fmt::format("\"{}\" beside the record is no DMARC record, so receivers skip it; remove it", shown));
        } else {
            findings.add(Weight::broken, "near-miss",
                         fmt::format("\"{}\" is no DMARC record: it must begin with exactly v=DMARC1", shown));
        }
    }
    if (step.other_texts > step.near_misses.size()) {
        findings.add(Weight::note, "other-text",
                     fmt::format("{} other TXT records at _dmarc.{} (a wildcard?)",
                                 step.other_texts - step.near_misses.size(), step.name));
    }
    if (!step.cnames.empty()) {
        const bool dangling = !step.record && step.records == 0 && step.failure.empty();
        findings.add(dangling ? Weight::broken : Weight::note, dangling ? "dangling-cname" : "cname",
                     fmt::format("_dmarc.{} is a CNAME to {}{}", step.name, step.cnames.back(),
                                 dangling ? ", where there is no DMARC record" : ""));
    }
    const dns::Answer& apex = dns.ask(step.name, dns::Type::txt);
    const auto& texts = apex.records.texts;
    if (std::ranges::any_of(texts, auth::is_dmarc_record)) {
        findings.add(step.record ? Weight::weak : Weight::broken, "wrong-name",
                     fmt::format("a DMARC record stands at {} itself, where nobody looks; move it to _dmarc.{}",
                                 step.name, step.name));
    }
}

void check_absence(const DmarcObservation& seen, auth::DnsCache& dns, Findings& findings) {
    if (!seen.decision.failure.empty()) {
        findings.add(Weight::unseen, "lookup-failed", seen.decision.failure);
    } else if (!seen.decision.record && !seen.walk.steps.front().failure.empty()) {
        findings.add(Weight::unseen, "lookup-failed", seen.walk.steps.front().failure);
    } else if (!seen.decision.record && !findings.has(Weight::broken)) {
        const std::string at = dmarc_home(seen);
        findings.add(
            Weight::absent, "absent", "there is no DMARC record",
            auth::is_unregistered(dns, at)
                ? fmt::format("is {} spelled right?", at)
                : fmt::format("publish v=DMARC1; p=none; rua=mailto:ADDRESS at _dmarc.{}, with an address that "
                              "takes mail and that somebody reads",
                              at));
    }
}

void compare_policies(const DmarcObservation& seen, Findings& findings) {
    const auth::DmarcRecord& record = *seen.decision.record;
    const bool is_organizational = seen.decision.record_domain == seen.walk.organizational_domain;
    const auto weaker = [&](const char* tag, const std::optional<DmarcPolicy>& policy, std::string_view who) {
        if (!policy || !record.p || *policy >= *record.p) return;
        findings.add(Weight::weak, "weak-subdomains",
                     fmt::format("{}={} leaves {} less protected than p={}; remove {}=", tag, auth::name(*policy), who,
                                 auth::name(*record.p), tag));
    };
    if (is_organizational) {
        weaker("sp", record.sp, "subdomains");
        weaker("np", record.np, "made-up subdomains");
    } else if (!seen.decision.inherited && (record.sp || record.np)) {
        findings.add(Weight::note, "unused-sp",
                     fmt::format("sp= and np= do nothing here: {} is not the organizational domain", seen.domain));
    }
    if (record.test_mode) {
        findings.add(Weight::weak, "test-mode",
                     "t=y: receivers apply the next weaker policy; remove t=y when the trial is over");
    }
    const bool is_public_suffix = auth::registrable_domain(seen.decision.record_domain).empty();
    if (record.psd == auth::DmarcPsd::yes && !is_public_suffix) {
        findings.add(
            Weight::weak, "psd-misuse",
            fmt::format("psd=y is for public suffixes, which {} is not; remove it", seen.decision.record_domain));
    }
    if (record.p == DmarcPolicy::reject && !seen.decision.inherited) {
        findings.add(Weight::note, "reject",
                     "p=reject loses mail that people of this domain send through mailing lists");
    }
    if (record.strict_spf) {
        findings.add(Weight::note, "strict-spf",
                     "aspf=s: mail with a bounce address below the domain does not align by SPF");
    }
    if (record.strict_dkim) {
        findings.add(Weight::note, "strict-dkim", "adkim=s: a signature of a name below the domain does not align");
    }
}

void compare_views(const DmarcObservation& seen, Findings& findings) {
    const DmarcDecision& other = seen.by_suffix_list;
    if (!other.failure.empty() || !seen.decision.failure.empty()) return;
    if (other.policy == seen.decision.policy && other.record_domain == seen.decision.record_domain) return;
    findings.add(
        other.policy == seen.decision.policy ? Weight::note : Weight::weak, "views-differ",
        fmt::format(
            "receivers with a public-suffix list (RFC 7489) apply {}{}, others {}{}", shown(other.policy),
            other.record_domain.empty() ? "" : fmt::format(" from _dmarc.{}", other.record_domain),
            shown(seen.decision.policy),
            seen.decision.record_domain.empty() ? "" : fmt::format(" from _dmarc.{}", seen.decision.record_domain)));
}

// Whether anything takes mail for the domain of a report address.
bool takes_mail(auth::DnsCache& dns, const std::string& domain) {
    const dns::Answer& mx = dns.ask(domain, dns::Type::mx);
    if (mx.found()) return !mx.records.mx.front().host.empty();
    const dns::Answer& a = dns.ask(domain, dns::Type::a);
    const dns::Answer& aaaa = dns.ask(domain, dns::Type::aaaa);
    return !mx.known() || !a.known() || a.found() || aaaa.found();
}

void check_report_addresses(const DmarcObservation& seen, auth::DnsCache& dns, Findings& findings) {
    const std::string& owner = seen.decision.record_domain;
    const auth::DmarcWalk own = owner == seen.domain ? seen.walk : auth::walk_dmarc(dns, owner);
    const std::string org = own.organizational_domain.empty() ? owner : own.organizational_domain;
    std::set<std::string> done;
    for (const auto* uris : {&seen.decision.record->rua, &seen.decision.record->ruf}) {
        for (const auth::ReportUri& uri : *uris) {
            if (!uri.valid() || !done.insert(uri.domain).second) continue;
            if (!takes_mail(dns, uri.domain)) {
                findings.add(Weight::weak, "dead-destination",
                             fmt::format("{}: {} takes no mail, so reports are lost", uri.text, uri.domain));
                continue;
            }
            const auth::Consent consent = auth::report_consent(dns, owner, org, uri.domain);
            if (consent == auth::Consent::unseen) {
                findings.add(Weight::unseen, "consent-unseen",
                             fmt::format("whether {} takes reports could not be looked up", uri.domain));
            } else if (consent == auth::Consent::missing) {
                findings.add(
                    Weight::weak, "no-consent",
                    fmt::format("{} has not agreed to take reports, so none are sent there; publish: {}", uri.domain,
                                auth::zone_line({fmt::format("{}._report._dmarc.{}", owner, uri.domain), dns::Type::txt,
                                                 "v=DMARC1"})));
            }
        }
    }
}

void judge_ttl(const DmarcObservation& seen, Findings& findings) {
    for (const DmarcStep& step : seen.walk.steps) {
        if (step.name != seen.decision.record_domain) continue;
        if (step.ttl > long_ttl) {
            findings.add(Weight::note, "long-ttl",
                         fmt::format("TTL {} s: a mistake stays for more than a day", step.ttl));
        } else if (step.ttl < short_ttl) {
            findings.add(Weight::note, "short-ttl",
                         fmt::format("TTL {} s: receivers ask for it again and again", step.ttl));
        }
    }
}

DmarcAlignment align(bool spf, const std::string& domain, const DmarcObservation& seen, auth::DnsCache& dns) {
    DmarcAlignment out;
    out.spf = spf;
    out.domain = domain;
    out.strict = spf ? seen.decision.record->strict_spf : seen.decision.record->strict_dkim;
    if (domain == seen.domain) {
        out.organizational_domain = seen.walk.organizational_domain;
        out.aligned = true;
        return out;
    }
    const auth::DmarcWalk walk = auth::walk_dmarc(dns, domain);
    out.organizational_domain = walk.organizational_domain;
    if (out.strict) {
        out.aligned = false;
    } else if (!walk.organizational_domain.empty() && !seen.walk.organizational_domain.empty()) {
        out.aligned = walk.organizational_domain == seen.walk.organizational_domain;
    }
    return out;
}

// One signature that aligns is enough, and so is one bounce domain of those given.
Weight misaligned_weight(const DmarcAlignment& one, const std::vector<DmarcAlignment>& all) {
    const bool another = std::ranges::any_of(
        all, [&one](const DmarcAlignment& other) { return other.spf == one.spf && other.aligned.value_or(false); });
    return another ? Weight::note : Weight::weak;
}

void explain_alignment(const DmarcAlignment& one, const DmarcObservation& seen, Findings& findings) {
    const std::string who = one.spf ? fmt::format("the bounce domain {}", one.domain) : "d=" + one.domain;
    if (!one.aligned) {
        findings.add(Weight::unseen, "alignment-unseen", fmt::format("whether {} aligns could not be looked up", who));
    } else if (!*one.aligned && one.strict) {
        const char* tag = one.spf ? "aspf" : "adkim";
        findings.add(misaligned_weight(one, seen.alignments), "not-aligned",
                     fmt::format("{} never aligns: {}=s wants {} itself; remove {}=s", who, tag, seen.domain, tag));
    } else if (!*one.aligned) {
        findings.add(misaligned_weight(one, seen.alignments), "not-aligned",
                     fmt::format("{} never aligns: it belongs to {}, not to {}; {} a name within {}", who,
                                 one.organizational_domain, seen.walk.organizational_domain,
                                 one.spf ? "take" : "sign with", seen.walk.organizational_domain));
    }
}

// Fault::usage for a domain that is none.
base::Result<void> check_alignment(const DmarcQuery& query, DmarcObservation& seen, auth::DnsCache& dns) {
    for (const bool spf : {true, false}) {
        for (const std::string& given : spf ? query.spf_domains : query.dkim_domains) {
            auto domain = dns::ascii_name(given);
            if (!domain) return fail(domain.error().at(spf ? "--spf-domain" : "--dkim-domain"));
            if (seen.decision.record) seen.alignments.push_back(align(spf, *domain, seen, dns));
        }
    }
    const auto& all = seen.alignments;
    for (const DmarcAlignment& one : all) explain_alignment(one, seen, seen.findings);
    const bool hopeless = !all.empty() && std::ranges::all_of(all, [](const DmarcAlignment& one) {
        return one.aligned.has_value() && !*one.aligned;
    });
    if (hopeless) {
        seen.findings.add(Weight::broken, "never-passes",
                          fmt::format("no domain given aligns with {}, so all of its mail fails DMARC", seen.domain));
    }
    return {};
}

void write_alignments(base::JsonWriter& json, const std::vector<DmarcAlignment>& alignments) {
    json.key("alignments").array();
    for (const DmarcAlignment& one : alignments) {
        json.object().member("identifier", one.spf ? "spf" : "dkim").member("domain", one.domain);
        json.member("mode", one.strict ? "strict" : "relaxed");
        json.member("organizational_domain", one.organizational_domain).member("aligned", one.aligned).end();
    }
    json.end();
}

}  // namespace

base::Result<DmarcObservation> observe_dmarc(const DmarcQuery& query, auth::DnsCache& dns, const world::World& world) {
    auto domain = dns::ascii_name(query.domain);
    if (!domain) return fail(domain.error());
    DmarcObservation seen;
    seen.domain = std::move(*domain);
    seen.registrable_domain = auth::registrable_domain(seen.domain);
    seen.walk = auth::walk_dmarc(dns, seen.domain);
    seen.decision = auth::decide_dmarc(dns, seen.domain, seen.walk);
    seen.by_suffix_list = auth::decide_dmarc_by_suffix_list(dns, seen.domain);
    check_name(seen.walk.steps.front(), dns, seen.findings);
    check_absence(seen, dns, seen.findings);
    if (seen.decision.record) {
        seen.findings.add(seen.decision.record->findings);
        if (seen.decision.record->applies) {
            seen.subdomain_policy = seen.decision.record->sp ? seen.decision.record->sp : seen.decision.record->p;
            if (!seen.subdomain_policy) seen.subdomain_policy = DmarcPolicy::none;
        }
        compare_policies(seen, seen.findings);
        judge_ttl(seen, seen.findings);
        check_report_addresses(seen, dns, seen.findings);
    }
    compare_views(seen, seen.findings);
    if (auto done = check_alignment(query, seen, dns); !done) return fail(done.error());
    if (query.advise) seen.remedies = dmarc_remedies(query, seen, dns, world);
    if (query.authoritative) {
        Findings findings;
        const auto views = ask_authoritative(dns, "_dmarc." + seen.domain, dns.deadline(), world);
        compare_servers(views, auth::is_dmarc_record, "DMARC", findings);
        seen.findings.add(findings);
        add_to_all(seen.remedies, findings, [](DmarcObservation& after) -> Findings& { return after.findings; });
    }
    return seen;
}

base::Result<DmarcObservation> dmarc(const DmarcQuery& query, const base::Deadline& deadline, world::World& world) {
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    return observe_dmarc(query, dns, world);
}

std::optional<DmarcPolicy> effective_policy(const DmarcObservation& observation) {
    const DmarcDecision& decision = observation.decision;
    if (!decision.policy || !decision.record) return std::nullopt;
    return decision.record->test_mode ? auth::weakened(*decision.policy) : *decision.policy;
}

std::string to_json(const DmarcObservation& observation, const std::vector<std::string>& publish) {
    const auto text = [](const std::optional<DmarcPolicy>& policy) -> std::optional<std::string> {
        if (!policy) return std::nullopt;
        return std::string(auth::name(*policy));
    };
    const DmarcDecision& decision = observation.decision;
    base::JsonWriter json;
    json.object().member("domain", observation.domain).member("record_domain", decision.record_domain);
    json.member("record", decision.record ? decision.record->text : std::string());
    json.member("organizational_domain", observation.walk.organizational_domain);
    json.member("policy", text(effective_policy(observation))).member("policy_tag", decision.tag);
    json.member("subdomain_policy", text(observation.subdomain_policy));
    json.member("test_mode", decision.record && decision.record->test_mode);
    json.key("suffix_list_view").object().member("registrable_domain", observation.registrable_domain);
    json.member("record_domain", observation.by_suffix_list.record_domain);
    json.member("policy", text(observation.by_suffix_list.policy)).end();
    json.key("walk").array();
    for (const DmarcStep& step : observation.walk.steps) {
        json.object().member("name", step.name).member("records", step.records).member("failure", step.failure).end();
    }
    json.end();
    write_alignments(json, observation.alignments);
    write_findings(json, observation.findings);
    json.member("publish", publish);
    json.end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
