// Book on the scrapers of one store: which page each of them got last, and what is saved of that.
//
// With a state file, a page counts as seen only when a saved state says so (or saving failed). After a crash, then, no
// row that was shown with its value can be shown as 0 again: a value after a 0 needs a state in which the row and the
// page with the 0 are. A scraper at 15 seconds and a state at 10 do not notice.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "exporter/exposition/page_view.h"
#include "shared/base/clock.h"

namespace mtawatch::exporter::series {

struct ScraperMark {
    exposition::ScraperId id = 0;
    std::uint32_t page = 0;      // the last that it got
    std::uint32_t interval = 0;  // between its last two pages, in seconds
    bool operator==(const ScraperMark&) const = default;
};

// What a checkpoint keeps.
struct ScraperMarks {
    std::uint32_t next_page = 1;
    std::uint32_t unknown = 0;  // what a scraper that is not in the list has seen, should it have been there before
    std::vector<ScraperMark> known;
    // Rows that were born up to this page are new to nobody.
    [[nodiscard]] std::uint32_t floor() const;
    bool operator==(const ScraperMarks&) const = default;
};

inline constexpr std::size_t max_scrapers = 64;

// Safe from any thread. The clock must outlive it.
class Scrapers {
  public:
    // `saved_first`: pages count when marks_saved() is called.
    Scrapers(const base::Clock& clock, bool saved_first)
        : clock_(&clock), saved_first_(saved_first), started_(clock.steady()) {}

    // Takes over what a checkpoint kept; before any page.
    void restore(const ScraperMarks& marks);

    // The page up to which rows are shown to the scraper as they are. One that is not known, or was not there for five
    // minutes and three of its intervals, is new and is shown everything: a 0 would make all history an increase. But
    // in the first five minutes of the process it is taken for one that was there before.
    [[nodiscard]] std::uint32_t seen_by(exposition::ScraperId id) const;
    // 0 is a page without rows.
    void received(exposition::ScraperId id, std::uint32_t page);
    void not_received(exposition::ScraperId id, std::uint32_t page);

    // For a checkpoint that has every row of the pages before `next_page`: called under the store's lock.
    [[nodiscard]] ScraperMarks marks(std::uint32_t next_page);
    // The marks given out last are saved, or cannot be.
    void marks_saved();

  private:
    struct Entry {
        exposition::ScraperId id = 0;
        std::uint32_t last = 0;    // page that it got
        std::uint32_t before = 0;  // and the one before that
        std::uint32_t marked = 0;  // the last page as of marks()
        std::uint32_t seen = 0;    // what is shown follows from this one
        base::SteadyTime at{};     // when it got the last
        base::Duration interval{0};
        bool restored = false;  // and got none from this process yet
    };
    [[nodiscard]] bool young() const;
    [[nodiscard]] bool is_gone(const Entry& entry) const;
    [[nodiscard]] const Entry* find(exposition::ScraperId id) const;
    Entry& find_or_add(exposition::ScraperId id, std::uint32_t page);

    const base::Clock* clock_;
    const bool saved_first_;
    const base::SteadyTime started_;
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::uint32_t unknown_ = 0;
    bool full_ = false;  // one was dropped for want of room, so an unknown one may be known
};

}  // namespace mtawatch::exporter::series
