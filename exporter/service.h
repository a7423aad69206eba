// The running exporter: accounting, collectors, pages and their server, started and stopped in the order of their
// dependencies.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "exporter/collectors/scheduler.h"
#include "exporter/config.h"
#include "exporter/feed/accounting.h"
#include "exporter/options.h"
#include "exporter/process_metrics.h"
#include "exporter/self_metrics.h"
#include "exporter/web/server.h"
#include "shared/base/result.h"

namespace mtawatch::exporter {

// Accounting speaks in whole sentences; they become lines of our log.
[[nodiscard]] base::Log accounting_log(const base::Log& log);

class Service {
  public:
    // Everything is up when it returns. `clock` and `log` must outlive it. Faults of the parts: an address or the
    // state file cannot be had, the web configuration is wrong.
    [[nodiscard]] static base::Result<std::unique_ptr<Service>> start(const Options& options, ExporterConfig config,
                                                                      const base::Clock& clock, const base::Log& log);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service();

    // Reads the configuration again; a bad one is refused, logged and counted, and the old one stays in force.
    base::Result<void> reload();
    // Stops the server, saves the last checkpoint, then stops the probes. False: a probe still hangs and would block
    // the shutdown; all state is saved, and the process may exit at once, without destructors.
    [[nodiscard]] bool stop();

  private:
    Service(const Options& options, const base::Clock& clock, const base::Log& log);
    base::Result<void> start_parts(ExporterConfig config);
    base::Result<void> apply(ExporterConfig config);
    [[nodiscard]] web::SiteContent site_content();
    [[nodiscard]] std::string not_ready_because() const;
    [[nodiscard]] std::vector<exposition::SourceStatus> status() const;

    struct Worlds;

    Options options_;
    const base::Clock* clock_;
    const base::Log* log_;
    SelfMetrics self_;
    ProcessMetrics process_;
    std::mutex reloading_;
    mutable std::mutex followed_mutex_;
    std::vector<std::string> followed_;  // in words, for the status page
    collectors::TaskBoard board_;
    exposition::CollectableSource collected_;
    std::unique_ptr<feed::Accounting> accounting_;
    std::unique_ptr<Worlds> worlds_;
    std::unique_ptr<collectors::Scheduler> scheduler_;
    std::unique_ptr<web::Site> site_;
    std::unique_ptr<web::Server> server_;
};

}  // namespace mtawatch::exporter
