// The section `collectors.certificate`: certificates of mail services and files, once an hour.
#include "exporter/collectors/certificate.h"

#include <utility>

#include "exporter/collectors/registry.h"
#include "shared/config/node.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;
using base::Result;
using exposition::add_series;

// One endpoint of the list: a URL alone, or a map with what is expected of it.
struct Target {
    probe::mail_server::CertEndpoint endpoint;
    std::string name;
    std::string ca_file;
    std::string same_as;
    bool dane = false;
};

Result<Target> read_target(const config::Node& node) {
    Target target;
    std::string url;
    if (node.is_map()) {
        config::MapReader map(node);
        map.text("endpoint", url)
            .required("endpoint")
            .target("name", target.name, base::TargetKind::host)
            .text("ca_file", target.ca_file);
        map.text("same_as", target.same_as).boolean("dane", target.dane);
        if (auto done = map.finish(); !done) return fail(done.error());
    } else {
        auto text = node.text();
        if (!text) return fail(text.error());
        url = std::move(*text);
    }
    auto endpoint = probe::mail_server::parse_cert_endpoint(url);
    if (!endpoint) return fail(node.error(endpoint.error().what));
    target.endpoint = std::move(*endpoint);
    if (target.dane && (target.endpoint.scheme == "file" || base::IpAddress::parse(target.endpoint.host))) {
        return fail(node.error("dane: the endpoint has no host name that could have TLSA records"));
    }
    return target;
}

void publish_look(const probe::mail_server::CertLook& look, Published& published) {
    if (look.error) {
        published.failure = look.error->at(look.target);
        return;
    }
    // A server that shows no certificate cannot be verified by anyone: that was seen, so it is a 0.
    if (look.outcome != probe::mail_server::CertOutcome::shown) {
        add_series(published.families, "mail_certificate_verified", {look.target}, 0.0);
    }
    for (std::size_t i = 0; i < look.path.size(); ++i) {
        if (const auto end = look.path[i].not_after) {
            add_series(published.families, "mail_certificate_not_after_timestamp_seconds",
                       {look.target, std::to_string(i)}, static_cast<double>(*end));
        }
    }
    if (look.verified) {
        add_series(published.families, "mail_certificate_verified", {look.target},
                   *look.verified && look.name_matches == true ? 1.0 : 0.0);
    }
    if (look.same_as_file) {
        add_series(published.families, "mail_certificate_served_matches_file", {look.target},
                   *look.same_as_file ? 1.0 : 0.0);
    }
    if (look.dane && look.dane->error) published.failure = look.dane->error->at(look.target);
    if (look.dane && !look.dane->error && look.dane->records > 0) {
        add_series(published.families, "mail_certificate_dane_valid", {look.target}, look.dane->valid ? 1.0 : 0.0);
    }
}

}  // namespace

Published publish(const probe::mail_server::MailCertObservation& observation) {
    Published published;
    for (const probe::mail_server::CertLook& look : observation.looks) publish_look(look, published);
    return published;
}

Result<std::vector<Task>> certificate_tasks(const config::Node& section) {
    std::chrono::milliseconds interval = record_interval;
    std::chrono::milliseconds timeout = std::chrono::seconds(20);
    std::vector<Target> targets;
    probe::mail_server::MailCertQuery common;
    config::MapReader map(section);
    map.duration("interval", interval).duration("timeout", timeout).text("helo", common.hello);
    map.texts("dns_servers", common.names.resolver.servers).boolean("trust_ad", common.names.resolver.trust_ad);
    map.boolean("all_addresses", common.all_addresses);
    map.each("targets", [&](const config::Node& node) -> Result<void> {
        auto target = read_target(node);
        if (!target) return fail(target.error());
        targets.push_back(std::move(*target));
        return {};
    });
    if (auto done = map.required("targets").finish(); !done) return fail(done.error());
    if (timeout > interval) return fail(section.error("timeout must not be longer than interval"));

    std::vector<Task> tasks;
    for (Target& target : targets) {
        probe::mail_server::MailCertQuery query = common;
        query.endpoints = {target.endpoint};
        query.name = target.name;
        query.ca_file = target.ca_file;
        query.same_as = target.same_as;
        query.dane = target.dane;
        tasks.push_back({.probe = "mail_cert",
                         .target = target.endpoint.text,
                         .interval = interval,
                         .timeout = timeout,
                         .run = [query = std::move(query)](probe::world::World& world,
                                                           const base::Deadline& deadline) -> Result<Published> {
                             const auto observation = probe::mail_server::mail_cert(query, deadline, world);
                             if (!observation) return fail(observation.error());
                             return publish(*observation);
                         }});
    }
    return tasks;
}

}  // namespace mtawatch::exporter::collectors
