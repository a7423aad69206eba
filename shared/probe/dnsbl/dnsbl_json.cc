// The JSON form of what the probe dnsbl saw.
#include "shared/base/json.h"
#include "shared/probe/dnsbl/dnsbl.h"

namespace mtawatch::probe::dnsbl {
namespace {

std::optional<std::string> maybe(const std::string& text) {
    return text.empty() ? std::optional<std::string>() : std::optional<std::string>(text);
}

void write_result(base::JsonWriter& json, const DnsblObservation& seen, const DnsblResult& result) {
    const DnsblList& list = seen.lists[result.list];
    json.object().member("target", seen.targets[result.target]).member("list", list.name);
    json.member("verdict", name(result.verdict)).member("why", maybe(result.why));
    json.member("codes", result.codes).member("meaning", maybe(result.meaning)).member("text", maybe(result.text));
    json.key("severity");
    if (result.verdict == Verdict::listed) {
        json.value(name(result.severity));
    } else {
        json.null();
    }
    json.member("delist", maybe(list.delist)).member("asked", maybe(result.asked)).end();
}

}  // namespace

std::string to_json(const DnsblObservation& observation) {
    base::JsonWriter json;
    json.object().member("resolver", observation.resolver).key("results").array();
    for (const DnsblResult& result : observation.results) write_result(json, observation, result);
    json.end().key("lists").array();
    for (std::size_t i = 0; i < observation.lists.size(); ++i) {
        const DnsblListState& state = observation.states[i];
        json.object().member("list", observation.lists[i].name).member("health", name(state.health));
        json.member("why", state.why).end();
    }
    json.end()
        .member("notes", observation.notes)
        .member("seconds", std::chrono::duration<double>(observation.took).count())
        .end();
    return json.take();
}

}  // namespace mtawatch::probe::dnsbl
