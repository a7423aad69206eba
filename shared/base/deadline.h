// Deadline of a run or a step: an absolute end, made once and passed down to every step.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "shared/base/clock.h"
#include "shared/base/progress.h"

namespace mtawatch::base {

// Refers to the clock it was made with, which must outlive it. Copies are cheap.
class Deadline {
  public:
    // `progress`, where there is one, learns what each step is doing; it must outlive the deadline.
    Deadline(const Clock& clock, Duration allowed, Progress* progress = nullptr)
        : clock_(&clock), progress_(progress), end_(clock.steady() + allowed) {}

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
        Deadline step(*clock_, allowed, progress_);
        step.end_ = std::min(step.end_, end_);
        return step;
    }

    // Called before a step that may wait ("connecting to 192.0.2.1:25"), so that a run that is cut off can say where.
    void doing(std::string_view what) const {
        if (progress_ != nullptr) progress_->doing(what);
    }

  private:
    const Clock* clock_;
    Progress* progress_;
    SteadyTime end_;
};

}  // namespace mtawatch::base
