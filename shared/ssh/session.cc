#include "shared/ssh/session.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "shared/base/text.h"
#include "shared/ssh/tunnel.h"

namespace mtawatch::ssh {

using base::fail;

namespace {

// The step in which the time ran out, for the message: a server that greeted as SSH and was silent then is told from a
// port on which something else listens.
std::string way_to(ssh_session session, const SshSettings& settings) {
    return fmt::format("{} with {} port {}",
                       ssh_get_serverbanner(session) == nullptr ? "SSH greeting" : "SSH key exchange", settings.host,
                       settings.port);
}

// The largest number of a descriptor that libssh takes: it keeps 16 bits of what it is given.
constexpr int max_descriptor = 0xffff;

base::Result<void> set_options(const Session& whole, const SshSettings& settings) {
    ssh_session session = whole.get();
    const int fd = whole.descriptor();
    if (fd < 0 || fd > max_descriptor) {
        return fail(base::Fault::limit, "no descriptor left for SSH: raise the limit of open files (ulimit -n)");
    }
    const bool no_config = false;
    const int quiet = SSH_LOG_NOLOG;
    const unsigned port = settings.port;
    // Order matters: the configuration is refused first, and the host name before the descriptor, because libssh
    // would otherwise open a connection of its own.
    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no_config);
    ssh_options_set(session, SSH_OPTIONS_LOG_VERBOSITY, &quiet);
    if (ssh_options_set(session, SSH_OPTIONS_HOST, settings.host.c_str()) != SSH_OK) {
        return fail(base::Fault::usage, "'{}' cannot be a host name", settings.host);
    }
    ssh_options_set(session, SSH_OPTIONS_PORT, &port);
    if (settings.user && ssh_options_set(session, SSH_OPTIONS_USER, settings.user->c_str()) != SSH_OK) {
        return fail(base::Fault::usage, "'{}' cannot be a user name", *settings.user);
    }
    if (settings.known_hosts_file) {
        if (access(settings.known_hosts_file->c_str(), R_OK) != 0) {
            return fail(base::Fault::usage, "--ssh-known-hosts: {} cannot be read", *settings.known_hosts_file);
        }
        ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, settings.known_hosts_file->c_str());
        ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    }
    ssh_options_set(session, SSH_OPTIONS_FD, &fd);
    return {};
}

std::string who(const SshSettings& settings) {
    return settings.user ? fmt::format("{}@{}", *settings.user, settings.host) : settings.host;
}

base::Result<void> authenticate_with(const Session& session, const SshSettings& settings,
                                     const base::Deadline& deadline) {
    const std::string& path = *settings.key_file;
    if (access(path.c_str(), R_OK) != 0) return fail(base::Fault::usage, "--ssh-key: {} cannot be read", path);
    ssh_key raw = nullptr;
    // An empty passphrase: a protected key fails instead of asking a terminal that is not there.
    if (ssh_pki_import_privkey_file(path.c_str(), "", nullptr, nullptr, &raw) != SSH_OK) {
        return fail(base::Fault::usage,
                    "--ssh-key: {} is not a private key that can be used without a passphrase; load a protected "
                    "one into ssh-agent and leave --ssh-key out",
                    path);
    }
    const Key key(raw);
    auto done = drive(session, deadline, "logging in to " + who(settings), SSH_AUTH_AGAIN,
                      [&] { return ssh_userauth_publickey(session.get(), nullptr, key.get()); });
    if (!done) return fail(done.error());
    if (*done == SSH_AUTH_SUCCESS) return {};
    return fail(base::Fault::auth, "{} did not accept the key {}: add its public half to authorized_keys there",
                who(settings), path);
}

base::Result<void> authenticate(const Session& session, const SshSettings& settings, const base::Deadline& deadline) {
    if (settings.key_file) return authenticate_with(session, settings, deadline);
    auto done = drive(session, deadline, "logging in to " + who(settings), SSH_AUTH_AGAIN,
                      [&] { return ssh_userauth_publickey_auto(session.get(), nullptr, ""); });
    if (!done) return fail(done.error());
    if (*done == SSH_AUTH_SUCCESS) return {};
    return fail(base::Fault::auth,
                "{} accepted no key of the agent and none of ~/.ssh: name one with --ssh-key and add its public "
                "half to authorized_keys there",
                who(settings));
}

}  // namespace

