// The exporter's configuration file with any bytes in it: what to do, or an error that names the file.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>
#include <utility>

#include "exporter/config.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto config = exporter::parse_config(text, "/etc/exporter.yml");
    if (!config) {
        if (config.error().what.find("/etc/exporter.yml") == std::string::npos) std::abort();
        return 0;
    }
    std::set<std::pair<std::string, std::string>> targets;
    for (const auto& task : config->tasks) {
        if (task.interval <= std::chrono::seconds::zero() || task.timeout > task.interval || !task.run) std::abort();
        // The scheduler counts in five of them, with a clock of nanoseconds.
        if (task.interval > std::chrono::duration_cast<std::chrono::milliseconds>(base::Duration::max()) / 5) {
            std::abort();
        }
        if (!targets.emplace(task.probe, task.target).second) std::abort();  // two would publish the same series
    }
    for (const auto& feed : config->feeds()) {
        if (feed.count.idle_limit < std::chrono::hours(1) || !feed.count.providers) std::abort();
    }
    return 0;
}
