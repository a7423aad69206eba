#include "exporter/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "shared/base/text.h"

namespace mtawatch::exporter {
namespace {

using exposition::add_series;

std::string content_of(const char* path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The numbers of /proc/self/stat after the program's name, which may hold blanks and brackets itself; proc(5) counts
// the first of them as field 3.
std::vector<std::string> stat_fields() {
    const std::string text = content_of("/proc/self/stat");
    const std::size_t name_end = text.rfind(')');
    std::vector<std::string> fields;
    if (name_end == std::string::npos) return fields;
    for (const std::string_view word : base::words(std::string_view(text).substr(name_end + 1))) {
        fields.emplace_back(word);
    }
    return fields;
}

std::optional<double> open_descriptors() {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return std::nullopt;
    double count = 0;
    // One thread uses this stream, which readdir(3) allows.
    while (const dirent* entry = ::readdir(folder)) {  // NOLINT(concurrency-mt-unsafe)
        count += entry->d_name[0] == '.' ? 0 : 1;
    }
    ::closedir(folder);
    return count - 1;  // without the one that looked
}

}  // namespace

exposition::MetricFamilies ProcessMetrics::Collect() const {
    exposition::MetricFamilies families;
    // Positions are those of proc(5) less 3: utime 14, stime 15, vsize 23, rss 24.
    const auto fields = stat_fields();
    const auto field = [&](std::size_t number) -> std::optional<double> {
        return fields.size() > number - 3 ? base::to_double(fields[number - 3]) : std::nullopt;
    };
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    const auto user = field(14);
    const auto system = field(15);
    if (user && system) add_series(families, "process_cpu_seconds_total", {}, (*user + *system) / ticks);
    if (const auto rss = field(24)) add_series(families, "process_resident_memory_bytes", {}, *rss * page);
    if (const auto size = field(23)) add_series(families, "process_virtual_memory_bytes", {}, *size);
    if (const auto open = open_descriptors()) add_series(families, "process_open_fds", {}, *open);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        add_series(families, "process_max_fds", {}, static_cast<double>(limit.rlim_cur));
    }
    add_series(families, "process_start_time_seconds", {},
               std::chrono::duration<double>(started_.time_since_epoch()).count());
    return families;
}

}  // namespace mtawatch::exporter
