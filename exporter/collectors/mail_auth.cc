#include "exporter/collectors/mail_auth.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "exporter/collectors/registry.h"
#include "shared/base/target_text.h"
#include "shared/config/node.h"

namespace mtawatch::exporter::collectors {

namespace {

using base::fail;
using base::Result;
using config::Node;
using exposition::add_series;
using probe::mail_auth::Findings;
using probe::mail_auth::Weight;

constexpr std::chrono::milliseconds default_timeout = std::chrono::minutes(1);
constexpr double bits_per_byte = 8;

struct Domain {
    std::string name;
    std::vector<std::string> selectors;
    std::vector<base::IpAddress> addresses;
    std::optional<std::string> sender;
    std::optional<std::string> helo;
    bool mta_sts = false;  // its absence is a fault
    bool tls_rpt = false;
};

struct Settings {
    std::vector<Domain> domains;
    std::vector<base::IpAddress> addresses;
    std::string helo;
    probe::world::ResolverChoice resolver;
    std::chrono::milliseconds interval = record_interval;
    std::chrono::milliseconds timeout = default_timeout;
};
using SettingsPtr = std::shared_ptr<const Settings>;

Result<void> read_addresses(const Node& node, std::vector<base::IpAddress>& into) {
    const auto texts = node.texts();
    if (!texts) return fail(texts.error());
    for (const std::string& text : *texts) {
        if (auto done = base::expect_target(text, base::TargetKind::address); !done) {
            return fail(node.error(done.error().what));
        }
        into.push_back(*base::IpAddress::parse(text));
    }
    return {};
}

// A name to be asked for as it stands; what is wrong is told with its place in the file.
Result<void> parse_name(const Node& node, const std::string& text, base::TargetKind kind, std::string& into) {
    if (auto done = base::expect_target(text, kind); !done) return fail(node.error(done.error().what));
    auto name = probe::mail_auth::checked_name(text);
    if (!name) return fail(node.error(name.error().what));
    into = std::move(*name);
    return {};
}

Result<void> read_domain(const Node& node, Settings& settings) {
    Domain domain;
    if (node.is_scalar()) {
        domain.name = node.text().value_or("");
    } else {
        config::MapReader map(node);
        map.required("domain").text("domain", domain.name).texts("selectors", domain.selectors);
        map.node("addresses", [&domain](const Node& list) { return read_addresses(list, domain.addresses); });
        map.text("sender", domain.sender).text("helo", domain.helo);
        map.boolean("mta_sts", domain.mta_sts).boolean("tls_rpt", domain.tls_rpt);
        if (auto done = map.finish(); !done) return done;
    }
    if (domain.sender) {
        if (auto done = base::expect_target(*domain.sender, base::TargetKind::mailbox); !done) {
            return fail(node.error("sender: " + done.error().what));
        }
    }
    if (auto done = parse_name(node, domain.name, base::TargetKind::domain, domain.name); !done) return done;
    for (std::string& selector : domain.selectors) {
        if (auto done = parse_name(node, selector, base::TargetKind::name, selector); !done) return done;
    }
    settings.domains.push_back(std::move(domain));
    return {};
}

Result<void> read_section(const Node& section, Settings& settings) {
    std::optional<std::string> helo;
    config::MapReader map(section);
    map.each("domains", [&settings](const Node& node) { return read_domain(node, settings); });
    map.node("addresses", [&settings](const Node& node) { return read_addresses(node, settings.addresses); });
    map.text("helo", helo).texts("dns_servers", settings.resolver.servers);
    map.duration("interval", settings.interval).duration("timeout", settings.timeout);
    if (auto done = map.finish(); !done) return done;
    if (helo) {
        if (auto done = parse_name(section, *helo, base::TargetKind::domain, settings.helo); !done) return done;
    }
    if (settings.domains.empty() && settings.addresses.empty()) {
        return fail(section.error("names nothing to look at; add domains or addresses"));
    }
    if (settings.interval < std::chrono::seconds(1)) return fail(section.error("interval: must be at least 1s"));
    settings.timeout = std::min(settings.timeout, settings.interval);
    return {};
}

// Runs `look` with a cache of its own over one resolver.
template <class Look>
Result<Published> with_cache(const Settings& settings, const base::Deadline& deadline, const probe::world::World& world,
                             Look look) {
    auto transport = probe::world::open_resolver(world, settings.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    MailAuthSeen seen;
    if (auto done = look(dns, seen); !done) return fail(done.error());
    return publish(seen);
}

Result<void> probe_domain(const Domain& domain, const Settings& settings, auth::DnsCache& dns,
                          probe::world::World& world, MailAuthSeen& seen) {
    probe::mail_auth::fetch_domain(dns, domain.name, domain.selectors);
    probe::mail_auth::SpfQuery spf;
    spf.domain = domain.name;
    spf.ips = domain.addresses;
    spf.sender = domain.sender.value_or("postmaster@" + domain.name);
    spf.helo = domain.helo.value_or(domain.name);
    seen.spf = probe::mail_auth::observe_spf(spf, dns, world);
    for (const std::string& selector : domain.selectors) {
        seen.keys.push_back(probe::mail_auth::observe_dkim_key(domain.name, selector, dns, std::nullopt));
    }
    probe::mail_auth::DmarcQuery dmarc;
    dmarc.domain = domain.name;
    auto policy = probe::mail_auth::observe_dmarc(dmarc, dns, world);
    if (!policy) return fail(policy.error());
    seen.dmarc = std::move(*policy);
    auto reports = probe::mail_auth::observe_tls_rpt(domain.name, dns);
    if (!reports) return fail(reports.error());
    if (domain.tls_rpt || !reports->findings.has(Weight::absent)) seen.tls_rpt = std::move(*reports);
    probe::mail_auth::MtaStsQuery sts;
    sts.domain = domain.name;
    sts.resolver = settings.resolver;
    auto strict = probe::mail_auth::observe_mta_sts(sts, dns, world);
    if (!strict) return fail(strict.error());
    if (domain.mta_sts || !strict->findings.has(Weight::absent)) seen.mta_sts = std::move(*strict);
    return {};
}

// 1 or 0; nothing when a lookup failed, the reason being noted.
std::optional<double> validity(const Findings& findings, Published& published) {
    for (const probe::mail_auth::Finding& finding : findings.items) {
        if (finding.weight != Weight::unseen) continue;
        published.failure = {base::Fault::resolver, finding.text};
        if (!findings.has(Weight::broken) && !findings.has(Weight::absent)) return std::nullopt;
    }
    return findings.usable() ? 1 : 0;
}

void publish_spf(const probe::mail_auth::SpfObservation& seen, Published& published) {
    const auto valid = validity(seen.lint.findings, published);
    add_series(published.families, "mail_spf_valid", {seen.domain}, valid);
    if (valid && seen.lint.records.size() == 1) {
        add_series(published.families, "mail_spf_lookups", {seen.domain}, static_cast<double>(seen.lint.tree.lookups));
    }
    for (const probe::mail_auth::SpfPass& pass : seen.evaluations) {
        if (pass.evaluation.result == auth::SpfResult::temperror) {
            published.failure = {base::Fault::resolver, pass.evaluation.reason};
            continue;
        }
        add_series(published.families, "mail_spf_pass", {seen.domain, pass.ip.to_string()},
                   pass.evaluation.result == auth::SpfResult::pass ? 1.0 : 0.0);
    }
}

}  // namespace

Result<std::vector<Task>> mail_auth_tasks(const Node& section) {
    auto settings = std::make_shared<Settings>();
    if (auto done = read_section(section, *settings); !done) return fail(done.error());
    const SettingsPtr shared = std::move(settings);
    std::vector<Task> tasks;
    for (const Domain& domain : shared->domains) {
        tasks.push_back({"mail_auth", domain.name, shared->interval, shared->timeout,
                         [shared, domain](probe::world::World& world, const base::Deadline& deadline) {
                             return with_cache(*shared, deadline, world, [&](auth::DnsCache& dns, MailAuthSeen& seen) {
                                 return probe_domain(domain, *shared, dns, world, seen);
                             });
                         }});
    }
    for (const base::IpAddress& address : shared->addresses) {
        tasks.push_back({"mail_auth", address.to_string(), shared->interval, shared->timeout,
                         [shared, address](probe::world::World& world, const base::Deadline& deadline) {
                             return with_cache(*shared, deadline, world,
                                               [&](auth::DnsCache& dns, MailAuthSeen& seen) -> Result<void> {
                                                   probe::mail_auth::FcrdnsQuery query;
                                                   query.helo = shared->helo;
                                                   seen.reverse =
                                                       probe::mail_auth::observe_reverse(address, query, dns);
                                                   return {};
                                               });
                         }});
    }
    return tasks;
}

Published publish(const MailAuthSeen& seen) {
    Published published;
    if (seen.spf) publish_spf(*seen.spf, published);
    for (const probe::mail_auth::DkimKeyLook& look : seen.keys) {
        add_series(published.families, "mail_dkim_valid", {look.domain, look.selector},
                   validity(look.findings, published));
        if (look.key.key) {
            add_series(published.families, "mail_dkim_key_bytes", {look.domain, look.selector},
                       look.key.bits / bits_per_byte);
        }
    }
    if (seen.dmarc) {
        add_series(published.families, "mail_dmarc_valid", {seen.dmarc->domain},
                   validity(seen.dmarc->findings, published));
        if (const auto policy = effective_policy(*seen.dmarc)) {
            add_series(published.families, "mail_dmarc_policy", {seen.dmarc->domain, std::string(auth::name(*policy))},
                       1.0);
        }
    }
    if (seen.mta_sts) {
        add_series(published.families, "mail_mta_sts_valid", {seen.mta_sts->domain},
                   validity(seen.mta_sts->findings, published));
    }
    if (seen.tls_rpt) {
        add_series(published.families, "mail_tls_rpt_valid", {seen.tls_rpt->domain},
                   validity(seen.tls_rpt->findings, published));
    }
    if (seen.reverse) {
        add_series(published.families, "mail_fcrdns_valid", {seen.reverse->ip.to_string()},
                   validity(seen.reverse->findings, published));
    }
    return published;
}

}  // namespace mtawatch::exporter::collectors
