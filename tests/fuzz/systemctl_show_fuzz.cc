// What `systemctl show` prints, here or on a host that is not ours: the first byte is how many units were asked for.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "checks/unit_judgement.h"
#include "shared/probe/mta_state/mta_service.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::vector<std::string> units(1 + data[0] % 4U, "x.service");
    const auto facts = probe::mta_state::read_unit_facts({reinterpret_cast<const char*>(data) + 1, size - 1}, units);
    if (!facts) return 0;
    if (facts->size() != units.size()) std::abort();
    const base::WallTime now{std::chrono::seconds(1'700'000'000)};
    for (const auto& unit : *facts) {
        if (unit.load_state.empty() || unit.active_state.empty()) std::abort();
        plugin::Report report;
        checks::judge_unit(unit, {}, now, report);
        // Only a unit that is there and does what it should is fine.
        if (report.state() == plugin::State::ok && unit.load_state != "loaded") std::abort();
    }
    return 0;
}
