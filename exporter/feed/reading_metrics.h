// Self metrics of reading (lines, errors, lag, unreadable files), written together for all feeds.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/ingest.h"

namespace mtawatch::exporter::feed {

// pmta_exporter_lines_total … _source_unreadable and the stores' health. Counts are sums; catching_up holds while any
// feed does; sources and families have the label that tells them apart. Counts are left out while one of them may be
// lower than a page has shown (Ingest::restore).
void write_reading_metrics(exposition::ExpositionWriter& writer, std::span<const Ingest* const> feeds);

}  // namespace mtawatch::exporter::feed
