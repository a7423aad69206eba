// Until when may this step take? Absolute, made once, passed down to every step of a run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "shared/base/clock.h"

namespace mtawatch::base {

// Refers to the clock it was made with, which must outlive it. Copies are cheap.
class Deadline {
  public:
    Deadline(const Clock& clock, Duration allowed) : clock_(&clock), end_(clock.steady() + allowed) {}

    // Time left, never negative.
    [[nodiscard]] Duration remaining() const { return std::max(Duration::zero(), Duration(end_ - clock_->steady())); }
    [[nodiscard]] bool expired() const { return clock_->steady() >= end_; }
    [[nodiscard]] SteadyTime end() const { return end_; }
    [[nodiscard]] const Clock& clock() const { return *clock_; }
    // Time left for poll(2), rounded up so that a wait never ends just before the deadline; capped at an hour.
    [[nodiscard]] int poll_milliseconds() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(remaining());
        return static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000));
    }
    // The earlier of this deadline and `allowed` from now: a step's own, smaller limit.
    [[nodiscard]] Deadline within(Duration allowed) const {
        Deadline step(*clock_, allowed);
        step.end_ = std::min(step.end_, end_);
        return step;
    }

  private:
    const Clock* clock_;
    SteadyTime end_;
};

}  // namespace mtawatch::base
