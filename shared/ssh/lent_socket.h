// Socket that is lent to a library which closes it in some cases and not in others.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "shared/io/descriptor.h"

namespace mtawatch::ssh {

// Holds a socket of its own, and a second number for the same socket that the library gets. libssh 0.10 closes what it
// was given when the server says DISCONNECT or a write fails, and leaves it open in ssh_disconnect() and ssh_free().
// Closing it again would close what another thread has under that number by then, so the second number is closed only
// while it still is this socket, which the first one, being open, lets us tell by the inode.
class LentSocket {
  public:
    explicit LentSocket(io::Descriptor socket)
        : own_(std::move(socket)), lent_(fcntl(own_.get(), F_DUPFD_CLOEXEC, 0)) {}
    LentSocket(LentSocket&& other) noexcept : own_(std::move(other.own_)), lent_(std::exchange(other.lent_, -1)) {}
    LentSocket& operator=(LentSocket&&) = delete;
    ~LentSocket() {
        io::Descriptor lent(lent_);
        if (!is_this_socket(lent_)) static_cast<void>(lent.release());
    }

    // The number for the library; -1 when the system has no further descriptor.
    [[nodiscard]] int lent() const { return lent_; }

  private:
    [[nodiscard]] bool is_this_socket(int number) const {
        struct stat ours {};
        struct stat theirs {};
        return own_ && number >= 0 && fstat(own_.get(), &ours) == 0 && fstat(number, &theirs) == 0 &&
               ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
    }

    io::Descriptor own_;
    int lent_;
};

}  // namespace mtawatch::ssh
