#include "exporter/accounting/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "exporter/accounting/tracked_file.h"
#include "exporter/accounting/unique_fd.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;
using base::Result;

class PlainSource final : public ByteSource {
  public:
    PlainSource(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

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

  private:
    UniqueFd fd_;
    std::string path_;
    std::uint64_t read_ = 0;
};

}  // namespace

Result<UniqueFd> open_to_read(const std::string& path) {
    // O_NONBLOCK never waits for a FIFO's other end, whatever took the file's place since it was listed.
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd.open()) return fd;
    if (errno == EACCES) {
        return fail(Fault::permission,
                    "{}: permission denied; add the exporter's user to the file's group, or set world-readable in the "
                    "acct-file",
                    path);
    }
    return fail(Fault::io, "{}: {}", path, std::generic_category().message(errno));
}

Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) {
    auto fd = open_to_read(path);
    if (!fd) return fail(fd.error());
    return std::make_unique<PlainSource>(std::move(*fd), path);
}

}  // namespace mtawatch::exporter
