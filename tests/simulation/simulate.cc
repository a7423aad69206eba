// Runs simulated histories of followed logs, and names the seeds whose counts differ from the model's.
//
// usage: simulate --seeds FROM TO     these seeds, one after the other
//        simulate --trace SEED        everything that happens in one
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "shared/base/text.h"
#include "tests/simulation/history.h"

namespace {

using namespace mtawatch;

constexpr int usage_code = 2;
constexpr std::uint64_t shown_faults = 10;

int trace(std::uint64_t seed) {
    std::vector<std::string> lines;
    const auto result = simulation::run_history(seed, &lines);
    for (const std::string& line : lines) fmt::print("{}\n", line);
    fmt::print("seed {}: {}\n", seed, result.fault.value_or("as the model says"));
    return result.fault ? 1 : 0;
}

int run(std::uint64_t from, std::uint64_t to) {
    std::uint64_t calls = 0;
    std::uint64_t crashes = 0;
    std::uint64_t records = 0;
    std::uint64_t faults = 0;
    for (std::uint64_t seed = from; seed <= to; ++seed) {
        const auto result = simulation::run_history(seed);
        calls += result.calls;
        crashes += result.crashes;
        records += result.records;
        if (result.fault && ++faults <= shown_faults) fmt::print("seed {}: {}\n", seed, *result.fault);
    }
    const double cpu = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    fmt::print(
        "{} histories, {} calls of the system, {} crashes, {} records, {:.1f} s of CPU: {} differ from the model\n",
        to - from + 1, calls, crashes, records, cpu, faults);
    return faults == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int at) { return base::to_number<std::uint64_t>(argv[at]); };
    if (argc == 3 && std::string_view(argv[1]) == "--trace" && number(2)) return trace(*number(2));
    if (argc == 4 && std::string_view(argv[1]) == "--seeds" && number(2) && number(3))
        return run(*number(2), *number(3));
    fmt::print(stderr, "usage: simulate --seeds FROM TO | --trace SEED\n");
    return usage_code;
}
