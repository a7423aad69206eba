// Reads followed files, decompressed where needed, through the format's reader into the counters, and moves their
// offsets on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "exporter/feed/record_formats.h"
#include "exporter/feed/scan_ahead.h"
#include "exporter/feed/type_filter.h"
#include "exporter/files/follower.h"
#include "exporter/files/open_file.h"
#include "exporter/files/tracked_file.h"
#include "exporter/series/record_counter.h"
#include "exporter/series/series_store.h"
#include "shared/base/clock.h"
#include "shared/base/turn_lock.h"
#include "shared/io/byte_source.h"
#include "shared/mta/logs/record_reader.h"

namespace mtawatch::exporter::feed {

// Called after every chunk, outside the lock; false interrupts the reading, which goes on there the next time.
using AfterChunk = std::function<bool()>;

// For one thread, which counts; others may unpack or scan ahead of it. Whatever it counts and the file's new offset
// change in the same writer's turn.
class FileReader {
  public:
    // With `one_thread` a backlog is read by the caller's thread alone, which costs less in all and takes longer.
    FileReader(const FeedSettings& settings, const base::Clock& clock, series::SeriesStore& store, base::TurnLock& lock,
               bool one_thread);

    enum class Outcome {
        up_to_date,   // read to its present end
        interrupted,  // AfterChunk said so
        changed,      // other content than it had, or none of that name: the follower must look again
        unreadable,   // why is in problem()
    };
    [[nodiscard]] Outcome read(files::TrackedFile& file, const AfterChunk& after_chunk);
    [[nodiscard]] const std::string& problem() const { return problem_; }
    // Limits read() to the file's present size until this is called again: in logs whose lines depend on earlier lines,
    // what is written to a file while an older one is read must wait.
    void limit_to_present_size(files::TrackedFile& file);

    // The state of the reader after the lines that are counted; during a turn. See mta::logs::RecordReader.
    [[nodiscard]] std::string memory() const { return reader_->memory(); }
    [[nodiscard]] base::Result<void> recall(std::string_view memory) { return reader_->recall(memory); }

    // stdin and the like: read to its end, never remembered.
    void read_stream(int fd, const AfterChunk& after_chunk);

    // For the follower: the beginning of a file.
    [[nodiscard]] base::Result<files::Head> head(const std::string& path);

  private:
    [[nodiscard]] Outcome read_plain(files::TrackedFile& file, const AfterChunk& after_chunk);
    [[nodiscard]] Outcome read_with_two_cores(files::TrackedFile& file, const AfterChunk& after_chunk);
    [[nodiscard]] Outcome read_packed(files::TrackedFile& file, const AfterChunk& after_chunk);
    [[nodiscard]] Outcome unpack(files::TrackedFile& file, const AfterChunk& after_chunk);
    [[nodiscard]] bool wait_to_unpack(const files::TrackedFile& file) const;
    [[nodiscard]] Outcome end_of_packed(files::TrackedFile& file, bool complete);
    // Fault::not_found when the path leads to another file than the follower located, or nowhere.
    [[nodiscard]] static base::Result<io::Descriptor> open_located(const files::TrackedFile& file);
    [[nodiscard]] Outcome not_opened(files::TrackedFile& file, const base::Error& error);
    [[nodiscard]] bool same_beginning(const files::TrackedFile& file);
    [[nodiscard]] bool counted_to_its_end(const files::TrackedFile& file, int fd);
    [[nodiscard]] bool begins_as_known(const files::TrackedFile& file);
    enum class Skipped { all, other_content, not_all_there };
    [[nodiscard]] static base::Result<Skipped> skip_counted(const files::TrackedFile& file, io::ByteSource& source);
    void resume(const files::TrackedFile& file);
    void finish(files::TrackedFile& file);
    void count_scanned(files::TrackedFile* file);
    void count_piece(files::TrackedFile& file, ScannedPiece& piece, mta::logs::ScanCounts& counted);
    // Both during a turn.
    void add_counts(const mta::logs::ScanCounts& counts, mta::logs::ScanCounts& counted);
    void move_on(files::TrackedFile& file, std::uint64_t consumed, const std::string& header);
    [[nodiscard]] std::span<const mta::logs::Record> select_types(std::span<const mta::logs::Record> records,
                                                                  TypeMask types);
    void lengthen_fingerprint(files::TrackedFile& file, std::string_view head);
    [[nodiscard]] Outcome unreadable(files::TrackedFile& file, std::string why);
    [[nodiscard]] base::Result<std::string> plain_head(int fd, const std::string& path) const;

    const FeedSettings& settings_;
    bool uses_two_cores_;
    const base::Clock& clock_;
    series::SeriesStore& store_;
    base::TurnLock& lock_;
    series::RecordCounter counter_;
    TypeFilter filter_;
    std::vector<mta::logs::Record> selected_;  // those of a batch whose type the file feeds
    std::unique_ptr<mta::logs::RecordReader> reader_;
    HeadInspector inspector_;
    mta::logs::ScanCounts counted_;  // of reader_, up to the last turn
    std::uint64_t at_ = 0;           // serial of the file that reader_ is in the middle of; 0: none
    std::string problem_;
};

}  // namespace mtawatch::exporter::feed
