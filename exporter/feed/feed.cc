#include "exporter/feed/feed.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Result;

// Writing the state may take at most this part of the time: a slow disk gets longer pauses.
constexpr int pause_per_write = 50;

// Restores the state into `ingest`, if there is one. False: there is one that cannot be read. It is kept aside.
bool restore_state(const CheckpointFile& file, Ingest& ingest, const base::Log& log) {
    const auto document = file.load();
    if (document && !*document) return true;
    const Result<void> restored = document ? ingest.restore(**document) : fail(document.error());
    if (restored) return true;
    const auto aside = file.keep_aside();
    log.error(
        (document ? "the state file " : "the ") + restored.error().what + "; " +
        (aside ? "it is kept as " + *aside : aside.error().what) +
        ", and counting starts anew: what is read of the files now was counted before, so every counter begins at 0 "
        "once that is read");
    return false;
}

}  // namespace

Feed::Feed(series::RecordFormat format, const base::Clock& clock, base::Log log, std::optional<CheckpointFile> file)
    : format_(format),
      clock_(clock),
      log_(std::move(log)),
      file_(std::move(file)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<Feed>> Feed::start(FeedSettings settings, const base::Clock& clock, base::Log log) {
    std::optional<CheckpointFile> file;
    if (!settings.state_file.empty()) {
        auto opened = CheckpointFile::open(settings.state_file);
        if (!opened) return fail(opened.error());
        file = std::move(*opened);
    }
    std::unique_ptr<Feed> feed(new Feed(settings.count.format, clock, std::move(log), std::move(file)));
    feed->begin(std::move(settings));
    return feed;
}

void Feed::begin(FeedSettings settings) {
    auto ingest = std::make_shared<Ingest>(settings, clock_, log_, false);
    if (file_ && !restore_state(*file_, *ingest, log_)) {
        ingest = std::make_shared<Ingest>(std::move(settings), clock_, log_, false);
        ingest->state_was_lost();
    }
    start_threads(std::move(ingest));
}

std::shared_ptr<Ingest> Feed::current() const {
    const std::lock_guard turn(current_lock_);
    return current_;
}

std::optional<Feed::Saves> Feed::saves() const {
    if (!file_) return std::nullopt;
    return Saves{write_failures_.load(), last_write_.load()};
}

Result<void> Feed::prepare(FeedSettings settings) {
    stop_threads();
    next_ = std::make_shared<Ingest>(std::move(settings), clock_, log_, false);
    auto restored = next_->restore(current()->checkpoint());
    if (restored) {
        next_->continue_from(*current());
    } else {
        next_.reset();
    }
    return restored;
}

void Feed::proceed() { start_threads(next_ ? std::move(next_) : current()); }

void Feed::stop() {
    if (!ingest_thread_.joinable()) return;
    stop_threads();
    if (file_) (void)save(true);
}

void Feed::start_threads(std::shared_ptr<Ingest> ingest) {
    {
        const std::lock_guard turn(current_lock_);
        current_ = std::move(ingest);
    }
    next_.reset();
    stopping_ = false;
    std::uint64_t ignored = 0;
    (void)::read(wake_.get(), &ignored, sizeof ignored);
    ingest_thread_ = std::thread([this] { run_ingest(*current()); });
    if (file_) checkpoint_thread_ = std::thread([this] { run_checkpoints(); });
}

void Feed::stop_threads() {
    {
        const std::lock_guard turn(stop_lock_);
        stopping_ = true;
    }
    stop_signal_.notify_all();
    const std::uint64_t one = 1;
    (void)::write(wake_.get(), &one, sizeof one);
    if (ingest_thread_.joinable()) ingest_thread_.join();
    if (checkpoint_thread_.joinable()) checkpoint_thread_.join();
}

void Feed::run_ingest(Ingest& ingest) {
    const AfterChunk go_on = [this] { return !stopping_.load(); };
    ingest.catch_up(go_on);
    while (!stopping_.load()) ingest.follow(wake_.get(), go_on);
}

void Feed::run_checkpoints() {
    std::unique_lock turn(stop_lock_);
    base::Duration pause = current()->settings().state_interval;
    while (!stop_signal_.wait_for(turn, pause, [this] { return stopping_.load(); })) {
        turn.unlock();
        const base::Duration took = save();
        pause = std::max<base::Duration>(current()->settings().state_interval, took * pause_per_write);
        turn.lock();
    }
}

// Returns how long it took. A failure is counted, and logged when its text is a new one; the next attempt follows at
// the usual interval; scrapers do not wait for it.
base::Duration Feed::save(bool final) {
    const base::SteadyTime begun = clock_.steady();
    const base::WallTime as_of = clock_.wall();
    const auto ingest = current();
    const auto saved = file_->save(ingest->checkpoint(final));
    ingest->scrapers().marks_saved();
    if (saved) {
        if (!last_failure_.empty()) log_.info("the state is saved again");
        last_failure_.clear();
        last_write_ = std::chrono::duration<double>(as_of.time_since_epoch()).count();
    } else {
        ++write_failures_;
        if (saved.error().what != last_failure_) {
            log_.error(saved.error().what + "; counting goes on, and so do the attempts to save");
        }
        last_failure_ = saved.error().what;
    }
    return clock_.steady() - begun;
}

}  // namespace mtawatch::exporter::feed
