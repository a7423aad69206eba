// Serialisation of the state file: file offsets, counters and the reader's memory of one moment as one document, and
// back. What must survive a restart.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/feed/log_events.h"
#include "exporter/files/tracked_file.h"
#include "exporter/series/scrapers.h"
#include "exporter/series/series_render.h"
#include "exporter/series/series_store.h"
#include "shared/base/result.h"

namespace mtawatch::exporter::feed {

// What the backlog means that is read first.
enum class Baseline : std::uint8_t {
    reading,     // the very first start: counters begin with it
    done,        // it was read to its end
    after_loss,  // a state was lost that had counted it, or most of it: counters begin at 0 after it
};

// What belongs to the whole and is not in the store.
struct IngestMarks {
    Baseline baseline = Baseline::reading;
    std::int64_t backlog_end = 0;  // Unix time, 0: never
    std::int64_t last_read = 0;    // Unix time of the last records, 0: none
    std::array<std::uint64_t, log_event_count> log_events{};
    bool operator==(const IngestMarks&) const = default;
};

// Copied at one moment, under the lock; the texts stay in the store's pool, which is told that a reader is inside.
struct CheckpointCopy {
    std::array<series::FamilyCopy, series::family_count> families;
    std::array<std::vector<series::BirthRun>, series::family_count> births;  // of what some scraper has not seen
    series::FamilyCopy origins;
    std::array<std::vector<series::ValueTable::Entry>, series::open_kinds> values;
    series::Totals totals;
    series::SeriesStore::FoldedCounts folded{};
    series::SeriesStore::RetiredCounts retired{};
    std::vector<files::FileState> files;
    std::vector<files::FileState> log_files;
    IngestMarks marks;
    series::ScraperMarks scrapers;
    bool final = false;  // no page is made after this copy
    std::string memory;  // of the reader: see mta::logs::RecordReader
};
// The store's part of the copy, during a turn, after the scrapers' part. What reserve_copy() made room for needs no new
// memory then, and new memory is most of what a large copy would cost.
void copy_store(const series::SeriesStore& store, CheckpointCopy& copy);
struct StoreSizes {
    std::array<std::uint32_t, series::family_count> rows{};
    std::array<std::size_t, series::open_kinds> places{};
};
[[nodiscard]] StoreSizes sizes_of(const series::SeriesStore& store);
// Outside the lock.
void reserve_copy(const StoreSizes& sizes, const series::SeriesStore& store, CheckpointCopy& copy);

// The document: version, length and checksum around everything. Numbers are little endian. PowerMTA's is version 1, as
// it always was; that of another format is version 2, which names the format and has the reader's memory.
[[nodiscard]] std::string encode_checkpoint(const CheckpointCopy& copy, const series::SeriesStore& store);

struct RestoredCheckpoint {
    std::vector<files::FileState> files;
    std::vector<files::FileState> log_files;
    IngestMarks marks;
    series::ScraperMarks scrapers;
    bool final = false;  // pages may have shown more than this where it is false
    std::string memory;
    // Families whose labels, buckets or budget are others now: they start anew.
    std::vector<std::string> restarted;
};
// Puts the counts into a store that is empty. Fault::malformed, with the store unchanged or partly filled (throw it
// away), for bytes that are no whole checkpoint of a known version and of the store's format.
[[nodiscard]] base::Result<RestoredCheckpoint> decode_checkpoint(std::string_view bytes, series::SeriesStore& store);

}  // namespace mtawatch::exporter::feed
