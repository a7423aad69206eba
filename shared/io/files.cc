#include "shared/io/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "shared/io/descriptor.h"
#include "shared/io/system_error.h"

namespace mtawatch::io {

namespace {

using base::fail;
using base::Fault;

FileInfo info_of(const struct stat& status) {
    const auto modified =
        std::chrono::seconds(status.st_mtim.tv_sec) +
        std::chrono::floor<std::chrono::microseconds>(std::chrono::nanoseconds(status.st_mtim.tv_nsec));
    return {static_cast<std::uint64_t>(status.st_size), static_cast<std::uint32_t>(status.st_mode & 07777U),
            S_ISDIR(status.st_mode), base::WallTime(modified)};
}

// Reads to the end, or until more than `limit` bytes came.
base::Result<std::string> read_all(int descriptor, const std::string& path, std::size_t limit) {
    constexpr std::size_t step = 64U << 10U;
    std::string text;
    while (text.size() <= limit) {
        const std::size_t before = text.size();
        text.resize(before + step);
        const ssize_t count = ::read(descriptor, text.data() + before, step);
        text.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(file_error(path, errno));
        if (count == 0) return text;
    }
    return fail(Fault::limit, "{}: larger than {} bytes", path, limit);
}

// Whether an unreadable folder was met, for glob(3), which knows no other way to tell.
thread_local int glob_failure = 0;
thread_local std::string glob_failed_path;

int record_glob_error(const char* path, int number) {
    if (number == ENOENT || number == ENOTDIR) return 0;  // nothing there: no match
    glob_failure = number;
    glob_failed_path = path;
    return 1;
}

}  // namespace

std::string Files::real_path(std::string_view path) const { return root_ + std::string(path); }

base::Result<std::string> Files::read_standard_input(std::size_t max_bytes) {
    return read_all(STDIN_FILENO, "standard input", max_bytes);
}

base::Result<std::string> Files::read(const std::string& path, std::size_t max_bytes) const {
    // Non-blocking, so that opening a pipe put in the file's place cannot hold the plugin.
    const Descriptor file(::open(real_path(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) return fail(file_error(path, errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail(file_error(path, errno));
    if (S_ISDIR(status.st_mode)) return fail(Fault::io, "{}: is a directory, a file is needed", path);
    // Without a writer it reads as empty, and an empty file can be a valid one.
    if (S_ISFIFO(status.st_mode)) return fail(Fault::io, "{}: is a pipe, a file is needed", path);
    return read_all(file.get(), path, max_bytes);
}

base::Result<FileInfo> Files::info(const std::string& path) const {
    struct stat status {};
    if (::stat(real_path(path).c_str(), &status) != 0) return fail(file_error(path, errno));
    return info_of(status);
}

base::Result<std::vector<std::string>> Files::glob(const std::string& pattern) const {
    glob_t found{};
    glob_failure = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): only "~" is, and that is not expanded without GLOB_TILDE
    const int outcome = ::glob(real_path(pattern).c_str(), 0, record_glob_error, &found);
    const std::unique_ptr<glob_t, void (*)(glob_t*)> owner(&found, ::globfree);
    if (outcome == GLOB_NOSPACE) return fail(Fault::io, "{}: out of memory", pattern);
    if (outcome == GLOB_ABORTED) {
        const std::string shown = glob_failed_path.substr(std::min(root_.size(), glob_failed_path.size()));
        return fail(file_error(shown.empty() ? "/" : shown, glob_failure));
    }
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
        paths.push_back(std::string(found.gl_pathv[i]).substr(root_.size()));
    }
    return paths;
}

}  // namespace mtawatch::io
