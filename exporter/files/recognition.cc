// Which of the listed files is which of the known ones: the part of Follower that looks at what files hold.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "exporter/files/follower.h"

namespace mtawatch::exporter::files {
namespace {

using base::fail;

// A copy is written without a pause: a file that was not written to for so long has the beginning that it will have.
constexpr std::chrono::seconds beginning_rests{2};
// A file that is shorter than what was read of it, grew by whole lines and then rested for so long is no copy on its
// way.
constexpr std::chrono::seconds shorter_rests{10};
// Longer than any line that is counted.
constexpr std::size_t line_bytes = 256U << 10U;

std::string_view base_name(std::string_view path) {
    std::string_view name = path.substr(path.rfind('/') + 1);
    for (const std::string_view packed : {".gz", ".zst"}) {
        if (name.ends_with(packed)) name.remove_suffix(packed.size());
    }
    return name;
}

bool is_packed(const Head& head) { return head.packing != io::Compression::none; }

// Where the line begins that byte `offset` is in, at most a line's length before it.
std::uint64_t line_start(const OpenFile& file, std::uint64_t begin, std::uint64_t offset) {
    const std::uint64_t from = std::max(begin, offset - std::min<std::uint64_t>(offset, line_bytes));
    std::string bytes(offset > from ? offset - from : 0, '\0');
    const auto got = file.read_at(bytes, from);
    if (!got || *got != bytes.size()) return begin;
    const std::size_t newline = bytes.rfind('\n');
    return newline == std::string::npos ? from : from + newline + 1;
}

bool ends_in_line(const OpenFile& file, std::uint64_t end) { return end > 0 && line_start(file, 0, end) == end; }

// The file that was listed; null where its path leads to another by now, or to none.
std::unique_ptr<OpenFile> open_listed(const FileSystem& files, const std::string& path, FileId id) {
    auto file = files.open(path);
    if (!file) return nullptr;
    const auto facts = (*file)->facts();
    return facts && facts->id == id ? std::move(*file) : nullptr;
}

std::string without_a_line_end(const SeenFile& seen, const Head& head) {
    if (head.bytes.empty() && head.begin > 0) return seen.path + ": holds nothing but NUL bytes";
    const std::size_t carriage_return = head.bytes.find('\r');
    if (head.bytes.find('\n') != std::string::npos || carriage_return + 1 >= head.bytes.size()) return {};
    return seen.path +
           ": its lines end in CR alone, which is no line end in a log, so nothing of it is counted; write it with "
           "LF or CR LF";
}

}  // namespace

// The known files by their beginnings, and those known before this look by their stems.
struct Follower::Index {
    std::map<std::uint32_t, std::unordered_map<std::uint64_t, std::vector<TrackedFile*>>> by_length;
    std::unordered_multimap<std::string_view, TrackedFile*> by_stem;

