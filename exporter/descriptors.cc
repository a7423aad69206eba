#include "exporter/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace mtawatch::exporter {
namespace {

// Standard streams, listening sockets, event queues, inotify, states with their locks, and four probes at a time with
// some sockets each.
constexpr std::uint64_t reserved = 64;
constexpr std::uint64_t least = 100;
constexpr std::uint64_t least_files = 4;  // of each feed: the live one, and those it reads beside it

std::uint64_t raise_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return least;
    const rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : soft;
}

}  // namespace

base::Result<DescriptorPlan> plan_descriptors(std::uint64_t limit, std::size_t feeds) {
    if (limit < least) {
        return base::fail(
            base::Fault::configuration,
            "only {} files may be open, and at least {} are needed: raise the limit (ulimit -n, LimitNOFILE "
            "of the unit)",
            limit, least);
    }
    const DescriptorPlan most;
    const std::uint64_t free = limit - reserved;
    const std::uint64_t count = std::max<std::uint64_t>(feeds, 1);
    const std::uint64_t files = std::clamp<std::uint64_t>(free / 4 / count, least_files, most.open_files);
    // While many files are read at once, as many again are open.
    const std::uint64_t connections = std::min<std::uint64_t>(free - 2 * files * count, most.connections);
    return DescriptorPlan{files, connections};
}

base::Result<DescriptorPlan> share_descriptors(std::vector<feed::FeedSettings>& feeds) {
    auto plan = plan_descriptors(raise_limit(), feeds.size());
    if (!plan) return plan;
    for (feed::FeedSettings& feed : feeds) feed.follow.open_files = plan->open_files;
    return plan;
}

}  // namespace mtawatch::exporter
