// How well are the followed files read? The self metrics of reading, one exposition for all feeds together.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/accounting/ingest.h"
#include "exporter/web/exposition.h"

namespace mtawatch::exporter {

// pmta_exporter_lines_total … _source_unreadable and the stores' health. Counts are sums; catching_up holds while any
// feed does; sources and families have the label that tells them apart.
void write_reading_metrics(ExpositionWriter& writer, std::span<const Ingest* const> feeds);

// One family with one label.
void write_by_label(ExpositionWriter& writer, std::string_view name, std::string_view label,
                    const std::vector<std::pair<std::string_view, std::uint64_t>>& values);

}  // namespace mtawatch::exporter