    void add(TrackedFile& file) {
        if (file.fingerprint.length != 0) by_length[file.fingerprint.length][file.fingerprint.hash].push_back(&file);
    }
    [[nodiscard]] std::vector<TrackedFile*> alike(const Head& head) const {
        std::vector<TrackedFile*> files;
        for (const auto& [length, by_hash] : by_length) {
            if (length > head.bytes.size()) break;
            const auto found = by_hash.find(fingerprint_of(head.bytes, length).hash);
            if (found == by_hash.end()) continue;
            std::ranges::copy_if(found->second, std::back_inserter(files),
                                 [&](const TrackedFile* file) { return file->begin == head.begin; });
        }
        return files;
    }
};

// Those of the listing whose inode is no followed file's, or whose content is another now.
std::vector<const SeenFile*> Follower::locate_by_inode(const Listing& listing) {
    by_id_.clear();
    for (const auto& file : files_) {
        file->waiting = false;
        if (file->vanished_at == 0) by_id_[file->id] = file.get();
    }
    std::vector<const SeenFile*> unknown;
    std::set<FileId> present;
    for (const SeenFile& seen : listing.files) {
        present.insert(seen.id);
        const auto found = by_id_.find(seen.id);
        if (found == by_id_.end() || !found->second->verified) {
            unknown.push_back(&seen);
            continue;
        }
        const auto held = look_again(*found->second, seen);
        if (!held) continue;
        if (*held == Comparison::same) {
            locate(*found->second, seen, nullptr);
        } else {
            // The descriptor would lead to the new content under the old file's name.
            found->second->open.reset();
            unknown.push_back(&seen);
        }
    }
    present_ = std::move(present);
    std::erase_if(copies_, [&](const auto& copy) { return !present_.contains(copy.first); });
    std::erase_if(rests_, [&](const auto& rest) { return !present_.contains(rest.first); });
    return unknown;
}

// Nothing when it is not known, because the path leads to another file by now, or to none.
std::optional<Comparison> Follower::look_again(const TrackedFile& file, const SeenFile& seen) {
    const bool in_doubt = file.compare || file.shorter_from != 0;
    if (!in_doubt && file.path == seen.path && seen.size >= file.size) return Comparison::same;
    const auto head = head_of(seen);
    if (!head && head.error().fault == base::Fault::not_found) return std::nullopt;
    // Unreadable for now, not another file.
    if (!head) return file.path == seen.path ? Comparison::same : Comparison::other;
    if (head->packing != file.packing || head->begin != file.begin) return Comparison::other;
    if (head->bytes.size() < file.fingerprint.length) return Comparison::other;
    if (fingerprint_of(head->bytes, file.fingerprint.length) != file.fingerprint) return Comparison::other;
    if (is_packed(*head) && !file.compare) return Comparison::same;  // its reader compares what it skips
    const auto held = contents_.compare(file, seen, head->packing);
    if (held) return *held;
    moved_ = moved_ || held.error().fault == base::Fault::not_found;
    if (moved_) return std::nullopt;
    return Comparison::same;
}

void Follower::recognise(const std::vector<const SeenFile*>& unknown) {
    if (unknown.empty()) return;
    Index index;
    const std::uint64_t first_new = next_serial_;
    for (const auto& file : files_) {
        index.add(*file);
        index.by_stem.emplace(file->stem, file.get());
    }
    std::vector<Candidate> pending;
    for (const SeenFile* seen : unknown) {
        auto found = candidate(*seen);
        if (!found) continue;
        const std::vector<TrackedFile*> alike = index.alike(found->head);
        if (locate_same_inode(*found, alike)) continue;
        const bool known_before =
            std::ranges::any_of(alike, [&](const TrackedFile* file) { return file->serial < first_new; });
        if (known_before || index.by_stem.contains(stem_of(seen->path)) || by_id_.contains(seen->id)) {
            pending.push_back(std::move(*found));
        } else {
            settle(*found, index);
        }
    }
    // What is missing may be what one of these looks like: it is looked for first.
    if (moved_ && !last_look_) return;
    locate_best(pending, index);
    for (Candidate& left : pending) {
        if (left.settled) continue;
        // A copy that was looked at after it may have more of its beginning.
        if (!left.head.full()) {
            if (auto head = head_of(left.seen); head) left.head = std::move(*head);
        }
        settle(left, index);
    }
}

// Nothing for a file that is known to be a copy, cannot be read or has to grow before it can be judged.
std::optional<Follower::Candidate> Follower::candidate(const SeenFile& seen) {
    std::uint64_t copy_of = 0;
    if (const auto copy = copies_.find(seen.id); copy != copies_.end()) {
        const auto& [path, size, modified, packed, original] = copy->second;
        const bool unchanged = std::tie(path, size, modified) == std::tie(seen.path, seen.size, seen.modified);
        const bool has_original =
            std::ranges::any_of(located_, [&](const TrackedFile* file) { return file->serial == original; });
        if (unchanged && has_original) return std::nullopt;
        copy_of = original;
        copies_.erase(copy);
    }
    auto head = head_of(seen);
    if (!head) {
        problems_.insert({seen.source, head.error().what});
        return std::nullopt;
    }
    if (auto problem = without_a_line_end(seen, *head); !problem.empty()) {
        problems_.insert({seen.source, std::move(problem)});
    }
    // A packed file without its end: a segment with little in it so far, or a copy of a known file in progress.
    const bool segment = head->packing == io::Compression::zstd && rested(seen, beginning_rests, true);
    if (head->records_end == 0 || (head->growing && !head->full() && !segment)) {
        looked_at_again_.insert(seen.path);
        if (!finished_files_) {
            if (const auto in_place = by_id_.find(seen.id); in_place != by_id_.end()) in_place->second->waiting = true;
            return std::nullopt;
        }
    }
    return Candidate{seen, std::move(*head), copy_of};
}

// What both hold. A packed file is unpacked for it only where its reader will not do that anyway, and where the names
// do not say that it is the other one packed.
Comparison Follower::compare(TrackedFile& file, const Candidate& candidate) {
    const SeenFile& seen = candidate.seen;
    const Head& head = candidate.head;
    const bool located = located_.contains(&file);
    if (is_packed(head)) {
        const bool by_name = file.identity == Identity::certain && base_name(file.path) == base_name(seen.path);
        if (located ? by_name : !file.compare) return Comparison::same;
    } else if (located && file.packing == io::Compression::none && (seen.size < file.offset || file.tail.length == 0)) {
        const auto same = same_before(file, seen, std::min(seen.size, file.size));
        moved_ = moved_ || !same;
        if (!same.value_or(true)) return not_alike(file);
    }
    const auto held = contents_.compare(file, seen, head.packing);
    if (!held) moved_ = moved_ || held.error().fault == base::Fault::not_found;
    return held.value_or(Comparison::shorter);
}

// Whether both hold the same before byte `end`; nothing where one of them is elsewhere by now, or cannot be read.
std::optional<bool> Follower::same_before(const TrackedFile& file, const SeenFile& seen, std::uint64_t end) const {
    const auto a = open_listed(file_system_, file.path, file.id);
    const auto b = open_listed(file_system_, seen.path, seen.id);
    if (a == nullptr || b == nullptr) return std::nullopt;
    const auto piece = piece_before(*a, file.begin, end);
    const auto other = piece_before(*b, file.begin, end);
    if (!piece || !other) return std::nullopt;
    return *piece == *other;
}

// They differ; or what stands in the place of the known file is another by now, so that it has to be found again first.
Comparison Follower::not_alike(TrackedFile& file) {
    const SeenFile place{file.path, file.source, file.id, file.size, file.modified};
    if (contents_.compare(file, place, file.packing) != Comparison::same) file.compare = moved_ = true;
    return Comparison::other;
}

// A known file under its own inode, whatever its name is: at a start, and where it is back.
bool Follower::locate_same_inode(const Candidate& candidate, const std::vector<TrackedFile*>& alike) {
    const SeenFile& seen = candidate.seen;
    for (TrackedFile* file : alike) {
        if (file->id.inode != seen.id.inode || located_.contains(file)) continue;
        // A file of an older name is gone, and a newer one that begins like it has its inode.
        const bool newer = file->stem == stem_of(seen.path) && rotation_age(seen.path) < rotation_age(file->path);
        if (newer && file->identity == Identity::ambiguous) continue;
        if (compare(*file, candidate) != Comparison::same) continue;
        locate(*file, seen, &candidate.head);
        return true;
    }
    return false;
}

// How well a listed file of another inode fits a known one that is not found yet: 0 for not at all.
int Follower::rank(const TrackedFile& file, const Candidate& candidate) const {
    constexpr int any_name = 1;
    constexpr int same_stem = 2;
    constexpr int same_name = 3;
    constexpr int same_path = 4;
    const std::string& path = candidate.seen.path;
    const bool stem = file.stem == stem_of(path);
    const bool name = base_name(file.path) == base_name(path);
    if (file.identity == Identity::ambiguous) {
        // It was packed, moved to another file system or packed while it was rotated; a new file has a newer name.
        const std::uint64_t age = rotation_age(path);
        const std::uint64_t known = rotation_age(file.path);
        const bool elsewhere = name && (is_packed(candidate.head) || file.path != path);
        return elsewhere || (stem && age > known) ? same_stem : 0;
    }
    if (file.path == path) return same_path;
    if (name) return same_name;
    if (stem) return same_stem;
    return file.identity == Identity::certain ? any_name : 0;
}

void Follower::locate_best(std::vector<Candidate>& candidates, const Index& index) {
    struct Fit {
        int rank;
        std::uint64_t known_age;
        std::uint64_t age;
        Candidate* candidate;
        TrackedFile* file;
    };
    std::vector<Fit> fits;
    for (Candidate& candidate : candidates) {
        for (TrackedFile* file : index.alike(candidate.head)) {
            const int fit = located_.contains(file) ? 0 : rank(*file, candidate);
            if (fit == 0 || compare(*file, candidate) != Comparison::same) continue;
            fits.push_back({fit, rotation_age(file->path), rotation_age(candidate.seen.path), &candidate, file});
        }
    }
    // Rotation keeps the order of files: where nothing else decides, the oldest name is the oldest file.
    std::ranges::stable_sort(fits, std::greater(),
                             [](const Fit& fit) { return std::tuple(fit.rank, fit.known_age, fit.age); });
    for (const Fit& fit : fits) {
        if (fit.candidate->settled || located_.contains(fit.file)) continue;
        locate(*fit.file, fit.candidate->seen, &fit.candidate->head);
        fit.candidate->settled = true;
    }
}

// A file that is no known one's present place: a copy of one, one on its way back, or a new one.
void Follower::settle(const Candidate& candidate, Index& index) {
    const std::vector<TrackedFile*> alike = index.alike(candidate.head);
    for (TrackedFile* file : alike) {
        if (!located_.contains(file)) continue;
        const Comparison held = compare(*file, candidate);
        if (file->compare) return;
        if (held != Comparison::other && is_copy(*file, candidate)) return keep_as_copy(*file, candidate, held);
    }
    for (TrackedFile* file : alike) {
        if (!located_.contains(file) && wait_for_copy(*file, candidate)) return;
    }
    // Nothing is new while something is not where it was listed: it may be what this looks like.
    if (moved_ || beginning_may_follow(candidate, index)) {
        looked_at_again_.insert(candidate.seen.path);
        return;
    }
    // A file and its .gz may both be new: the second of them must be known as a copy.
    index.add(add_new(candidate.seen, candidate.head));
}

// Whether a file that holds the same as a followed one is a copy of it. Where records have no times a new file may hold
// the same, too: then names have to say it.
bool Follower::is_copy(TrackedFile& file, const Candidate& candidate) {
    const SeenFile& seen = candidate.seen;
    const Head& head = candidate.head;
    if (certainly_alike(file, head)) return true;
    const std::string_view name = base_name(seen.path);
    if (name == base_name(file.path)) return true;  // packed beside it, or on its way to another folder
    if (file.stem != stem_of(seen.path)) return false;
    // A new file is not born packed.
    if (is_packed(head) && file.identity != Identity::ambiguous) return true;
    // As logrotate copies a file before it truncates it. What is there since earlier, of files without times, may be
    // older files that no state knows.
    const bool appeared = file.serial < first_new_serial_ && !listed_.empty() && !listed_.contains(seen.id);
    return (appeared || candidate.copy_of == file.serial || file.identity != Identity::ambiguous) &&
           rotation_age(seen.path) > rotation_age(file.path);
}

// Whether it holds more than the known file. A file is not packed beside a shorter one of the same name.
bool Follower::is_longer(const TrackedFile& file, const Candidate& candidate) {
    const SeenFile& seen = candidate.seen;
    if (is_packed(candidate.head) && base_name(seen.path) == base_name(file.path)) return false;
    const SeenFile place{file.path, file.source, file.id, file.size, file.modified};
    const bool counted = file.packed_size != 0 && file.packed_size == file.size;
    const auto known = counted ? file.offset : contents_.text_length(place, file.packing);
    const auto length = contents_.text_length(seen, candidate.head.packing);
    return known && length && *length > *known;
}

// Of a file that was short when it was read there may be more by now.
bool Follower::certainly_alike(TrackedFile& file, const Head& head) {
    if (head.identity != Identity::certain) return false;
    if (file.identity != Identity::likely) return file.identity == Identity::certain;
    const auto now = contents_.head(file.path);
    if (!now || now->id != file.id || now->bytes != head.bytes) return false;
    const base::WriterTurn turn(lock_);
    file.identity = Identity::certain;
    return true;
}

void Follower::keep_as_copy(TrackedFile& file, const Candidate& candidate, Comparison held) {
    const SeenFile& seen = candidate.seen;
    const Head& head = candidate.head;
    SeenFile copy = seen;
    io::Compression packing = head.packing;
    // Of two that are the same for certain the longer one is followed: it holds all that the other does.
    if (held == Comparison::same && file.identity == Identity::certain && is_longer(file, candidate)) {
        copy = {file.path, file.source, file.id, file.size, file.modified};
        packing = file.packing;
        locate(file, seen, &head);
    }
    copies_[copy.id] = {copy.path, copy.size, copy.modified, packing != io::Compression::none, file.serial};
    if (!named_copies_.insert(copy.path).second) return;
    const std::string text = fmt::format(
        "{}: holds the same as {}, so it is a copy and its records are not counted again", copy.path, file.path);
    if (file.stem == stem_of(copy.path)) {
        log_.info(text);
    } else {
        log_.warn(text);
    }
}

Follower::Copies Follower::copies() const {
    Copies copies{copies_.size(), 0};
    for (const auto& [id, copy] : copies_) {
        if (copy.packed) continue;
        copies.longer += std::ranges::any_of(files_, [&, &copy = copy](const auto& file) {
            return file->serial == copy.original && file->packing == io::Compression::none &&
                   copy.size > std::max(file->size, file->offset);
        });
    }
    return copies;
}

// A file that begins like one whose place is unknown, and is shorter than what was read of it: most often a copy on its
// way to that place, of which nothing is new before it is as long. How fast it comes says nothing; what it holds then
// does. False when it is none.
bool Follower::wait_for_copy(TrackedFile& file, const Candidate& candidate) {
    const SeenFile& seen = candidate.seen;
    const Head& head = candidate.head;
    const bool in_place = file.id == seen.id;
    const bool known =
        file.identity == Identity::certain || (file.identity == Identity::likely && file.stem == stem_of(seen.path));
    if (finished_files_ || is_packed(head) || (!in_place && !known)) return false;
    const Comparison held = compare(file, candidate);
    if (held == Comparison::same && rank(file, candidate) == 0) return false;
    const auto opened = open_listed(file_system_, seen.path, seen.id);
    // It became as long meanwhile, or went: look again.
    if (held == Comparison::same || opened == nullptr) return moved_ = true;
    const bool grew = file.shorter_from != 0 && seen.size > file.shorter_from;
    const bool by_lines = grew && ends_in_line(*opened, file.shorter_from) && ends_in_line(*opened, seen.size);
    const bool judged = held == Comparison::other || (by_lines && rested(seen, shorter_rests, false));
    if (judged && file.shorter_from == 0) return false;
    if (judged) {
        // It was an older file under this name, and is written to: what it had when it was first seen is counted.
        const std::uint64_t from = line_start(*opened, file.begin, file.shorter_from);
        log_.info(fmt::format("{}: is no longer the file that it was; it is read on from byte {}", seen.path, from));
        locate(file, seen, &head);
        go_on_at(file, from);
        return true;
    }
    if (file.shorter_from == 0 || seen.size < file.shorter_from) {
        log_.info(fmt::format("{}: has {} bytes, and {} were read of it; it is read on when it holds more than that",
                              seen.path, seen.size, file.offset));
        const base::WriterTurn turn(lock_);
        file.shorter_from = seen.size;
    }
    file.waiting = true;
    looked_at_again_.insert(seen.path);
    return true;
}

// Whether it may be a copy of a longer known file of which less than the fingerprint is there.
bool Follower::beginning_may_follow(const Candidate& candidate, const Index& index) {
    const SeenFile& seen = candidate.seen;
    const Head& head = candidate.head;
    if (finished_files_ || is_packed(head) || head.full() || rested(seen, beginning_rests, false)) return false;
    const auto longer = [&](const TrackedFile& file) { return file.fingerprint.length > head.bytes.size(); };
    if (const auto in_place = by_id_.find(seen.id);
        in_place != by_id_.end() && !located_.contains(in_place->second) && longer(*in_place->second)) {
        in_place->second->waiting = true;
        return true;
    }
    const std::string stem = stem_of(seen.path);
    const auto [from, to] = index.by_stem.equal_range(stem);
    return std::any_of(from, to, [&](const auto& known) {
        TrackedFile& file = *known.second;
        if (!longer(file)) return false;
        if (!located_.contains(&file)) return rotation_age(seen.path) >= rotation_age(file.path);
        const bool moved = file.path != seen.path && base_name(file.path) == base_name(seen.path);
        return moved || rotation_age(seen.path) > rotation_age(file.path);
    });
}

// Whether it did not change for so long: as far as this exporter saw, or, where its time may be trusted, by that.
bool Follower::rested(const SeenFile& seen, std::chrono::seconds at_least, bool trust_time) {
    const std::int64_t now = std::chrono::nanoseconds(clock_.wall().time_since_epoch()).count();
    if (trust_time && now - seen.modified >= std::chrono::nanoseconds(at_least).count()) return true;
    const auto [found, added] = rests_.try_emplace(seen.id, Rest{seen.size, seen.modified, clock_.steady()});
    Rest& rest = found->second;
    if (rest.size != seen.size || rest.modified != seen.modified) rest = {seen.size, seen.modified, clock_.steady()};
    return clock_.steady() - rest.since >= at_least;
}

}  // namespace mtawatch::exporter::files
