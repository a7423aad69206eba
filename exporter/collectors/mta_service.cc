// The section `collectors.mta_service`: whether the services that mail needs are active.
#include "exporter/collectors/mta_probes.h"
#include "exporter/collectors/mta_target.h"
#include "exporter/collectors/registry.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;
using base::Result;
using exposition::add_series;

Result<Task> read_target(const config::Node& node, const Pace& pace) {
    std::vector<std::string> units;
    std::string mta;
    config::MapReader map(node);
    map.texts("units", units).choice("mta", mta, {"postfix", "pmta", "kumomta", "dovecot", "opendkim"});
    const MtaTargetReader reader(map, false);
    if (auto done = map.finish(); !done) return fail(done.error());
    auto target = reader.finish(node);
    if (!target) return fail(target.error());
    std::vector<std::vector<std::string>> groups = probe::mta_state::preset_units(mta);
    for (const auto& unit : units) groups.push_back({unit});
    probe::mta_state::MtaServiceQuery query;
    query.ssh = target->ssh;
    for (const auto& group : groups) query.units.insert(query.units.end(), group.begin(), group.end());
    if (query.units.empty()) return fail(node.error("give units or mta"));
    return Task{.probe = "mta_service",
                .target = target->name,
                .interval = pace.interval,
                .timeout = pace.timeout,
                .run = [query, groups, host = target->host](probe::world::World& world,
                                                            const base::Deadline& deadline) -> Result<Published> {
                    const auto seen = probe::mta_state::mta_service(query, deadline, world);
                    if (!seen) return fail(seen.error());
                    return publish(probe::mta_state::choose_units(groups, seen->units), host);
                }};
}

}  // namespace

Published publish(const std::vector<probe::mta_state::UnitFacts>& units, const std::string& host) {
    Published published;
    for (const auto& unit : units) {
        const bool active = unit.active_state == "active" || unit.active_state == "reloading";
        add_series(published.families, "mail_service_active", {host, unit.unit}, active ? 1.0 : 0.0);
        add_series(published.families, "mail_service_restarts", {host, unit.unit}, unit.restarts);
    }
    return published;
}

Result<std::vector<Task>> mta_service_tasks(const config::Node& section) { return read_targets(section, read_target); }

}  // namespace mtawatch::exporter::collectors
