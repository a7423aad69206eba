// Runtime of one feed: the thread that reads its files, the thread that saves its state, and the switch to other
// settings on reload.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "exporter/feed/checkpoint_file.h"
#include "exporter/feed/feed_settings.h"
#include "exporter/feed/ingest.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/result.h"

namespace mtawatch::exporter::feed {

// Has a thread that reads and, with a state file, one that saves. prepare(), proceed() and stop() come from one thread
// at a time, the rest from any.
class Feed {
  public:
    // Takes the lock on the state file, restores it and begins to read. Faults: see Accounting::start().
    [[nodiscard]] static base::Result<std::unique_ptr<Feed>> start(FeedSettings settings, const base::Clock& clock,
                                                                   base::Log log);
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;
    ~Feed() { stop(); }

    [[nodiscard]] std::shared_ptr<Ingest> current() const;
    [[nodiscard]] series::RecordFormat format() const { return format_; }
    // Nothing without a state file; the time is 0 before the first save.
    struct Saves {
        std::uint64_t failures = 0;
        double last = 0;  // Unix time
    };
    [[nodiscard]] std::optional<Saves> saves() const;

    // Stops the threads and makes a pipeline for the new settings, or, on an Error, keeps the old one; proceed() starts
    // the threads again.
    [[nodiscard]] base::Result<void> prepare(FeedSettings settings);
    void proceed();
    // Drops the pipeline that prepare() made, so that proceed() goes on with the old one.
    void drop_prepared() { next_.reset(); }
    // Saves the state a last time and ends the threads.
    void stop();

  private:
    Feed(series::RecordFormat format, const base::Clock& clock, base::Log log, std::optional<CheckpointFile> file);
    void begin(FeedSettings settings);
    void start_threads(std::shared_ptr<Ingest> ingest);
    void stop_threads();
    void run_ingest(Ingest& ingest);
    void run_checkpoints();
    base::Duration save(bool final = false);

    series::RecordFormat format_;
    const base::Clock& clock_;
    base::Log log_;
    std::optional<CheckpointFile> file_;
    io::Descriptor wake_;
    mutable std::mutex current_lock_;
    std::shared_ptr<Ingest> current_;
    std::shared_ptr<Ingest> next_;
    std::mutex stop_lock_;
    std::condition_variable stop_signal_;
    std::atomic<bool> stopping_{false};
    std::thread ingest_thread_;
    std::thread checkpoint_thread_;
    std::atomic<std::uint64_t> write_failures_{0};
    std::atomic<double> last_write_{0};
    std::string last_failure_;  // of the thread that saves
};

}  // namespace mtawatch::exporter::feed
