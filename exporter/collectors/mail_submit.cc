// The section `collectors.mail_submit`: whether submission servers take mail, a login each quarter of an hour.
#include "exporter/collectors/mail_submit.h"

#include <fmt/format.h>

#include <set>

#include "exporter/collectors/mta_target.h"
#include "exporter/collectors/registry.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;
using base::Result;
using exposition::add_series;

Result<probe::mail_server::MailSubmitQuery> read_query(config::MapReader& map, const config::Node& node) {
    probe::mail_server::MailSubmitQuery query;
    std::string tls;
    std::string mechanism;
    std::int64_t port = 0;
    map.target("host", query.host, base::TargetKind::host)
        .integer("port", port, 1, 65535)
        .choice("tls", tls, {"starttls", "implicit", "none"});
    map.text("user", query.user).text("password_file", query.password_file).text("token_file", query.token_file);
    map.choice("mechanism", mechanism, {"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2"});
    map.boolean("allow_plaintext", query.allow_plaintext)
        .target("from", query.from, base::TargetKind::mailbox)
        .targets("to", query.to, base::TargetKind::mailbox);
    map.text("helo", query.hello).target("name", query.name, base::TargetKind::host).text("ca_file", query.ca_file);
    map.boolean("verify", query.verify).texts("dns_servers", query.names.resolver.servers);
    if (auto done = map.required("host").finish(); !done) return fail(done.error());
    if (port == 0) {
        port = tls == "implicit" ? probe::mail_server::submissions_port : probe::mail_server::submission_port;
    }
    query.port = static_cast<std::uint16_t>(port);
    if (tls.empty()) tls = query.port == probe::mail_server::submissions_port ? "implicit" : "starttls";
    query.tls = probe::mail_server::submit_tls_named(tls).value();
    query.mechanism = smtp::mechanism_named(mechanism);
    auto whole = probe::mail_server::completed(std::move(query));
    if (!whole) return fail(node.error(whole.error().what));
    if (whole->from.empty()) {
        return fail(node.error("give a user with its secret, or from: there is no mail to try"));
    }
    return whole;
}

Result<Task> read_target(const config::Node& node, const Pace& pace) {
    std::string target;
    config::MapReader map(node);
    map.text("target", target);
    auto query = read_query(map, node);
    if (!query) return fail(query.error());
    if (target.empty()) target = fmt::format("{}:{}", query->host, query->port);
    return Task{.probe = "mail_submit",
                .target = target,
                .interval = pace.interval,
                .timeout = pace.timeout,
                .run = [query = std::move(*query), target](probe::world::World& world,
                                                           const base::Deadline& deadline) -> Result<Published> {
                    const auto seen = probe::mail_server::mail_submit(query, deadline, world);
                    if (!seen) return fail(seen.error());
                    return publish(*seen, target);
                }};
}

}  // namespace

Published publish(const probe::mail_server::MailSubmitObservation& seen, const std::string& target) {
    Published published;
    if (seen.end == probe::mail_server::SubmitEnd::not_tried) {
        published.failure = {base::Fault::configuration, target + ": no mail was tried"};
        return published;
    }
    add_series(published.families, "mail_submit_accepted", {target},
               seen.end == probe::mail_server::SubmitEnd::accepted ? 1.0 : 0.0);
    for (std::size_t i = 0; i < seen.took.size(); ++i) {
        if (!seen.took[i]) continue;
        add_series(published.families, "mail_submit_phase_duration_seconds",
                   {target, std::string(name(static_cast<probe::mail_server::SubmitStep>(i)))},
                   std::chrono::duration<double>(*seen.took[i]).count());
    }
    return published;
}

Result<std::vector<Task>> mail_submit_tasks(const config::Node& section) {
    auto tasks = read_targets(section, read_target, {.interval = submit_interval, .timeout = std::chrono::seconds(20)});
    if (!tasks) return tasks;
    std::set<std::string> named;
    for (const Task& task : *tasks) {
        if (!named.insert(task.target).second) {
            return fail(
                section.error(fmt::format("{} stands there twice: tell the two apart by target: NAME", task.target)));
        }
    }
    return tasks;
}

}  // namespace mtawatch::exporter::collectors
