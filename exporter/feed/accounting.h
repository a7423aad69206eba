// Interface of the accounting half of the exporter: start, scrape, reload and stop it, or read everything once (--once,
// --backfill).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/exposition/metric_source.h"
#include "exporter/exposition/page_view.h"
#include "exporter/feed/feed_settings.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/result.h"

namespace mtawatch::exporter::feed {

class Feed;

// Follows the files of every feed, each in a thread of its own, from start() until destruction. All members are safe
// from any thread.
class Accounting final : public exposition::MetricSource, public exposition::ScraperBook {
  public:
    // Takes the locks on the state files, restores them and begins to read; one feed for each format. Faults: io or
    // permission (a state file's folder cannot be used), configuration (another exporter holds the lock, no glob,
    // unknown family in a budget, one glob in two feeds).
    // A state that cannot be read is no error: it is kept aside and reported, and counters begin at 0 after what is
    // there was read.
    [[nodiscard]] static base::Result<std::unique_ptr<Accounting>> start(std::vector<FeedSettings> feeds,
                                                                         const base::Clock& clock,
                                                                         const base::Log& log);
    ~Accounting() override;

    // The families of records, pmta_log_events_total and the 64-bit counts of reading (pmta_exporter_lines_total …).
    // Before its first backlog is read a feed's families of records are left out; so they are after a crash, until all
    // that pages may have shown is read again.
    void write(exposition::ExpositionWriter& writer) const override;
    // What is new to a scraper since its last page is 0 on its next.
    [[nodiscard]] exposition::PageView view_for(exposition::ScraperId scraper) const override;
    void received(exposition::ScraperId scraper, const std::vector<std::uint32_t>& pages) override;
    void not_received(exposition::ScraperId scraper, const std::vector<std::uint32_t>& pages) override;
    // False until the files that were there at the first start have been read to their size then: /-/ready.
    [[nodiscard]] bool ready() const;
    // Not ready, because none of the files that should be followed can be read: no baseline, so no series of records.
    [[nodiscard]] bool nothing_readable() const;
    // The dlvSourceIp values that records named and that are not retired, as they were written; none before the first
    // backlog is read.
    [[nodiscard]] std::vector<std::string> source_addresses() const;
    // Continues under other settings without losing or counting anything twice; families whose labels or budget
    // changed start anew. On an Error (the formats must be the same) the old settings stay in force.
    [[nodiscard]] base::Result<void> reload(std::vector<FeedSettings> feeds);
    // Saves the state a last time and ends the threads; the destructor does it too.
    void stop();

  private:
    explicit Accounting(std::vector<std::unique_ptr<Feed>> feeds);
    void write_saves(exposition::ExpositionWriter& writer) const;

    std::vector<std::unique_ptr<Feed>> feeds_;
    std::mutex reload_;
};

// Fault::configuration where two feeds have the same format or the same glob.
[[nodiscard]] base::Result<void> check_together(const std::vector<FeedSettings>& feeds);

// How far long work has come, for a terminal: called a few times a second at most.
using Progress = std::function<void(std::uint64_t bytes_read, std::uint64_t bytes_total, std::uint64_t records)>;

// --once: reads every matched file to its end, then writes the metrics of everything to `writer`. With a state file it
// continues there and saves it. No matching file at all is an Error (Fault::not_found); files that cannot be read are
// logged, counted and left out.
[[nodiscard]] base::Result<void> run_once(std::vector<FeedSettings> feeds, const base::Clock& clock,
                                          const base::Log& log, const Progress& progress,
                                          exposition::ExpositionWriter& writer);

// --backfill: reads every matched accounting file of PowerMTA and hands out OpenMetrics text with one sample of every
// series for every `step` of record time in which it changed or still held, ending with "# EOF": what `promtool tsdb
// create-blocks-from openmetrics` reads.
[[nodiscard]] base::Result<void> backfill(FeedSettings settings, std::chrono::seconds step, const base::Clock& clock,
                                          const base::Log& log, const Progress& progress,
                                          const std::function<void(std::string_view)>& sink);

}  // namespace mtawatch::exporter::feed
