// Metrics of the exporter itself: build, configuration and process, read at each scrape.
#pragma once

#include <mutex>
#include <optional>

#include "exporter/exposition/exposition.h"
#include "shared/base/clock.h"

namespace mtawatch::exporter {

// Safe from any thread.
class SelfMetrics {
  public:
    explicit SelfMetrics(const base::Clock& clock) : clock_(&clock), started_(clock.wall()) {}

    // An attempt to read the configuration ended.
    void record_reload(bool successful);
    // pmta_exporter_build_info, _config_* and process_*; a figure that /proc/self does not give is left out.
    void write(exposition::ExpositionWriter& writer) const;

  private:
    const base::Clock* clock_;
    base::WallTime started_;
    mutable std::mutex mutex_;
    bool reload_successful_ = true;
    std::optional<base::WallTime> reloaded_;
};

// "pmta_exporter 0.1.0 (revision …, GCC 12.2.0)".
[[nodiscard]] std::string version_line();

}  // namespace mtawatch::exporter
