#include "shared/probe/mail_auth/spf.h"

#include <fmt/core.h>

#include "shared/auth/spf_advice.h"
#include "shared/auth/spf_record.h"
#include "shared/base/json.h"
#include "shared/dns/names.h"

namespace mtawatch::probe::mail_auth {

using base::fail;

namespace {

void write_node(base::JsonWriter& json, const auth::SpfNode& node) {
    json.object().member("domain", node.domain).member("term", node.term).member("record", node.record);
    json.member("lookups", node.lookups).member("void_lookups", node.void_lookups).key("children").array();
    for (const auth::SpfNode& child : node.children) write_node(json, child);
    json.end().end();
}

void write_evaluation(base::JsonWriter& json, const SpfPass& pass) {
    const auth::SpfEvaluation& one = pass.evaluation;
    json.object().member("ip", pass.ip.to_string()).member("sender", pass.sender).member("helo", pass.helo);
    json.member("result", auth::name(one.result)).key("explanation");
    if (one.result == auth::SpfResult::fail) {
        json.value(one.explanation.value_or(std::string(spf_default_explanation)));
    } else {
        json.null();
    }
    json.key("mechanism");
    if (one.terms.empty()) {
        json.null();
    } else {
        json.value(one.terms.front());
    }
    json.member("terms", one.terms).member("record_domain", one.record_domain).member("reason", one.reason);
    json.member("lookups", one.lookups).member("void_lookups", one.void_lookups).end();
}

// The HELO name, if it is to be evaluated, is no literal and has a record of its own to look for.
std::optional<std::string> own_helo(const SpfQuery& query, const std::string& domain) {
    if (!query.check_helo || query.helo.find('.') == std::string::npos || query.helo[0] == '[') return std::nullopt;
    auto ascii = dns::ascii_name(query.helo);
    if (!ascii || *ascii == domain) return std::nullopt;
    return std::move(*ascii);
}

void evaluate(const SpfQuery& query, const std::optional<std::string>& helo, auth::DnsCache& dns,
              const world::World& world, SpfObservation& out) {
    const std::int64_t now = base::unix_seconds(world.clock->wall());
    for (const base::IpAddress& ip : query.ips) {
        out.evaluations.push_back({ip, query.sender, query.helo,
                                   auth::spf_check_host(dns, {query.domain, ip, query.sender, query.helo}, now)});
    }
    for (const base::IpAddress& ip : query.ips) {
        if (!helo) break;
        const std::string sender = "postmaster@" + *helo;
        out.helo_evaluations.push_back({ip, sender, *helo, auth::spf_check_host(dns, {*helo, ip, sender, *helo}, now)});
    }
}

// The records that can be published at one name, each with what would be seen then.
std::vector<Remedy<SpfObservation>> remedies_at(const std::string& name, const auth::SpfLint& lint,
                                                const SpfQuery& query, auth::DnsCache& dns, const world::World& world) {
    SpfQuery plain = query;
    plain.advise = plain.authoritative = false;
    std::vector<Remedy<SpfObservation>> remedies;
    for (const auth::SpfOffer& offer : auth::spf_offers(dns, name, lint, {query.ips, query.strict_end})) {
        Publication line{name, dns::Type::txt, offer.record};
        auth::DnsCache view(dns);
        auth::publish(view, line, offer.replaces);
        remedies.push_back({{std::move(line)}, std::make_shared<SpfObservation>(observe_spf(plain, view, world))});
    }
    return remedies;
}

void advise(const SpfQuery& query, const std::optional<std::string>& helo, auth::DnsCache& dns,
            const world::World& world, SpfObservation& out) {
    out.remedies = remedies_at(out.domain, out.lint, query, dns, world);
    if (!helo) return;
    SpfQuery own = query;
    own.strict_end = false;
    out.helo_remedies = remedies_at(*helo, auth::lint_spf(dns, *helo), own, dns, world);
}

// Nobody asks for it any more; it only misleads whoever maintains the zone.
void check_obsolete_type(const std::string& domain, auth::DnsCache& dns, Findings& findings) {
    if (!dns.ask(domain, dns::Type::spf).found()) return;
    findings.add(Weight::note, "type-spf",
                 "there is a record of the type SPF (99), which receivers must not ask for; remove it");
}

}  // namespace

SpfObservation observe_spf(const SpfQuery& query, auth::DnsCache& dns, const world::World& world) {
    SpfObservation out;
    const auto ascii = dns::ascii_name(query.domain);
    out.domain = ascii ? *ascii : query.domain;
    const auto helo = own_helo(query, out.domain);
    if (ascii && !query.ips.empty()) {
        if (helo) dns.fetch(std::vector<dns::Question>{{*ascii, dns::Type::txt}, {*helo, dns::Type::txt}});
        auth::fetch_spf(dns, *ascii);
    }
    evaluate(query, helo, dns, world, out);
    if (!ascii) {
        out.lint.tree.domain = query.domain;
        out.lint.findings.add(Weight::absent, "no-domain", ascii.error().what);
        return out;
    }
    out.lint = auth::lint_spf(dns, *ascii);
    if (query.advise) advise(query, helo, dns, world, out);
    if (query.authoritative) {
        Findings findings;
        check_obsolete_type(*ascii, dns, findings);
        out.servers = ask_authoritative(dns, *ascii, dns.deadline(), world);
        compare_servers(out.servers, auth::is_spf_record, "SPF", findings);
        out.lint.findings.add(findings);
        add_to_all(out.remedies, findings, [](SpfObservation& after) -> Findings& { return after.lint.findings; });
    }
    return out;
}

base::Result<SpfObservation> spf(const SpfQuery& query, const base::Deadline& deadline, world::World& world) {
    if (query.ips.empty()) {
        if (const auto done = dns::ascii_name(query.domain); !done) return fail(done.error());
    }
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    return observe_spf(query, dns, world);
}

std::string effective_all(const SpfObservation& observation) {
    const char all = observation.lint.tree.all;
    return all == 0 ? "none" : fmt::format("{}all", all);
}

std::string to_json(const SpfObservation& observation, const std::vector<std::string>& publish) {
    const auth::SpfLint& lint = observation.lint;
    base::JsonWriter json;
    json.object().member("domain", observation.domain).member("records", lint.records);
    json.member("valid", lint.records.size() == 1 && lint.findings.usable());
    json.member("lookups", lint.tree.lookups).member("void_lookups", lint.tree.void_lookups);
    json.member("all", effective_all(observation)).member("ttl", lint.ttl).member("answer_bytes", lint.answer_bytes);
    json.key("addresses").object().member("ipv4", lint.addresses.ipv4);
    json.member("ipv6_networks_64", lint.addresses.ipv6_networks).end();
    json.key("networks").array();
    for (const base::IpNetwork& network : lint.networks) json.value(network.to_string());
    json.end();
    write_findings(json, lint.findings);
    json.member("publish", publish);
    json.key("tree");
    write_node(json, lint.tree);
    json.key("evaluations").array();
    for (const SpfPass& pass : observation.evaluations) write_evaluation(json, pass);
    json.end().key("helo_evaluations").array();
    for (const SpfPass& pass : observation.helo_evaluations) write_evaluation(json, pass);
    json.end().key("servers").array();
    for (const ServerView& view : observation.servers) {
        json.object().member("server", view.server).member("texts", view.texts).member("failure", view.failure).end();
    }
    json.end().end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
