// Metrics of the exporter itself: its build and its configuration.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <string>
#include <string_view>

#include "exporter/exposition/metric_families.h"
#include "shared/base/clock.h"

namespace mtawatch::exporter {

// Safe from any thread.
class SelfMetrics final : public prometheus::Collectable {
  public:
    // Counts as configured well until record_reload() says otherwise.
    explicit SelfMetrics(const base::Clock& clock);

    // An attempt to read the configuration ended.
    void record_reload(bool successful);
    // pmta_exporter_build_info and _config_*; the time of the last good reading is absent before the first.
    [[nodiscard]] exposition::MetricFamilies Collect() const override;

  private:
    const base::Clock* clock_;
    prometheus::Registry registry_;
    prometheus::Gauge* reload_successful_;
    prometheus::Family<prometheus::Gauge>* reload_time_;
};

// "pmta_exporter 0.1.0 (revision …, GCC 12.2.0)".
[[nodiscard]] std::string version_line();

}  // namespace mtawatch::exporter
