#include "shared/ssh/session.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "shared/base/text.h"

namespace mtawatch::ssh {

using base::fail;

namespace {

std::string reason(ssh_session session) { return base::one_line(ssh_get_error(session), 200); }

// The step in which the time ran out, for the message: a server that greeted as SSH and was silent then is told from a
// port on which something else listens.
std::string way_to(ssh_session session, const SshSettings& settings) {
    return fmt::format("{} with {} port {}",
                       ssh_get_serverbanner(session) == nullptr ? "SSH greeting" : "SSH key exchange", settings.host,
                       settings.port);
}

// Runs one libssh call that answers SSH_AGAIN until it is done.
template <class Call>
base::Result<int> drive(ssh_session session, const base::Deadline& deadline, const std::string& doing, int again,
                        Call call) {
    int code = call();
    while (code == again) {
        if (auto done = wait(session, deadline, doing); !done) return fail(done.error());
        code = call();
    }
    return code;
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

struct HostKey {
    std::string type;         // "ssh-ed25519"
    std::string fingerprint;  // "SHA256:…" without padding
};

base::Result<HostKey> host_key_of(ssh_session session, const SshSettings& settings) {
    ssh_key raw = nullptr;
    if (ssh_get_server_publickey(session, &raw) != SSH_OK) {
        return fail(base::Fault::auth, "{} showed no host key: {}", settings.host, reason(session));
    }
    const Key key(raw);
    unsigned char* hash = nullptr;
    std::size_t length = 0;
    if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != SSH_OK) {
        return fail(base::Fault::auth, "the host key of {} cannot be read", settings.host);
    }
    char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
    HostKey found{ssh_key_type_to_char(ssh_key_type(key.get())), text == nullptr ? "" : text};
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    return found;
}

base::Result<void> verify_host(ssh_session session, const SshSettings& settings) {
    auto key = host_key_of(session, settings);
    if (!key) return fail(key.error());
    if (settings.host_key) {
        if (*settings.host_key == key->fingerprint) return {};
        return fail(base::Fault::auth,
                    "the host key of {} is {} ({}), not the pinned {}: if the host was set up anew, pin the new "
                    "key with --ssh-host-key; if not, somebody may be in between",
                    settings.host, key->fingerprint, key->type, *settings.host_key);
    }
    const auto port = settings.port == 22 ? std::string() : fmt::format("-p {} ", settings.port);
    switch (ssh_session_is_known_server(session)) {
        case SSH_KNOWN_HOSTS_OK:
            return {};
        case SSH_KNOWN_HOSTS_CHANGED:
        case SSH_KNOWN_HOSTS_OTHER:
            return fail(base::Fault::auth,
                        "the host key of {} changed: it is now {} ({}); if the host was set up anew, remove the "
                        "old key (ssh-keygen -R {}) and add the new one, if not, somebody may be in between",
                        settings.host, key->fingerprint, key->type, settings.host);
        case SSH_KNOWN_HOSTS_ERROR:
            return fail(base::Fault::auth, "known_hosts cannot be read: {}", reason(session));
        case SSH_KNOWN_HOSTS_NOT_FOUND:
        case SSH_KNOWN_HOSTS_UNKNOWN:
            break;
    }
    return fail(base::Fault::auth,
                "the host key of {} is not known ({}, {}): compare it with the host's own, then add it with "
                "ssh-keyscan {}{} >> ~/.ssh/known_hosts, or pin it with --ssh-host-key {}",
                settings.host, key->fingerprint, key->type, port, settings.host, key->fingerprint);
}

std::string who(const SshSettings& settings) {
    return settings.user ? fmt::format("{}@{}", *settings.user, settings.host) : settings.host;
}

base::Result<void> authenticate_with(ssh_session session, const SshSettings& settings, const base::Deadline& deadline) {
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
                      [&] { return ssh_userauth_publickey(session, nullptr, key.get()); });
    if (!done) return fail(done.error());
    if (*done == SSH_AUTH_SUCCESS) return {};
    return fail(base::Fault::auth, "{} did not accept the key {}: add its public half to authorized_keys there",
                who(settings), path);
}

base::Result<void> authenticate(ssh_session session, const SshSettings& settings, const base::Deadline& deadline) {
    if (settings.key_file) return authenticate_with(session, settings, deadline);
    auto done = drive(session, deadline, "logging in to " + who(settings), SSH_AUTH_AGAIN,
                      [&] { return ssh_userauth_publickey_auto(session, nullptr, ""); });
    if (!done) return fail(done.error());
    if (*done == SSH_AUTH_SUCCESS) return {};
    return fail(base::Fault::auth,
                "{} accepted no key of the agent and none of ~/.ssh: name one with --ssh-key and add its public "
                "half to authorized_keys there",
                who(settings));
}

}  // namespace

base::Result<void> wait(ssh_session session, const base::Deadline& deadline, const std::string& doing) {
    pollfd wanted{ssh_get_fd(session), POLLIN, 0};
    if ((ssh_get_poll_flags(session) & SSH_WRITE_PENDING) != 0) wanted.events |= POLLOUT;
    while (!deadline.expired()) {
        const int ready = poll(&wanted, 1, deadline.poll_milliseconds());
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return fail(base::Fault::io, "{}: poll failed", doing);
    }
    return fail(base::Fault::timeout, "{}: no answer in time", doing);
}

base::Result<Session> log_in(const SshSettings& settings, const base::Deadline& deadline) {
    if (settings.host_key && !settings.host_key->starts_with("SHA256:")) {
        return fail(base::Fault::usage,
                    "--ssh-host-key '{}': write SHA256:… as ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub "
                    "prints it",
                    *settings.host_key);
    }
    auto socket = connect_tcp(settings, deadline);
    if (!socket) return fail(socket.error());
    Session session(ssh_new(), LentSocket(std::move(*socket)));
    if (session.get() == nullptr) return fail(base::Fault::internal, "libssh gave no session");
    if (auto done = set_options(session, settings); !done) return fail(done.error());
    ssh_set_blocking(session.get(), 0);
    auto connected = drive(session.get(), deadline, "SSH", SSH_AGAIN, [&] { return ssh_connect(session.get()); });
    if (!connected && connected.error().fault == base::Fault::timeout) {
        return fail(base::Fault::timeout, "{}: no answer in time", way_to(session.get(), settings));
    }
    if (!connected) return fail(connected.error());
    if (*connected != SSH_OK) {
        return fail(base::Fault::refused, "no SSH with {} port {}: {}", settings.host, settings.port,
                    reason(session.get()));
    }
    if (auto done = verify_host(session.get(), settings); !done) return fail(done.error());
    if (auto done = authenticate(session.get(), settings, deadline); !done) return fail(done.error());
    return session;
}

}  // namespace mtawatch::ssh
