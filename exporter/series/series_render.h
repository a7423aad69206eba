// Writes the counted families of a series store as metrics output.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exporter/exposition/exposition.h"
#include "exporter/exposition/page_view.h"
#include "exporter/series/series_store.h"
#include "shared/base/turn_lock.h"

namespace mtawatch::exporter::series {

// One family's rows at one moment, copied so that the lock is held for the copy alone.
struct FamilyCopy {
    std::vector<TextId> keys;
    std::vector<std::uint64_t> counts;
    std::size_t rows = 0;
    std::size_t zero_from = SIZE_MAX;  // rows from this one on are shown as 0
};
// Under the lock. What reserve_family() made room for, outside it, needs no new memory then: that is most of what a
// large copy would cost, and the reading stands still meanwhile. Rows born after page `seen` are to be shown as 0, but
// for gauges.
void copy_family(const SeriesStore& store, Family family, FamilyCopy& copy,
                 std::uint32_t seen = exposition::every_page);
// Returns how many bytes that is.
std::size_t reserve_family(const SeriesStore& store, Family family, std::size_t rows, FamilyCopy& copy);

// Appends the samples of `copy`, with a time stamp where one is given (backfill). `bytes` chooses the second count of
// Family::deliveries, which is a metric of its own.
void render_family(exposition::ExpositionWriter& writer, const SeriesStore& store, Family family, bool bytes,
                   const FamilyCopy& copy, std::optional<std::int64_t> unix_seconds);

// All families of records, copied in a few short reader's turns. Families without series are left out. Returns the
// page's number; `seen` is the number of the reader's last page, and what was born since is shown as 0.
std::uint32_t render_store(exposition::ExpositionWriter& writer, const SeriesStore& store, base::TurnLock& lock,
                           std::uint32_t seen = exposition::every_page);
// The limits and losses of all stores: pmta_exporter_series, _series_limit, _label_values_folded_total,
// _retired_records_total.
struct LockedStore {
    const SeriesStore* store = nullptr;
    base::TurnLock* lock = nullptr;
};
void render_store_health(exposition::ExpositionWriter& writer, std::span<const LockedStore> stores);

}  // namespace mtawatch::exporter::series
