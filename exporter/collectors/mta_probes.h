// Metrics of the probes mta_queue, mta_service and mta_host.
#pragma once

#include "exporter/collectors/collector.h"
#include "shared/probe/mta_state/mta_host.h"

namespace mtawatch::exporter::collectors {

// mail_queue_*: Postfix's queues by name (an empty one is 0, because the whole listing was read), KumoMTA's largest
// scheduled queues and the rest as "other", PowerMTA's kinds of queues.
[[nodiscard]] Published publish(const probe::mta_state::MtaQueueObservation& observation, const std::string& host);
// mail_service_*: 1 for active and reloading units.
[[nodiscard]] Published publish(const std::vector<probe::mta_state::UnitFacts>& units, const std::string& host);
// mail_host_*; a part that could not be seen is absent and makes the run count as failed.
[[nodiscard]] Published publish(const probe::mta_state::MtaHostObservation& observation, const std::string& host);

}  // namespace mtawatch::exporter::collectors
