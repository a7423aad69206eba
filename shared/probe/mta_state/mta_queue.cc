#include "shared/probe/mta_state/mta_queue.h"

#include <algorithm>
#include <cmath>

#include "shared/base/text.h"
#include "shared/http/client.h"
#include "shared/mta/documents/kumomta_metrics.h"
#include "shared/mta/documents/postfix_queue.h"
#include "shared/probe/mta_state/mta_queue_parts.h"
#include "shared/probe/mta_state/pmta_source.h"

namespace mtawatch::probe::mta_state {

namespace {

using base::fail;
using base::Fault;
using base::Result;

// One instance of Postfix.
Result<void> read_instance(const world::Machine& machine, const std::vector<std::string>& argv,
                           mta::documents::PostfixQueueReader& reader, const base::Deadline& deadline) {
    Result<void> read;
    auto result = machine.commands().stream(
        argv,
        [&](std::string_view piece) {
            read = reader.push(piece);
            return read.has_value();
        },
        deadline);
    if (!read) return read;
    if (!result) return fail(result.error());
    // A listing of a postqueue that failed may be a part of it, so it is no listing.
    if (result->exit_status == 0) return reader.end_of_run();
    base::Error error = world::failed_program("postqueue", machine.commands(), *result);
    if (error.fault == Fault::permission) {
        error.what += "; add this user to authorized_mailq_users in Postfix's main.cf";
    }
    return fail(error);
}

void store_postfix(const mta::documents::PostfixListing& listing, MtaQueueObservation& into) {
    into.queued = static_cast<std::int64_t>(listing.messages());
    into.bytes = static_cast<std::int64_t>(listing.bytes());
    for (const auto& queue : listing.queues) {
        into.queues.push_back(
            {queue.name, static_cast<std::int64_t>(queue.messages), static_cast<std::int64_t>(queue.bytes)});
    }
    if (const auto* oldest = listing.oldest()) {
        into.oldest = OldestMessage{base::WallTime(std::chrono::seconds(*oldest->oldest_arrival)), oldest->name,
                                    oldest->oldest_id};
    }
}

void store_kumomta(const mta::documents::KumoMetrics& metrics, const MtaQueueQuery& query, MtaQueueObservation& into) {
    into.queues = {{"scheduled", std::llround(*metrics.scheduled), {}}, {"ready", std::llround(*metrics.ready), {}}};
    into.queued = into.queues[0].count + into.queues[1].count;
    const auto& counts = query.group == QueueGroup::queue      ? metrics.queues
                         : query.group == QueueGroup::provider ? metrics.providers
                                                               : metrics.domains;
    if (query.group != QueueGroup::none) {
        for (const auto& one : counts) into.groups.push_back({one.name, std::llround(one.count), {}});
    }
    into.groups_complete = !metrics.truncated;
    for (const auto& source : metrics.suspended) into.suspended.push_back({source.source, source.reason});
    keep_largest(into, query.max_groups);
}

Result<void> check_query(const MtaQueueQuery& query) {
    if (query.mta == Mta::postfix && query.web) return fail(Fault::usage, "Postfix has no web interface to ask");
    if (query.mta == Mta::kumomta && !query.web) {
        return fail(Fault::usage, "KumoMTA is asked by its URL; there is no program for it");
    }
    if (query.mta == Mta::postfix && query.group != QueueGroup::none && query.group != QueueGroup::domain) {
        return fail(Fault::usage, "Postfix's mail is counted by domain only");
    }
    if (query.mta == Mta::kumomta && query.group == QueueGroup::vmta) {
        return fail(Fault::usage, "KumoMTA has no VMTAs: count by domain, queue or provider");
    }
    if (query.mta == Mta::pmta && query.group == QueueGroup::provider) {
        return fail(Fault::usage, "PowerMTA's queue is counted by domain, vmta or queue");
    }
    if (query.mta != Mta::pmta && !query.older_than.empty()) {
        return fail(Fault::internal, "only PowerMTA is asked for messages over an age");
    }
    return {};
}

Result<MtaQueueObservation> finish(Result<MtaQueueObservation> seen, Mta mta, std::string where, base::SteadyTime begin,
                                   const base::Deadline& deadline) {
    if (!seen) return seen;
    seen->mta = mta;
    seen->where = std::move(where);
    seen->took = deadline.clock().steady() - begin;
    return seen;
}

}  // namespace

std::string_view name(Mta mta) { return mta == Mta::postfix ? "postfix" : mta == Mta::pmta ? "pmta" : "kumomta"; }

Result<Mta> mta_named(std::string_view word) {
    for (const Mta mta : {Mta::pmta, Mta::postfix, Mta::kumomta}) {
        if (name(mta) == word) return mta;
    }
    return fail(Fault::usage, "\"{}\" is no MTA known here; write pmta, postfix or kumomta", base::one_line(word, 60));
}

std::string_view full_name(Mta mta) {
    return mta == Mta::postfix ? "Postfix" : mta == Mta::pmta ? "PowerMTA" : "KumoMTA";
}

std::string_view counted_unit(Mta mta) { return mta == Mta::pmta ? "recipients" : "messages"; }

std::string_view name(QueueGroup group) {
    switch (group) {
        case QueueGroup::none:
            break;
        case QueueGroup::domain:
            return "domain";
        case QueueGroup::vmta:
            return "vmta";
        case QueueGroup::queue:
            return "queue";
        case QueueGroup::provider:
            return "provider";
    }
    return "none";
}

void keep_largest(MtaQueueObservation& seen, std::size_t limit) {
    std::ranges::sort(seen.groups, [](const QueueCount& a, const QueueCount& b) {
        return a.count != b.count ? a.count > b.count : a.name < b.name;
    });
    if (seen.groups.size() <= limit) return;
    seen.groups.resize(limit);
    seen.groups_complete = false;
}

base::Result<MtaQueueObservation> postfix_queue(const world::Machine& machine, const MtaQueueQuery& query,
                                                const base::Deadline& deadline) {
    mta::documents::PostfixQueueReader reader;
    std::vector<std::vector<std::string>> runs;
    for (const auto& dir : query.config_dirs) runs.push_back({"postqueue", "-c", dir, "-j"});
    if (runs.empty()) runs.push_back({"postqueue", "-j"});
    for (const auto& argv : runs) {
        auto read = read_instance(machine, argv, reader, deadline);
        if (!read) return fail(runs.size() == 1 ? read.error() : read.error().at("instance " + argv[2]));
    }
    // One more than wanted, to know whether some are missing.
    const auto listing = reader.take(query.max_groups + 1);
    MtaQueueObservation seen;
    store_postfix(listing, seen);
    if (query.group == QueueGroup::domain) {
        for (const auto& domain : listing.domains) {
            seen.groups.push_back({domain.key, static_cast<std::int64_t>(domain.count), {}});
        }
        seen.group_error = static_cast<std::int64_t>(listing.domain_error);
        seen.groups_complete = listing.domain_error == 0;
        keep_largest(seen, query.max_groups);
    }
    return seen;
}

base::Result<MtaQueueObservation> kumomta_queue(const MtaQueueQuery& query, const base::Deadline& deadline,
                                                world::World& world) {
    const auto url = http::parse_url(query.web->url);
    if (!url) return fail(url.error());
    const std::string target = url->target == "/" ? "/metrics.json" : url->target;
    const std::string asked = http::to_string(http::Url{url->tls, url->host, url->port, target});
    auto bytes = world::ask_web_ok(world, *query.web, {target, {}},
                                   "add this address to trusted_hosts of KumoMTA's HTTP listener", deadline);
    if (!bytes) return fail(bytes.error());
    auto metrics = mta::documents::read_kumomta_metrics(std::move(*bytes));
    if (!metrics) return fail(metrics.error().at(asked));
    if (!metrics->messages()) return fail(Fault::malformed, "{}: the metrics do not tell how much is scheduled", asked);
    MtaQueueObservation seen;
    store_kumomta(*metrics, query, seen);
    return seen;
}

base::Result<MtaQueueObservation> mta_queue_on(const world::Machine& machine, const MtaQueueQuery& query,
                                               const base::Deadline& deadline, world::World& world) {
    const auto begin = deadline.clock().steady();
    if (auto done = check_query(query); !done) return fail(done.error());
    const std::string where = machine.commands().where();
    if (query.mta == Mta::postfix) {
        return finish(postfix_queue(machine, query, deadline), query.mta, where, begin, deadline);
    }
    const auto source = pmta_program(machine, query.sudo);
    return finish(pmta_queue(*source, query, deadline, world), query.mta, where, begin, deadline);
}

base::Result<MtaQueueObservation> mta_queue(const MtaQueueQuery& query, const base::Deadline& deadline,
                                            world::World& world) {
    const auto begin = deadline.clock().steady();
    if (auto done = check_query(query); !done) return fail(done.error());
    if (!query.web) {
        auto machine = world::Machine::open(world, query.ssh, deadline);
        if (!machine) return fail(machine.error());
        return mta_queue_on(*machine, query, deadline, world);
    }
    const std::string where = "at " + query.web->url;
    if (query.mta == Mta::kumomta) {
        return finish(kumomta_queue(query, deadline, world), query.mta, where, begin, deadline);
    }
    const auto source = pmta_monitor(world, *query.web);
    return finish(pmta_queue(*source, query, deadline, world), query.mta, where, begin, deadline);
}

}  // namespace mtawatch::probe::mta_state
