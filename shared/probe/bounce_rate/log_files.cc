#include "shared/probe/bounce_rate/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "shared/io/descriptor.h"
#include "shared/io/system_error.h"
#include "shared/probe/world/remote_files.h"

namespace mtawatch::probe::bounce_rate {
namespace {

using base::fail;
using base::Fault;
using base::Result;

class LocalFile final : public LogFile {
  public:
    LocalFile(std::string path, io::Descriptor descriptor, std::uint64_t size)
        : path_(std::move(path)), descriptor_(std::move(descriptor)), size_(size) {}

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] Result<std::size_t> read(std::uint64_t at, std::span<char> into) override {
        std::size_t filled = 0;
        while (filled < into.size()) {
            const ssize_t got =
                ::pread(descriptor_.get(), into.data() + filled, into.size() - filled, static_cast<off_t>(at + filled));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return fail(io::file_error(path_, errno));
            if (got == 0) break;
            filled += static_cast<std::size_t>(got);
        }
        return filled;
    }

  private:
    std::string path_;
    io::Descriptor descriptor_;
    std::uint64_t size_;
};

class LocalFiles final : public LogFiles {
  public:
    explicit LocalFiles(const io::Files& files) : files_(files) {}

    [[nodiscard]] Result<std::vector<LogEntry>> glob(const std::string& pattern) override {
        const auto matched = files_.glob(pattern);
        if (!matched) return fail(matched.error());
        std::vector<LogEntry> entries;
        for (const std::string& path : *matched) {
            const auto info = files_.info(path);
            entries.push_back({path, info ? info->modified : base::WallTime::max()});
        }
        return entries;
    }

    [[nodiscard]] Result<std::unique_ptr<LogFile>> open(const std::string& path) override {
        // Non-blocking, so that a FIFO put in the file's place cannot hold the plugin.
        io::Descriptor descriptor(::open(files_.real_path(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
        if (!descriptor) return fail(io::file_error(path, errno));
        struct stat status {};
        if (::fstat(descriptor.get(), &status) != 0) return fail(io::file_error(path, errno));
        if (S_ISDIR(status.st_mode)) {
            return fail(Fault::io, "{}: is a directory; write a pattern for the files in it", path);
        }
        if (!S_ISREG(status.st_mode)) {
            return fail(Fault::io, "{}: is no regular file; give its text on standard input with -f -", path);
        }
        return std::make_unique<LocalFile>(path, std::move(descriptor), static_cast<std::uint64_t>(status.st_size));
    }

    [[nodiscard]] Result<std::unique_ptr<io::ByteSource>> open_source(const std::string& path) override {
        return io::open_source(files_.real_path(path));
    }
    [[nodiscard]] bool far() const override { return false; }
    // An open file stays the same one whatever its path leads to.
    [[nodiscard]] Result<std::string> exchanged(const std::string& /*path*/) override { return std::string(); }
    [[nodiscard]] std::string where() const override { return {}; }

  private:
    const io::Files& files_;
};

class FarFile final : public LogFile {
  public:
    FarFile(world::RemoteReader reader, std::uint64_t size) : reader_(std::move(reader)), size_(size) {}

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] Result<std::size_t> read(std::uint64_t at, std::span<char> into) override {
        return reader_.read(at, into);
    }

  private:
    world::RemoteReader reader_;
    std::uint64_t size_;
};

class FarFiles final : public LogFiles {
  public:
    FarFiles(const world::Machine& machine, const base::Deadline& deadline) : machine_(machine), deadline_(deadline) {}

    [[nodiscard]] Result<std::vector<LogEntry>> glob(const std::string& pattern) override {
        const auto matched = world::list_files(machine_, pattern, deadline_);
        if (!matched) return fail(readable(matched.error()));
        patterns_.push_back(pattern);
        std::vector<LogEntry> entries;
        for (const world::RemoteFile& file : *matched) {
            entries.push_back({file.path, base::WallTime(std::chrono::seconds(file.modified))});
            known_.insert_or_assign(file.path, file);
        }
        return entries;
    }

    [[nodiscard]] Result<std::unique_ptr<LogFile>> open(const std::string& path) override {
        const auto found = known_.find(path);
        if (found == known_.end()) return fail(Fault::internal, "{}: was not listed", path);
        return std::make_unique<FarFile>(reader_of(path), found->second.bytes);
    }

    [[nodiscard]] Result<std::unique_ptr<io::ByteSource>> open_source(const std::string& path) override {
        auto reader = std::make_shared<world::RemoteReader>(reader_of(path));
        auto raw = [reader, at = std::uint64_t{0}](std::span<char> into) mutable {
            auto got = reader->read(at, into);
            if (got) at += *got;
            return got;
        };
        return io::decompressed(std::move(raw), path);
    }

    [[nodiscard]] bool far() const override { return true; }

    [[nodiscard]] Result<std::string> exchanged(const std::string& path) override {
        if (!now_) {
            now_.emplace();
            for (const std::string& pattern : patterns_) {
                const auto matched = world::list_files(machine_, pattern, deadline_);
                if (!matched) return fail(matched.error());
                for (const world::RemoteFile& file : *matched) now_->insert_or_assign(file.path, file);
            }
        }
        const auto before = known_.find(path);
        const auto after = now_->find(path);
        const bool same = after != now_->end() && before != known_.end() &&
                          after->second.inode == before->second.inode && after->second.bytes >= before->second.bytes;
        return same ? std::string() : fmt::format("{}: was rotated while it was read; look again", path);
    }

    [[nodiscard]] std::string where() const override { return ' ' + machine_.commands().where(); }

  private:
    [[nodiscard]] world::RemoteReader reader_of(const std::string& path) const { return {machine_, path, deadline_}; }
    static base::Error readable(base::Error error) {
        if (error.fault == Fault::permission) {
            error.what += "; the user of the connection must be able to read the log";
        }
        return error;
    }

    const world::Machine& machine_;
    const base::Deadline& deadline_;
    std::vector<std::string> patterns_;
    std::map<std::string, world::RemoteFile> known_;
    std::optional<std::map<std::string, world::RemoteFile>> now_;
};

}  // namespace

std::unique_ptr<LogFiles> local_log_files(const io::Files& files) { return std::make_unique<LocalFiles>(files); }

std::unique_ptr<LogFiles> remote_log_files(const world::Machine& machine, const base::Deadline& deadline) {
    return std::make_unique<FarFiles>(machine, deadline);
}

}  // namespace mtawatch::probe::bounce_rate
