#include "exporter/files/follower.h"
#include "shared/io/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace mtawatch::exporter::files {
namespace {

using base::fail;

// Several events of one rotation come within a few milliseconds: the globs are matched once for them.
constexpr std::chrono::milliseconds rescan_pause{20};
// A file that was not written to for so long is no copy in progress: a copy is written without a pause.
constexpr std::chrono::seconds stable_after{2};
// A rotation renames a handful of files in a moment; if names keep changing, the next rescan goes on.
constexpr int max_scans = 10;
// Long enough for a file that was moved away by hand to come back, short enough for a state file of constant size.
constexpr std::int64_t forget_seconds = std::int64_t{30} * 86'400;

}  // namespace

// The known files by their beginnings.
struct Follower::Index {
    std::map<std::uint32_t, std::unordered_map<std::uint64_t, std::vector<TrackedFile*>>> by_length;
    void add(TrackedFile& file) { by_length[file.fingerprint.length][file.fingerprint.hash].push_back(&file); }
};

Follower::Follower(const FollowSettings& settings, const base::Clock& clock, base::TurnLock& lock, ReadingOrder order,
                   HeadReader read_head, base::Log log, bool finished_files)
    : settings_(settings),
      clock_(clock),
      lock_(lock),
      order_(order),
      read_head_(std::move(read_head)),
      log_(std::move(log)),
      finished_files_(finished_files) {}

void Follower::restore(const std::vector<FileState>& files) {
    const base::WriterTurn turn(lock_);
    for (const FileState& state : files) {
        auto file = std::make_unique<TrackedFile>();
        static_cast<FileState&>(*file) = state;
        file->stem = stem_of(state.path);
        file->serial = next_serial_++;
        files_.push_back(std::move(file));
    }
}

void Follower::rescan() {
    replaced_.clear();
    int looks = 1;
    while (!scan() && looks < max_scans) ++looks;
    report_watching();
    handle_missing();
    mark_finished();
    forget_old();
    by_path_.clear();
    for (TrackedFile* file : located_) by_path_[file->path] = file;
    rescan_wanted_ = false;
    location_unknown_ = false;
    last_rescan_ = clock_.steady();
    next_rescan_ = last_rescan_ + settings_.rescan_interval;
}

// Logged once for each reason, and once when it is over.
void Follower::report_watching() {
    const auto& [folders, why] = watcher_.unwatched();
    if (why == unwatched_because_) return;
    if (why.empty()) {
        log_.info("all folders are watched again");
    } else {
        const auto seconds = std::chrono::duration<double>(settings_.rescan_interval).count();
        log_.warn(
            fmt::format("{} folders cannot be watched ({}); until then new records there are found by a rescan every "
                        "{} s",
                        folders, why, seconds));
    }
    unwatched_because_ = why;
}

Listing Follower::list() const {
    return list_files(settings_.globs, settings_.moved_to, order_ == ReadingOrder::oldest_first);
}

// False when files were renamed or removed meanwhile: one may be missing among those found, or have another's name. The
// listing is compared with a second one where a later rescan would be too late: when this is the only or the first
// rescan, or when lines depend on earlier lines, and so files are read in order.
bool Follower::scan() {
    const Listing listing = list();
    std::set<std::string> folders = listing.folders;
    watcher_.watch(folders);
    problems_ = listing.problems;
    located_.clear();
    without_record_.clear();
    moved_ = false;
    const std::vector<const SeenFile*> unknown = locate_by_inode(listing);
    const bool all_located = std::ranges::all_of(
        files_, [&](const auto& file) { return file->vanished_at != 0 || located_.contains(file.get()); });
    if (!all_located) copies_.clear();
    Index index;
    if (!unknown.empty()) {
        for (const auto& file : files_) index.add(*file);
    }
    for (const SeenFile* seen : unknown) identify(*seen, index);
    const bool compare_names =
        finished_files_ || order_ == ReadingOrder::oldest_first || last_rescan_ == base::SteadyTime{};
    if (moved_ || !compare_names) return !moved_;
    return std::ranges::equal(list().files, listing.files, [](const SeenFile& a, const SeenFile& b) {
        return std::tie(a.path, a.device, a.inode) == std::tie(b.path, b.device, b.inode);
    });
}

