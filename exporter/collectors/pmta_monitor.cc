// The section `collectors.pmta_monitor`: PowerMTA's status, queues and licence, twice a minute.
#include "exporter/collectors/pmta_monitor.h"

#include <cmath>
#include <memory>

#include "exporter/collectors/mta_target.h"
#include "exporter/collectors/registry.h"
#include "exporter/exposition/catalogue.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;
using base::Result;
using exposition::add_series;

constexpr double bytes_per_kb = 1000;  // assumed; PowerMTA's guide does not say

void add_total(exposition::MetricFamilies& families, PmtaTotals& totals, std::string_view metric,
               const std::string& direction, std::optional<double> now) {
    if (now) add_series(families, metric, {direction}, totals.carry(std::string(metric) + direction, *now));
}

std::optional<double> bytes_of(std::optional<double> kilobytes) {
    if (!kilobytes) return std::nullopt;
    return std::round(*kilobytes * bytes_per_kb);
}

void publish_flow(const mta::documents::PmtaStatus& status, PmtaTotals& totals, exposition::MetricFamilies& families) {
    for (const auto& [direction, traffic] :
         {std::pair<std::string, const mta::documents::PmtaTraffic&>("in", status.total.in),
          {"out", status.total.out}}) {
        add_total(families, totals, "pmta_traffic_recipients_total", direction, traffic.recipients);
        add_total(families, totals, "pmta_traffic_messages_total", direction, traffic.messages);
        add_total(families, totals, "pmta_traffic_bytes_total", direction, bytes_of(traffic.kilobytes));
    }
    add_series(families, "pmta_connections", {"in"}, status.connections_in.current);
    add_series(families, "pmta_connections", {"out"}, status.connections_out.current);
    add_series(families, "pmta_connections_max", {"in"}, status.connections_in.maximum);
    add_series(families, "pmta_connections_max", {"out"}, status.connections_out.maximum);
}

void publish_status(const mta::documents::PmtaStatus& status, base::WallTime now, PmtaTotals& totals,
                    exposition::MetricFamilies& families) {
    add_series(families, "pmta_up", {}, status.state == "running" ? 1.0 : 0.0);
    add_series(families, "pmta_info", {status.version, status.platform}, 1.0);
    // PowerMTA's own clock has no zone, so the start is counted back from ours.
    if (status.uptime) {
        add_series(families, "pmta_start_time_seconds", {},
                   totals.steady_start(static_cast<double>(base::unix_seconds(now) - status.uptime->count())));
    }
    publish_flow(status, totals, families);
    for (const auto& kind : status.queues) {
        add_series(families, "pmta_queued_recipients", {kind.name}, kind.recipients);
        add_series(families, "pmta_queued_domains", {kind.name}, kind.domains);
        add_series(families, "pmta_queued_bytes", {kind.name}, bytes_of(kind.kilobytes));
    }
    add_series(families, "pmta_spool_recipients", {}, status.spool_recipients);
    add_series(families, "pmta_spool_recipients_max", {}, status.spool_max_recipients);
    if (status.spool_initialized_percent) {
        add_series(families, "pmta_spool_initialized_ratio", {}, *status.spool_initialized_percent / 100);
    }
    add_series(families, "pmta_resolver_pending_queries", {}, status.queries_pending);
}

// The largest by name, the rest of all recipients that wait as "other".
void publish_groups(std::string_view name, const std::vector<probe::mta_state::QueueCount>& groups, std::int64_t all,
                    exposition::MetricFamilies& families) {
    const std::size_t limit = exposition::metric(name).budget - 1;
    std::int64_t named = 0;
    for (std::size_t i = 0; i < groups.size() && i < limit; ++i) {
        add_series(families, name, {groups[i].name}, static_cast<double>(groups[i].count));
        named += groups[i].count;
    }
    if (groups.size() > limit || named < all) {
        add_series(families, name, {"other"}, static_cast<double>(std::max<std::int64_t>(all - named, 0)));
    }
}

