// The parts of the queue probe, one per MTA. Internal to shared/probe.
#pragma once

#include "shared/probe/mta_state/mta_queue.h"

namespace mtawatch::probe::mta_state {

class PmtaSource;

[[nodiscard]] base::Result<MtaQueueObservation> pmta_queue(PmtaSource& source, const MtaQueueQuery& query,
                                                           const base::Deadline& deadline, world::World& world);
[[nodiscard]] base::Result<MtaQueueObservation> postfix_queue(const world::Machine& machine, const MtaQueueQuery& query,
                                                              const base::Deadline& deadline);
[[nodiscard]] base::Result<MtaQueueObservation> kumomta_queue(const MtaQueueQuery& query,
                                                              const base::Deadline& deadline, world::World& world);

// Sorts groups, largest first, and notes when some had to go.
void keep_largest(MtaQueueObservation& seen, std::size_t limit);

}  // namespace mtawatch::probe::mta_state
