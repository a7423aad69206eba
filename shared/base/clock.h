// Clock interface: steady time for deadlines, wall time for expiry. Tests use a fake one that stands still until it is
// moved.
#pragma once

#include <chrono>
#include <cstdint>

namespace mtawatch::base {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::nanoseconds;

class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    // Never goes back; only differences mean anything.
    [[nodiscard]] virtual SteadyTime steady() const = 0;
    // UTC; may be stepped by the administrator, so never used to measure how long something took.
    [[nodiscard]] virtual WallTime wall() const = 0;
};

// The machine's clocks. Safe to use from any thread.
class SystemClock final : public Clock {
  public:
    [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
    [[nodiscard]] WallTime wall() const override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
};

// Whole seconds since 1970, as metrics and records count them.
[[nodiscard]] constexpr std::int64_t unix_seconds(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace mtawatch::base
