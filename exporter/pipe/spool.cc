#include "exporter/pipe/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <vector>

#include "shared/base/text.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::exporter::pipe {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr mode_t spool_mode = 0640;
constexpr mode_t folder_mode = 0750;
// How much of a line shows whether it begins a record: the longest type and a comma.
constexpr std::size_t type_bytes = 8;
constexpr std::string_view ending = ".csv";

std::string iso_time(base::WallTime time, const char* form) {
    const std::time_t seconds = static_cast<std::time_t>(base::unix_seconds(time));
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[40];
    return {text, std::strftime(text, sizeof text, form, &parts)};
}

bool begins_record(std::string_view line) {
    const std::string_view head = line.substr(0, type_bytes);
    const std::size_t comma = head.find(',');
    if (comma == std::string_view::npos) return false;
    const std::string_view type = head.substr(0, comma);
    return type == "type" || mta::logs::record_type_of_code(type).has_value();
}

base::Failure failed(std::string_view doing, const std::string& path) {
    const Fault fault = errno == EACCES ? Fault::permission : errno == ENOENT ? Fault::not_found : Fault::io;
    return fail(fault, "{} {}: {}", doing, path, std::generic_category().message(errno));
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return base::is_alpha(c) || base::is_digit(c) || c == '_' || c == '-';
    });
}

struct SpoolFile {
    std::string name;
    std::uint64_t size;
};

// The files of one spool, oldest first. Behind the name stands a date, so "a" does not own the files of "a-b".
std::vector<SpoolFile> files_of(const SpoolSettings& settings) {
    std::vector<SpoolFile> files;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(settings.folder.c_str()), &::closedir);
    if (folder == nullptr) return files;
    const std::string prefix = settings.name + "-";
    // One thread uses this stream, which readdir(3) allows.
    while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe)
        const std::string_view name = entry->d_name;
        if (!name.starts_with(prefix) || !name.ends_with(ending)) continue;
        const std::string_view date = name.substr(prefix.size(), 9);
        if (date.size() != 9 || date[8] != 'T' || !std::ranges::all_of(date.substr(0, 8), base::is_digit)) continue;
        struct stat info {};
        if (::stat((settings.folder + "/" + entry->d_name).c_str(), &info) != 0) continue;
        files.push_back({entry->d_name, static_cast<std::uint64_t>(info.st_size)});
    }
    std::ranges::sort(files, {}, &SpoolFile::name);
    return files;
}

// Of a file in which a process was killed: where its last whole record ends. Absent where the file cannot be read.
std::optional<std::uint64_t> end_of_records(int fd) {
    RecordSplitter splitter;
    std::array<char, 64U << 10U> bytes;
    std::uint64_t size = 0;
    for (;;) {
        const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(size));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) return size - splitter.rest().size();
        size += static_cast<std::uint64_t>(got);
        splitter.add({bytes.data(), static_cast<std::size_t>(got)});
        while (splitter.next()) {
        }
    }
}

bool ends_in_a_line(int fd, std::uint64_t size) {
    char last = 0;
    return size == 0 || ::pread(fd, &last, 1, static_cast<off_t>(size - 1)) != 1 || last == '\n';
}

// The locked file, or none if its writer lives.
io::Descriptor locked(const std::string& path, int flags) {
    io::Descriptor file(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) file.reset();
    return file;
}

}  // namespace

std::optional<std::string_view> RecordSplitter::next() {
    if (taken_ > max_piped_record) {
        bytes_.erase(0, taken_);
        taken_ = 0;
    }
    bool inside = false;
    for (std::size_t at = taken_; at < bytes_.size(); ++at) {
        if (bytes_[at] == '"') inside = !inside;
        if (bytes_[at] != '\n') continue;
        const std::string_view following = std::string_view(bytes_).substr(at + 1);
        if (inside && following.size() < type_bytes && following.find('\n') == std::string_view::npos) break;
        if (inside && !begins_record(following)) continue;
        const std::string_view record = std::string_view(bytes_).substr(taken_, at + 1 - taken_);
        taken_ = at + 1;
        return record;
    }
    if (bytes_.size() - taken_ < max_piped_record) return std::nullopt;
    const std::string_view piece = std::string_view(bytes_).substr(taken_);
    taken_ = bytes_.size();
    return piece;
}

void ArrivalStamp::append(std::string_view record, base::WallTime now, std::string& out) {
    std::string_view line = record;
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    const bool is_header = base::iequals(line.substr(0, line.find(',')), "type");
    if (is_header) {
        const std::vector<std::string_view> columns = base::split(line, ',');
        stamp_ = std::ranges::none_of(columns, [](std::string_view column) {
            return base::iequals(column, "timeLogged") || base::iequals(column, "timestamp");
        });
        header_ = std::string(line) + (stamp_ ? ",timeLogged\n" : "\n");
        out += header_;
    } else if (stamp_ && !line.empty()) {
        out.append(line).append(",").append(iso_time(now, "%Y-%m-%d %H:%M:%S+0000")).append("\n");
    } else {
        out += record;
    }
}

