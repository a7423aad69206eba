#include "exporter/series/scrapers.h"

#include <algorithm>

namespace mtawatch::exporter::series {
namespace {

// Prometheus itself forgets a series after five minutes without a sample.
constexpr base::Duration patience = std::chrono::minutes(5);
constexpr int intervals_away = 3;

}  // namespace

std::uint32_t ScraperMarks::floor() const {
    std::uint32_t least = unknown;
    for (const ScraperMark& mark : known) least = std::min(least, mark.page);
    return least;
}

void Scrapers::restore(const ScraperMarks& marks) {
    const std::lock_guard lock(mutex_);
    unknown_ = marks.unknown;
    entries_.clear();
    for (const ScraperMark& mark : marks.known) {
        // Nobody could get a page while the exporter was away: the time begins now.
        entries_.push_back(
            {mark.id, mark.page, mark.page, mark.page, mark.page, started_, std::chrono::seconds(mark.interval), true});
    }
}

// Of this process; a reload makes no new book.
bool Scrapers::young() const { return !full_ && clock_->steady() - started_ < patience; }

bool Scrapers::is_gone(const Entry& entry) const {
    return clock_->steady() - entry.at > std::max<base::Duration>(patience, entry.interval * intervals_away);
}

const Scrapers::Entry* Scrapers::find(exposition::ScraperId id) const {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    return found == entries_.end() ? nullptr : &*found;
}

std::uint32_t Scrapers::seen_by(exposition::ScraperId id) const {
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(id);
    if (entry != nullptr && !is_gone(*entry)) return entry->seen;
    return entry == nullptr && young() ? unknown_ : exposition::every_page;
}

// A new one was shown everything that page `page` has.
Scrapers::Entry& Scrapers::find_or_add(exposition::ScraperId id, std::uint32_t page) {
    auto found = std::ranges::find(entries_, id, &Entry::id);
    const std::uint32_t shown = std::max(unknown_, found == entries_.end() && young() ? 0 : page);
    if (found != entries_.end()) {
        if (is_gone(*found)) found->seen = shown;
        return *found;
    }
    if (entries_.size() >= max_scrapers) {
        full_ = true;
        entries_.erase(std::ranges::min_element(entries_, {}, &Entry::at));
    }
    return entries_.emplace_back(Entry{id, shown, shown, shown, shown, clock_->steady(), base::Duration(0), false});
}

void Scrapers::received(exposition::ScraperId id, std::uint32_t page) {
    const std::lock_guard lock(mutex_);
    Entry& entry = find_or_add(id, page);
    const base::SteadyTime now = clock_->steady();
    if (now > entry.at && !entry.restored) entry.interval = now - entry.at;
    entry.at = now;
    entry.restored = false;
    if (page <= entry.last) return;
    entry.before = entry.last;
    entry.last = page;
    if (!saved_first_) entry.seen = page;
}

void Scrapers::not_received(exposition::ScraperId id, std::uint32_t page) {
    const std::lock_guard lock(mutex_);
    const auto entry = std::ranges::find(entries_, id, &Entry::id);
    if (entry == entries_.end() || page == 0 || entry->last != page) return;
    entry->last = entry->before;
    entry->marked = std::min(entry->marked, entry->last);
    entry->seen = std::min(entry->seen, entry->last);
}

ScraperMarks Scrapers::marks(std::uint32_t next_page) {
    const std::lock_guard lock(mutex_);
    ScraperMarks marks{next_page, young() ? unknown_ : next_page, {}};
    for (Entry& entry : entries_) {
        if (is_gone(entry)) continue;
        entry.marked = entry.last;
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(entry.interval).count();
        marks.known.push_back(
            {entry.id, entry.last,
             static_cast<std::uint32_t>(std::min<std::int64_t>(seconds, std::numeric_limits<std::int32_t>::max()))});
    }
    return marks;
}

void Scrapers::marks_saved() {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : entries_) entry.seen = std::max(entry.seen, entry.marked);
}

}  // namespace mtawatch::exporter::series
