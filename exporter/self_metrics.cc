#include "exporter/self_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "generated/revision.h"
#include "shared/options/help.h"

namespace mtawatch::exporter {
namespace {

#ifdef __clang__
constexpr std::string_view compiler = "Clang " __clang_version__;
#else
constexpr std::string_view compiler = "GCC " __VERSION__;
#endif

prometheus::Family<prometheus::Gauge>& gauges_of(prometheus::Registry& registry, std::string_view name) {
    const exposition::Metric& entry = exposition::metric(name);
    return prometheus::BuildGauge().Name(std::string(name)).Help(std::string(entry.help)).Register(registry);
}

}  // namespace

SelfMetrics::SelfMetrics(const base::Clock& clock)
    : clock_(&clock),
      reload_successful_(&gauges_of(registry_, "pmta_exporter_config_last_reload_successful").Add({})),
      reload_time_(&gauges_of(registry_, "pmta_exporter_config_last_reload_success_timestamp_seconds")) {
    reload_successful_->Set(1);
}

void SelfMetrics::record_reload(bool successful) {
    reload_successful_->Set(successful ? 1 : 0);
    if (successful) reload_time_->Add({}).Set(static_cast<double>(base::unix_seconds(clock_->wall())));
}

exposition::MetricFamilies SelfMetrics::Collect() const {
    exposition::MetricFamilies families;
    // Not in the registry, which would sort the labels by name.
    exposition::add_series(families, "pmta_exporter_build_info",
                           {std::string(options::version()), std::string(revision), std::string(compiler)}, 1.0);
    std::ranges::move(registry_.Collect(), std::back_inserter(families));
    return families;
}

std::string version_line() {
    return fmt::format("pmta_exporter {} (revision {}, {})", options::version(), revision, compiler);
}

}  // namespace mtawatch::exporter
