#include "exporter/files/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace mtawatch::exporter::files {
namespace {

using base::fail;
using base::Fault;
using base::Result;

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

}  // namespace mtawatch::exporter::files
