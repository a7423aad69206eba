#include "checks/unit_judgement.h"

#include <fmt/format.h>

#include "shared/base/duration.h"

namespace mtawatch::checks {
namespace {

using plugin::State;
using probe::mta_state::UnitFacts;

struct UnitVerdict {
    State state = State::ok;
    std::string text;
};

std::string since(const std::optional<base::WallTime>& begin, base::WallTime now) {
    if (!begin) return {};
    return " for " + base::human_duration(std::chrono::duration_cast<std::chrono::seconds>(now - *begin));
}

// What the last run ended with: "exit status 75", "killed by a signal", "timeout".
std::string last_result(const UnitFacts& unit) {
    if (unit.result.empty() || unit.result == "success") return {};
    std::string text = " (" + unit.result;
    if (unit.exit_status && unit.result == "exit-code") text += fmt::format(" {}", *unit.exit_status);
    return text + ")";
}

// A job that runs and ends, by itself or by a timer: it need not be active to be fine.
bool ends_by_itself(const UnitFacts& unit) { return unit.type == "oneshot" || !unit.triggered_by.empty(); }

UnitVerdict judge_active(const UnitFacts& unit, base::WallTime now) {
    const std::string& active = unit.active_state;
    const std::string sub = unit.sub_state.empty() ? active : active + " (" + unit.sub_state + ")";
    if (active == "active" || active == "reloading") {
        return {State::ok, fmt::format("{} is {}{}", unit.unit, sub, since(unit.active_since, now))};
    }
    if (active == "failed") {
        return {State::critical,
                fmt::format("{} failed{}{}", unit.unit, last_result(unit), since(unit.inactive_since, now))};
    }
    if (active == "activating" && unit.sub_state.starts_with("auto-restart")) {
        return {State::critical, fmt::format("{} keeps failing and is started again{}", unit.unit, last_result(unit))};
    }
    // A oneshot service is activating for as long as it works.
    if (active == "activating" && unit.type == "oneshot") return {State::ok, fmt::format("{} is at work", unit.unit)};
    if (active == "activating" || active == "deactivating" || active == "maintenance") {
        return {State::warning, fmt::format("{} is {}", unit.unit, sub)};
    }
    if (active != "inactive") return {State::unknown, fmt::format("{} is in the unknown state {}", unit.unit, sub)};
    if (ends_by_itself(unit) && (unit.result.empty() || unit.result == "success")) {
        if (!unit.inactive_since && unit.triggered_by.empty()) {
            return {State::critical, fmt::format("{} has not run since the start of the machine", unit.unit)};
        }
        return {State::ok, fmt::format("{} ended well{}", unit.unit, since(unit.inactive_since, now))};
    }
    return {State::critical,
            fmt::format("{} is not running{}{}", unit.unit, since(unit.inactive_since, now), last_result(unit))};
}

// A unit's state against the wanted one.
UnitVerdict judge_state(const UnitFacts& unit, const UnitLimits& limits, base::WallTime now) {
    const bool wanted_inactive = limits.wanted == "inactive";
    if (wanted_inactive) {
        if (unit.active_state == "inactive" || unit.load_state == "not-found" || unit.load_state == "masked") {
            return {State::ok, fmt::format("{} is not running, as wanted", unit.unit)};
        }
        return {State::critical, fmt::format("{} is {}, wanted inactive", unit.unit, unit.active_state)};
    }
    if (unit.load_state == "not-found") {
        return {State::critical,
                fmt::format("{} does not exist there: is the name right, is it installed?", unit.unit)};
    }
    if (unit.load_state == "masked") return {State::critical, fmt::format("{} is masked", unit.unit)};
    if (unit.load_state != "loaded") {
        return {State::critical, fmt::format("{}: its unit file cannot be loaded ({})", unit.unit, unit.load_state)};
    }
    return judge_active(unit, now);
}

// Whether the unit starts at boot; what cannot be enabled (static, generated …) is started by others.
std::optional<UnitVerdict> judge_enabled(const UnitFacts& unit) {
    if (unit.unit_file_state != "disabled" && unit.unit_file_state != "masked" &&
        unit.unit_file_state != "masked-runtime" && unit.unit_file_state != "bad") {
        return std::nullopt;
    }
    return UnitVerdict{State::warning,
                       fmt::format("{} is {}: it will not start at boot", unit.unit, unit.unit_file_state)};
}

}  // namespace

std::vector<std::string> units_of(const UnitGroups& groups) {
    std::vector<std::string> units;
    for (const auto& group : groups) units.insert(units.end(), group.begin(), group.end());
    return units;
}

void judge_unit(const UnitFacts& unit, const UnitLimits& limits, base::WallTime now, plugin::Report& report) {
    const UnitVerdict verdict = judge_state(unit, limits, now);
    report.add(verdict.state, verdict.text);
    if (unit.load_state != "loaded") return;
    if (limits.enabled) {
        if (const auto enabled = judge_enabled(unit)) report.add(enabled->state, enabled->text);
    }
    if (limits.restarts.any() && !unit.restarts && unit.unit.find(".timer") == std::string::npos) {
        report.add(State::unknown, fmt::format("{}: systemd does not count restarts there (before 235)", unit.unit));
    }
    if (unit.restarts) {
        const auto count = static_cast<double>(*unit.restarts);
        const State state = limits.restarts.judge(count);
        if (state != State::ok) {
            report.add(state, fmt::format("{} was restarted {} times by itself ({})", unit.unit, *unit.restarts,
                                          limits.restarts.reason(count)));
        }
        report.figure(unit.unit + "_restarts", count, plugin::Unit::none, limits.restarts, 0);
    }
    const bool running = unit.active_state == "active" && unit.active_since;
    if (running) {
        const auto uptime = now - *unit.active_since;
        if (limits.min_uptime && uptime < *limits.min_uptime) {
            report.add(State::warning,
                       fmt::format("{} was started only {} ago", unit.unit,
                                   base::human_duration(std::chrono::duration_cast<std::chrono::seconds>(uptime))));
        }
        report.figure(unit.unit + "_uptime",
                      std::chrono::duration<double>(std::chrono::floor<std::chrono::seconds>(uptime)).count(),
                      plugin::Unit::seconds, {}, 0);
    }
}

}  // namespace mtawatch::checks
