#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "exporter/files/file_system.h"
#include "exporter/files/inotify_watcher.h"
#include "shared/io/descriptor.h"

namespace mtawatch::exporter::files {
namespace {

using base::fail;
using base::Fault;
using base::Result;

std::string reason(int error) { return std::generic_category().message(error); }

FileFacts facts_of(const struct stat& info) {
    FileFacts facts;
    facts.id = {info.st_dev, info.st_ino};
    facts.kind = S_ISREG(info.st_mode) ? FileKind::regular : S_ISDIR(info.st_mode) ? FileKind::folder : FileKind::other;
    facts.size = static_cast<std::uint64_t>(info.st_size);
    facts.modified = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
    return facts;
}

class RealFile final : public OpenFile {
  public:
    RealFile(io::Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    [[nodiscard]] Result<std::size_t> read_at(std::span<char> into, std::uint64_t offset) const override {
        std::size_t have = 0;
        while (have < into.size()) {
            const ssize_t got =
                ::pread(fd_.get(), into.data() + have, into.size() - have, static_cast<off_t>(offset + have));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return failed();
            if (got == 0) break;
            have += static_cast<std::size_t>(got);
        }
        return have;
    }
    [[nodiscard]] Result<FileFacts> facts() const override {
        struct stat info {};
        if (::fstat(fd_.get(), &info) != 0) return failed();
        return facts_of(info);
    }
    [[nodiscard]] Result<std::uint64_t> data_from(std::uint64_t offset) const override {
        const off_t found = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
        if (found >= 0) return static_cast<std::uint64_t>(found);
        if (errno == EINVAL) return offset;  // a file system that does not know holes
        if (errno != ENXIO) return failed();
        const auto at_end = facts();
        if (!at_end) return fail(at_end.error());
        return std::max(offset, at_end->size);
    }

  private:
    [[nodiscard]] base::Failure failed() const { return fail(Fault::io, "{}: {}", path_, reason(errno)); }

    io::Descriptor fd_;
    std::string path_;
};

class RealFiles final : public FileSystem {
  public:
    [[nodiscard]] std::vector<std::string> matches(const std::string& pattern) const override {
        glob_t found{};
        std::vector<std::string> paths;
        // Unsafe only beside a thread that changes the environment, which none of ours does.
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
            paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
        }
        ::globfree(&found);
        std::ranges::sort(paths);
        return paths;
    }
    [[nodiscard]] Result<FileFacts> facts(const std::string& path) const override {
        struct stat info {};
        if (::stat(path.c_str(), &info) == 0) return facts_of(info);
        return fail(errno == ENOENT ? Fault::not_found : Fault::io, "{}", reason(errno));
    }
    [[nodiscard]] Result<void> may_list(const std::string& folder) const override {
        if (::access(folder.c_str(), R_OK | X_OK) == 0) return {};
        return fail(Fault::permission, "{}", reason(errno));
    }
    [[nodiscard]] Result<std::unique_ptr<OpenFile>> open(const std::string& path) const override {
        // O_NONBLOCK never waits for a FIFO's other end, whatever took the file's place since it was listed.
        io::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (fd) return std::make_unique<RealFile>(std::move(fd), path);
        if (errno == EACCES) {
            return fail(Fault::permission,
                        "{}: permission denied; add the exporter's user to the file's group (adm, for "
                        "/var/log/mail.log), or set world-readable in PowerMTA's acct-file",
                        path);
        }
        // Renamed, its folder replaced, or removed on another host (NFS).
        const bool gone = errno == ENOENT || errno == ENOTDIR || errno == ESTALE;
        return fail(gone ? Fault::not_found : Fault::io, "{}: {}", path, reason(errno));
    }
    [[nodiscard]] std::unique_ptr<Watcher> watcher() const override { return std::make_unique<InotifyWatcher>(); }
};

}  // namespace

const FileSystem& real_files() {
    static const RealFiles files;
    return files;
}

}  // namespace mtawatch::exporter::files
