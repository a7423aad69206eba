// Plugin state and text of one systemd unit, shared by check_mta_service and check_mta_host.
#pragma once

#include <string>

#include "shared/base/duration.h"
#include "shared/base/json.h"
#include "shared/plugin/report.h"
#include "shared/probe/mta_state/mta_service.h"

namespace mtawatch::checks {

struct UnitLimits {
    std::string wanted = "active";  // or "inactive"
    bool enabled = false;           // must also start at boot
    plugin::Thresholds restarts;
    std::optional<std::chrono::milliseconds> min_uptime;
};

struct UnitVerdict {
    plugin::State state = plugin::State::ok;
    std::string text;
};

[[nodiscard]] inline std::string since(const std::optional<base::WallTime>& begin, base::WallTime now) {
    if (!begin) return {};
    return " for " + base::human_duration(std::chrono::duration_cast<std::chrono::seconds>(now - *begin));
}

// What the last run ended with: "exit status 75", "killed by a signal", "timeout".
[[nodiscard]] inline std::string last_result(const probe::mta_state::UnitFacts& unit) {
    if (unit.result.empty() || unit.result == "success") return {};
    std::string text = " (" + unit.result;
    if (unit.exit_status && unit.result == "exit-code") text += fmt::format(" {}", *unit.exit_status);
    return text + ")";
}

// A job that runs and ends, by itself or by a timer: it need not be active to be fine.
[[nodiscard]] inline bool ends_by_itself(const probe::mta_state::UnitFacts& unit) {
    return unit.type == "oneshot" || !unit.triggered_by.empty();
}

[[nodiscard]] inline UnitVerdict judge_active(const probe::mta_state::UnitFacts& unit, base::WallTime now) {
    using plugin::State;
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
[[nodiscard]] inline UnitVerdict judge_state(const probe::mta_state::UnitFacts& unit, const UnitLimits& limits,
                                             base::WallTime now) {
    using plugin::State;
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
[[nodiscard]] inline std::optional<UnitVerdict> judge_enabled(const probe::mta_state::UnitFacts& unit) {
    if (unit.unit_file_state != "disabled" && unit.unit_file_state != "masked" &&
        unit.unit_file_state != "masked-runtime" && unit.unit_file_state != "bad") {
        return std::nullopt;
    }
    return UnitVerdict{plugin::State::warning,
                       fmt::format("{} is {}: it will not start at boot", unit.unit, unit.unit_file_state)};
}

// Adds everything about one unit to the report.
inline void judge_unit(const probe::mta_state::UnitFacts& unit, const UnitLimits& limits, base::WallTime now,
                       plugin::Report& report) {
    using plugin::State;
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

inline void write_unit(const probe::mta_state::UnitFacts& unit, base::JsonWriter& json) {
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

}  // namespace mtawatch::checks