Result<Spool> Spool::open(SpoolSettings settings, const base::Clock& clock) {
    if (!is_name(settings.name)) {
        return fail(Fault::usage, "--name {}: write letters, digits, '-' and '_' only", settings.name);
    }
    const std::string parent = settings.folder;
    settings.folder += "/" + settings.name;
    const bool made = ::mkdir(settings.folder.c_str(), folder_mode) == 0;
    if (!made && errno != EEXIST) return failed("spool folder: creating", settings.folder);
    struct stat info {};
    if (::stat(settings.folder.c_str(), &info) != 0) return failed("spool folder", settings.folder);
    if (!S_ISDIR(info.st_mode)) return fail(Fault::io, "spool folder {}: is no folder", settings.folder);
    const io::Descriptor above(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (made && above && ::fsync(above.get()) != 0) return failed("spool folder: syncing", parent);
    Spool spool(std::move(settings), clock);
    spool.folder_.reset(::open(spool.settings_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!spool.folder_) return failed("spool folder", spool.settings_.folder);
    spool.cut_torn_files();
    return spool;
}

// Nobody else writes to a file that is not locked, so what stands behind its last whole record will never be completed,
// and the reader would take it for a record. A file of nothing else has no header and goes altogether.
void Spool::cut_torn_files() {
    for (const SpoolFile& file : files_of(settings_)) {
        const std::string path = settings_.folder + "/" + file.name;
        const io::Descriptor torn = locked(path, O_RDWR);
        struct stat info {};
        if (!torn || ::fstat(torn.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
        const auto size = static_cast<std::uint64_t>(info.st_size);
        if (ends_in_a_line(torn.get(), size)) continue;
        const auto whole = end_of_records(torn.get());
        if (!whole || *whole >= size) continue;
        const int done = *whole == 0 ? ::unlink(path.c_str()) : ::ftruncate(torn.get(), static_cast<off_t>(*whole));
        if (done == 0) ++torn_files_;
    }
}

Result<void> Spool::begin_file(std::string_view header) {
    const std::string time = iso_time(clock_->wall(), "%Y%m%dT%H%M%S");
    path_ = fmt::format("{}/{}-{}-{}-{:04}{}", settings_.folder, settings_.name, time, ::getpid(), ++number_, ending);
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, spool_mode));
    size_ = 0;
    if (!fd_) return not_kept("creating");
    new_entry_ = true;
    ::flock(fd_.get(), LOCK_EX | LOCK_NB);  // where files cannot be locked there are no two pipes of one name either
    if (header.empty()) return {};
    return write_whole(header);
}

base::Failure Spool::not_kept(std::string_view doing) {
    full_ = errno == ENOSPC || errno == EDQUOT;
    return failed(doing, path_);
}

// All of it or, after a failure, nothing: half a record would be counted as a damaged one.
Result<void> Spool::write_whole(std::string_view bytes) {
    std::string_view left = bytes;
    while (!left.empty()) {
        const ssize_t written = ::write(fd_.get(), left.data(), left.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            auto failure = not_kept("writing");
            cut_back();
            return failure;
        }
        left.remove_prefix(static_cast<std::size_t>(written));
    }
    size_ += bytes.size();
    return {};
}

// Truncates the file to the size before the failed write. A file whose first write failed has no header and could not
// be read: it is removed, and the next attempt begins another one.
void Spool::cut_back() {
    if (size_ == 0) {
        fd_.reset();
        ::unlink(path_.c_str());
    } else if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
        fd_.reset();
    }
}

Result<void> Spool::append(std::string_view records, std::string_view header, const Pause& pause) {
    for (;;) {
        auto done = append_once(records, header);
        if (kept_) {
            stuck_since_.reset();
            given_up_ = false;
            return done;
        }
        if (may_wait(done.error(), pause)) continue;
        if (full_ && clock_->steady() - *stuck_since_ >= settings_.wait && give_up_oldest()) continue;
        given_up_ = true;
        return done;
    }
}

bool Spool::may_wait(const base::Error& error, const Pause& pause) {
    if (!stuck_since_) stuck_since_ = clock_->steady();
    return !given_up_ && pause && clock_->steady() - *stuck_since_ < settings_.wait && pause(error);
}

Result<void> Spool::append_once(std::string_view records, std::string_view header) {
    full_ = kept_ = false;
    if (!fd_ || size_ >= settings_.file_bytes) {
        // The records may begin with the header themselves.
        if (auto done = begin_file(records.starts_with(header) ? std::string_view() : header); !done) return done;
        keep_limit();
    }
    if (auto done = write_whole(records); !done) return done;
    kept_ = true;
    return sync();
}

// The bytes, and once for each file its name: a file that no folder names is lost with the machine.
Result<void> Spool::sync() {
    if (::fdatasync(fd_.get()) != 0) return failed("syncing", path_);
    if (new_entry_ && ::fsync(folder_.get()) != 0) return failed("syncing", settings_.folder);
    new_entry_ = false;
    return {};
}

bool Spool::give_up(const std::string& name) {
    const std::string path = settings_.folder + "/" + name;
    if (path == path_) return false;
    const io::Descriptor file = locked(path, O_RDONLY);
    if (!file || ::unlink(path.c_str()) != 0) return false;
    ++dropped_files_;
    return true;
}

bool Spool::give_up_oldest() {
    return std::ranges::any_of(files_of(settings_), [this](const SpoolFile& file) { return give_up(file.name); });
}

void Spool::keep_limit() {
    const std::vector<SpoolFile> files = files_of(settings_);
    std::uint64_t sum = settings_.file_bytes;  // what the new file may become
    for (const SpoolFile& file : files) sum += file.size;
    for (const SpoolFile& file : files) {
        if (sum <= settings_.max_bytes) return;
        if (give_up(file.name)) sum -= file.size;
    }
}

}  // namespace mtawatch::exporter::pipe
