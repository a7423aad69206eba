// File tracking, as in tail -F: recognises followed files across rename, rotation, compression, copy and truncation,
// and says which have something to read. Holds no bytes of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/files/file_listing.h"
#include "exporter/files/follow_settings.h"
#include "exporter/files/open_file.h"
#include "exporter/files/tracked_file.h"
#include "exporter/files/watcher.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/result.h"
#include "shared/base/turn_lock.h"
#include "shared/io/byte_source.h"

namespace mtawatch::exporter::files {

// What the reader found when it went to a file.
struct Head {
    FileId id;                    // of the file that was opened: a path may lead elsewhere since it was listed
    std::string bytes;            // the first line and up to fingerprint_bytes behind it, decompressed
    std::int64_t first_time = 0;  // of the first record; 0 when it says none
    std::size_t records_end = 0;  // up to which byte these are complete lines, a record among them; 0: no record yet
    bool growing = false;         // packed and still being written: its beginning may not be all there
    io::Compression packing = io::Compression::none;
};
// The beginning of a file's content; an Error when it cannot be read, Fault::not_found when there is none of that name.
using HeadReader = std::function<base::Result<Head>(const std::string& path)>;

// Counts of what happened to files, for metrics.
struct FileEvents {
    std::uint64_t rotations = 0;
    std::uint64_t truncations = 0;
};

// Used by the ingest thread alone. What a checkpoint copies (FileState) is changed only during a writer's turn of
// `lock`.
class Follower {
  public:
    Follower(const FollowSettings& settings, const base::Clock& clock, base::TurnLock& lock, ReadingOrder order,
             HeadReader read_head, base::Log log, bool finished_files);

    // Takes over what a checkpoint knew; before the first rescan().
    void restore(const std::vector<FileState>& files);
    // Matches the globs anew: finds new, renamed, replaced, shortened and vanished files. What is renamed meanwhile is
    // looked at again, so that the files found belong together.
    void rescan();
    // Whether, since the last rescan, a reader found other content at a path, or no file: the present name of the file
    // that was there is unknown.
    [[nodiscard]] bool location_unknown() const { return location_unknown_; }
    // Waits for changes, at most until the next rescan is due, and applies them.
    void wait(int wake_fd, std::chrono::milliseconds at_most);
    // Files that may have something to read, oldest first record first.
    [[nodiscard]] std::vector<TrackedFile*> dirty();
    // The same, and with them every open older file: for logs whose lines depend on earlier lines. What was written to
    // an older file before the newer one began has to be read first, whenever it was noticed.
    [[nodiscard]] std::vector<TrackedFile*> dirty_and_older();
    [[nodiscard]] bool any_dirty() const;
    // A reader found other content at that path, or no file: the next rescan compares it.
    void content_changed(TrackedFile& file);
    // Keeps the number of open descriptors small: called after a file was read.
    void close_idle();

    [[nodiscard]] const std::vector<std::unique_ptr<TrackedFile>>& files() const { return files_; }
    [[nodiscard]] const std::set<ListingProblem>& problems() const { return problems_; }
    // Folders that inotify does not watch, because its limits are reached.
    [[nodiscard]] std::size_t unwatched_folders() const { return watcher_.unwatched().folders; }
    [[nodiscard]] FileEvents pop_events() { return std::exchange(events_, {}); }

  private:
    struct Index;
    [[nodiscard]] bool scan();
    [[nodiscard]] Listing list() const;
    [[nodiscard]] base::Result<Head> head_of(const SeenFile& seen);
    void locate(TrackedFile& file, const SeenFile& seen, io::Compression packing);
    [[nodiscard]] std::optional<bool> same_content(const TrackedFile& file, const SeenFile& seen);
    [[nodiscard]] std::vector<const SeenFile*> locate_by_inode(const Listing& listing);
    void identify(const SeenFile& seen, Index& index);
    [[nodiscard]] bool is_stable(const SeenFile& seen) const;
    [[nodiscard]] TrackedFile* match(const Head& head, const SeenFile& seen, const Index& index) const;
    TrackedFile& add_new(const SeenFile& seen, const Head& head);
    void handle_missing();
    void forget_old();
    void mark_finished();
    void report_watching();

    const FollowSettings& settings_;
    const base::Clock& clock_;
    base::TurnLock& lock_;
    ReadingOrder order_;
    HeadReader read_head_;
    base::Log log_;
    bool finished_files_;  // --once: what is there is all that will come
    Watcher watcher_;
    std::vector<std::unique_ptr<TrackedFile>> files_;
    std::unordered_map<std::string, TrackedFile*> by_path_;
    std::set<TrackedFile*> located_;         // found by this rescan
    std::set<FileId> copies_;                // of followed files
    std::set<std::string> without_record_;   // paths of files that have no complete record yet
    std::set<const TrackedFile*> replaced_;  // whose content this rescan found to be another
    bool moved_ = false;                     // a listed path led to another file, or none, when it was opened
    std::set<ListingProblem> problems_;
    std::string unwatched_because_;
    FileEvents events_;
    std::uint64_t next_serial_ = 1;
    base::SteadyTime next_rescan_{};
    base::SteadyTime last_rescan_{};
    bool rescan_wanted_ = true;
    bool location_unknown_ = false;
};

}  // namespace mtawatch::exporter::files
