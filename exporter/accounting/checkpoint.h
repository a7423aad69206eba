// What must survive a restart, and in which bytes? Offsets and counters of one moment, as one document.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/accounting/log_events.h"
#include "exporter/accounting/series_render.h"
#include "exporter/accounting/series_store.h"
#include "exporter/accounting/tracked_file.h"
#include "shared/base/result.h"

namespace mtawatch::exporter {

// What belongs to the whole and is not in the store.
struct IngestMarks {
    std::uint8_t baseline_done = 0;  // the backlog of the very first start was read to its end
    std::int64_t backlog_end = 0;    // Unix time, 0: never
    std::int64_t last_read = 0;      // Unix time of the last records, 0: none
    std::array<std::uint64_t, kLogEvents> log_events{};
    bool operator==(const IngestMarks&) const = default;
};

// Copied at one moment, under the lock; the texts stay in the store's pool, which is told that a reader is inside.
struct CheckpointCopy {
    std::array<FamilyCopy, kFamilies> families;
    FamilyCopy origins;
    std::array<std::vector<ValueTable::Entry>, kOpenKinds> values;
    Totals totals;
    SeriesStore::FoldedCounts folded{};
    SeriesStore::RetiredCounts retired{};
    std::vector<FileState> files;
    std::vector<FileState> log_files;
    IngestMarks marks;
    std::string memory;  // of the reader: see mta::RecordReader
};
// The store's part of the copy, during a turn. What reserve_copy() made room for needs no new memory then, and new
// memory is most of what a large copy would cost.
void copy_store(const SeriesStore& store, CheckpointCopy& copy);
struct StoreSizes {
    std::array<std::uint32_t, kFamilies> rows{};
    std::array<std::size_t, kOpenKinds> places{};
};
[[nodiscard]] StoreSizes sizes_of(const SeriesStore& store);
// Outside the lock.
void reserve_copy(const StoreSizes& sizes, const SeriesStore& store, CheckpointCopy& copy);

// The document: version, length and checksum around everything. Numbers are little endian. PowerMTA's is version 1, as
// it always was; that of another format is version 2, which names the format and has the reader's memory.
[[nodiscard]] std::string encode_checkpoint(const CheckpointCopy& copy, const SeriesStore& store);

struct RestoredCheckpoint {
    std::vector<FileState> files;
    std::vector<FileState> log_files;
    IngestMarks marks;
    std::string memory;
    // Families whose labels, buckets or budget are others now: they start anew.
    std::vector<std::string> restarted;
};
// Puts the counts into a store that is empty. Fault::malformed, with the store unchanged or partly filled (throw it
// away), for bytes that are no whole checkpoint of a known version and of the store's format.
[[nodiscard]] base::Result<RestoredCheckpoint> decode_checkpoint(std::string_view bytes, SeriesStore& store);

}  // namespace mtawatch::exporter