// The head of the file that was listed. Fault::not_found, and moved_, when its path leads to another file by now, or to
// none.
base::Result<Head> Follower::head_of(const SeenFile& seen) {
    auto head = read_head_(seen.path);
    if (head && head->id != FileId{seen.device, seen.inode}) {
        head = fail(base::Fault::not_found, "{}: was replaced while it was read", seen.path);
    }
    moved_ = moved_ || (!head && head.error().fault == base::Fault::not_found);
    return head;
}

// Those of the listing whose inode is no followed file's, or whose content is another now.
std::vector<const SeenFile*> Follower::locate_by_inode(const Listing& listing) {
    std::map<FileId, TrackedFile*> by_inode;
    for (const auto& file : files_) {
        if (file->verified && file->vanished_at == 0) by_inode[{file->device, file->inode}] = file.get();
    }
    std::vector<const SeenFile*> unknown;
    std::set<FileId> present;
    for (const SeenFile& seen : listing.files) {
        present.insert({seen.device, seen.inode});
        const auto found = by_inode.find({seen.device, seen.inode});
        if (found == by_inode.end()) {
            unknown.push_back(&seen);
            continue;
        }
        const auto same = same_content(*found->second, seen);
        if (!same) continue;
        if (*same) {
            locate(*found->second, seen, found->second->packing);
        } else {
            // The descriptor would lead to the new content under the old file's name.
            found->second->fd.reset();
            if (found->second->path == seen.path && replaced_.insert(found->second).second) {
                ++events_.truncations;
                log_.warn(seen.path + ": has other content than before; what was not read of it is lost");
            }
            unknown.push_back(&seen);
        }
    }
    std::erase_if(copies_, [&](const FileId& inode) { return !present.contains(inode); });
    return unknown;
}

// Nothing when it is not known, because the path leads to another file by now, or to none.
std::optional<bool> Follower::same_content(const TrackedFile& file, const SeenFile& seen) {
    if (file.packing == io::Compression::none && seen.size < file.fingerprint.length) return false;
    if (file.verified && !file.compare && file.path == seen.path && seen.size >= file.size) return true;
    const auto head = head_of(seen);
    if (!head && head.error().fault == base::Fault::not_found) return std::nullopt;
    if (!head) return file.path == seen.path;  // unreadable for now, not another file
    if (head->packing != file.packing || head->bytes.size() < file.fingerprint.length) return false;
    return fingerprint_of(head->bytes, file.fingerprint.length) == file.fingerprint;
}

// Records that the file is at the path and inode that `seen` has.
void Follower::locate(TrackedFile& file, const SeenFile& seen, io::Compression packing) {
    located_.insert(&file);
    file.packing = packing;
    if (file.device != seen.device || file.inode != seen.inode) {
        file.fd.reset();
        file.disk_read = 0;
        file.finished = false;
    }
    if (file.path != seen.path || file.inode != seen.inode || file.device != seen.device || file.vanished_at != 0) {
        const base::WriterTurn turn(lock_);
        if (file.path != seen.path) ++events_.rotations;
        file.path = seen.path;
        file.stem = stem_of(seen.path);
        file.device = seen.device;
        file.inode = seen.inode;
        file.vanished_at = 0;
    }
    file.source = seen.source;
    file.verified = true;
    file.detached = false;
    if (packing == io::Compression::none && seen.size < file.offset) {
        const base::WriterTurn turn(lock_);
        ++events_.truncations;
        log_.warn(seen.path + ": became shorter than what was read of it");
        file.offset = seen.size;
    }
    if (file.size != seen.size || file.compare) {
        file.grown = clock_.steady();
        file.finished = false;
    }
    // It was changed in place: what made it unreadable may be gone.
    if (file.unreadable && file.size == seen.size && file.modified != seen.modified) file.disk_read = 0;
    if (file.disk_read != seen.size || file.modified != seen.modified) file.dirty = true;
    file.size = seen.size;
    file.modified = seen.modified;
    file.compare = false;
}

