// --once: reads every matched file of all feeds to its end and writes the metrics of everything.
#include <algorithm>
#include <memory>
#include <optional>

#include "exporter/feed/accounting.h"
#include "exporter/feed/checkpoint_file.h"
#include "exporter/feed/ingest.h"
#include "exporter/feed/reading_metrics.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view standard_input_glob = "-";
constexpr std::chrono::milliseconds progress_pause{250};

// One feed, read to its end.
struct ReadFeed {
    std::unique_ptr<Ingest> ingest;
    std::optional<CheckpointFile> file;
};

Result<ReadFeed> open_feed(const FeedSettings& settings, const base::Clock& clock, const base::Log& log) {
    ReadFeed feed;
    if (!settings.state_file.empty()) {
        auto opened = CheckpointFile::open(settings.state_file);
        if (!opened) return fail(opened.error());
        feed.file = std::move(*opened);
    }
    feed.ingest = std::make_unique<Ingest>(settings, clock, log, true);
    if (!feed.file) return feed;
    const auto document = feed.file->load();
    if (!document) return fail(document.error());
    if (*document) {
        if (auto done = feed.ingest->restore(**document); !done) {
            return fail(done.error().at("state file " + settings.state_file));
        }
    }
    return feed;
}

Result<ReadFeed> read_feed(FeedSettings settings, const base::Clock& clock, const base::Log& log,
                           const Progress& progress) {
    if (auto done = series::check_settings(settings.count); !done) return fail(done.error());
    const bool use_stdin = std::erase(settings.follow.globs, standard_input_glob) != 0;
    auto feed = open_feed(settings, clock, log);
    if (!feed) return feed;
    Ingest& ingest = *feed->ingest;
    base::SteadyTime shown = clock.steady();
    const AfterChunk after_chunk = [&] {
        const base::SteadyTime now = clock.steady();
        if (progress && now - shown >= progress_pause) {
            shown = now;
            const Ingest::Amount amount = ingest.amount();
            progress(amount.bytes_read, amount.bytes_total, amount.records);
        }
        return true;
    };
    if (use_stdin) ingest.read_stream(0, after_chunk);
    ingest.catch_up(after_chunk);
    const Ingest::Amount amount = ingest.amount();
    if (amount.files == 0 && !use_stdin) {
        std::string globs;
        for (const std::string& glob : settings.follow.globs) globs += (globs.empty() ? "" : ", ") + glob;
        return fail(Fault::not_found, "no readable {} matches {}{}", series::noun(settings.count.format), globs,
                    amount.unreadable == 0 ? "" : "; what was found cannot be read, see the messages above");
    }
    return feed;
}

}  // namespace

Result<void> run_once(std::vector<FeedSettings> feeds, const base::Clock& clock, const base::Log& log,
                      const Progress& progress, exposition::ExpositionWriter& writer) {
    if (auto done = check_together(feeds); !done) return done;
    std::vector<ReadFeed> read;
    std::vector<const Ingest*> ingests;
    for (FeedSettings& settings : feeds) {
        auto feed = read_feed(std::move(settings), clock, log, progress);
        if (!feed) return fail(feed.error());
        ingests.push_back(feed->ingest.get());
        read.push_back(std::move(*feed));
    }
    for (const Ingest* ingest : ingests) ingest->write(writer);
    if (!ingests.empty()) write_reading_metrics(writer, ingests);
    for (ReadFeed& feed : read) {
        if (!feed.file) continue;
        if (auto done = feed.file->save(feed.ingest->checkpoint(true)); !done) return done;
    }
    return {};
}

}  // namespace mtawatch::exporter::feed