Session::Session(ssh_session session, LentSocket socket, std::unique_ptr<Tunnel> tunnel)
    : tunnel_(std::move(tunnel)), socket_(std::move(socket)), session_(session) {}
Session::Session(Session&&) noexcept = default;
Session::~Session() = default;

std::string reason(ssh_session session) { return base::one_line(ssh_get_error(session), 200); }

base::Result<void> wait(const Session& session, const base::Deadline& deadline, const std::string& doing) {
    while (!deadline.expired()) {
        std::array<pollfd, 3> wanted{pollfd{ssh_get_fd(session.get()), POLLIN, 0}, pollfd{-1, 0, 0}, pollfd{-1, 0, 0}};
        if (wanted[0].fd < 0) return fail(base::Fault::refused, "{}: the connection has ended", doing);
        if ((ssh_get_poll_flags(session.get()) & SSH_WRITE_PENDING) != 0) wanted[0].events |= POLLOUT;
        if (session.tunnel() != nullptr) std::ranges::copy(session.tunnel()->polls(), wanted.begin() + 1);
        const int ready = poll(wanted.data(), wanted.size(), deadline.poll_milliseconds());
        if (ready < 0 && errno != EINTR) return fail(base::Fault::io, "{}: poll failed", doing);
        if (ready <= 0) continue;
        if (wanted[1].revents != 0 || wanted[2].revents != 0) session.tunnel()->move();
        if (wanted[0].revents != 0) return {};
    }
    return fail(base::Fault::timeout, "{}: no answer in time", doing);
}

namespace {

// The socket for a session: of a direct connection, or the inner one of a tunnel.
struct Way {
    io::Descriptor socket;
    std::unique_ptr<Tunnel> tunnel;
};

base::Result<Way> way_to_host(const SshSettings& settings, const base::Deadline& deadline) {
    if (!settings.jump) {
        auto socket = connect_tcp(settings, deadline);
        if (!socket) return fail(socket.error());
        return Way{std::move(*socket), nullptr};
    }
    auto through = log_in(*settings.jump, deadline);
    if (!through) return fail(through.error().at("jump host"));
    auto tunnel = Tunnel::open(std::move(*through), settings.jump->host, settings.host, settings.port, deadline);
    if (!tunnel) return fail(tunnel.error());
    io::Descriptor inner = (*tunnel)->take_inner();
    return Way{std::move(inner), std::move(*tunnel)};
}

}  // namespace

base::Result<Session> log_in(const SshSettings& settings, const base::Deadline& deadline) {
    if (settings.host_key && !settings.host_key->starts_with("SHA256:")) {
        return fail(base::Fault::usage,
                    "--ssh-host-key '{}': write SHA256:… as ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub "
                    "prints it",
                    *settings.host_key);
    }
    auto way = way_to_host(settings, deadline);
    if (!way) return fail(way.error());
    Session session(ssh_new(), LentSocket(std::move(way->socket)), std::move(way->tunnel));
    if (session.get() == nullptr) return fail(base::Fault::internal, "libssh gave no session");
    if (auto done = set_options(session, settings); !done) return fail(done.error());
    ssh_set_blocking(session.get(), 0);
    auto connected = drive(session, deadline, "SSH", SSH_AGAIN, [&] { return ssh_connect(session.get()); });
    if (!connected && connected.error().fault == base::Fault::timeout) {
        return fail(base::Fault::timeout, "{}: no answer in time", way_to(session.get(), settings));
    }
    if (!connected) return fail(connected.error());
    if (*connected != SSH_OK) {
        return fail(base::Fault::refused, "no SSH with {} port {}{}: {}", settings.host, settings.port,
                    settings.jump ? " through " + settings.jump->host : "", reason(session.get()));
    }
    if (auto done = verify_host(session.get(), settings); !done) return fail(done.error());
    if (auto done = authenticate(session, settings, deadline); !done) return fail(done.error());
    return session;
}

}  // namespace mtawatch::ssh
