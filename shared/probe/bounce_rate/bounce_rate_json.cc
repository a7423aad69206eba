// The JSON form of what the probe bounce_rate saw.
#include "shared/base/json.h"
#include "shared/base/utc.h"
#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::probe::bounce_rate {
namespace {

void write_counts(base::JsonWriter& json, const MailCounts& counts) {
    json.member("delivered", counts.delivered).member("hard", counts.hard).member("soft", counts.soft);
    json.member("block", counts.block).member("other", counts.other).member("deferred", counts.deferred);
    json.member("complaints", counts.complaints).member("local_delivered", counts.local_delivered);
    json.member("local_bounced", counts.local_bounced);
}

void write_source(base::JsonWriter& json, const LogSource& source) {
    json.object().member("path", source.path).member("bytes_read", source.bytes_read);
    json.member("search_reads", source.search_reads).member("malformed", source.malformed);
    json.member("skipped", source.skipped);
    json.key("problem").value(source.problem.empty() ? std::nullopt : std::optional(source.problem));
    json.end();
}

}  // namespace

std::string to_json(const BounceRateObservation& observation) {
    base::JsonWriter json;
    const MailMetric metric = observation.metric;
    json.object().member("format", name(observation.format)).member("metric", name(metric));
    json.member("begin", base::utc_time(observation.begin)).member("end", base::utc_time(observation.end));
    json.member("percent", percent(metric, observation.total)).member("records", observation.records);
    const auto& newest = observation.newest;
    json.key("newest").value(newest ? std::optional(base::utc_time(*newest)) : std::nullopt);
    json.key("total").object();
    write_counts(json, observation.total);
    json.end();
    const LoggedTypes& logged = observation.logged;
    json.key("logged").object().member("d", logged.deliveries).member("b", logged.bounces);
    json.member("t", logged.deferrals).member("f", logged.complaints).end();
    json.key("groups").array();
    for (const auto& [group, counts] : observation.groups) {
        json.object().member("name", group).member("percent", percent(metric, counts_of_group(observation, counts)));
        write_counts(json, counts);
        if (observation.since.count() > 0 && observation.records_before > 0) {
            json.member("new", !observation.groups_before.contains(group));
        }
        json.end();
    }
    json.end().key("sources").array();
    for (const LogSource& source : observation.sources) write_source(json, source);
    json.end().key("unknown_categories").array();
    for (const auto& [category, count] : observation.unknown_categories) {
        json.object().member("category", category).member("bounces", count).end();
    }
    json.end().key("unknown_types").array();
    for (const auto& [value, count] : observation.unknown_types) {
        json.object().member("value", value).member("records", count).end();
    }
    return json.end().end().take();
}

}  // namespace mtawatch::probe::bounce_rate
