#include "exporter/pipe/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
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
    settings.folder += "/" + settings.name;
    if (::mkdir(settings.folder.c_str(), folder_mode) != 0 && errno != EEXIST) {
        return failed("spool folder: creating", settings.folder);
    }
    struct stat info {};
    if (::stat(settings.folder.c_str(), &info) != 0) return failed("spool folder", settings.folder);
    if (!S_ISDIR(info.st_mode)) return fail(Fault::io, "spool folder {}: is no folder", settings.folder);
    return Spool(std::move(settings), clock);
}

Result<void> Spool::begin_file(std::string_view header) {
    const std::string time = iso_time(clock_->wall(), "%Y%m%dT%H%M%S");
    path_ = fmt::format("{}/{}-{}-{}-{:04}{}", settings_.folder, settings_.name, time, ::getpid(), ++number_, ending);
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, spool_mode));
    size_ = 0;
    if (!fd_) return not_kept("creating");
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

Result<void> Spool::append(std::string_view records, std::string_view header) {
    for (;;) {
        auto done = append_once(records, header);
        if (done || !full_ || !give_up_oldest()) return done;
    }
}

Result<void> Spool::append_once(std::string_view records, std::string_view header) {
    full_ = false;
    if (!fd_ || size_ >= settings_.file_bytes) {
        // The records may begin with the header themselves.
        if (auto done = begin_file(records.starts_with(header) ? std::string_view() : header); !done) return done;
        keep_limit();
    }
    if (auto done = write_whole(records); !done) return done;
    if (::fdatasync(fd_.get()) != 0) return failed("syncing", path_);
    return {};
}

bool Spool::give_up_oldest() {
    for (const SpoolFile& file : files_of(settings_)) {
        const std::string path = settings_.folder + "/" + file.name;
        if (path == path_) continue;
        if (::unlink(path.c_str()) != 0) continue;
        ++dropped_files_;
        return true;
    }
    return false;
}

void Spool::keep_limit() {
    const std::vector<SpoolFile> files = files_of(settings_);
    std::uint64_t sum = settings_.file_bytes;  // what the new file may become
    for (const SpoolFile& file : files) sum += file.size;
    for (std::size_t i = 0; i < files.size() && sum > settings_.max_bytes; ++i) {
        if (!give_up_oldest()) return;
        sum -= files[i].size;
    }
}

}  // namespace mtawatch::exporter::pipe
