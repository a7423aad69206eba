// Collector of the process metrics (process_*), which prometheus-cpp does not have: read from /proc/self at each
// scrape.
#pragma once

#include <prometheus/collectable.h>

#include "exporter/exposition/metric_families.h"
#include "shared/base/clock.h"

namespace mtawatch::exporter {

// Safe from any thread.
class ProcessMetrics final : public prometheus::Collectable {
  public:
    // The moment of construction is process_start_time_seconds.
    explicit ProcessMetrics(const base::Clock& clock) : started_(clock.wall()) {}
    // A figure that /proc/self does not give is left out.
    [[nodiscard]] exposition::MetricFamilies Collect() const override;

  private:
    base::WallTime started_;
};

}  // namespace mtawatch::exporter
