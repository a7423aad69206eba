// The JSON form of what the probe mta_service saw, and of a unit wherever it is seen.
#include "shared/base/json.h"
#include "shared/probe/mta_state/mta_service.h"

namespace mtawatch::probe::mta_state {

void write_unit(base::JsonWriter& json, const UnitFacts& unit) {
    const auto seconds = [](const std::optional<base::WallTime>& time) -> std::optional<std::int64_t> {
        if (!time) return std::nullopt;
        return base::unix_seconds(*time);
    };
    json.object()
        .member("unit", unit.unit)
        .member("load_state", unit.load_state)
        .member("active_state", unit.active_state)
        .member("sub_state", unit.sub_state)
        .member("unit_file_state", unit.unit_file_state)
        .member("result", unit.result)
        .member("restarts", unit.restarts)
        .member("exit_status", unit.exit_status)
        .member("active_since", seconds(unit.active_since))
        .end();
}

std::string to_json(const MtaServiceObservation& observation) {
    base::JsonWriter json;
    json.object().member("where", observation.where).key("units").array();
    for (const UnitFacts& unit : observation.units) write_unit(json, unit);
    json.end().key("banner");
    if (const auto& banner = observation.banner) {
        json.object().member("endpoint", banner->endpoint).member("code", banner->code);
        json.member("text", banner->text).member("failure", banner->failure).end();
    } else {
        json.null();
    }
    json.key("url");
    if (const auto& url = observation.url) {
        json.object().member("url", url->url).member("status", url->status).member("failure", url->failure).end();
    } else {
        json.null();
    }
    return json.end().take();
}

}  // namespace mtawatch::probe::mta_state
