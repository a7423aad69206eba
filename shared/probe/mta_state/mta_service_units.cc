// Parser of `systemctl show`, the one interface to systemd, here and remotely.
#include <algorithm>

#include "shared/base/text.h"
#include "shared/mta/documents/pmta_status.h"
#include "shared/mta/logs/timestamps.h"
#include "shared/probe/mta_state/mta_service.h"

namespace mtawatch::probe::mta_state {

namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view properties =
    "--property=Id,LoadState,ActiveState,SubState,UnitFileState,Type,Result,NRestarts,ExecMainStatus,ExecMainCode,"
    "ActiveEnterTimestamp,InactiveEnterTimestamp,TriggeredBy,LastTriggerUSec";

// "Sat 2026-11-21 03:05:00 UTC"; "n/a" and "" are no time.
std::optional<base::WallTime> parse_time(std::string_view text) {
    const auto words = base::words(text);
    if (words.size() != 4 || words[3] != "UTC") return std::nullopt;
    const auto local = mta::logs::parse_local_time(fmt::format("{} {}", words[1], words[2]));
    if (!local) return std::nullopt;
    return base::WallTime(local->time_since_epoch());
}

void store_property(std::string_view key, std::string_view value, UnitFacts& into) {
    const auto number = base::to_number<std::int64_t>(value);
    if (key == "LoadState") into.load_state = value;
    if (key == "ActiveState") into.active_state = value;
    if (key == "SubState") into.sub_state = value;
    if (key == "UnitFileState") into.unit_file_state = value;
    if (key == "Type") into.type = value;
    if (key == "Result") into.result = value;
    if (key == "NRestarts") into.restarts = number;
    if (key == "ExecMainStatus" && number) into.exit_status = static_cast<int>(*number & 0xffff);
    if (key == "ActiveEnterTimestamp") into.active_since = parse_time(value);
    if (key == "InactiveEnterTimestamp") into.inactive_since = parse_time(value);
    if (key == "LastTriggerUSec") into.last_trigger = parse_time(value);
    if (key == "TriggeredBy") {
        for (const auto word : base::words(value)) into.triggered_by.emplace_back(word);
    }
}

std::string_view last_line(std::string_view text) { return text.substr(text.rfind('\n') + 1); }

Result<UnitFacts> read_block(std::string_view block, std::string unit) {
    UnitFacts facts;
    facts.unit = std::move(unit);
    std::optional<std::string_view> main_code;
    for (const auto line : base::split(block, '\n')) {
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        const auto key = line.substr(0, equals);
        const auto value = base::trim(line.substr(equals + 1));
        store_property(key, value, facts);
        if (key == "ExecMainCode") main_code = value;
    }
    // ExecMainCode is 0 until a main process has ended; its status means nothing before.
    if (!main_code || *main_code == "0") facts.exit_status.reset();
    if (facts.load_state.empty() || facts.active_state.empty()) {
        return fail(Fault::malformed, "systemctl show {}: LoadState or ActiveState is missing", facts.unit);
    }
    return facts;
}

}  // namespace

base::Result<std::vector<UnitFacts>> read_unit_facts(std::string_view text, const std::vector<std::string>& units) {
    std::vector<UnitFacts> all;
    text = base::trim(text);
    while (!text.empty()) {
        const auto end = text.find("\n\n");
        if (all.size() == units.size()) return fail(Fault::malformed, "systemctl show told of more units than asked");
        auto facts = read_block(text.substr(0, end), units[all.size()]);
        if (!facts) return fail(facts.error());
        all.push_back(std::move(*facts));
        text = end == std::string_view::npos ? std::string_view() : base::trim(text.substr(end));
    }
    if (all.size() != units.size()) {
        return fail(Fault::malformed, "systemctl show told of {} of {} units", all.size(), units.size());
    }
    return all;
}

base::Result<std::vector<UnitFacts>> unit_facts(const world::Machine& machine, const std::vector<std::string>& units,
                                                const base::Deadline& deadline) {
    // Local times are ambiguous when clocks change, and names of zones cannot be read back, so systemctl is run in UTC.
    std::vector<std::string> argv{"env", "TZ=UTC", "systemctl", "show", "--no-pager", std::string(properties), "--"};
    argv.insert(argv.end(), units.begin(), units.end());
    auto result = machine.commands().run(argv, {}, deadline);
    if (!result) return fail(result.error().at("the state of " + base::join(units, ", ")));
    if (result->exit_status == 127) {
        return fail(Fault::not_found, "there is no systemctl {}: is it run by systemd?", machine.commands().where());
    }
    if (result->exit_status != 0) return fail(world::failed_program("systemctl", machine.commands(), *result));
    // It ends every line; what does not was cut off, and the last value is not the whole one.
    if (!result->output.empty() && result->output.back() != '\n') {
        return fail(Fault::malformed, "systemctl {} was cut off in the middle of a line: '{}'",
                    machine.commands().where(), base::one_line(last_line(result->output), 60));
    }
    return read_unit_facts(result->output, units);
}

std::vector<std::vector<std::string>> preset_units(std::string_view mta) {
    // Debian runs Postfix's instances as postfix@; its postfix.service is an empty frame that is always "active".
    if (mta == "postfix") return {{"postfix@-.service", "postfix.service"}};
    if (mta == "pmta") return {{"pmta.service"}, {"pmtahttp.service", "pmtahttpd.service"}};
    if (mta == "kumomta") return {{"kumomta.service", "kumod.service"}};
    if (mta == "dovecot") return {{"dovecot.service"}};
    if (mta == "opendkim") return {{"opendkim.service"}};
    return {};
}

std::vector<UnitFacts> choose_units(const std::vector<std::vector<std::string>>& groups,
                                    const std::vector<UnitFacts>& facts) {
    std::vector<UnitFacts> chosen;
    for (const auto& group : groups) {
        const UnitFacts* best = nullptr;
        for (const auto& unit : group) {
            for (const auto& one : facts) {
                if (one.unit == unit &&
                    (best == nullptr || (best->load_state != "loaded" && one.load_state == "loaded"))) {
                    best = &one;
                }
            }
        }
        if (best != nullptr) chosen.push_back(*best);
    }
    return chosen;
}

}  // namespace mtawatch::probe::mta_state
