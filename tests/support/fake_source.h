// Metric source whose lines a test writes.
#pragma once

#include <functional>
#include <utility>

#include "exporter/exposition/metric_source.h"

namespace mtawatch::test {

class FakeSource final : public exporter::exposition::MetricSource {
  public:
    using Write = std::function<void(exporter::exposition::ExpositionWriter&)>;
    explicit FakeSource(Write write) : write_(std::move(write)) {}
    void write(exporter::exposition::ExpositionWriter& writer) const override { write_(writer); }

  private:
    Write write_;
};

}  // namespace mtawatch::test
