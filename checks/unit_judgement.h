// Plugin state and text of systemd units, shared by check_mta_service and check_mta_host.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/plugin/report.h"
#include "shared/probe/mta_state/mta_service.h"

namespace mtawatch::checks {

// Alternatives, as the distributions name a unit: of each group one is judged (probe::mta_state::choose_units).
using UnitGroups = std::vector<std::vector<std::string>>;

struct UnitLimits {
    std::string wanted = "active";  // or "inactive"
    bool enabled = false;           // must also start at boot
    plugin::Thresholds restarts;
    std::optional<std::chrono::milliseconds> min_uptime;
};

// Every unit of the groups, for the probe's query.
[[nodiscard]] std::vector<std::string> units_of(const UnitGroups& groups);

// Adds everything about one unit to the report.
void judge_unit(const probe::mta_state::UnitFacts& unit, const UnitLimits& limits, base::WallTime now,
                plugin::Report& report);

}  // namespace mtawatch::checks
