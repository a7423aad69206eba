// Pages of the exporter: routes a request to the landing page, the metrics, health or reload.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "exporter/exposition/metric_source.h"
#include "exporter/web/message.h"
#include "shared/base/result.h"

namespace mtawatch::exporter::web {

struct SiteContent {
    std::string version;
    std::string metrics_path = "/metrics";
    // In the order of the page. They must outlive the site, and so must the book, which may be missing.
    std::vector<const exposition::MetricSource*> sources;
    exposition::ScraperBook* scrapers = nullptr;
    // Nothing when ready; else why not, in words ("reading the backlog of accounting files").
    std::function<std::string()> not_ready_because;
    // Re-reads the configuration; empty when --web.enable-lifecycle is off.
    std::function<base::Result<void>()> reload;
    std::function<std::vector<exposition::SourceStatus>()> status;
};

// Safe from several threads at once.
class Site {
  public:
    explicit Site(SiteContent content) : content_(std::move(content)) {}

    // Exact paths only; an unknown one is 404, another method than the page's 405 with Allow. A HEAD gets the headers
    // of the GET, its body too: the connection leaves it out.
    [[nodiscard]] Response respond(const Request& request);

    // Decides, at the moment of asking, what the metrics page shows to this reader: before shared_key() and respond().
    // The scraper's name stays in the request only where the book on scrapers wants to know what becomes of the page.
    void choose_view(Request& request) const;
    // What became of the page with these numbers, for which choose_view() left the scraper in the request.
    void received(exposition::ScraperId scraper, const std::vector<std::uint32_t>& pages) const {
        content_.scrapers->received(scraper, pages);
    }
    void not_received(exposition::ScraperId scraper, const std::vector<std::uint32_t>& pages) const {
        content_.scrapers->not_received(scraper, pages);
    }
    // Whether a series is 0 to a scraper before it has a value (web.first_value).
    void set_zero_first(bool on) { zero_first_ = on; }

    // The same for requests that get the same answer at the same moment; "" where each has one of its own.
    [[nodiscard]] std::string shared_key(const Request& request) const;

    // Whether the answer takes no time worth mentioning, so that it can be given at once.
    [[nodiscard]] static bool is_quick(const Request& request);

  private:
    [[nodiscard]] std::string exposition(exposition::Format format, exposition::PageView& view);
    [[nodiscard]] Response metrics(const Request& request);
    [[nodiscard]] Response landing_page() const;
    [[nodiscard]] Response ready() const;
    [[nodiscard]] Response reload() const;

    SiteContent content_;
    // The size of the last metrics page: the next one reserves as much.
    std::atomic<std::size_t> last_size_{0};
    std::atomic<bool> zero_first_{true};
};

}  // namespace mtawatch::exporter::web
