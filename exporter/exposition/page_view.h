// What a reader of the metrics page sees of series that are new to it, and the book on scrapers that decides it.
//
// Prometheus takes a new series' first value for its beginning, so what the series held by then is lost to every rate.
// A scraper is therefore shown 0 on the first page with a series, and the value from the next page on. Any other reader
// sees every value as it is.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mtawatch::exporter::exposition {

// In place of a page's number: all that there is was seen.
inline constexpr std::uint32_t every_page = std::numeric_limits<std::uint32_t>::max();

// Numbers of pages are each store's own; stores are in the order in which they are written.
struct PageView {
    // The last page that the reader is known to have got; a store without an entry is shown as it is.
    std::vector<std::uint32_t> seen;
    // Two views with one key, made before either page is begun, are of the same page.
    std::string key;
    // Set by the writing: the numbers of this page, 0 for a store that was left out.
    std::vector<std::uint32_t> pages;
};

// Who scrapes, as a hash of its name (web/scraper.h); 0 is nobody.
using ScraperId = std::uint64_t;

// Safe from any thread; never waits for long.
class ScraperBook {
  public:
    ScraperBook() = default;
    ScraperBook(const ScraperBook&) = delete;
    ScraperBook& operator=(const ScraperBook&) = delete;
    virtual ~ScraperBook() = default;

    // What a page that is begun from now on shows to the scraper.
    [[nodiscard]] virtual PageView view_for(ScraperId scraper) const = 0;
    // The scraper got the page with these numbers whole.
    virtual void received(ScraperId scraper, const std::vector<std::uint32_t>& pages) = 0;
    // It did not after all: it threw its connection away before it had read everything.
    virtual void not_received(ScraperId scraper, const std::vector<std::uint32_t>& pages) = 0;
};

}  // namespace mtawatch::exporter::exposition
