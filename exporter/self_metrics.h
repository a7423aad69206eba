// How is the exporter itself? Build, configuration and process, read when asked.
#pragma once

#include <mutex>
#include <optional>

#include "exporter/web/exposition.h"
#include "shared/base/clock.h"

namespace mtawatch::exporter {

// Safe from any thread.
class SelfMetrics {
  public:
    explicit SelfMetrics(const base::Clock& clock) : clock_(&clock) {}

    // An attempt to read the configuration ended.
    void note_reload(bool successful);
    void write(ExpositionWriter& writer) const;

  private:
    const base::Clock* clock_;
    mutable std::mutex mutex_;
    bool reload_successful_ = true;
    std::optional<base::WallTime> reloaded_;
};

// process_* from /proc/self; a figure that cannot be read is left out.
void write_process_metrics(ExpositionWriter& writer);

// "0.1.0", "pmta_exporter 0.1.0 (revision …, GCC 12.2.0)".
[[nodiscard]] std::string_view version();
[[nodiscard]] std::string version_line();

}  // namespace mtawatch::exporter
