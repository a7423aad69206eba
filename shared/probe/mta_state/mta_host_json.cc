// The JSON form of what the probe mta_host saw.
#include "shared/base/json.h"
#include "shared/base/rounding.h"
#include "shared/probe/mta_state/mta_host.h"

namespace mtawatch::probe::mta_state {
namespace {

void write_disk(base::JsonWriter& json, const DiskFacts& disk) {
    json.object().member("path", disk.path).member("mountpoint", disk.mountpoint);
    json.member("used_percent", base::one_decimal(disk.used_percent())).end();
}

void write_log(base::JsonWriter& json, const std::optional<MailLogFacts>& log) {
    json.key("log");
    if (!log) {
        json.null();
        return;
    }
    json.object().member("source", log->source).member("errors", log->errors).member("rejects", log->rejects).end();
}

void write_deliveries(base::JsonWriter& json, const std::optional<DeliveryFacts>& mail) {
    json.key("deliveries");
    if (!mail) {
        json.null();
        return;
    }
    json.object().member("delivered", mail->delivered).member("bounced", mail->bounced);
    json.member("seconds", mail->seconds).end();
}

}  // namespace

std::string to_json(const MtaHostObservation& observation, std::string_view health) {
    base::JsonWriter json;
    json.object().member("where", observation.where).member("health", health).key("services").array();
    if (observation.units) {
        for (const UnitFacts& unit : *observation.units) write_unit(json, unit);
    }
    json.end().key("queue");
    if (const auto& queue = observation.queue) {
        json.object().member("mta", name(queue->mta)).member("queued", queue->queued).end();
    } else {
        json.null();
    }
    json.key("disks").array();
    for (const DiskFacts& disk : observation.disks) write_disk(json, disk);
    json.end();
    write_log(json, observation.log);
    write_deliveries(json, observation.deliveries);
    json.key("unseen").array();
    for (const UnseenPart& part : observation.unseen) {
        json.object().member("part", part.part).member("why", part.why.what).end();
    }
    return json.end().end().take();
}

}  // namespace mtawatch::probe::mta_state
