// Deliveries and bounces of the last hour on another machine that runs PowerMTA. Its status does not tell deliveries
// from bounces, so the end of its accounting files is read through the host's connection.
#pragma once

#include <cstddef>
#include <string>

#include "shared/probe/mta_state/mta_host.h"

namespace mtawatch::probe::mta_state {

// Of each file that was written to in the last hour: enough for 80 000 records. What lies before is not read, and
// DeliveryFacts::seconds says so.
inline constexpr std::size_t max_remote_tail = 32U << 20U;

// `glob` is an absolute path whose last part may hold * ? [. Faults beside those of Commands: usage (another pattern),
// not_found (no file matches), permission, malformed (no header), configuration (d records are not logged).
[[nodiscard]] base::Result<DeliveryFacts> remote_deliveries(const world::Machine& machine, const std::string& glob,
                                                            const base::Deadline& deadline);

}  // namespace mtawatch::probe::mta_state
