// The section `collectors.mta_host`: disks and mail log of a mail host.
#include "exporter/collectors/mta_probes.h"
#include "exporter/collectors/mta_target.h"
#include "exporter/collectors/registry.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;
using base::Result;
using exposition::add_series;

Result<Task> read_target(const config::Node& node, const Pace& pace) {
    probe::mta_state::MtaHostQuery query;
    query.disks = {"/"};
    query.log = true;
    config::MapReader map(node);
    map.texts("disks", query.disks).boolean("log", query.log);
    const MtaTargetReader reader(map, false);
    if (auto done = map.finish(); !done) return fail(done.error());
    auto target = reader.finish(node);
    if (!target) return fail(target.error());
    for (const auto& path : query.disks) {
        if (!path.starts_with('/')) return fail(node.error("disks: '" + path + "' is no absolute path"));
    }
    query.ssh = target->ssh;
    return Task{.probe = "mta_host",
                .target = target->name,
                .interval = pace.interval,
                .timeout = pace.timeout,
                .run = [query, host = target->host](probe::world::World& world,
                                                    const base::Deadline& deadline) -> Result<Published> {
                    const auto seen = probe::mta_state::mta_host(query, deadline, world);
                    if (!seen) return fail(seen.error());
                    return publish(*seen, host);
                }};
}

}  // namespace

Published publish(const probe::mta_state::MtaHostObservation& seen, const std::string& host) {
    Published published;
    for (const auto& disk : seen.disks) {
        add_series(published.families, "mail_host_disk_used_ratio", {host, disk.mountpoint}, disk.used_percent() / 100);
    }
    if (seen.log) add_series(published.families, "mail_host_log_errors", {host}, static_cast<double>(seen.log->errors));
    if (!seen.unseen.empty()) published.failure = seen.unseen.front().why.at(seen.unseen.front().part);
    return published;
}

Result<std::vector<Task>> mta_host_tasks(const config::Node& section) { return read_targets(section, read_target); }

}  // namespace mtawatch::exporter::collectors
