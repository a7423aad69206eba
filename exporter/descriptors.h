// How many file descriptors the exporter may have, and what it makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exporter/feed/feed_settings.h"
#include "shared/base/result.h"

namespace mtawatch::exporter {

struct DescriptorPlan {
    std::size_t open_files = 64;    // log files kept open, of each feed
    std::size_t connections = 512;  // of the web server
};

// What a limit allows for so many feeds. Fault::configuration below what works, with the limit and the remedy.
[[nodiscard]] base::Result<DescriptorPlan> plan_descriptors(std::uint64_t limit, std::size_t feeds);

// Raises the soft limit as far as this user may, and has the feeds keep to what there is.
[[nodiscard]] base::Result<DescriptorPlan> share_descriptors(std::vector<feed::FeedSettings>& feeds);

}  // namespace mtawatch::exporter
