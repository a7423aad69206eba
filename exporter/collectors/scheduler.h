// Scheduler of the collectors' tasks: runs them on threads of its own and keeps their last results; a scrape only reads
// these.
#pragma once

#include <prometheus/collectable.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "exporter/collectors/collector.h"
#include "exporter/exposition/metric_source.h"
#include "shared/base/log.h"

namespace mtawatch::exporter::collectors {

// A value lives so many intervals after the last success; then its series ends.
inline constexpr int stale_after_intervals = 5;
// The first runs are spread over this time (or the interval, if that is less), and so are all that follow.
inline constexpr std::chrono::milliseconds first_runs_within{10'000};

// What the tasks have found so far. Safe from any thread. No thread of its own, so tests drive it with a fake clock.
class TaskBoard final : public prometheus::Collectable {
  public:
    // `seed` decides where in its interval each task runs.
    TaskBoard(const base::Clock& clock, const base::Log& log, std::uint64_t seed);

    // Replaces the tasks. The results and the schedule of a task with the same probe and target are kept; the result of
    // a run whose task is gone is dropped.
    void replace(std::vector<Task> tasks);

    // Runs the task that is due longest, on the caller's thread; false when none is due. Catches whatever it throws.
    bool run_due(probe::world::World& world);
    // When the next task is due; nothing when none waits.
    [[nodiscard]] std::optional<base::SteadyTime> next_due() const;

    // mail_probe_* of every task that ran, and the values that are fresh enough, by name and label values. Several
    // tasks publish into one family; where two have the same series, that of the first task is shown.
    [[nodiscard]] exposition::MetricFamilies Collect() const override;
    [[nodiscard]] std::vector<exposition::SourceStatus> status() const;

  private:
    struct Entry {
        Task task;
        base::SteadyTime due;
        bool running = false;
        bool ran = false;
        bool succeeded = false;
        double duration = 0;      // seconds, of the last run
        base::WallTime last_run;  // its start
        std::optional<base::WallTime> last_success;
        base::SteadyTime fresh_until;
        exposition::MetricFamilies families;  // of the last success
        std::string problem;                  // of the last run, empty when it succeeded
    };
    using EntryPtr = std::shared_ptr<Entry>;

    [[nodiscard]] EntryPtr pop_due();
    [[nodiscard]] base::Result<Published> run_task(const Entry& entry, probe::world::World& world) const;
    void store_outcome(Entry& entry, base::SteadyTime started, base::WallTime started_wall,
                       base::Result<Published> outcome);
    [[nodiscard]] exposition::MetricFamilies probe_families() const;

    const base::Clock* clock_;
    const base::Log* log_;
    std::mt19937_64 random_;
    mutable std::mutex mutex_;
    std::vector<EntryPtr> entries_;
};

// The threads that run a board. One World for each thread, because its members may keep state between calls.
class Scheduler {
  public:
    Scheduler(TaskBoard& board, const std::vector<probe::world::World*>& worlds);
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;
    ~Scheduler();
    // After TaskBoard::replace(): look again for what is due.
    void wake();
    // Begins no further run and waits for those in progress; each ends by its timeout at the latest. False: one still
    // runs after `patience`; its thread goes on, so this object and the board must stay until the process ends.
    [[nodiscard]] bool stop(std::chrono::milliseconds patience);

  private:
    void work(probe::world::World& world);
    void work_until_stopped(probe::world::World& world);

    TaskBoard* board_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::size_t working_ = 0;  // threads that have not ended
    std::vector<std::thread> threads_;
};

}  // namespace mtawatch::exporter::collectors
