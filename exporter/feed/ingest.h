// Pipeline of one feed under one set of settings: follow the files, read and count their records, write the metrics,
// copy a checkpoint.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/checkpoint.h"
#include "exporter/feed/feed_settings.h"
#include "exporter/feed/file_reader.h"
#include "exporter/files/follower.h"
#include "exporter/series/scrapers.h"
#include "exporter/series/series_store.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/turn_lock.h"

namespace mtawatch::exporter::feed {

class Ingest {
  public:
    // `finished_files`: nothing more will come (--once), so last lines without newline count too.
    Ingest(FeedSettings settings, const base::Clock& clock, base::Log log, bool finished_files);

    // Takes over a checkpoint's document; before anything else. On an Error this object is of no more use. Unless the
    // document is the last of its process, pages may have shown more than it has: counts are left out of the page until
    // what it does not have is read again, because a counter that falls is a reset to Prometheus.
    [[nodiscard]] base::Result<void> restore(std::string_view document);
    // There was a state, and it cannot be used: what is read as the backlog was counted before, so counters begin at 0
    // after it.
    void state_was_lost();
    // After restore() of a checkpoint of `before`, which runs no more: the same pages and scrapers go on.
    void continue_from(const Ingest& before);

    // Matches the globs and reads every file to its present end. `after_chunk` false interrupts.
    void catch_up(const AfterChunk& after_chunk);
    // Waits for changes and reads them.
    void follow(int wake_fd, const AfterChunk& after_chunk);
    // stdin, read to its end.
    void read_stream(int fd, const AfterChunk& after_chunk);

    // The rest is safe from any thread.
    // `final`: no page is made after it.
    [[nodiscard]] std::string checkpoint(bool final = false) const;
    [[nodiscard]] series::Scrapers& scrapers() const { return *scrapers_; }
    // Whether the families of records may be shown: the first backlog is read.
    [[nodiscard]] bool ready() const;
    // Not ready, and none of the files can be read.
    [[nodiscard]] bool nothing_readable() const;
    // The families of records, once ready, and pmta_log_events_total. The figures for metrics of the reading itself are
    // below, because those are written together for all feeds. What was born after page `seen` is shown as 0. Returns
    // the number of this page, 0 where the families of records are left out.
    std::uint32_t write(exposition::ExpositionWriter& writer, std::uint32_t seen = exposition::every_page) const;
    struct Reading {
        series::Totals totals;
        IngestMarks marks;
        bool catching_up = true;
        bool behind_pages = false;  // counts may be lower than pages have shown: see restore()
        std::size_t unwatched_folders = 0;
    };
    [[nodiscard]] Reading reading() const;
    // What a scrape shows of one glob.
    struct SourceStatus {
        std::string glob;
        std::uint64_t lag_bytes = 0;
        std::uint64_t files = 0;
        std::uint64_t unreadable = 0;
    };
    [[nodiscard]] std::vector<SourceStatus> sources() const;
    [[nodiscard]] series::LockedStore locked_store() const { return {&store_, &lock_}; }
    // See Accounting.
    [[nodiscard]] std::vector<std::string> source_addresses() const;
    struct Amount {
        std::uint64_t bytes_read = 0;   // of those on disk
        std::uint64_t bytes_total = 0;  // on disk
        std::uint64_t records = 0;
        std::uint64_t files = 0;
        std::uint64_t unreadable = 0;
    };
    [[nodiscard]] Amount amount() const;

    [[nodiscard]] const FeedSettings& settings() const { return settings_; }
    [[nodiscard]] series::SeriesStore& store() { return store_; }

  private:
    [[nodiscard]] std::vector<SourceStatus> no_sources() const;
    [[nodiscard]] std::vector<files::TrackedFile*> files_to_read();
    enum class Round {
        complete,     // every file was read to its present end, or cannot be
        incomplete,   // a file was not what it was found to be: it has to be found again
        interrupted,  // AfterChunk said so
    };
    [[nodiscard]] Round read_dirty(const AfterChunk& after_chunk);
    [[nodiscard]] bool must_wait_for_older() const;
    void end_backlog();
    void publish();
    void report_problems();
    void set_baseline(Baseline baseline);
    [[nodiscard]] bool shows_counts() const;
    void write_log_events(exposition::ExpositionWriter& writer) const;

    FeedSettings settings_;
    const base::Clock& clock_;
    base::Log log_;
    bool finished_files_;
    mutable base::TurnLock lock_;
    series::SeriesStore store_;
    FileReader reader_;
    files::Follower follower_;
    std::set<std::string> reported_;

    // Changed during a writer's turn.
    IngestMarks marks_;
    LogFollower log_follower_;
    bool catching_up_ = true;
    bool behind_pages_ = false;
    bool streamed_ = false;  // stdin was read; before any other thread looks
    std::vector<SourceStatus> sources_;
    Amount amount_;
    std::size_t unwatched_folders_ = 0;
    int rounds_waited_ = 0;  // in a row

    std::shared_ptr<series::Scrapers> scrapers_;
};

}  // namespace mtawatch::exporter::feed
