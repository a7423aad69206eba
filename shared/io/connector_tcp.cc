// The real Connector: TCP and unix sockets, non-blocking, with poll under the deadline.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "shared/base/text.h"
#include "shared/io/connector.h"
#include "shared/io/descriptor.h"
#include "shared/io/system_error.h"

namespace mtawatch::io {

namespace {

using base::Deadline;
using base::fail;
using base::Fault;
using base::Result;

// Waits until the socket is ready for `events`; an Error when the deadline passed first.
Result<void> wait_for(int descriptor, short events, const Deadline& deadline, const std::string& silent_text) {
    while (true) {
        pollfd waiting{descriptor, events, 0};
        const int ready = ::poll(&waiting, 1, deadline.poll_milliseconds());
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return fail(Fault::io, "poll: {}", error_text(errno));
        if (deadline.expired()) return fail(Fault::timeout, "{}", silent_text);
    }
}

// The Fault of a socket call that failed: the peer's or the way to it, else this machine's trouble.
Fault fault_of(int number) {
    switch (number) {
        case ECONNREFUSED:
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE:
        case ENETUNREACH:
        case EHOSTUNREACH:
        case EHOSTDOWN:
        case ENETDOWN:
        case ENOPROTOOPT:
            return Fault::refused;
        case EAGAIN:  // a unix socket whose server takes no more connections
        case ETIMEDOUT:
            return Fault::timeout;
        case ENOENT:
            return Fault::not_found;
        case EACCES:
        case EPERM:
            return Fault::permission;
        default:
            return Fault::io;
    }
}

class SocketStream final : public Stream {
  public:
    SocketStream(Descriptor socket, std::string peer) : socket_(std::move(socket)), peer_(std::move(peer)) {}

    Result<std::size_t> read_some(std::span<char> into, const Deadline& deadline) override {
        while (true) {
            const ssize_t count = ::recv(socket_.get(), into.data(), into.size(), 0);
            // A peer that never stops sending must not keep the caller past its deadline.
            if (count > 0 && deadline.expired()) {
                return fail(Fault::timeout, "{}: still not at the end of its answer when the time was over", peer_);
            }
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return failed(errno);
            deadline.doing("waiting for an answer from " + peer_);
            auto ready = wait_for(socket_.get(), POLLIN, deadline, peer_ + ": no answer in time");
            if (!ready) return fail(ready.error());
        }
    }

    Result<void> write(std::string_view bytes, const Deadline& deadline) override {
        while (!bytes.empty()) {
            const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count >= 0) {
                bytes.remove_prefix(static_cast<std::size_t>(count));
                continue;
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return failed(errno);
            deadline.doing("sending to " + peer_);
            auto ready = wait_for(socket_.get(), POLLOUT, deadline, peer_ + ": takes no data in time");
            if (!ready) return ready;
        }
        return {};
    }

  private:
    [[nodiscard]] base::Failure failed(int number) const {
        return fail(fault_of(number), "{}: {}", peer_, error_text(number));
    }
    Descriptor socket_;
    std::string peer_;
};

// A socket address of any of the three families, filled or with length 0.
struct Target {
    sockaddr_storage storage{};
    socklen_t length = 0;

    template <class Address>
    void set(const Address& address) {
        static_assert(sizeof(Address) <= sizeof(sockaddr_storage));
        std::memcpy(&storage, &address, sizeof address);
        length = sizeof address;
    }
};

Target target_of(const Endpoint& endpoint) {
    Target target;
    sockaddr_un local{};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (!endpoint.address.empty() && endpoint.address.front() == '/') {
        if (endpoint.address.size() >= sizeof local.sun_path) return target;
        local.sun_family = AF_UNIX;
        endpoint.address.copy(local.sun_path, sizeof local.sun_path - 1);
        target.set(local);
    } else if (::inet_pton(AF_INET, endpoint.address.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        target.set(v4);
    } else if (::inet_pton(AF_INET6, endpoint.address.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.port);
        target.set(v6);
    }
    return target;
}

class TcpConnector final : public Connector {
  public:
    Result<std::unique_ptr<Stream>> connect(const Endpoint& endpoint, const Deadline& deadline) override {
        const std::string peer = to_string(endpoint);
        const Target target = target_of(endpoint);
        if (target.length == 0) {
            return fail(Fault::usage, "\"{}\" is neither a numeric address nor the path of a socket",
                        base::one_line(endpoint.address, 100));
        }
        deadline.doing("connecting to " + peer);
        if (deadline.expired()) return fail(Fault::timeout, "{}: no time left to connect", peer);
        const int family = target.storage.ss_family;
        Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket) return fail(Fault::io, "{}: socket: {}", peer, error_text(errno));
        if (family != AF_UNIX) {
            const int on = 1;  // dialogues of small messages must not wait for each other's acknowledgement
            ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
        if (auto done = establish(socket.get(), target, peer, deadline); !done) return fail(done.error());
        return std::make_unique<SocketStream>(std::move(socket), peer);
    }

  private:
    static Result<void> establish(int socket, const Target& target, const std::string& peer, const Deadline& deadline) {
        const auto* address =
            reinterpret_cast<const sockaddr*>(&target.storage);  // NOLINT: the sockets API is written this way
        if (::connect(socket, address, target.length) == 0) return {};
        if (errno != EINPROGRESS && errno != EINTR) {
            return fail(fault_of(errno), "{}: {}", peer, error_text(errno));
        }
        auto ready = wait_for(socket, POLLOUT, deadline, peer + ": no answer to the connection attempt in time");
        if (!ready) return ready;
        int number = 0;
        socklen_t size = sizeof number;
        ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size);
        if (number != 0) return fail(fault_of(number), "{}: {}", peer, error_text(number));
        return {};
    }
};

}  // namespace

std::unique_ptr<Connector> make_tcp_connector() { return std::make_unique<TcpConnector>(); }

}  // namespace mtawatch::io
