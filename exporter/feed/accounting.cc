#include "exporter/feed/accounting.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <set>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/feed.h"
#include "exporter/feed/reading_metrics.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;

Result<void> check(const FeedSettings& settings) {
    if (settings.follow.globs.empty() && settings.log_globs.empty()) {
        return fail(Fault::configuration, "no {} to follow: name them on the command line or in the configuration",
                    series::noun(settings.count.format));
    }
    if (std::ranges::find(settings.follow.globs, "-") != settings.follow.globs.end()) {
        return fail(Fault::configuration, "{} -: stdin can be read with --once only",
                    series::noun(settings.count.format));
    }
    return series::check_settings(settings.count);
}

Result<void> check(const std::vector<FeedSettings>& feeds) {
    if (feeds.empty()) return fail(Fault::configuration, "nothing to follow");
    for (const FeedSettings& settings : feeds) {
        if (auto done = check(settings); !done) return done;
    }
    return check_together(feeds);
}

}  // namespace

Accounting::Accounting(std::vector<std::unique_ptr<Feed>> feeds) : feeds_(std::move(feeds)) {}

Accounting::~Accounting() { stop(); }

void Accounting::write(exposition::ExpositionWriter& writer) const {
    std::vector<std::shared_ptr<Ingest>> held;
    std::vector<const Ingest*> ingests;
    for (const auto& feed : feeds_) ingests.push_back(held.emplace_back(feed->current()).get());
    exposition::PageView no_view;
    exposition::PageView& view = writer.view() == nullptr ? no_view : *writer.view();
    for (std::size_t i = 0; i < ingests.size(); ++i) {
        view.pages.push_back(ingests[i]->write(writer, i < view.seen.size() ? view.seen[i] : exposition::every_page));
    }
    write_reading_metrics(writer, ingests);
    write_saves(writer);
}

// New rows are younger than every page that was begun, so views in which nothing is new yet stay alike.
exposition::PageView Accounting::view_for(exposition::ScraperId scraper) const {
    exposition::PageView view;
    for (const auto& feed : feeds_) {
        const auto ingest = feed->current();
        const std::uint32_t seen = ingest->scrapers().seen_by(scraper);
        view.seen.push_back(seen);
        view.key += seen == exposition::every_page       ? "all "
                    : seen >= ingest->store().youngest() ? "old "
                                                         : std::to_string(seen) + ' ';
    }
    return view;
}

void Accounting::received(exposition::ScraperId scraper, const std::vector<std::uint32_t>& pages) {
    for (std::size_t i = 0; i < feeds_.size() && i < pages.size(); ++i) {
        feeds_[i]->current()->scrapers().received(scraper, pages[i]);
    }
}

void Accounting::not_received(exposition::ScraperId scraper, const std::vector<std::uint32_t>& pages) {
    for (std::size_t i = 0; i < feeds_.size() && i < pages.size(); ++i) {
        feeds_[i]->current()->scrapers().not_received(scraper, pages[i]);
    }
}

bool Accounting::ready() const {
    return std::ranges::all_of(feeds_, [](const auto& feed) { return feed->current()->ready(); });
}

bool Accounting::nothing_readable() const {
    return std::ranges::any_of(feeds_, [](const auto& feed) { return feed->current()->nothing_readable(); });
}

std::vector<std::string> Accounting::source_addresses() const {
    std::set<std::string> addresses;
    for (const auto& feed : feeds_) {
        for (std::string& address : feed->current()->source_addresses()) addresses.insert(std::move(address));
    }
    return {addresses.begin(), addresses.end()};
}

Result<void> Accounting::reload(std::vector<FeedSettings> feeds) {
    const std::lock_guard turn(reload_);
    if (auto done = check(feeds); !done) return done;
    const bool same = std::ranges::equal(feeds, feeds_, [](const FeedSettings& settings, const auto& feed) {
        return settings.count.format == feed->format();
    });
    if (!same) {
        return fail(Fault::configuration, "a kind of log cannot be added or removed without a restart");
    }
    Result<void> done;
    for (std::size_t i = 0; i < feeds_.size() && done; ++i) done = feeds_[i]->prepare(std::move(feeds[i]));
    for (const auto& feed : feeds_) {
        if (!done) feed->drop_prepared();
        feed->proceed();
    }
    return done;
}

void Accounting::stop() {
    const std::lock_guard turn(reload_);
    for (const auto& feed : feeds_) feed->stop();
}

// The feed whose state is the oldest decides: a state that is not saved must not hide behind one that is.
void Accounting::write_saves(exposition::ExpositionWriter& writer) const {
    constexpr std::string_view failures_metric = "pmta_exporter_checkpoint_write_failures_total";
    constexpr std::string_view last_write_metric = "pmta_exporter_checkpoint_last_write_timestamp_seconds";
    std::uint64_t failures = 0;
    double last = std::numeric_limits<double>::infinity();
    bool kept = false;
    for (const auto& feed : feeds_) {
        const auto saves = feed->saves();
        if (!saves) continue;
        kept = true;
        failures += saves->failures;
        last = std::min(last, saves->last);
    }
    if (!kept) return;
    writer.begin(exposition::metric(failures_metric));
    writer.sample(exposition::line_head(failures_metric, {}, {}), failures);
    if (last == 0) return;
    writer.begin(exposition::metric(last_write_metric));
    writer.sample(exposition::line_head(last_write_metric, {}, {}), last);
}

// A glob is the label of its lag metric, so only one feed may have it.
Result<void> check_together(const std::vector<FeedSettings>& feeds) {
    std::set<std::string> globs;
    std::set<series::RecordFormat> formats;
    for (const FeedSettings& settings : feeds) {
        if (!formats.insert(settings.count.format).second) {
            return fail(Fault::configuration, "two feeds of one kind ({})", series::noun(settings.count.format));
        }
        for (const std::string& glob :
             std::set<std::string>(settings.follow.globs.begin(), settings.follow.globs.end())) {
            if (globs.insert(glob).second) continue;
            return fail(Fault::configuration, "{}: is named as {} and as another kind of log", glob,
                        series::noun(settings.count.format));
        }
    }
    return {};
}

Result<std::unique_ptr<Accounting>> Accounting::start(std::vector<FeedSettings> feeds, const base::Clock& clock,
                                                      const base::Log& log) {
    if (auto done = check(feeds); !done) return fail(done.error());
    std::vector<std::unique_ptr<Feed>> running;
    for (FeedSettings& settings : feeds) {
        auto feed = Feed::start(std::move(settings), clock, log);
        if (!feed) return fail(feed.error());
        running.push_back(std::move(*feed));
    }
    return std::unique_ptr<Accounting>(new Accounting(std::move(running)));
}

}  // namespace mtawatch::exporter::feed
