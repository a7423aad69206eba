// File tracking, as in tail -F: recognises followed files across rename, rotation, compression, copy and truncation,
// and says which have something to read. Holds no bytes of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/files/contents.h"
#include "exporter/files/file_listing.h"
#include "exporter/files/file_system.h"
#include "exporter/files/follow_settings.h"
#include "exporter/files/tracked_file.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/result.h"
#include "shared/base/turn_lock.h"

namespace mtawatch::exporter::files {

// Counts of what happened to files, for metrics.
struct FileEvents {
    std::uint64_t rotations = 0;
    std::uint64_t truncations = 0;
    std::uint64_t missing = 0;  // found nowhere, and more may have been written to it than was read
};

// Used by the ingest thread alone. What a checkpoint copies (FileState) is changed only during a writer's turn of
// `lock`.
class Follower {
  public:
    Follower(const FollowSettings& settings, const FileSystem& files, const base::Clock& clock, base::TurnLock& lock,
             ReadingOrder order, Contents& contents, base::Log log, bool finished_files);

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
    // Files that are not read because they hold the same as a followed one, and those of them that are longer than it.
    struct Copies {
        std::uint64_t files = 0;
        std::uint64_t longer = 0;
    };
    [[nodiscard]] Copies copies() const;
    // Folders that inotify does not watch, because its limits are reached.
    [[nodiscard]] std::size_t unwatched_folders() const { return watcher_->unwatched().folders; }
    [[nodiscard]] FileEvents pop_events() { return std::exchange(events_, {}); }

  private:
    struct Index;
    // A listed file that is not located yet.
    struct Candidate {
        SeenFile seen;
        Head head;
        std::uint64_t copy_of = 0;  // serial of the file that it was a copy of when it was looked at before
        bool settled = false;
    };
    // A file that holds the same as a followed one. It is looked at again when any of this changes.
    struct Copy {
        std::string path;
        std::uint64_t size = 0;
        std::int64_t modified = 0;
        bool packed = false;
        std::uint64_t original = 0;  // serial
    };
    // Since when a file that has to rest before it is judged has not changed.
    struct Rest {
        std::uint64_t size = 0;
        std::int64_t modified = 0;
        base::SteadyTime since;
    };

    // follower.cc
    [[nodiscard]] bool scan();
    [[nodiscard]] Listing list() const;
    [[nodiscard]] base::Result<Head> head_of(const SeenFile& seen);
    void locate(TrackedFile& file, const SeenFile& seen, const Head* head);
    void go_on_at(TrackedFile& file, std::uint64_t offset);
    TrackedFile& add_new(const SeenFile& seen, const Head& head);
    void handle_missing();
    void report_missing(const std::vector<const TrackedFile*>& missing);
    void report_truncations();
    void forget_old();
    void mark_finished();
    void report_watching();

    // recognition.cc
    [[nodiscard]] std::vector<const SeenFile*> locate_by_inode(const Listing& listing);
    [[nodiscard]] std::optional<Comparison> look_again(const TrackedFile& file, const SeenFile& seen);
    void recognise(const std::vector<const SeenFile*>& unknown);
    [[nodiscard]] std::optional<Candidate> candidate(const SeenFile& seen);
    [[nodiscard]] Comparison compare(TrackedFile& file, const Candidate& candidate);
    [[nodiscard]] std::optional<bool> same_before(const TrackedFile& file, const SeenFile& seen,
                                                  std::uint64_t end) const;
    [[nodiscard]] Comparison not_alike(TrackedFile& file);
    [[nodiscard]] bool locate_same_inode(const Candidate& candidate, const std::vector<TrackedFile*>& alike);
    void locate_best(std::vector<Candidate>& candidates, const Index& index);
    [[nodiscard]] int rank(const TrackedFile& file, const Candidate& candidate) const;
    void settle(const Candidate& candidate, Index& index);
    [[nodiscard]] bool is_copy(TrackedFile& file, const Candidate& candidate);
    [[nodiscard]] bool is_longer(const TrackedFile& file, const Candidate& candidate);
    [[nodiscard]] bool certainly_alike(TrackedFile& file, const Head& head);
    void keep_as_copy(TrackedFile& file, const Candidate& candidate, Comparison held);
    [[nodiscard]] bool wait_for_copy(TrackedFile& file, const Candidate& candidate);
    [[nodiscard]] bool beginning_may_follow(const Candidate& candidate, const Index& index);
    [[nodiscard]] bool rested(const SeenFile& seen, std::chrono::seconds at_least, bool trust_time);

    const FollowSettings& settings_;
    const FileSystem& file_system_;
    const base::Clock& clock_;
    base::TurnLock& lock_;
    ReadingOrder order_;
    Contents& contents_;
    base::Log log_;
    bool finished_files_;  // --once: what is there is all that will come
    std::unique_ptr<Watcher> watcher_;
    std::vector<std::unique_ptr<TrackedFile>> files_;
    std::unordered_map<std::string, TrackedFile*> by_path_;
    std::set<TrackedFile*> located_;         // found by this rescan
    std::map<FileId, TrackedFile*> by_id_;   // that the last rescan found, or a checkpoint knew
    std::set<FileId> present_;               // of the present listing
    std::set<FileId> listed_;                // of the one of the last rescan
    std::map<FileId, Copy> copies_;          // of followed files
    std::set<std::string> named_copies_;     // in the log
    std::map<FileId, Rest> rests_;           // of files that are waited for
    std::set<std::string> looked_at_again_;  // paths of files that have to change before they are followed
    std::set<TrackedFile*> replaced_;        // whose place this rescan found taken by another content
    bool last_look_ = false;                 // of this rescan: what was renamed meanwhile is left to the next one
    bool moved_ = false;                     // a listed path led to another file, or none, when it was opened
    std::set<ListingProblem> problems_;
    std::string unwatched_because_;
    FileEvents events_;
    std::uint64_t next_serial_ = 1;
    std::uint64_t first_new_serial_ = 1;  // of this rescan
    base::SteadyTime next_rescan_{};
    base::SteadyTime last_rescan_{};
    bool rescan_wanted_ = true;
    bool location_unknown_ = false;
};

}  // namespace mtawatch::exporter::files