void publish_held(std::string_view name, std::string_view mode, const std::optional<probe::mta_state::HeldQueues>& held,
                  exposition::MetricFamilies& families) {
    if (!held) return;
    const std::size_t limit = exposition::metric(name).budget - 1;
    double rest = 0;
    for (std::size_t i = 0; i < held->queues.size(); ++i) {
        const auto& queue = held->queues[i];
        if (i < limit) {
            add_series(families, name, {queue.domain, queue.vmta}, static_cast<double>(queue.recipients));
        } else {
            rest += static_cast<double>(queue.recipients);
        }
    }
    if (rest > 0) add_series(families, name, {"other", "other"}, rest);
    if (held->complete) {
        add_series(families, "pmta_queues", {std::string(mode)}, static_cast<double>(held->queues.size()));
    }
}

struct Settings {
    probe::mta_state::MtaQueueQuery query;
    std::string target;
    Pace pace;
};

Result<Settings> read_settings(const config::Node& section) {
    Settings settings;
    bool program = false;
    bool licence = false;
    config::MapReader map(section);
    read_pace(map, settings.pace);
    map.boolean("program", program).boolean("sudo", settings.query.sudo).boolean("license", licence);
    const MtaTargetReader reader(map, true);
    if (auto done = map.finish(); !done) return fail(done.error());
    if (auto done = check_pace(section, settings.pace); !done) return fail(done.error());
    auto target = reader.finish(section);
    if (!target) return fail(target.error());
    if (target->web && program) return fail(section.error("give url or program, not both"));
    if (settings.query.sudo && target->web) return fail(section.error("sudo is for program and ssh"));
    settings.query.mta = probe::mta_state::Mta::pmta;
    settings.query.ssh = target->ssh;
    settings.query.web = target->web;
    if (!program && !target->ssh && !target->web) {
        settings.query.web = probe::world::WebSource{};
        settings.query.web->url = "http://127.0.0.1:8080";
    }
    settings.target = settings.query.web ? settings.query.web->url : target->name;
    settings.query.group = probe::mta_state::QueueGroup::domain;
    settings.query.vmtas = true;
    settings.query.held_queues = true;
    settings.query.licence = licence;
    return settings;
}

}  // namespace

double PmtaTotals::carry(const std::string& key, double now) {
    Carried& carried = carried_[key];
    if (now < carried.last) carried.before += carried.last;
    carried.last = now;
    return carried.before + now;
}

double PmtaTotals::steady_start(double start) {
    constexpr double jitter = 2;  // both clocks are read in whole seconds
    if (std::abs(start - start_) > jitter) start_ = start;
    return start_;
}

Published publish(const probe::mta_state::MtaQueueObservation& seen, base::WallTime now, PmtaTotals& totals) {
    Published published;
    if (!seen.pmta) return published;
    publish_status(*seen.pmta, now, totals, published.families);
    if (!seen.groups.empty() || seen.queued == 0) {
        publish_groups("pmta_domain_queued_recipients", seen.groups, seen.queued, published.families);
    }
    if (!seen.vmtas.empty() || seen.queued == 0) {
        publish_groups("pmta_vmta_queued_recipients", seen.vmtas, seen.queued, published.families);
    }
    publish_held("pmta_backoff_queue_recipients", "backoff", seen.backoff, published.families);
    publish_held("pmta_paused_queue_recipients", "paused", seen.paused, published.families);
    if (seen.licence_expires) {
        add_series(published.families, "pmta_license_expiry_timestamp_seconds", {},
                   static_cast<double>(base::unix_seconds(*seen.licence_expires)));
    }
    if (!seen.unseen.empty()) published.failure = seen.unseen.front().why.at(seen.unseen.front().part);
    return published;
}

Result<std::vector<Task>> pmta_monitor_tasks(const config::Node& section) {
    auto settings = read_settings(section);
    if (!settings) return fail(settings.error());
    // One task, never run twice at the same time, so its totals need no lock.
    const auto totals = std::make_shared<PmtaTotals>();
    Task task{.probe = "pmta_monitor",
              .target = settings->target,
              .interval = settings->pace.interval,
              .timeout = settings->pace.timeout,
              .run = [query = settings->query, totals](probe::world::World& world,
                                                       const base::Deadline& deadline) -> Result<Published> {
                  auto seen = probe::mta_state::mta_queue(query, deadline, world);
                  if (seen) return publish(*seen, world.clock->wall(), *totals);
                  Published published;
                  add_series(published.families, "pmta_up", {}, 0.0);
                  published.failure = seen.error();
                  return published;
              }};
    return std::vector<Task>{std::move(task)};
}

}  // namespace mtawatch::exporter::collectors
