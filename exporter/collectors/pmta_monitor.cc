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

constexpr double bytes_per_kb = 1000;  // assumed; PowerMTA's guide does not say

void add_total(Families& families, PmtaTotals& totals, std::string_view metric, const std::string& direction,
               std::optional<double> now) {
    if (now) families.add(metric, {direction}, totals.carry(std::string(metric) + direction, *now));
}

std::optional<double> bytes_of(std::optional<double> kilobytes) {
    if (!kilobytes) return std::nullopt;
    return std::round(*kilobytes * bytes_per_kb);
}

void publish_flow(const mta::documents::PmtaStatus& status, PmtaTotals& totals, Families& families) {
    for (const auto& [direction, traffic] :
         {std::pair<std::string, const mta::documents::PmtaTraffic&>("in", status.total.in),
          {"out", status.total.out}}) {
        add_total(families, totals, "pmta_traffic_recipients_total", direction, traffic.recipients);
        add_total(families, totals, "pmta_traffic_messages_total", direction, traffic.messages);
        add_total(families, totals, "pmta_traffic_bytes_total", direction, bytes_of(traffic.kilobytes));
    }
    families.add("pmta_connections", {"in"}, status.connections_in.current);
    families.add("pmta_connections", {"out"}, status.connections_out.current);
    families.add("pmta_connections_max", {"in"}, status.connections_in.maximum);
    families.add("pmta_connections_max", {"out"}, status.connections_out.maximum);
}

void publish_status(const mta::documents::PmtaStatus& status, base::WallTime now, PmtaTotals& totals,
                    Families& families) {
    families.add("pmta_up", {}, status.state == "running" ? 1.0 : 0.0);
    families.add("pmta_info", {status.version, status.platform}, 1.0);
    // PowerMTA's own clock has no zone, so the start is counted back from ours.
    if (status.uptime) {
        families.add("pmta_start_time_seconds", {},
                     totals.steady_start(static_cast<double>(base::unix_seconds(now) - status.uptime->count())));
    }
    publish_flow(status, totals, families);
    for (const auto& kind : status.queues) {
        families.add("pmta_queued_recipients", {kind.name}, kind.recipients);
        families.add("pmta_queued_domains", {kind.name}, kind.domains);
        families.add("pmta_queued_bytes", {kind.name}, bytes_of(kind.kilobytes));
    }
    families.add("pmta_spool_recipients", {}, status.spool_recipients);
    families.add("pmta_spool_recipients_max", {}, status.spool_max_recipients);
    if (status.spool_initialized_percent) {
        families.add("pmta_spool_initialized_ratio", {}, *status.spool_initialized_percent / 100);
    }
    families.add("pmta_resolver_pending_queries", {}, status.queries_pending);
}

// The largest by name, the rest of all recipients that wait as "other".
void publish_groups(std::string_view name, const std::vector<probe::mta_state::QueueCount>& groups, std::int64_t all,
                    Families& families) {
    const std::size_t limit = exposition::metric(name).budget - 1;
    std::int64_t named = 0;
    for (std::size_t i = 0; i < groups.size() && i < limit; ++i) {
        families.add(name, {groups[i].name}, static_cast<double>(groups[i].count));
        named += groups[i].count;
    }
    if (groups.size() > limit || named < all) {
        families.add(name, {"other"}, static_cast<double>(std::max<std::int64_t>(all - named, 0)));
    }
}

void publish_held(std::string_view name, std::string_view mode, const std::optional<probe::mta_state::HeldQueues>& held,
                  Families& families) {
    if (!held) return;
    const std::size_t limit = exposition::metric(name).budget - 1;
    double rest = 0;
    for (std::size_t i = 0; i < held->queues.size(); ++i) {
        const auto& queue = held->queues[i];
        if (i < limit) {
            families.add(name, {queue.domain, queue.vmta}, static_cast<double>(queue.recipients));
        } else {
            rest += static_cast<double>(queue.recipients);
        }
    }
    if (rest > 0) families.add(name, {"other", "other"}, rest);
    if (held->complete) families.add("pmta_queues", {std::string(mode)}, static_cast<double>(held->queues.size()));
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

Families publish(const probe::mta_state::MtaQueueObservation& seen, base::WallTime now, PmtaTotals& totals) {
    Families families;
    if (!seen.pmta) return families;
    publish_status(*seen.pmta, now, totals, families);
    if (!seen.groups.empty() || seen.queued == 0) {
        publish_groups("pmta_domain_queued_recipients", seen.groups, seen.queued, families);
    }
    if (!seen.vmtas.empty() || seen.queued == 0) {
        publish_groups("pmta_vmta_queued_recipients", seen.vmtas, seen.queued, families);
    }
    publish_held("pmta_backoff_queue_recipients", "backoff", seen.backoff, families);
    publish_held("pmta_paused_queue_recipients", "paused", seen.paused, families);
    if (seen.licence_expires) {
        families.add("pmta_license_expiry_timestamp_seconds", {},
                     static_cast<double>(base::unix_seconds(*seen.licence_expires)));
    }
    if (!seen.unseen.empty()) families.set_failure(seen.unseen.front().why.at(seen.unseen.front().part));
    return families;
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
                                                       const base::Deadline& deadline) -> Result<Families> {
                  auto seen = probe::mta_state::mta_queue(query, deadline, world);
                  if (seen) return publish(*seen, world.clock->wall(), *totals);
                  Families families;
                  families.add("pmta_up", {}, 0.0);
                  families.set_failure(seen.error());
                  return families;
              }};
    return std::vector<Task>{std::move(task)};
}

}  // namespace mtawatch::exporter::collectors
