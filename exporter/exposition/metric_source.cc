#include "exporter/exposition/metric_source.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace mtawatch::exporter::exposition {

void CollectableSource::write(ExpositionWriter& writer) const {
    for (const prometheus::Collectable* collectable : collectables_) {
        for (const prometheus::MetricFamily& family : collectable->Collect()) writer.family(family);
    }
}

}  // namespace mtawatch::exporter::exposition
