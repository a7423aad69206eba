// Deliveries and bounces of the last hour on another machine that runs PowerMTA. Its status does not tell deliveries
// from bounces, so the end of its accounting files is read through the host's connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/probe/mta_state/mta_host.h"

namespace mtawatch::probe::mta_state {

// Of each file that was written to in the last hour: enough for 80 000 records. What lies before is not read, and
// DeliveryFacts::seconds says so.
inline constexpr std::size_t max_remote_tail = 32U << 20U;

// `glob` is an absolute path whose last part may hold * ? [. Faults beside those of Commands: usage (another pattern),
// not_found (no file matches), permission, malformed (no header), configuration (d records are not logged).
[[nodiscard]] base::Result<DeliveryFacts> remote_deliveries(const world::Machine& machine, const std::string& glob,
                                                            const base::Deadline& deadline);

struct RemoteFile {
    std::string path;
    std::uint64_t bytes = 0;
    std::int64_t modified = 0;  // seconds since 1970, by that machine's clock
};
// What `find -printf '%T@ %s %p\n'` prints. Fault::malformed names the line.
[[nodiscard]] base::Result<std::vector<RemoteFile>> read_find(std::string_view text);

}  // namespace mtawatch::probe::mta_state
