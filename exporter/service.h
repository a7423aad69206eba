// What runs while the exporter serves? Accounting, the collectors, the pages and their server, started and stopped in
// the order in which they lean on each other.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "exporter/accounting/accounting.h"
#include "exporter/collectors/scheduler.h"
#include "exporter/config.h"
#include "exporter/options.h"
#include "exporter/self_metrics.h"
#include "exporter/web/server.h"
#include "shared/base/result.h"

namespace mtawatch::exporter {

// Accounting speaks in whole sentences; they become lines of our log.
[[nodiscard]] LogLine accounting_log(const Log& log);

class Service {
  public:
    // Everything is up when it returns. `clock` and `log` must outlive it. Faults of the parts: an address or the
    // state file cannot be had, the web configuration is wrong.
    [[nodiscard]] static base::Result<std::unique_ptr<Service>> start(const Options& options, ExporterConfig config,
                                                                      const base::Clock& clock, const Log& log);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service();

    // Reads the configuration again; a bad one is refused, logged and counted, and the old one stays in force.
    base::Result<void> reload();
    // No more scrapes, then the last checkpoint, then no more probes. False: a probe hangs in its look and would hold
    // up the end; everything that matters is done, and the process may end at once, without destructors.
    [[nodiscard]] bool stop();

  private:
    Service(const Options& options, const base::Clock& clock, const Log& log);
    base::Result<void> start_parts(ExporterConfig config);
    base::Result<void> apply(ExporterConfig config);
    [[nodiscard]] SiteContent site_content();
    [[nodiscard]] std::string not_ready_because() const;
    [[nodiscard]] std::vector<SourceStatus> status() const;

    struct Worlds;

    Options options_;
    const base::Clock* clock_;
    const Log* log_;
    SelfMetrics self_;
    std::mutex reloading_;
    mutable std::mutex followed_mutex_;
    std::vector<std::string> followed_;  // in words, for the status page
    TaskBoard board_;
    std::unique_ptr<Accounting> accounting_;
    std::unique_ptr<Worlds> worlds_;
    std::unique_ptr<Scheduler> scheduler_;
    std::unique_ptr<Site> site_;
    std::unique_ptr<Server> server_;
};

}  // namespace mtawatch::exporter
