// Fake clock that stands still until a test moves it.
#pragma once

#include "shared/base/clock.h"

namespace mtawatch::test {

class FakeClock final : public base::Clock {
  public:
    explicit FakeClock(base::WallTime now = base::WallTime(std::chrono::seconds(1'700'000'000))) : wall_(now) {}
    [[nodiscard]] base::SteadyTime steady() const override { return steady_; }
    [[nodiscard]] base::WallTime wall() const override { return wall_; }
    // Moves both clocks.
    void advance(base::Duration by) {
        steady_ += by;
        wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by);
    }
    // Steps the wall clock alone, as an administrator would.
    void set_wall(base::WallTime now) { wall_ = now; }

  private:
    base::SteadyTime steady_{std::chrono::hours(1)};
    base::WallTime wall_;
};

}  // namespace mtawatch::test
