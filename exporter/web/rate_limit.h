// Limit on how often anybody is answered, as exporter-toolkit has it: a bucket of `burst` requests that gets one more
// every `interval`.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace mtawatch::exporter::web {

struct RateLimit {
    std::chrono::nanoseconds interval{0};  // 0: no limit
    std::int64_t burst = 1;

    bool operator==(const RateLimit&) const = default;
};

// For one thread. Full at first, and again when the limit changes.
class RateBucket {
  public:
    using Time = std::chrono::steady_clock::time_point;

    [[nodiscard]] bool take(const RateLimit& limit, Time now) {
        if (limit.interval.count() <= 0) return true;
        const double most = static_cast<double>(std::max<std::int64_t>(limit.burst, 1));
        if (limit != limit_) {
            limit_ = limit;
            left_ = most;
        } else {
            const std::chrono::duration<double, std::nano> passed = now - seen_;
            left_ = std::min(most, left_ + passed.count() / static_cast<double>(limit.interval.count()));
        }
        seen_ = now;
        if (left_ < 1) return false;
        left_ -= 1;
        return true;
    }

  private:
    RateLimit limit_;
    double left_ = 0;
    Time seen_{};
};

}  // namespace mtawatch::exporter::web
