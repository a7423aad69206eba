#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/io/gzip_encode.h"
#include "tests/support/zstd_text.h"

namespace mtawatch::simulation {
namespace {

// More than a fingerprint of these files covers. Less than that of a copy that then rests is taken for a new file.
constexpr std::size_t first_piece = 2048;
constexpr std::size_t largest_piece = 6000;
constexpr std::uint64_t kept_files = 5;

}  // namespace

std::uint64_t Random::below(std::uint64_t limit) {
    // splitmix64: the same on every machine and library.
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return limit == 0 ? 0 : (z ^ (z >> 31U)) % limit;
}

Log::Log(World& world, std::string name, Rotation rotation, bool timeless)
    : world_(world),
      name_(std::move(name)),
      rotation_(rotation),
      timeless_(timeless),
      appends_(rotation != Rotation::copytruncate || world.random.chance(70)) {
    if (rotation_ == Rotation::copied_over) {
        source_ = header();
    } else {
        begin_file();
    }
}

std::string Log::header() const {
    return timeless_ ? "type,vmta,bounceCat,dsnStatus\n" : "type,timeLogged,orig,rcpt,vmta\n";
}

std::string Log::record() {
    ++records_;
    if (rotation_ == Rotation::segments) {
        return fmt::format(
            R"({{"type":"Delivery","id":"{}-{}","sender":"b@news.example.com","recipient":"u@gmail.com",)"
            R"("queue":"gmail.com","size":500,"response":{{"code":250,"content":"OK"}},)"
            R"("egress_source":"{}","timestamp":{},"created":{}}})"
            "\n",
            name_, records_, name_, world_.mta_clock, world_.mta_clock);
    }
    if (timeless_) return fmt::format("d,{},,2.0.0 (success)\n", name_);
    const std::int64_t second = world_.mta_clock % 86'400;
    const std::int64_t day = world_.mta_clock / 86'400 - 20'777;
    return fmt::format("d,2026-11-{:02} {:02}:{:02}:{:02}+0000,b@news.example.com,user{}@gmail.com,{}\n", day + 1,
                       second / 3600, second / 60 % 60, second % 60, records_, name_);
}

std::string Log::path(const std::string& suffix) const {
    switch (rotation_) {
        case Rotation::numbered:
            return fmt::format("/log/acct-{}-{:04}.csv{}", name_, generation_, suffix);
        case Rotation::segments:
            return fmt::format("/log/{}-{:06}", name_, generation_);
        default:
            return fmt::format("/log/acct-{}.csv{}", name_, suffix);
    }
}

void Log::begin_file() {
    ++generation_;
    open_path_ = path();
    open_ = world_.disk.create(open_path_);
    track(open_path_);
    place_ = 0;
    if (rotation_ != Rotation::segments) pending_ = header();
    world_.note("create " + open_path_ + fmt::format(" inode {}", open_->number));
}

void Log::renamed(const std::string& from, const std::string& to) {
    world_.note("rename " + from + " to " + to);
    world_.disk.rename(from, to);
    std::erase(files_, to);
    std::ranges::replace(files_, from, to);
}

void Log::removed(const std::string& path) {
    world_.note("remove " + path);
    world_.disk.remove(path);
    std::erase(files_, path);
}

// Records, or a piece of one, or the rest of what a full disk did not take.
void Log::write() {
    Random& random = world_.random;
    if (rotation_ == Rotation::segments) return write_segment();
    if (in_pending_ == 0) {
        in_pending_ = random.between(1, random.chance(20) ? 60 : 6);
        for (std::uint64_t i = 0; i < in_pending_; ++i) pending_ += record();
        written_ += in_pending_;
    }
    const std::size_t whole = pending_.size();
    // A record that is not whole a minute after its file was renamed counts as it is: the writer has to be faster.
    const bool in_use = rotation_ == Rotation::copied_over || world_.disk.find(open_path_) == open_;
    const std::size_t piece = in_use && random.chance(25) ? random.between(1, whole) : whole;
    const std::string bytes = pending_.substr(0, piece);
    pending_.erase(0, piece);
    const auto ends = static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
    const std::uint64_t left = static_cast<std::uint64_t>(std::ranges::count(pending_, '\n'));
    const std::uint64_t complete = left >= in_pending_ ? 0 : std::min(ends, in_pending_ - left);
    if (rotation_ == Rotation::copied_over) {
        source_ += bytes;
    } else if (appends_) {
        world_.disk.append(open_, bytes);
        expected_ += complete;
    } else {
        world_.disk.overwrite(open_, place_, bytes);
        place_ += bytes.size();
        expected_ += complete;
    }
    in_pending_ -= complete;
    world_.note(fmt::format("write {} of {} bytes, inode {} is {} long", piece, whole, open_ ? open_->number : 0,
                            open_ ? open_->bytes.size() : source_.size()));
}

// KumoMTA flushes a frame, of which the disk may hold a part for a while.
void Log::write_segment() {
    if (pending_.empty()) {
        in_pending_ = world_.random.between(1, 4);
        std::string text;
        for (std::uint64_t i = 0; i < in_pending_; ++i) text += record();
        written_ += in_pending_;
        pending_ = test::zstd_text(text);
    }
    const std::size_t piece = world_.random.chance(30) ? world_.random.between(1, pending_.size()) : pending_.size();
    world_.disk.append(open_, pending_.substr(0, piece));
    pending_.erase(0, piece);
    if (!pending_.empty()) return;
    expected_ += in_pending_;
    in_pending_ = 0;
}

// Piece by piece, as the source is at that moment. The first piece has a whole beginning.
void Log::then_copy(const std::function<std::string()>& from, const std::string& to) {
    const auto place = std::make_shared<std::size_t>(0);
    const auto target = std::make_shared<InodePtr>();
    then([this, from, to, place, target] {
        const InodePtr source = world_.disk.find(from());
        if (source == nullptr) return true;
        if (*target == nullptr) {
            *target = world_.disk.create(to);
            world_.note("copy " + from() + " to " + to + fmt::format(" inode {}", (*target)->number));
        }
        const std::size_t least =
            *place == 0 ? first_piece + std::min(source->bytes.find_first_not_of('\0'), source->bytes.size()) : 1;
        const std::string piece = source->bytes.substr(*place, world_.random.between(least, least + largest_piece));
        world_.disk.append(*target, piece);
        *place += piece.size();
        return *place == source->bytes.size();
    });
}

// As gzip or zstd do: a new file beside it, then the original goes. On a full disk it begins again.
void Log::then_compress(const std::function<std::string()>& path, bool keep) {
    const auto packed = std::make_shared<std::string>();
    const auto place = std::make_shared<std::size_t>(0);
    const bool zstd = rotation_ != Rotation::copied_over && world_.random.chance(15);
    then([this, path, packed, place, zstd, keep] {
        const std::string from = path();
        const std::string to = from + (zstd ? ".zst" : ".gz");
        const InodePtr source = world_.disk.find(from);
        if (source == nullptr) return true;
        if (*place == 0) {
            *packed = zstd ? test::zstd_text(source->bytes) : io::gzip_encode(source->bytes).value();
            world_.disk.create(to);
            world_.note("compress to " + to + fmt::format(" inode {}", world_.disk.find(to)->number));
        }
        const std::string piece = packed->substr(*place, world_.random.between(1, packed->size()));
        world_.disk.append(world_.disk.find(to), piece);
        *place += piece.size();
        if (*place < packed->size() && world_.random.chance(10)) {
            world_.note("disk full at " + to);
            world_.disk.remove(to);
            *place = 0;
            return false;
        }
        return *place == packed->size();
    });
    then([this, path, zstd, keep] {
        const std::string from = path();
        const std::string to = from + (zstd ? ".zst" : ".gz");
        if (!world_.disk.exists(from)) return true;
        if (keep) {
            extra_.push_back(to);
        } else {
            removed(from);
            track(to);
        }
        return true;
    });
}

void Log::rotate() {
    switch (rotation_) {
        case Rotation::numbered:
        case Rotation::segments:
            return rotate_numbered();
        case Rotation::renamed:
            return rotate_renamed();
        case Rotation::dated:
            return rotate_dated();
        case Rotation::copytruncate:
            return rotate_copytruncate();
        case Rotation::copied_over:
            return copy_over();
    }
}

void Log::rotate_numbered() {
    Random& random = world_.random;
    const auto old = std::make_shared<std::string>(open_path_);
    then([this] {
        if (!pending_.empty()) return false;
        begin_file();
        return true;
    });
    if (rotation_ == Rotation::segments) return;
    const std::string moved = "/done" + old->substr(4);
    switch (random.below(4)) {
        case 0:
            then([this, old, moved] {
                renamed(*old, moved);
                *old = moved;
                return true;
            });
            break;
        case 1:  // to another file system
            then_copy([old] { return *old; }, moved);
            then([this, old, moved] {
                removed(*old);
                track(moved);
                *old = moved;
                return true;
            });
            break;
        default:
            break;
    }
    if (random.chance(40)) then_compress([old] { return *old; }, random.chance(20));
}

// x.2.gz becomes x.3.gz, then x.1 x.2, one after the other.
void Log::shift_numbers() {
    for (int number = 20; number > 0; --number) {
        for (const char* packed : {"", ".gz", ".zst"}) {
            const std::string from = path(fmt::format(".{}{}", number, packed));
            const std::string to = path(fmt::format(".{}{}", number + 1, packed));
            if (!world_.disk.exists(from)) continue;
            then([this, from, to] {
                // What is packed meanwhile keeps its name until the next time.
                if (world_.disk.exists(from)) renamed(from, to);
                return true;
            });
        }
    }
}

void Log::rotate_renamed() {
    shift_numbers();
    then([this] {
        if (!pending_.empty()) return false;
        renamed(path(), path(".1"));
        return true;
    });
    // The writer has its file open and writes on to it, until it opens the new one.
    then([this] {
        if (!pending_.empty() || world_.random.chance(40)) return false;
        begin_file();
        return true;
    });
    if (world_.random.chance(40)) {
        const std::string which = world_.random.chance(50) ? ".1" : ".2";
        then_compress([this, which] { return path(which); }, false);
    }
}

void Log::rotate_dated() {
    const std::string old = path(fmt::format("-202611{:02}", generation_ % 90 + 10));
    if (world_.disk.exists(old) || world_.disk.exists(old + ".gz") || world_.disk.exists(old + ".zst")) return;
    then([this, old] {
        if (!pending_.empty()) return false;
        renamed(path(), old);
        return true;
    });
    then([this] {
        if (!pending_.empty() || world_.random.chance(40)) return false;
        begin_file();
        return true;
    });
    if (world_.random.chance(40)) then_compress([old] { return old; }, world_.random.chance(20));
}

// What is written between the copy and the truncation would be lost, so the writer waits.
void Log::rotate_copytruncate() {
    shift_numbers();
    then([this] {
        if (!pending_.empty()) return false;
        blocked_ = true;
        return true;
    });
    then_copy([this] { return path(); }, path(".1"));
    then([this] {
        track(path(".1"));
        world_.note("truncate " + path());
        world_.disk.truncate(open_, 0);
        pending_ = header();
        blocked_ = false;
        return true;
    });
    if (world_.random.chance(30)) then_compress([this] { return path(".1"); }, false);
}

// cp and scp truncate and write anew, rsync --inplace writes over it, rsync writes beside it and renames. A transfer
// may break off and begin again.
void Log::copy_over() {
    if (!pending_.empty() || source_.size() < first_piece) return;
    const auto content = std::make_shared<std::string>(source_);
    const auto records = static_cast<std::uint64_t>(std::ranges::count(source_, '\n')) - 1;
    const auto target = std::make_shared<InodePtr>();
    const auto place = std::make_shared<std::size_t>(0);
    const auto breaks = std::make_shared<int>(world_.random.chance(20) ? 1 : 0);
    const std::uint64_t how = world_.random.below(4);
    then([this, content, target, place, how, breaks] {
        const std::string to = how == 3 ? "/log/.copy-" + name_ : path();
        if (*place == 0) {
            *target = world_.disk.find(to);
            if (*target == nullptr || how == 2) *target = world_.disk.create(to);
            if (how == 0) world_.disk.truncate(*target, 0);
            world_.note(fmt::format("copy over {} way {} inode {}", to, how, (*target)->number));
        }
        std::size_t end = *place + world_.random.between(*place == 0 ? first_piece : 1, largest_piece);
        // What stops at the end of a line twice and rests looks like a file that is written to.
        if (end < content->size() && (*content)[end - 1] == '\n') --end;
        end = std::min(end, content->size());
        world_.disk.overwrite(*target, *place, content->substr(*place, end - *place));
        *place = end;
        if (*place < content->size() && *breaks > 0 && world_.random.chance(30)) {
            world_.note("the transfer breaks off");
            --*breaks;
            *place = 0;
        }
        return *place == content->size();
    });
    then([this, records, how] {
        if (how == 3) world_.disk.rename("/log/.copy-" + name_, path());
        if (files_.empty()) track(path());
        expected_ = records;
        return true;
    });
}

void Log::step() {
    Random& random = world_.random;
    const std::uint64_t what = random.below(100);
    if (!script_.empty() && what < 55) {
        // A writer that is in the middle of a record finishes it before its files change.
        if (script_.front()()) script_.pop_front();
        return;
    }
    if (what < 85) {
        if (!blocked_) write();
        return;
    }
    if (world_.quiet || !script_.empty()) return;
    if (what < 95) {
        if (pending_.empty() || rotation_ == Rotation::copytruncate) rotate();
        return;
    }
    if (timeless_ || rotation_ == Rotation::copied_over || files_.empty()) return;
    // An operator keeps a copy, or packs one beside the original.
    const std::string from = files_[random.below(files_.size())];
    const InodePtr inode = world_.disk.find(from);
    if (inode == nullptr || extra_.size() > 2) return;
    if (inode->bytes.size() < first_piece + std::min(inode->bytes.find_first_not_of('\0'), inode->bytes.size())) return;
    if (rotation_ == Rotation::segments && inode == open_) return;
    if (rotation_ != Rotation::segments && inode != open_ && from.ends_with(".csv") && random.chance(50)) {
        then_compress([from] { return from; }, true);
        return;
    }
    if (!from.ends_with(".csv") && rotation_ != Rotation::segments) return;
    const std::string to = rotation_ == Rotation::segments ? fmt::format("/log/saved-{}-{}", name_, records_)
                                                           : fmt::format("/log/acct-copy-{}-{}.csv", name_, records_);
    then_copy([from] { return from; }, to);
    then([this, to] {
        if (world_.disk.exists(to)) extra_.push_back(to);
        return true;
    });
}

void Log::finish() {
    for (int steps = 0; !script_.empty() || !pending_.empty(); ++steps) {
        if (steps > 100'000) throw std::logic_error("a script never ends");
        if (!pending_.empty() && !blocked_) write();
        if (!script_.empty() && script_.front()()) script_.pop_front();
    }
    if (rotation_ != Rotation::copied_over) return;
    copy_over();
    while (!script_.empty()) {
        if (script_.front()()) script_.pop_front();
    }
}

void Log::clean() {
    for (const std::string& copy : std::exchange(extra_, {})) {
        if (!world_.disk.exists(copy)) continue;
        if (world_.random.chance(30)) {
            extra_.push_back(copy);
        } else {
            removed(copy);
        }
    }
    if (rotation_ == Rotation::copied_over) return;
    while (files_.size() > kept_files) {
        const auto old =
            std::ranges::find_if(files_, [&](const std::string& path) { return world_.disk.find(path) != open_; });
        if (old == files_.end()) return;
        removed(std::string(*old));
    }
}

World::World(std::uint64_t seed, Disk& the_disk, test::FakeClock& the_clock)
    : random(seed), disk(the_disk), clock(the_clock), kumomta_(random.chance(10)) {
    const std::uint64_t count = random.between(1, 3);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto rotation = kumomta_ ? Rotation::segments : static_cast<Rotation>(random.below(rotation_count - 1));
        const bool may_be_timeless =
            rotation == Rotation::numbered || rotation == Rotation::renamed || rotation == Rotation::dated;
        logs_.push_back(std::make_unique<Log>(*this, std::string(1, static_cast<char>('a' + i)), rotation,
                                              may_be_timeless && random.chance(30)));
    }
}

void World::step() {
    if (random.chance(10)) mta_clock += static_cast<std::int64_t>(random.below(50));
    logs_[random.below(logs_.size())]->step();
}

void World::finish() {
    quiet = true;
    for (const auto& log : logs_) log->finish();
    quiet = false;
}

void World::clean() {
    for (const auto& log : logs_) log->clean();
}

void World::pass_time() {
    clock.advance(std::chrono::milliseconds(random.chance(5) ? random.below(20'000) : random.between(1, 300)));
    // An administrator, or a time server, sets the clock.
    if (random.chance(1))
        clock.set_wall(clock.wall() + std::chrono::seconds(random.below(7200)) - std::chrono::hours(1));
}

std::uint64_t World::written() const {
    std::uint64_t sum = 0;
    for (const auto& log : logs_) sum += log->written();
    return sum;
}

std::uint64_t World::expected() const {
    std::uint64_t sum = 0;
    for (const auto& log : logs_) sum += log->expected();
    return sum;
}

void World::note(const std::string& text) {
    if (trace != nullptr) trace->push_back(text);
}

}  // namespace mtawatch::simulation
