#include "exporter/accounting/accounting.h"

#include <sys/eventfd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>

#include "exporter/accounting/checkpoint_file.h"
#include "exporter/accounting/ingest.h"
#include "exporter/web/exposition.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// Writing the state may take at most this part of the time: a slow disk gets longer pauses.
constexpr int kPausePerWrite = 50;

base::Result<void> check(const AccountingSettings& settings) {
    if (settings.globs.empty() && settings.log_globs.empty()) {
        return fail(Fault::configuration,
                    "no accounting files to follow: name them with --acct or in the configuration");
    }
    for (const std::string& glob : settings.globs) {
        if (glob == "-") return fail(Fault::configuration, "--acct -: stdin can be read with --once only");
    }
    return check_settings(settings);
}

// Restores the state into `ingest`. A state that cannot be read is kept aside; nothing restored then.
bool restore_state(const CheckpointFile& file, Ingest& ingest, const LogLine& log) {
    const auto document = file.load();
    if (!document) {
        log(Severity::error, document.error().what);
        return false;
    }
    if (!*document) return true;
    const auto restored = ingest.restore(**document);
    if (restored) return true;
    const auto aside = file.keep_aside();
    log(Severity::error, "the state file " + restored.error().what + "; " +
                             (aside ? "it is kept as " + *aside : aside.error().what) + ", and counting starts anew");
    return false;
}

class RunningAccounting final : public Accounting {
  public:
    RunningAccounting(const base::Clock& clock, LogLine log, std::optional<CheckpointFile> file)
        : clock_(clock),
          log_(std::move(log)),
          file_(std::move(file)),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    RunningAccounting(const RunningAccounting&) = delete;
    RunningAccounting& operator=(const RunningAccounting&) = delete;
    ~RunningAccounting() override { stop(); }

    void begin(AccountingSettings settings) {
        auto ingest = std::make_shared<Ingest>(settings, clock_, log_, false);
        if (file_ && !restore_state(*file_, *ingest, log_)) {
            ingest = std::make_shared<Ingest>(std::move(settings), clock_, log_, false);
        }
        start_threads(std::move(ingest));
    }

    void write(ExpositionWriter& writer) override {
        current()->write(writer);
        if (!file_) return;
        constexpr std::string_view kFailures = "pmta_exporter_checkpoint_write_failures_total";
        constexpr std::string_view kLast = "pmta_exporter_checkpoint_last_write_timestamp_seconds";
        writer.begin(metric(kFailures));
        writer.sample(line_head(kFailures, {}, {}), write_failures_.load());
        const double last = last_write_.load();
        if (last == 0) return;
        writer.begin(metric(kLast));
        writer.sample(line_head(kLast, {}, {}), last);
    }

    [[nodiscard]] bool ready() const override { return current()->ready(); }
    [[nodiscard]] std::vector<std::string> source_addresses() const override { return current()->source_addresses(); }

    [[nodiscard]] Result<void> reload(AccountingSettings settings) override {
        const std::lock_guard turn(reload_);
        if (auto right = check(settings); !right) return right;
        stop_threads();
        auto ingest = std::make_shared<Ingest>(std::move(settings), clock_, log_, false);
        auto restored = ingest->restore(current()->checkpoint());
        if (!restored) {
            start_threads(current());
            return restored;
        }
        start_threads(std::move(ingest));
        return {};
    }

    void stop() override {
        const std::lock_guard turn(reload_);
        if (!ingest_thread_.joinable()) return;
        stop_threads();
        if (file_) (void)save();
    }

  private:
    [[nodiscard]] std::shared_ptr<Ingest> current() const {
        const std::lock_guard turn(current_lock_);
        return current_;
    }

    void start_threads(std::shared_ptr<Ingest> ingest) {
        {
            const std::lock_guard turn(current_lock_);
            current_ = std::move(ingest);
        }
        stopping_ = false;
        std::uint64_t ignored = 0;
        (void)::read(wake_.get(), &ignored, sizeof ignored);
        ingest_thread_ = std::thread([this] { run_ingest(*current()); });
        if (file_) checkpoint_thread_ = std::thread([this] { run_checkpoints(); });
    }

    void stop_threads() {
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

    void run_ingest(Ingest& ingest) {
        const AfterChunk go_on = [this] { return !stopping_.load(); };
        ingest.catch_up(go_on);
        while (!stopping_.load()) ingest.follow(wake_.get(), go_on);
    }

    void run_checkpoints() {
        std::unique_lock turn(stop_lock_);
        base::Duration pause = current()->settings().state_interval;
        while (!stop_signal_.wait_for(turn, pause, [this] { return stopping_.load(); })) {
            turn.unlock();
            const base::Duration took = save();
            pause = std::max<base::Duration>(current()->settings().state_interval, took * kPausePerWrite);
            turn.lock();
        }
    }

    // How long it took. A failure is counted and logged when it is a new one; the next attempt comes in its time.
    base::Duration save() {
        const base::SteadyTime begun = clock_.steady();
        const base::WallTime as_of = clock_.wall();
        const auto saved = file_->save(current()->checkpoint());
        if (saved) {
            if (!last_failure_.empty()) log_(Severity::info, "the state is saved again");
            last_failure_.clear();
            last_write_ = std::chrono::duration<double>(as_of.time_since_epoch()).count();
        } else {
            ++write_failures_;
            if (saved.error().what != last_failure_) {
                log_(Severity::error, saved.error().what + "; counting goes on, and so do the attempts to save");
            }
            last_failure_ = saved.error().what;
        }
        return clock_.steady() - begun;
    }

    const base::Clock& clock_;
    LogLine log_;
    std::optional<CheckpointFile> file_;
    UniqueFd wake_;
    std::mutex reload_;
    mutable std::mutex current_lock_;
    std::shared_ptr<Ingest> current_;
    std::mutex stop_lock_;
    std::condition_variable stop_signal_;
    std::atomic<bool> stopping_{false};
    std::thread ingest_thread_;
    std::thread checkpoint_thread_;
    std::atomic<std::uint64_t> write_failures_{0};
    std::atomic<double> last_write_{0};
    std::string last_failure_;  // of the thread that saves
};

}  // namespace

Result<std::unique_ptr<Accounting>> Accounting::start(AccountingSettings settings, const base::Clock& clock,
                                                      LogLine log) {
    if (auto right = check(settings); !right) return fail(right.error());
    std::optional<CheckpointFile> file;
    if (!settings.state_file.empty()) {
        auto opened = CheckpointFile::open(settings.state_file);
        if (!opened) return fail(opened.error());
        file = std::move(*opened);
    }
    auto accounting = std::make_unique<RunningAccounting>(clock, std::move(log), std::move(file));
    accounting->begin(std::move(settings));
    return accounting;
}

}  // namespace mtawatch::exporter
