// Interface of everything that puts metrics on the page. Two kinds stand behind it: the accounting stores, whose
// hundreds of thousands of series are written straight into the page (feed::Accounting), and all the rest, each part a
// prometheus::Collectable, whose Collect() returns copies (CollectableSource).
#pragma once

#include <string>
#include <vector>

#include "exporter/exposition/exposition.h"

namespace prometheus {
class Collectable;
}

namespace mtawatch::exporter::exposition {

class MetricSource {
  public:
    MetricSource() = default;
    MetricSource(const MetricSource&) = delete;
    MetricSource& operator=(const MetricSource&) = delete;
    virtual ~MetricSource() = default;
    // Appends families to the page. Called from the rendering thread; must not block on the network or on a disk.
    virtual void write(ExpositionWriter& writer) const = 0;
};

// Adapter: writes what registered Collectables collect, in the order of their registration.
class CollectableSource final : public MetricSource {
  public:
    // Each is registered once, and no family belongs to two of them. They must outlive this object, and their families
    // are made by add_series() or hold the catalogue's names and types.
    explicit CollectableSource(std::vector<const prometheus::Collectable*> collectables)
        : collectables_(std::move(collectables)) {}
    void write(ExpositionWriter& writer) const override;

  private:
    std::vector<const prometheus::Collectable*> collectables_;
};

// A row of the landing page: one thing that feeds metrics, and how it is doing.
struct SourceStatus {
    std::string name;  // "accounting /var/log/pmta/acct-*.csv", "dnsbl 192.0.2.1"
    bool healthy = true;
    std::string state;  // "read 3 s ago", "no answer since 12 min: connection refused"
};

}  // namespace mtawatch::exporter::exposition