// Whether nothing was written to it for a while, so that it is no copy in progress.
bool Follower::is_stable(const SeenFile& seen) const {
    const std::int64_t now = std::chrono::nanoseconds(clock_.wall().time_since_epoch()).count();
    return now - seen.modified >= std::chrono::nanoseconds(stable_after).count();
}

// A file whose inode is not followed: a known one under another name, a copy of one, or a new one.
void Follower::identify(const SeenFile& seen, Index& index) {
    const FileId inode{seen.device, seen.inode};
    if (copies_.contains(inode)) return;
    auto head = head_of(seen);
    if (!head) {
        problems_.insert({seen.source, head.error().what});
        return;
    }
    const bool full = head->bytes.size() >= full_fingerprint_length(head->bytes);
    // A packed file without its end: a segment with little in it so far, or a copy of a known file in progress.
    const bool segment = head->packing == io::Compression::zstd && is_stable(seen);
    if (head->records_end == 0 || (head->growing && !full && !segment)) {
        without_record_.insert(seen.path);
        if (!finished_files_) return;
    }
    TrackedFile* known = match(*head, seen, index);
    if (known != nullptr && located_.contains(known)) {
        copies_.insert(inode);
        return;
    }
    // Shorter than what was read, in a file of its own: a copy in progress. All that it has so far is counted. Under
    // the name of the known file it may be a shorter one that took its place, once it does not grow any more.
    const bool on_its_way = known != nullptr && head->packing == io::Compression::none &&
                            known->packing == io::Compression::none && known->inode != seen.inode &&
                            seen.size < known->offset && (known->path != seen.path || !is_stable(seen));
    if (on_its_way) {
        without_record_.insert(seen.path);
        return;
    }
    if (known != nullptr) {
        locate(*known, seen, head->packing);
    } else {
        // A file and its .gz may both be new: the second of them must be known as a copy.
        index.add(add_new(seen, *head));
    }
}

// The same beginning, and the same inode or name; or the same beginning as a file that is nowhere any more.
TrackedFile* Follower::match(const Head& head, const SeenFile& seen, const Index& index) const {
    const std::string stem = stem_of(seen.path);
    TrackedFile* best = nullptr;
    int best_rank = 0;
    for (const auto& [length, by_hash] : index.by_length) {
        if (length == 0 || length > head.bytes.size()) continue;
        const auto found = by_hash.find(fingerprint_of(head.bytes, length).hash);
        if (found == by_hash.end()) continue;
        for (TrackedFile* file : found->second) {
            const bool present = located_.contains(file);
            int rank = present ? 0 : 1;
            if (file->stem == stem) rank = present ? 2 : 3;
            if (file->inode == seen.inode && !present) rank = 4;
            if (rank <= best_rank) continue;
            best = file;
            best_rank = rank;
        }
    }
    return best;
}

TrackedFile& Follower::add_new(const SeenFile& seen, const Head& head) {
    auto file = std::make_unique<TrackedFile>();
    const auto same_name = by_path_.find(seen.path);
    if (same_name != by_path_.end() && !located_.contains(same_name->second)) ++events_.rotations;
    file->serial = next_serial_++;
    file->path = seen.path;
    file->stem = stem_of(seen.path);
    file->device = seen.device;
    file->inode = seen.inode;
    file->source = seen.source;
    file->packing = head.packing;
    file->first_time = head.first_time;
    file->fingerprint = fingerprint_of(head.bytes, std::min(head.records_end, full_fingerprint_length(head.bytes)));
    file->verified = true;
    file->dirty = true;
    file->size = seen.size;
    file->modified = seen.modified;
    file->grown = clock_.steady();
    located_.insert(file.get());
    const base::WriterTurn turn(lock_);
    files_.push_back(std::move(file));
    return *files_.back();
}

// Files that this rescan found nowhere: read what their descriptor still leads to, then remember them for a while.
void Follower::handle_missing() {
    const std::int64_t now = base::unix_seconds(clock_.wall());
    for (const auto& file : files_) {
        if (located_.contains(file.get())) continue;
        if (file->fd) {
            if (!file->detached) file->grown = clock_.steady();
            file->detached = clock_.steady() - file->grown <= settings_.finished_after;
            file->dirty = file->detached;
            if (!file->detached) file->fd.reset();
        }
        if (file->vanished_at != 0) continue;
        const base::WriterTurn turn(lock_);
        file->vanished_at = now;
    }
}

