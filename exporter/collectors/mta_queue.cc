// The section `collectors.mta_queue`: how much mail waits in Postfix, KumoMTA and PowerMTA.
#include <algorithm>
#include <set>

#include "exporter/collectors/mta_probes.h"
#include "exporter/collectors/mta_target.h"
#include "exporter/collectors/registry.h"
#include "exporter/exposition/catalogue.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;
using base::Result;
using exposition::add_series;
constexpr std::string_view messages = "mail_queue_messages";

void publish_kumomta(const probe::mta_state::MtaQueueObservation& seen, const std::string& host,
                     exposition::MetricFamilies& families) {
    const std::size_t limit = exposition::metric(messages).budget - 2;  // "ready" and "other" beside the names
    std::int64_t named = 0;
    for (std::size_t i = 0; i < seen.groups.size() && i < limit; ++i) {
        add_series(families, messages, {host, "kumomta", seen.groups[i].name},
                   static_cast<double>(seen.groups[i].count));
        named += seen.groups[i].count;
    }
    for (const auto& queue : seen.queues) {
        if (queue.name == "ready") {
            add_series(families, messages, {host, "kumomta", "ready"}, static_cast<double>(queue.count));
        }
        if (queue.name == "scheduled" && (queue.count > named || seen.groups.empty())) {
            add_series(families, messages, {host, "kumomta", "other"}, static_cast<double>(queue.count - named));
        }
    }
    for (const auto& one : seen.suspended) {
        add_series(families, "mail_kumomta_source_suspended", {host, one.source}, 1.0);
    }
}

void publish_others(const probe::mta_state::MtaQueueObservation& seen, const std::string& host,
                    exposition::MetricFamilies& families) {
    const std::string mta(name(seen.mta));
    std::set<std::string> told;
    for (const auto& queue : seen.queues) {
        add_series(families, messages, {host, mta, queue.name}, static_cast<double>(queue.count));
        told.insert(queue.name);
    }
    if (seen.mta != probe::mta_state::Mta::postfix) return;
    // The listing was read to its end, so a queue that is not in it is empty.
    for (const auto* name : {"active", "deferred", "hold", "incoming", "maildrop"}) {
        if (!told.contains(name)) add_series(families, messages, {host, mta, name}, 0.0);
    }
}

Result<Task> read_target(const config::Node& node, const Pace& pace) {
    probe::mta_state::MtaQueueQuery query;
    std::string mta;
    config::MapReader map(node);
    map.choice("mta", mta, {"postfix", "pmta", "kumomta"}).required("mta");
    map.texts("config_dirs", query.config_dirs).boolean("sudo", query.sudo);
    const MtaTargetReader reader(map, true);
    if (auto done = map.finish(); !done) return fail(done.error());
    auto target = reader.finish(node);
    if (!target) return fail(target.error());
    const auto named = probe::mta_state::mta_named(mta);
    if (!named) return fail(node.error("mta: " + named.error().what));
    query.mta = *named;
    query.ssh = target->ssh;
    query.web = target->web;
    if (query.mta == probe::mta_state::Mta::postfix && query.web) {
        return fail(node.error("Postfix is not asked by url"));
    }
    if (query.mta == probe::mta_state::Mta::kumomta) {
        if (query.ssh) return fail(node.error("KumoMTA is asked by url, not by ssh"));
        if (!query.web) {
            query.web = probe::world::WebSource{};
            query.web->url = "http://127.0.0.1:8000";
        }
        query.group = probe::mta_state::QueueGroup::queue;
    }
    return Task{.probe = "mta_queue",
                .target = mta + " " + target->name,
                .interval = pace.interval,
                .timeout = pace.timeout,
                .run = [query, host = target->host](probe::world::World& world,
                                                    const base::Deadline& deadline) -> Result<Published> {
                    const auto seen = probe::mta_state::mta_queue(query, deadline, world);
                    if (!seen) return fail(seen.error());
                    return publish(*seen, host);
                }};
}

}  // namespace

Published publish(const probe::mta_state::MtaQueueObservation& seen, const std::string& host) {
    Published published;
    if (seen.mta == probe::mta_state::Mta::kumomta) {
        publish_kumomta(seen, host, published.families);
    } else {
        publish_others(seen, host, published.families);
    }
    if (seen.oldest) {
        add_series(published.families, "mail_queue_oldest_message_timestamp_seconds",
                   {host, std::string(name(seen.mta))}, static_cast<double>(base::unix_seconds(seen.oldest->arrival)));
    }
    return published;
}

Result<std::vector<Task>> mta_queue_tasks(const config::Node& section) { return read_targets(section, read_target); }

}  // namespace mtawatch::exporter::collectors
