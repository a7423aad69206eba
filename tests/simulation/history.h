// One history: a world and an exporter that follows its logs, crashes and starts again; and whether it counted what the
// model says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mtawatch::simulation {

struct HistoryResult {
    std::optional<std::string> fault;  // what differed from the model
    std::uint64_t calls = 0;           // of the system
    std::uint64_t crashes = 0;
    std::uint64_t records = 0;
};
// The same for the same seed, on every machine. With `trace` everything that happened is put there.
[[nodiscard]] HistoryResult run_history(std::uint64_t seed, std::vector<std::string>* trace = nullptr);

}  // namespace mtawatch::simulation