// A file that a newer one of the same glob has replaced and that does not grow any more ends where it ends.
void Follower::mark_finished() {
    std::map<std::uint32_t, std::int64_t> newest;
    for (const TrackedFile* file : located_) {
        newest[file->source] = std::max(newest[file->source], file->first_time);
    }
    const base::SteadyTime now = clock_.steady();
    for (TrackedFile* file : located_) {
        if (file->finished || file->finish || file->packing != io::Compression::none || file->offset >= file->size)
            continue;
        const bool replaced = file->first_time < newest[file->source];
        if (!finished_files_ && (!replaced || now - file->grown < settings_.finished_after)) continue;
        file->finish = true;
        file->dirty = true;
    }
}

void Follower::forget_old() {
    const std::int64_t before = base::unix_seconds(clock_.wall()) - forget_seconds;
    const base::WriterTurn turn(lock_);
    std::erase_if(files_,
                  [&](const auto& file) { return file->vanished_at != 0 && file->vanished_at < before && !file->fd; });
}

void Follower::wait(int wake_fd, std::chrono::milliseconds at_most) {
    const base::SteadyTime now = clock_.steady();
    base::SteadyTime until = next_rescan_;
    if (rescan_wanted_) until = std::min(until, last_rescan_ + rescan_pause);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    const auto allowed = std::clamp(left, std::chrono::milliseconds(0), at_most);
    const Watcher::Changes changes = watcher_.wait(allowed, wake_fd);
    for (const std::string& path : changes.grown) {
        const auto known = by_path_.find(path);
        if (known != by_path_.end()) {
            known->second->dirty = true;
            known->second->grown = clock_.steady();
        } else if (without_record_.contains(path)) {
            rescan_wanted_ = true;
        }
    }
    rescan_wanted_ = rescan_wanted_ || changes.moved;
    const base::SteadyTime after = clock_.steady();
    if (after >= next_rescan_ || (rescan_wanted_ && after >= last_rescan_ + rescan_pause)) rescan();
}

namespace {

bool older(const TrackedFile* a, const TrackedFile* b) {
    return std::tie(a->first_time, a->stem, a->path) < std::tie(b->first_time, b->stem, b->path);
}

// Files that begin in the same second are told apart by what rotation calls them.
bool rotated_before(const TrackedFile* a, const TrackedFile* b) {
    if (a->first_time != b->first_time || a->stem != b->stem) return older(a, b);
    const std::uint64_t age = rotation_age(a->path);
    const std::uint64_t other = rotation_age(b->path);
    return age != other ? age > other : a->path < b->path;
}

}  // namespace

std::vector<TrackedFile*> Follower::dirty() {
    std::vector<TrackedFile*> files;
    for (const auto& file : files_) {
        if (file->dirty) files.push_back(file.get());
    }
    std::ranges::sort(files, order_ == ReadingOrder::oldest_first ? rotated_before : older);
    return files;
}

std::vector<TrackedFile*> Follower::dirty_and_older() {
    if (!any_dirty()) return {};
    for (const auto& file : files_) file->dirty = file->dirty || file->fd;
    return dirty();
}

bool Follower::any_dirty() const {
    return std::ranges::any_of(files_, [](const auto& file) { return file->dirty; });
}

void Follower::content_changed(TrackedFile& file) {
    file.fd.reset();
    file.compare = true;
    file.dirty = false;
    rescan_wanted_ = true;
    location_unknown_ = true;
}

void Follower::close_idle() {
    std::vector<TrackedFile*> open;
    for (const auto& file : files_) {
        if (file->fd && !file->dirty && !file->detached) open.push_back(file.get());
    }
    if (open.size() <= settings_.open_files) return;
    std::ranges::sort(open, {}, &TrackedFile::grown);
    for (std::size_t i = 0; i + settings_.open_files < open.size(); ++i) open[i]->fd.reset();
}

}  // namespace mtawatch::exporter::files
