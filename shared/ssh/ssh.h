// SSH client: io::Commands over one SSH connection to another host.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/command.h"

namespace mtawatch::ssh {

enum class Family { any, ipv4, ipv6 };

// Where to log in, and how the host proves who it is. Keys and agent only: passwords are never asked for or sent.
// The user's ssh configuration is not read, because it could run a ProxyCommand.
struct SshSettings {
    std::string host;  // name or numeric address (no brackets); also the name looked up in known_hosts
    std::uint16_t port = 22;
    std::optional<std::string> user;              // absent: the user who runs this program
    std::optional<std::string> key_file;          // absent: the agent, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa
    std::optional<std::string> known_hosts_file;  // absent: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts
    std::optional<std::string> host_key;  // "SHA256:…" as ssh-keygen -l prints it: instead of a known_hosts line
    Family family = Family::any;          // of the first connection: to the host, or to the jump host
    // Another host that connects to this one for us, by its own resolver ("ssh -J"). Null: a direct connection. Its key
    // comes from known_hosts and it gets its own login; `host_key` is this host's.
    std::shared_ptr<const SshSettings> jump;
};

// "[USER@]HOST[:PORT]", an IPv6 address with a port in brackets. Usage error for an empty or out-of-range part, for
// blanks, and for a host or user that begins with '-'.
[[nodiscard]] base::Result<SshSettings> parse_target(std::string_view text);

// The arguments as one command line of a POSIX shell that splits into exactly these arguments again (sshd hands the
// line to the login shell). Usage error when one holds a NUL byte, which no argument can carry.
[[nodiscard]] base::Result<std::string> quote(const std::vector<std::string>& argv);

// One connection for all commands that follow. Their output is what the programs themselves say: what a login shell's
// start-up files, a forced command or the server prints around it is never part of it, and a program that a shell did
// not start is Fault::auth with what the shell said instead. `deadline` is for connecting and logging in; every command
// has its own. Faults: not_found (no such host name), refused, timeout, auth (unknown, changed or revoked host key, no
// key accepted; the text says what to do), usage (a key or known_hosts file that cannot be read, a pin that cannot be
// right).
[[nodiscard]] base::Result<std::unique_ptr<io::Commands>> open(const SshSettings& settings,
                                                               const base::Deadline& deadline);

}  // namespace mtawatch::ssh
