// Metrics of PowerMTA's status (pmta_*), with totals that go on across its restarts.
#pragma once

#include <map>
#include <string>

#include "exporter/collectors/collector.h"
#include "shared/probe/mta_state/mta_queue.h"

namespace mtawatch::exporter::collectors {

// PowerMTA's totals start at 0 when it restarts and after `pmta reset counters`. Ours go on: what was counted before is
// added, so that a dashboard shows no hole and an increase() no jump.
class PmtaTotals {
  public:
    // The total to publish for what PowerMTA says now.
    [[nodiscard]] double carry(const std::string& key, double now);
    // When it was started, without the second of jitter that comes from two clocks.
    [[nodiscard]] double steady_start(double start);

  private:
    struct Carried {
        double before = 0;  // of earlier countings
        double last = 0;
    };
    std::map<std::string, Carried> carried_;
    double start_ = 0;
};

// All of pmta_*; what PowerMTA did not tell is absent.
[[nodiscard]] Published publish(const probe::mta_state::MtaQueueObservation& observation, base::WallTime now,
                                PmtaTotals& totals);

}  // namespace mtawatch::exporter::collectors
