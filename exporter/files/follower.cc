#include "exporter/files/follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace mtawatch::exporter::files {
namespace {

using base::fail;

// Several events of one rotation come within a few milliseconds: the globs are matched once for them.
constexpr std::chrono::milliseconds rescan_pause{20};
// Files that are read at once keep their descriptor, so that a rename or removal loses nothing that was written before.
constexpr std::size_t open_files = 64;
// While a file has to rest before it is judged.
constexpr std::chrono::seconds resting_interval{1};
// A rotation renames a handful of files in a moment; if names keep changing, the next rescan goes on.
constexpr int max_scans = 10;
// Long enough for a file that was moved away by hand to come back, short enough for a state file of constant size.
constexpr std::int64_t forget_seconds = std::int64_t{30} * 86'400;

}  // namespace

Follower::Follower(const FollowSettings& settings, const FileSystem& files, const base::Clock& clock,
                   base::TurnLock& lock, ReadingOrder order, Contents& contents, base::Log log, bool finished_files)
    : settings_(settings),
      file_system_(files),
      clock_(clock),
      lock_(lock),
      order_(order),
      contents_(contents),
      log_(std::move(log)),
      finished_files_(finished_files),
      watcher_(files.watcher()) {}

void Follower::restore(const std::vector<FileState>& files) {
    const base::WriterTurn turn(lock_);
    for (const FileState& state : files) {
        auto file = std::make_unique<TrackedFile>();
        static_cast<FileState&>(*file) = state;
        file->stem = stem_of(state.path);
        file->kind = kind_of(state.path);
        file->serial = next_serial_++;
        files_.push_back(std::move(file));
    }
}

void Follower::rescan() {
    replaced_.clear();
    first_new_serial_ = next_serial_;
    last_look_ = false;
    for (int look = 1; !scan() && !last_look_; ++look) last_look_ = look + 1 == max_scans;
    report_watching();
    report_truncations();
    handle_missing();
    mark_finished();
    forget_old();
    by_path_.clear();
    for (TrackedFile* file : located_) by_path_[file->path] = file;
    listed_ = std::move(present_);
    rescan_wanted_ = moved_;
    location_unknown_ = false;
    last_rescan_ = clock_.steady();
    next_rescan_ = last_rescan_ + settings_.rescan_interval;
    if (!rests_.empty()) next_rescan_ = std::min<base::SteadyTime>(next_rescan_, last_rescan_ + resting_interval);
}

// Logged once for each reason, and once when it is over.
void Follower::report_watching() {
    const auto& [folders, why] = watcher_->unwatched();
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
    return list_files(file_system_, settings_.globs, settings_.moved_to, order_ == ReadingOrder::oldest_first);
}

// False when files were renamed or removed meanwhile: one may be missing among those found, or have another's name. The
// listing is compared with a second one where a later rescan would be too late: when this is the only or the first
// rescan, or when lines depend on earlier lines, and so files are read in order.
bool Follower::scan() {
    const Listing listing = list();
    std::set<std::string> folders = listing.folders;
    watcher_->watch(folders);
    problems_ = listing.problems;
    located_.clear();
    looked_at_again_.clear();
    moved_ = false;
    const std::vector<const SeenFile*> unknown = locate_by_inode(listing);
    const bool all_located = std::ranges::all_of(
        files_, [&](const auto& file) { return file->vanished_at != 0 || located_.contains(file.get()); });
    const bool compare_names =
        finished_files_ || order_ == ReadingOrder::oldest_first || last_rescan_ == base::SteadyTime{};
    const auto names_changed = [&] {
        return !std::ranges::equal(list().files, listing.files, [](const SeenFile& a, const SeenFile& b) {
            return std::tie(a.path, a.id) == std::tie(b.path, b.id);
        });
    };
    if (!unknown.empty() && !all_located && !last_look_ && names_changed()) return false;
    recognise(unknown);
    if (moved_ || !compare_names) return !moved_;
    return !names_changed();
}

