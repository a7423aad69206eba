#include "exporter/collectors/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "shared/base/duration.h"

namespace mtawatch::exporter::collectors {
namespace {

using base::fail;

// A thread that waits looks again after this long even if nothing woke it.
constexpr auto longest_wait = std::chrono::seconds(5);

double seconds_of(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

double seconds_of(base::WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

using Series = prometheus::ClientMetric;

// All series of a family have the same label names, so the values alone order them.
bool in_order(const Series* left, const Series* right) {
    return std::ranges::lexicographical_compare(left->label, right->label, {}, &Series::Label::value,
                                                &Series::Label::value);
}

}  // namespace

TaskBoard::TaskBoard(const base::Clock& clock, const base::Log& log, std::uint64_t seed)
    : clock_(&clock), log_(&log), random_(seed) {}

void TaskBoard::replace(std::vector<Task> tasks) {
    const std::lock_guard lock(mutex_);
    std::vector<EntryPtr> fresh;
    for (Task& task : tasks) {
        const auto same = std::ranges::find_if(entries_, [&](const EntryPtr& entry) {
            return entry->task.probe == task.probe && entry->task.target == task.target;
        });
        const auto within = std::min(task.interval, first_runs_within);
        std::uniform_int_distribution<std::int64_t> spread(0, std::max<std::int64_t>(within.count(), 1));
        const auto due = clock_->steady() + std::chrono::milliseconds(spread(random_));
        auto entry = same == entries_.end() ? std::make_shared<Entry>() : std::make_shared<Entry>(**same);
        entry->due = same == entries_.end() ? due : std::min(entry->due, clock_->steady() + task.interval);
        entry->running = false;
        entry->task = std::move(task);
        fresh.push_back(std::move(entry));
    }
    entries_ = std::move(fresh);
}

TaskBoard::EntryPtr TaskBoard::pop_due() {
    const std::lock_guard lock(mutex_);
    EntryPtr first;
    for (const EntryPtr& entry : entries_) {
        if (!entry->running && (!first || entry->due < first->due)) first = entry;
    }
    if (!first || first->due > clock_->steady()) return nullptr;
    first->running = true;
    return first;
}

std::optional<base::SteadyTime> TaskBoard::next_due() const {
    const std::lock_guard lock(mutex_);
    std::optional<base::SteadyTime> next;
    for (const EntryPtr& entry : entries_) {
        if (!entry->running) next = std::min(next.value_or(entry->due), entry->due);
    }
    return next;
}

base::Result<Published> TaskBoard::run_task(const Entry& entry, probe::world::World& world) const {
    try {
        return entry.task.run(world, base::Deadline(*clock_, entry.task.timeout));
    } catch (const std::exception& error) {
        return fail(base::Fault::internal, "a mistake in the collector: {}", error.what());
    } catch (...) {
        return fail(base::Fault::internal, "a mistake in the collector: it threw something unknown");
    }
}

bool TaskBoard::run_due(probe::world::World& world) {
    const EntryPtr entry = pop_due();
    if (!entry) return false;
    const base::SteadyTime started = clock_->steady();
    const base::WallTime started_wall = clock_->wall();
    auto outcome = run_task(*entry, world);
    const std::lock_guard lock(mutex_);
    store_outcome(*entry, started, started_wall, std::move(outcome));
    return true;
}

void TaskBoard::store_outcome(Entry& entry, base::SteadyTime started, base::WallTime started_wall,
                              base::Result<Published> outcome) {
    const base::SteadyTime now = clock_->steady();
    const std::string before = entry.problem;
    entry.running = false;
    entry.ran = true;
    entry.duration = seconds_of(now - started);
    entry.last_run = started_wall;
    // The next run keeps its place in the interval; runs that were missed are not made up for.
    entry.due += entry.task.interval;
    if (entry.due <= now) entry.due = now + entry.task.interval;
    if (outcome) {
        entry.families = std::move(outcome->families);
        entry.fresh_until = now + stale_after_intervals * entry.task.interval;
    }
    const base::Error* failure = nullptr;
    if (!outcome) failure = &outcome.error();
    if (outcome && outcome->failure) failure = &*outcome->failure;
    entry.succeeded = failure == nullptr;
    entry.problem = failure == nullptr ? std::string() : failure->what;
    if (entry.succeeded) entry.last_success = started_wall;
    if (entry.problem == before) return;
    // Once per change: a list that is down for a day is not news every 15 minutes.
    const base::Log::Fields fields{
        {"probe", entry.task.probe}, {"target", entry.task.target}, {"reason", entry.problem}};
    if (entry.succeeded) {
        log_->info("the probe works again", {fields[0], fields[1]});
    } else {
        log_->warn("the probe failed", fields);
    }
}

exposition::MetricFamilies TaskBoard::probe_families() const {
    exposition::MetricFamilies families;
    const auto each = [&](std::string_view name, auto value) {
        const exposition::Metric& entry = exposition::metric(name);
        prometheus::MetricFamily family = exposition::empty_family(entry);
        for (const EntryPtr& task : entries_) {
            const std::optional<double> shown = task->ran ? value(*task) : std::nullopt;
            if (!shown) continue;
            family.metric.push_back(exposition::series_of(entry, {task->task.probe, task->task.target}, *shown));
        }
        families.push_back(std::move(family));
    };
    using Shown = std::optional<double>;
    each("mail_probe_success", [](const Entry& entry) -> Shown { return entry.succeeded ? 1 : 0; });
    each("mail_probe_duration_seconds", [](const Entry& entry) -> Shown { return entry.duration; });
    each("mail_probe_last_run_timestamp_seconds",
         [](const Entry& entry) -> Shown { return seconds_of(entry.last_run); });
    each("mail_probe_last_success_timestamp_seconds", [](const Entry& entry) -> Shown {
        return entry.last_success ? Shown(seconds_of(*entry.last_success)) : std::nullopt;
    });
    return families;
}

exposition::MetricFamilies TaskBoard::Collect() const {
    struct Merged {
        const prometheus::MetricFamily* first = nullptr;
        std::vector<const Series*> series;
    };
    const std::lock_guard lock(mutex_);
    std::map<std::string_view, Merged> merged;
    for (const EntryPtr& task : entries_) {
        if (!task->ran || clock_->steady() >= task->fresh_until) continue;
        for (const prometheus::MetricFamily& family : task->families) {
            Merged& all = merged[family.name];
            if (all.first == nullptr) all.first = &family;
            // A task's later series stands before its earlier ones, so that it is the one that stays.
            for (auto series = family.metric.rbegin(); series != family.metric.rend(); ++series) {
                all.series.push_back(&*series);
            }
        }
    }
    exposition::MetricFamilies families = probe_families();
    for (auto& [name, all] : merged) {
        std::ranges::stable_sort(all.series, in_order);
        families.push_back({all.first->name, all.first->help, all.first->type, {}});
        std::vector<Series>& shown = families.back().metric;
        shown.reserve(all.series.size());
        for (const Series* series : all.series) {
            if (shown.empty() || shown.back().label != series->label) shown.push_back(*series);
        }
    }
    return families;
}

std::vector<exposition::SourceStatus> TaskBoard::status() const {
    const std::lock_guard lock(mutex_);
    std::vector<exposition::SourceStatus> rows;
    for (const EntryPtr& entry : entries_) {
        exposition::SourceStatus row{entry->task.probe + " " + entry->task.target, !entry->ran || entry->succeeded,
                                     "not run yet"};
        if (entry->ran) {
            const auto age = std::chrono::floor<std::chrono::seconds>(clock_->wall() - entry->last_run);
            row.state = fmt::format("looked {} ago", base::human_duration(age));
            if (!entry->succeeded) row.state += ": " + entry->problem;
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

Scheduler::Scheduler(TaskBoard& board, const std::vector<probe::world::World*>& worlds)
    : board_(&board), working_(worlds.size()) {
    for (probe::world::World* world : worlds) threads_.emplace_back([this, world] { work(*world); });
}

Scheduler::~Scheduler() {
    while (!stop(longest_wait)) {
    }
}

void Scheduler::wake() { changed_.notify_all(); }

bool Scheduler::stop(std::chrono::milliseconds patience) {
    {
        std::unique_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        if (!changed_.wait_for(lock, patience, [this] { return working_ == 0; })) return false;
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return true;
}

void Scheduler::work(probe::world::World& world) {
    work_until_stopped(world);
    const std::lock_guard lock(mutex_);
    --working_;
    changed_.notify_all();
}

void Scheduler::work_until_stopped(probe::world::World& world) {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        const bool ran = board_->run_due(world);
        lock.lock();
        if (ran || stopping_) continue;
        const auto soonest = std::chrono::steady_clock::now() + longest_wait;
        changed_.wait_until(lock, std::min(soonest, board_->next_due().value_or(soonest)));
    }
}

}  // namespace mtawatch::exporter::collectors
