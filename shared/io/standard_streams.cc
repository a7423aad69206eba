#include "shared/io/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace mtawatch::io {

void open_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is this one, for those before it are open.
        static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY));
    }
}

// Whether writing waits is a property of the description, which we share with whoever started us: a pipe is opened a
// second time, so that only our own description does not wait.
Notices::Notices(std::string_view program) : program_(program), fd_(STDERR_FILENO) {
    struct stat info {};
    if (::fstat(STDERR_FILENO, &info) != 0) return;
    socket_ = S_ISSOCK(info.st_mode);
    if (!S_ISFIFO(info.st_mode)) return;
    const int own = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0) fd_ = own;
}

Notices::~Notices() {
    if (fd_ != STDERR_FILENO) ::close(fd_);
}

void Notices::say(std::string_view text) const noexcept {
    std::array<char, PIPE_BUF> line{};
    std::size_t used = 0;
    for (const std::string_view part : {std::string_view(program_), std::string_view(": "), text}) {
        const std::size_t count = std::min(part.size(), line.size() - 1 - used);
        std::ranges::copy(part.substr(0, count), line.begin() + static_cast<std::ptrdiff_t>(used));
        used += count;
    }
    line[used++] = '\n';
    if (socket_) {
        static_cast<void>(::send(fd_, line.data(), used, MSG_DONTWAIT | MSG_NOSIGNAL));
        return;
    }
    // A terminal may be stopped; a pipe that has room takes what is no longer than PIPE_BUF at once.
    pollfd room{fd_, POLLOUT, 0};
    if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return;
    if (::write(fd_, line.data(), used) < 0) errno = 0;  // nobody is left to be told
}

}  // namespace mtawatch::io
