// The TCP connection below an SSH session: host name lookup and connecting, address by address.
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <system_error>
#include <thread>

#include "shared/ssh/session.h"

namespace mtawatch::ssh {

using base::fail;

namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

struct Lookup {
    int code = 0;
    Addresses addresses;
};

std::string words_of(int error) { return std::generic_category().message(error); }

// getaddrinfo knows no deadline, so it runs in a thread of its own, which ends by itself when the resolver gives up.
base::Result<Addresses> resolve(const SshSettings& settings, const base::Deadline& deadline) {
    std::promise<Lookup> promise;
    auto answer = promise.get_future();
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    hints.ai_family = settings.family == Family::ipv4   ? AF_INET
                      : settings.family == Family::ipv6 ? AF_INET6
                                                        : AF_UNSPEC;
    try {
        std::thread([host = settings.host, port = std::to_string(settings.port), hints,
                     done = std::move(promise)]() mutable {
            addrinfo* list = nullptr;
            const int code = getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
            done.set_value({code, Addresses(list)});
        }).detach();
    } catch (const std::system_error& error) {
        return fail(base::Fault::io, "no thread to resolve the name {}: {}", settings.host, error.code().message());
    }
    if (answer.wait_for(deadline.remaining()) != std::future_status::ready) {
        return fail(base::Fault::timeout, "the name {} was not resolved in time", settings.host);
    }
    Lookup found = answer.get();
    if (found.code == EAI_NONAME || found.code == EAI_NODATA) {
        return fail(base::Fault::not_found, "the host name {} does not exist", settings.host);
    }
    if (found.code != 0) {
        return fail(base::Fault::resolver, "the name {} cannot be resolved: {}", settings.host,
                    gai_strerror(found.code));
    }
    return std::move(found.addresses);
}

base::Result<io::Descriptor> connect_one(const addrinfo& address, const SshSettings& settings,
                                         const base::Deadline& deadline) {
    io::Descriptor fd(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return fail(base::Fault::io, "no socket for SSH: {}", words_of(errno));
    int error = connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        pollfd wanted{fd.get(), POLLOUT, 0};
        int ready = 0;
        do ready = poll(&wanted, 1, deadline.poll_milliseconds());
        while (ready < 0 && errno == EINTR);
        socklen_t size = sizeof error;
        if (ready == 0) {
            return fail(base::Fault::timeout, "no answer from {} port {} in time", settings.host, settings.port);
        }
        getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) {
        return fail(base::Fault::refused, "cannot connect to {} port {}: {}", settings.host, settings.port,
                    words_of(error));
    }
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

}  // namespace

base::Result<io::Descriptor> connect_tcp(const SshSettings& settings, const base::Deadline& deadline) {
    auto addresses = resolve(settings, deadline);
    if (!addresses) return fail(addresses.error());
    base::Result<io::Descriptor> last = fail(base::Fault::not_found, "{} has no address", settings.host);
    int left = 0;
    for (const addrinfo* a = addresses->get(); a != nullptr; a = a->ai_next) ++left;
    for (const addrinfo* a = addresses->get(); a != nullptr; a = a->ai_next, --left) {
        // A silent first address must leave time for the second one.
        last = connect_one(*a, settings, deadline.within(deadline.remaining() / left));
        if (last || deadline.expired()) return last;
    }
    return last;
}

}  // namespace mtawatch::ssh
