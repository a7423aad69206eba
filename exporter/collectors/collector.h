// Interface of the collectors, which put probes on /metrics. One file per probe turns its configuration into tasks and
// its observation into prometheus-cpp's metric families; the scheduler runs the tasks in the background, so a scrape
// never waits for the network.
//
// To add one, say exporter/collectors/dnsbl.cc:
//   1. Declare `base::Result<std::vector<Task>> dnsbl_tasks(const config::Node& section);` in registry.h. It reads the
//      section `collectors.dnsbl` of the configuration (errors with file, line and key come from config::Node) and
//      returns one task per target. Everything a task needs is captured by value: tasks run on several threads.
//   2. Write `Published publish(target, observation)`: pure, tested with a made-up observation.
//   3. One line in the table of registry.cc, one in exporter/collectors/CMakeLists.txt, the metrics in the catalogue
//      (exporter/exposition/catalogue.cc), the section in packaging/exporter/config.yml (commented) and in
//      docs/exporter.md.
// A collector never publishes mail_probe_*: the scheduler does, from what run() returned.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "exporter/exposition/metric_families.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/probe/world/world.h"

namespace mtawatch::config {
class Node;
}  // namespace mtawatch::config

namespace mtawatch::exporter::collectors {

// What one run of one task hands over.
struct Published {
    // Made by exposition::add_series(). What the probe could not see has no series. Of several series with the same
    // labels the one that was added last stays.
    exposition::MetricFamilies families;
    // Set where the run published what it could (pmta_up 0, say) but counts as failed: mail_probe_success becomes 0 and
    // the reason goes to the log.
    std::optional<base::Error> failure;
};

// A probe of one target that is run at an interval.
struct Task {
    std::string probe;   // the probe's name, as in check_<probe>: the label "probe"
    std::string target;  // what it looks at, as the operator wrote it: the label "target"
    std::chrono::milliseconds interval{};
    // How long one run may take; the deadline that run() gets. At most the interval.
    std::chrono::milliseconds timeout{};
    // Runs the probe and publishes what it saw. An Error means that the probe failed: mail_probe_success 0, and the
    // values of the last success stay until they are five intervals old. Never called twice at the same time for one
    // task, but different tasks run on different threads, each with a World of its own.
    std::function<base::Result<Published>(probe::world::World&, const base::Deadline&)> run;
};

// The intervals of metrics.md: fast things, blocklists, records and certificates.
constexpr std::chrono::milliseconds service_interval = std::chrono::seconds(30);
constexpr std::chrono::milliseconds blocklist_interval = std::chrono::minutes(15);
constexpr std::chrono::milliseconds record_interval = std::chrono::hours(1);

}  // namespace mtawatch::exporter::collectors
