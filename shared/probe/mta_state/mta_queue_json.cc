// The JSON form of what the probe mta_queue saw.
#include "shared/base/json.h"
#include "shared/probe/mta_state/mta_queue.h"

namespace mtawatch::probe::mta_state {
namespace {

void write_oldest(base::JsonWriter& json, const std::optional<OldestMessage>& oldest) {
    json.key("oldest");
    if (!oldest) {
        json.null();
        return;
    }
    json.object().member("arrival", base::unix_seconds(oldest->arrival)).member("queue", oldest->queue);
    json.member("id", oldest->id).end();
}

void write_held(base::JsonWriter& json, std::string_view key, const std::optional<HeldQueues>& held) {
    json.key(key);
    if (!held) {
        json.null();
        return;
    }
    json.object().member("recipients", held->recipients).member("complete", held->complete).key("queues").array();
    for (const HeldQueue& queue : held->queues) {
        json.object().member("domain", queue.domain).member("vmta", queue.vmta);
        json.member("recipients", queue.recipients).member("reason", queue.reason).end();
    }
    json.end().end();
}

}  // namespace

std::string to_json(const MtaQueueObservation& observation) {
    base::JsonWriter json;
    json.object().member("mta", name(observation.mta)).member("where", observation.where);
    json.member("unit", counted_unit(observation.mta)).member("queued", observation.queued);
    json.member("bytes", observation.bytes).key("queues").array();
    for (const QueueCount& queue : observation.queues) {
        json.object().member("name", queue.name).member("count", queue.count).member("bytes", queue.bytes).end();
    }
    json.end().key("groups").array();
    for (const QueueCount& group : observation.groups) {
        json.object().member("name", group.name).member("count", group.count).end();
    }
    json.end().member("groups_complete", observation.groups_complete).member("group_error", observation.group_error);
    write_oldest(json, observation.oldest);
    write_held(json, "backoff", observation.backoff);
    write_held(json, "paused", observation.paused);
    json.member("spool_percent", observation.spool_percent);
    json.member("left_last_minute", observation.left_last_minute).member("left_last_hour", observation.left_last_hour);
    json.key("unseen").array();
    for (const UnseenPart& part : observation.unseen) {
        json.object().member("part", part.part).member("why", part.why.what).end();
    }
    return json.end().end().take();
}

}  // namespace mtawatch::probe::mta_state
