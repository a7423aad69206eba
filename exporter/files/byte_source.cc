#include "exporter/files/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "exporter/files/tracked_file.h"
#include "shared/io/descriptor.h"
#include "shared/io/inflate.h"
#include "shared/io/zstd_reader.h"

namespace mtawatch::exporter::files {
namespace {

using base::fail;
using base::Fault;
using base::Result;

class PlainSource final : public ByteSource {
  public:
    PlainSource(io::Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    [[nodiscard]] Result<std::size_t> read(std::span<char> into) override {
        for (;;) {
            const ssize_t got = ::read(fd_.get(), into.data(), into.size());
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return fail(Fault::io, "{}: {}", path_, std::generic_category().message(errno));
            read_ += static_cast<std::uint64_t>(got);
            return static_cast<std::size_t>(got);
        }
    }
    [[nodiscard]] bool complete() const override { return true; }
    [[nodiscard]] std::uint64_t disk_read() const override { return read_; }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    io::Descriptor fd_;
    std::string path_;
    std::uint64_t read_ = 0;
};

template <class Reader>
class PackedSource final : public ByteSource {
  public:
    explicit PackedSource(std::unique_ptr<PlainSource> file)
        : file_(std::move(file)), text_([this](std::span<char> into) { return file_->read(into); }) {}

    [[nodiscard]] Result<std::size_t> read(std::span<char> into) override {
        auto got = text_.read(into);
        if (!got) return fail(got.error().at(file_->path()));
        return got;
    }
    [[nodiscard]] bool complete() const override { return text_.complete(); }
    [[nodiscard]] std::uint64_t disk_read() const override { return file_->disk_read(); }

  private:
    std::unique_ptr<PlainSource> file_;
    Reader text_;
};

// Enough to tell every compression by.
constexpr std::size_t magic_bytes = 16;

}  // namespace

Result<io::Descriptor> open_to_read(const std::string& path) {
    // O_NONBLOCK never waits for a FIFO's other end, whatever took the file's place since it was listed.
    io::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd) return fd;
    if (errno == EACCES) {
        return fail(Fault::permission,
                    "{}: permission denied; add the exporter's user to the file's group (adm, for /var/log/mail.log), "
                    "or set world-readable in PowerMTA's acct-file",
                    path);
    }
    // Renamed, its folder replaced, or removed on another host (NFS).
    const bool gone = errno == ENOENT || errno == ENOTDIR || errno == ESTALE;
    return fail(gone ? Fault::not_found : Fault::io, "{}: {}", path, std::generic_category().message(errno));
}

Result<FileId> id_of(int fd, const std::string& path) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return fail(Fault::io, "{}: {}", path, std::generic_category().message(errno));
    return FileId{info.st_dev, info.st_ino};
}

Result<std::size_t> read_at(int fd, std::span<char> into, std::uint64_t offset, const std::string& path) {
    std::size_t have = 0;
    while (have < into.size()) {
        const ssize_t got = ::pread(fd, into.data() + have, into.size() - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Fault::io, "{}: {}", path, std::generic_category().message(errno));
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) {
    auto fd = open_to_read(path);
    if (!fd) return fail(fd.error());
    return open_source(std::move(*fd), path);
}

Result<std::unique_ptr<ByteSource>> open_source(io::Descriptor fd, const std::string& path) {
    std::array<char, magic_bytes> head{};
    const ssize_t got = ::pread(fd.get(), head.data(), head.size(), 0);
    auto plain = std::make_unique<PlainSource>(std::move(fd), path);
    switch (packing_of(path, {head.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))})) {
        case Packing::none:
            return plain;
        case Packing::gzip:
            return std::make_unique<PackedSource<io::GzipReader>>(std::move(plain));
        case Packing::zstd:
            return std::make_unique<PackedSource<io::ZstdReader>>(std::move(plain));
        case Packing::foreign:
            break;
    }
    return fail(Fault::malformed, "{}: is compressed with xz or bzip2, which cannot be read; gzip and zstd can", path);
}

}  // namespace mtawatch::exporter::files
