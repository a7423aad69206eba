// Interface of the collectors, which put probes on /metrics. One file per probe turns its configuration into tasks and
// its observation into families; the scheduler runs the tasks in the background, so a scrape never waits for the
// network.
//
// To add one, say exporter/collectors/dnsbl.cc:
//   1. Declare `base::Result<std::vector<Task>> dnsbl_tasks(const config::Node& section);` in registry.h. It reads the
//      section `collectors.dnsbl` of the configuration (errors with file, line and key come from config::Node) and
//      returns one task per target. Everything a task needs is captured by value: tasks run on several threads.
//   2. Write `Families publish(target, observation)`: pure, tested with a made-up observation.
//   3. One line in the table of registry.cc, one in exporter/collectors/CMakeLists.txt, the metrics in the catalogue
//      (exporter/exposition/catalogue.cc), the section in packaging/exporter/config.yml (commented) and in
//      docs/exporter.md.
// A collector never publishes mail_probe_*: the scheduler does, from what run() returned.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/probe/world/world.h"

namespace mtawatch::config {
class Node;
}  // namespace mtawatch::config

namespace mtawatch::exporter::collectors {

// The values that one run of one task publishes. Names, types and help come from the catalogue.
class Families {
  public:
    struct Sample {
        std::vector<std::string> labels;  // values in the catalogue's order
        double value = 0;
        bool operator==(const Sample&) const = default;
    };

    // One series. `labels` are the values in the order of the catalogue's label names. What the probe could not see is
    // not added: an absent series, never a 0. A name that the catalogue lacks or a wrong number of labels is a
    // programming error (std::logic_error). The same labels added twice: the later value stays.
    void add(std::string_view metric, std::vector<std::string> labels, double value);
    // The same, or nothing where there is no value.
    void add(std::string_view metric, std::vector<std::string> labels, std::optional<double> value);

    // The run published what it could (pmta_up 0, say) but counts as failed: mail_probe_success becomes 0 and the
    // reason goes to the log.
    void set_failure(base::Error error) { failure_ = std::move(error); }
    [[nodiscard]] const std::optional<base::Error>& failure() const { return failure_; }

    [[nodiscard]] const std::map<std::string, std::vector<Sample>, std::less<>>& by_name() const { return samples_; }
    // The value of that series, for tests and for merging; nothing where it was not added.
    [[nodiscard]] std::optional<double> value(std::string_view metric, const std::vector<std::string>& labels) const;

  private:
    std::map<std::string, std::vector<Sample>, std::less<>> samples_;
    std::optional<base::Error> failure_;
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
    std::function<base::Result<Families>(probe::world::World&, const base::Deadline&)> run;
};

// The intervals of metrics.md: fast things, blocklists, records and certificates.
constexpr std::chrono::milliseconds service_interval = std::chrono::seconds(30);
constexpr std::chrono::milliseconds blocklist_interval = std::chrono::minutes(15);
constexpr std::chrono::milliseconds record_interval = std::chrono::hours(1);

}  // namespace mtawatch::exporter::collectors
