#include "exporter/feed/checkpoint_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// Larger than any state that the budgets allow.
constexpr std::uint64_t max_state_bytes = 4ULL << 30U;
constexpr mode_t state_mode = 0640;

base::Failure failed(std::string_view doing, const std::string& path) {
    const int error = errno;
    const Fault fault = error == EACCES || error == EPERM ? Fault::permission
                        : error == ENOENT                 ? Fault::not_found
                                                          : Fault::io;
    return fail(fault, "{} {}: {}", doing, path, std::generic_category().message(error));
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("writing", path);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

// Whether another process would find no lock file, or another one: the folder was removed and made again.
bool CheckpointFile::lost_lock() const {
    struct stat ours {};
    struct stat there {};
    if (!lock_ || ::fstat(lock_.get(), &ours) != 0) return true;
    if (::stat((path_ + ".lock").c_str(), &there) != 0) return errno == ENOENT;
    return ours.st_dev != there.st_dev || ours.st_ino != there.st_ino;
}

Result<void> CheckpointFile::acquire_lock() {
    const std::string lock_path = path_ + ".lock";
    io::Descriptor lock(::open(lock_path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, state_mode));
    if (!lock) return failed("state file: opening", lock_path);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return failed("state file: locking", lock_path);
        return fail(Fault::configuration,
                    "state file {}: another exporter is using it; give this one its own --state.file", path_);
    }
    lock_ = std::move(lock);
    return {};
}

Result<CheckpointFile> CheckpointFile::open(const std::string& path) {
    CheckpointFile file(path);
    const auto locked = file.acquire_lock();
    if (!locked && errno != EROFS && errno != ENOSPC) return fail(locked.error());
    return file;
}

Result<std::optional<std::string>> CheckpointFile::load() const {
    const io::Descriptor fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT) return std::nullopt;
        return failed("state file: opening", path_);
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return failed("state file: reading", path_);
    if (!S_ISREG(info.st_mode)) return fail(Fault::io, "state file {}: is no regular file", path_);
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size > max_state_bytes) return fail(Fault::limit, "state file {}: {} bytes are too many", path_, size);
    std::string document(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got = ::read(fd.get(), document.data() + have, size - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("state file: reading", path_);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    document.resize(have);
    return document;
}

Result<void> CheckpointFile::save(std::string_view document) {
    if (lost_lock()) {
        if (auto done = acquire_lock(); !done) return done;
    }
    const std::string temporary = path_ + ".new";
    io::Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, state_mode));
    if (!fd) return failed("state file: creating", temporary);
    Result<void> written = write_all(fd.get(), document, temporary);
    if (written && ::fsync(fd.get()) != 0) written = failed("state file: syncing", temporary);
    fd.reset();
    if (written && ::rename(temporary.c_str(), path_.c_str()) != 0) written = failed("state file: renaming", temporary);
    if (!written) {
        // The half-written one takes room that the next attempt needs.
        ::unlink(temporary.c_str());
        return written;
    }
    const io::Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) return failed("state file: syncing the folder of", path_);
    return {};
}

Result<std::string> CheckpointFile::keep_aside() const {
    const std::string aside = path_ + ".unreadable";
    if (::rename(path_.c_str(), aside.c_str()) != 0) return failed("state file: renaming", path_);
    return aside;
}

}  // namespace mtawatch::exporter::feed
