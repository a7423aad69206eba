// What libssh does not read in known_hosts files: lines with a marker. And what to do about a line that is in the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::ssh {

enum class Marker { none, revoked, cert_authority, other };

// One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) that is neither empty nor a comment.
struct KnownHostsLine {
    std::size_t number = 0;  // from 1
    Marker marker = Marker::none;
    std::string names;  // patterns with commas, or a hashed name; as written
    std::string type;   // "ssh-ed25519"
    std::string key;    // Base64
    bool operator==(const KnownHostsLine&) const = default;
};

// A part that is missing is empty. Blanks and tabs divide; what stands behind the key is a comment.
[[nodiscard]] std::vector<KnownHostsLine> read_known_hosts(std::string_view text);

// The name under which a host is looked up there: "mx1.example.net", "[mx1.example.net]:2222"; in lower case.
[[nodiscard]] std::string known_hosts_name(std::string_view host, std::uint16_t port);

// A shell command that takes the host out of `file`, and one that puts its key in. `jump` holds the words behind `ssh`
// that lead to where the second one runs; empty for this machine.
[[nodiscard]] std::string command_to_forget(std::string_view host, std::uint16_t port, const std::string& file);
[[nodiscard]] std::string command_to_add(std::string_view host, std::uint16_t port, const std::string& file,
                                         const std::string& jump);

}  // namespace mtawatch::ssh
