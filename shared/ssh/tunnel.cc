#include "shared/ssh/tunnel.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "shared/base/text.h"

namespace mtawatch::ssh {

using base::fail;

namespace {

constexpr std::size_t piece_bytes = 32U << 10U;  // the largest packet of SSH

}  // namespace

Tunnel::Tunnel(Session through, Channel channel, io::Descriptor outer, io::Descriptor inner)
    : through_(std::move(through)), channel_(std::move(channel)), outer_(std::move(outer)), inner_(std::move(inner)) {}

Tunnel::~Tunnel() {
    if (!ended_) move_out();
}

base::Result<std::unique_ptr<Tunnel>> Tunnel::open(Session through, const std::string& jump, const std::string& host,
                                                   std::uint16_t port, const base::Deadline& deadline) {
    Channel channel(ssh_channel_new(through.get()));
    if (!channel) return fail(base::Fault::internal, "libssh gave no channel");
    const std::string doing = fmt::format("connecting to {} port {} through {}", host, port, jump);
    deadline.doing(doing);
    auto opened = drive(through, deadline, doing, SSH_AGAIN,
                        [&] { return ssh_channel_open_forward(channel.get(), host.c_str(), port, "127.0.0.1", 0); });
    if (!opened) return fail(opened.error());
    if (*opened != SSH_OK) {
        if (ssh_is_connected(through.get()) == 0) {
            return fail(base::Fault::auth, "{}: the SSH connection broke: {}", doing, reason(through.get()));
        }
        return fail(base::Fault::refused,
                    "the jump host {} gives no way to {} port {}: {}; can it reach that port, and does its sshd allow "
                    "it (AllowTcpForwarding, permitopen)?",
                    jump, host, port, reason(through.get()));
    }
    std::array<int, 2> ends{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
        return fail(base::Fault::io, "no socket for SSH through {}: too many open files?", jump);
    }
    return std::unique_ptr<Tunnel>(
        new Tunnel(std::move(through), std::move(channel), io::Descriptor(ends[0]), io::Descriptor(ends[1])));
}

std::array<pollfd, 2> Tunnel::polls() const {
    if (ended_) return {pollfd{-1, 0, 0}, pollfd{-1, 0, 0}};
    pollfd channel{ssh_get_fd(through_.get()), 0, 0};
    pollfd inside{outer_.get(), 0, 0};
    // What waits for the other side stops this one, so that a poll does not come back for nothing.
    if (in_.empty()) channel.events |= POLLIN;
    if ((ssh_get_poll_flags(through_.get()) & SSH_WRITE_PENDING) != 0) channel.events |= POLLOUT;
    if (!in_.empty()) inside.events |= POLLOUT;
    if (out_.empty() && ssh_channel_window_size(channel_.get()) > 0) inside.events |= POLLIN;
    return {channel, inside};
}

void Tunnel::move() {
    if (ended_) return;
    move_out();
    move_in();
}

void Tunnel::move_in() {
    std::array<char, piece_bytes> piece;
    for (;;) {
        while (!in_.empty()) {
            const ssize_t sent = send(outer_.get(), in_.data(), in_.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
            if (sent < 0) return end();
            in_.erase(0, static_cast<std::size_t>(sent));
        }
        const int got = ssh_channel_read_nonblocking(channel_.get(), piece.data(), piece.size(), 0);
        if (got == 0 || got == SSH_AGAIN) {
            if (ssh_channel_is_eof(channel_.get()) != 0 || ssh_is_connected(through_.get()) == 0) end();
            return;
        }
        if (got < 0) return end();
        in_.assign(piece.data(), static_cast<std::size_t>(got));
    }
}

void Tunnel::move_out() {
    std::array<char, piece_bytes> piece;
    for (;;) {
        if (out_.empty()) {
            const std::size_t room = std::min<std::size_t>(ssh_channel_window_size(channel_.get()), piece.size());
            if (room == 0) return;
            const ssize_t got = recv(outer_.get(), piece.data(), room, 0);
            if (got <= 0) return;  // nothing now, or the session inside has ended
            out_.assign(piece.data(), static_cast<std::size_t>(got));
        }
        const int written = ssh_channel_write(channel_.get(), out_.data(), static_cast<std::uint32_t>(out_.size()));
        if (written == SSH_ERROR) return end();
        if (written <= 0) return;
        out_.erase(0, static_cast<std::size_t>(written));
    }
}

// The session inside reads what is in the socket, and then its end.
void Tunnel::end() {
    ended_ = true;
    shutdown(outer_.get(), SHUT_RDWR);
}

}  // namespace mtawatch::ssh