// The head of the file that was listed. Fault::not_found, and moved_, when its path leads to another file by now, or to
// none.
base::Result<Head> Follower::head_of(const SeenFile& seen) {
    auto head = contents_.head(seen.path);
    if (head && head->id != seen.id) {
        head = fail(base::Fault::not_found, "{}: was replaced while it was read", seen.path);
    }
    moved_ = moved_ || (!head && head.error().fault == base::Fault::not_found);
    return head;
}

// Records that the file is at the path and inode that `seen` has; `head` where it was read for that.
void Follower::locate(TrackedFile& file, const SeenFile& seen, const Head* head) {
    located_.insert(&file);
    rests_.erase(seen.id);
    if (head != nullptr) file.packing = head->packing;
    if (file.id != seen.id) {
        file.open.reset();
        file.disk_read = 0;
        file.finished = false;
    }
    const bool surer = head != nullptr && head->identity > file.identity;
    if (surer || file.path != seen.path || file.id != seen.id || file.vanished_at != 0 || file.shorter_from != 0) {
        if (file.path != seen.path || file.id != seen.id) {
            log_.debug(fmt::format("{}: is at {} now, inode {}", file.path, seen.path, seen.id.inode));
        }
        const base::WriterTurn turn(lock_);
        if (file.path != seen.path) ++events_.rotations;
        if (surer) file.identity = head->identity;
        file.path = seen.path;
        file.stem = stem_of(seen.path);
        file.kind = kind_of(seen.path);
        file.id = seen.id;
        file.vanished_at = 0;
        file.shorter_from = 0;
    }
    file.source = seen.source;
    file.verified = true;
    file.detached = false;
    file.waiting = false;
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

// What is behind `offset` is not counted yet, and what is before it is of another file than what was read.
void Follower::go_on_at(TrackedFile& file, std::uint64_t offset) {
    const base::WriterTurn turn(lock_);
    file.offset = offset;
    file.tail = {};
}

TrackedFile& Follower::add_new(const SeenFile& seen, const Head& head) {
    auto file = std::make_unique<TrackedFile>();
    const auto same_name = by_path_.find(seen.path);
    if (same_name != by_path_.end() && !located_.contains(same_name->second)) ++events_.rotations;
    const auto same_place = by_id_.find(seen.id);
    if (same_place != by_id_.end() && same_place->second->path == seen.path) replaced_.insert(same_place->second);
    rests_.erase(seen.id);
    log_.debug(fmt::format("{}: is new, inode {}", seen.path, seen.id.inode));
    file->serial = next_serial_++;
    file->path = seen.path;
    file->stem = stem_of(seen.path);
    file->kind = kind_of(seen.path);
    file->id = seen.id;
    file->source = seen.source;
    file->packing = head.packing;
    file->first_time = head.first_time;
    file->fingerprint = fingerprint_of(head.bytes, std::min(head.records_end, full_fingerprint_length(head.bytes)));
    file->identity = head.identity;
    file->begin = head.begin;
    file->offset = head.begin;
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

// What took a file's place is another file. Where the old content is found under another name, copied before the file
// was truncated, it is read on there and nothing is lost.
void Follower::report_truncations() {
    for (TrackedFile* file : replaced_) {
        if (located_.contains(file) || file->waiting || file->vanished_at != 0) continue;
        ++events_.truncations;
        log_.warn(file->path + ": has other content than before; what was not read of it is lost");
    }
}

// Files that this rescan found nowhere: read what their descriptor still leads to, then remember them for a while.
void Follower::handle_missing() {
    const std::int64_t now = base::unix_seconds(clock_.wall());
    std::vector<const TrackedFile*> missing;
    for (const auto& file : files_) {
        if (located_.contains(file.get())) continue;
        const bool readable = file->open != nullptr;
        if (file->open) {
            if (!file->detached) file->grown = clock_.steady();
            file->detached = clock_.steady() - file->grown <= settings_.finished_after;
            file->dirty = file->detached;
            if (!file->detached) file->open.reset();
        }
        if (file->vanished_at != 0 || file->waiting) continue;
        if (!readable && !file->finished && file->packed_size == 0 && !replaced_.contains(file.get())) {
            missing.push_back(file.get());
        }
        const base::WriterTurn turn(lock_);
        file->vanished_at = now;
    }
    if (!missing.empty()) report_missing(missing);
}

namespace {

using Order = std::tuple<std::int64_t, std::int64_t, std::string_view>;

// In which order files of one kind follow each other: by their first record, else by their names.
Order order_of(const TrackedFile& file) {
    return {file.first_time, -static_cast<std::int64_t>(rotation_age(file.path)), file.path};
}

}  // namespace

// Files that were written to when they were last seen: more may have been written to them after that, under a name that
// is not looked for. The older ones of a kind were complete; that they are deleted some day is as it should be.
void Follower::report_missing(const std::vector<const TrackedFile*>& missing) {
    std::map<std::string_view, Order> newest;
    for (const auto& file : files_) {
        if (file->serial >= first_new_serial_) continue;
        Order& order = newest[file->kind];
        order = std::max(order, order_of(*file));
    }
    for (const TrackedFile* file : missing) {
        if (order_of(*file) < newest[file->kind]) continue;
        ++events_.missing;
        log_.warn(
            fmt::format("{}: was read up to byte {} and is found nowhere; what was written to it after that is not "
                        "counted unless it comes back: name the files' rotated names, or their folder as moved_to",
                        file->path, file->offset));
    }
}

// A file that a newer one of its kind has replaced, or that was renamed, and that does not grow any more ends where it
// ends.
void Follower::mark_finished() {
    std::map<std::pair<std::uint32_t, std::string_view>, std::int64_t> newest;
    for (const TrackedFile* file : located_) {
        std::int64_t& time = newest[{file->source, file->kind}];
        time = std::max(time, file->first_time);
    }
    const base::SteadyTime now = clock_.steady();
    for (TrackedFile* file : located_) {
        if (file->finished || file->finish || file->packing != io::Compression::none || file->offset >= file->size)
            continue;
        const bool replaced = file->first_time < newest[{file->source, file->kind}] || rotation_age(file->path) > 0;
        if (!finished_files_ && (!replaced || now - file->grown < settings_.finished_after)) continue;
        file->finish = true;
        file->dirty = true;
    }
}

// What vanished long ago, and of what nothing was counted: should it come back, it is new.
void Follower::forget_old() {
    const std::int64_t before = base::unix_seconds(clock_.wall()) - forget_seconds;
    const base::WriterTurn turn(lock_);
    std::erase_if(files_, [&](const auto& file) {
        const bool counted = file->offset > file->begin;
        return file->vanished_at != 0 && !file->open && (!counted || file->vanished_at < before);
    });
}

void Follower::wait(int wake_fd, std::chrono::milliseconds at_most) {
    const base::SteadyTime now = clock_.steady();
    base::SteadyTime until = next_rescan_;
    if (rescan_wanted_) until = std::min(until, last_rescan_ + rescan_pause);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    const auto allowed = std::clamp(left, std::chrono::milliseconds(0), at_most);
    const Watcher::Changes changes = watcher_->wait(allowed, wake_fd);
    for (const std::string& path : changes.grown) {
        const auto known = by_path_.find(path);
        if (known != by_path_.end()) {
            known->second->dirty = true;
            known->second->grown = clock_.steady();
        } else if (looked_at_again_.contains(path)) {
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
    for (const auto& file : files_) file->dirty = file->dirty || file->open != nullptr;
    return dirty();
}

bool Follower::any_dirty() const {
    return std::ranges::any_of(files_, [](const auto& file) { return file->dirty; });
}

void Follower::content_changed(TrackedFile& file) {
    file.open.reset();
    file.compare = true;
    file.dirty = false;
    rescan_wanted_ = true;
    location_unknown_ = true;
}

void Follower::close_idle() {
    std::vector<TrackedFile*> open;
    for (const auto& file : files_) {
        if (file->open && !file->dirty && !file->detached) open.push_back(file.get());
    }
    if (open.size() <= open_files) return;
    std::ranges::sort(open, {}, &TrackedFile::grown);
    for (std::size_t i = 0; i + open_files < open.size(); ++i) open[i]->open.reset();
}

}  // namespace mtawatch::exporter::files
