#include "exporter/self_metrics.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "generated/revision.h"
#include "shared/base/text.h"
#include "shared/options/help.h"

namespace mtawatch::exporter {
namespace {

#ifdef __clang__
constexpr std::string_view compiler = "Clang " __clang_version__;
#else
constexpr std::string_view compiler = "GCC " __VERSION__;
#endif

void write_one(exposition::ExpositionWriter& writer, std::string_view name, double value) {
    const exposition::Metric& entry = exposition::metric(name);
    if (writer.begin(entry)) writer.sample(exposition::line_head(name, {}, {}), value);
}

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

void write_process_metrics(exposition::ExpositionWriter& writer) {
    // Positions are those of proc(5) less 3: utime 14, stime 15, vsize 23, rss 24.
    const auto fields = stat_fields();
    const auto field = [&](std::size_t number) -> std::optional<double> {
        return fields.size() > number - 3 ? base::to_double(fields[number - 3]) : std::nullopt;
    };
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    const auto user = field(14);
    const auto system = field(15);
    if (user && system) write_one(writer, "process_cpu_seconds_total", (*user + *system) / ticks);
    if (const auto rss = field(24)) write_one(writer, "process_resident_memory_bytes", *rss * page);
    if (const auto size = field(23)) write_one(writer, "process_virtual_memory_bytes", *size);
    if (const auto open = open_descriptors()) write_one(writer, "process_open_fds", *open);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        write_one(writer, "process_max_fds", static_cast<double>(limit.rlim_cur));
    }
}

}  // namespace

void SelfMetrics::record_reload(bool successful) {
    const std::lock_guard lock(mutex_);
    reload_successful_ = successful;
    if (successful) reloaded_ = clock_->wall();
}

void SelfMetrics::write(exposition::ExpositionWriter& writer) const {
    const exposition::Metric& build = exposition::metric("pmta_exporter_build_info");
    const std::vector<std::string_view> values{options::version(), revision, compiler};
    if (writer.begin(build)) {
        writer.sample(exposition::line_head(build.name, exposition::label_names(build), values), std::uint64_t{1});
    }
    write_process_metrics(writer);
    write_one(writer, "process_start_time_seconds", std::chrono::duration<double>(started_.time_since_epoch()).count());
    const std::lock_guard lock(mutex_);
    write_one(writer, "pmta_exporter_config_last_reload_successful", reload_successful_ ? 1 : 0);
    if (!reloaded_) return;
    write_one(writer, "pmta_exporter_config_last_reload_success_timestamp_seconds",
              static_cast<double>(base::unix_seconds(*reloaded_)));
}

std::string version_line() {
    return fmt::format("pmta_exporter {} (revision {}, {})", options::version(), revision, compiler);
}

}  // namespace mtawatch::exporter
