// Whether a host is the one that it should be: its key against a pin or known_hosts files.
#include <fstream>
#include <iterator>

#include "shared/base/text.h"
#include "shared/ssh/known_hosts.h"
#include "shared/ssh/session.h"

namespace mtawatch::ssh {

using base::fail;

namespace {

constexpr std::uint16_t usual_port = 22;

struct HostKey {
    std::string type;         // "ssh-ed25519"
    std::string fingerprint;  // "SHA256:…" without padding
    std::string base64;       // as in known_hosts
};

struct FreeText {
    void operator()(char* text) const { ssh_string_free_char(text); }
};
using Text = std::unique_ptr<char, FreeText>;

std::string text_of(char* raw) {
    const Text text(raw);
    return text ? std::string(text.get()) : std::string();
}

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
    HostKey found;
    found.type = ssh_key_type_to_char(ssh_key_type(key.get()));
    found.fingerprint = text_of(ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length));
    ssh_clean_pubkey_hash(&hash);
    char* base64 = nullptr;
    if (ssh_pki_export_pubkey_base64(key.get(), &base64) != SSH_OK) {
        return fail(base::Fault::auth, "the host key of {} cannot be read", settings.host);
    }
    found.base64 = text_of(base64);
    return found;
}

struct KnownHostsFile {
    std::string path;
    std::vector<KnownHostsLine> lines;
};

// The files that libssh reads; one that is missing or may not be read is empty, as for libssh.
std::vector<KnownHostsFile> files_of(ssh_session session, const SshSettings& settings) {
    std::vector<KnownHostsFile> files;
    for (const auto option : {SSH_OPTIONS_KNOWNHOSTS, SSH_OPTIONS_GLOBAL_KNOWNHOSTS}) {
        if (settings.known_hosts_file && option == SSH_OPTIONS_GLOBAL_KNOWNHOSTS) break;
        char* raw = nullptr;
        if (ssh_options_get(session, option, &raw) != SSH_OK) continue;
        KnownHostsFile file{text_of(raw), {}};
        std::ifstream stream(file.path, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        file.lines = read_known_hosts(text);
        files.push_back(std::move(file));
    }
    return files;
}

enum class Match { no, yes, unreadable };

// Whether a line is about this host. libssh knows patterns and hashed names.
Match match(const KnownHostsLine& line, const SshSettings& settings) {
    const std::string plain = line.names + ' ' + line.type + ' ' + line.key;
    Match found = Match::no;
    for (const std::uint16_t port : {settings.port, usual_port}) {
        ssh_knownhosts_entry* entry = nullptr;
        const int code =
            ssh_known_hosts_parse_line(known_hosts_name(settings.host, port).c_str(), plain.c_str(), &entry);
        if (code == SSH_OK) {
            ssh_knownhosts_entry_free(entry);
            return Match::yes;
        }
        if (code == SSH_ERROR) found = Match::unreadable;
    }
    return found;
}

// A key behind @revoked is never taken, pinned or not: whoever wrote the line knew that somebody else has it.
base::Result<void> refuse_revoked(const std::vector<KnownHostsFile>& files, const HostKey& key,
                                  const SshSettings& settings) {
    for (const auto& file : files) {
        for (const auto& line : file.lines) {
            if (line.marker != Marker::revoked || line.key != key.base64 || match(line, settings) == Match::no) {
                continue;
            }
            return fail(base::Fault::auth,
                        "the host key of {} ({}, {}) is revoked by {} line {}: make a new host key there, and look "
                        "who else has this one",
                        settings.host, key.fingerprint, key.type, file.path, line.number);
        }
    }
    return {};
}

// Where a line of this kind about the host stands; null when nowhere.
const KnownHostsLine* find_line(const KnownHostsFile& file, Marker marker, const SshSettings& settings) {
    for (const auto& line : file.lines) {
        if (line.marker == marker && match(line, settings) == Match::yes) return &line;
    }
    return nullptr;
}

base::Failure changed(const std::vector<KnownHostsFile>& files, const HostKey& key, const SshSettings& settings) {
    std::string place = settings.known_hosts_file.value_or("~/.ssh/known_hosts");
    for (const auto& file : files) {
        if (find_line(file, Marker::none, settings) == nullptr) continue;
        place = file.path;
        break;
    }
    return fail(base::Fault::auth,
                "the host key of {} changed: it is now {} ({}); if the host was set up anew, remove the old key ({}) "
                "and add the new one, if not, somebody may be in between",
                settings.host, key.fingerprint, key.type, command_to_forget(settings.host, settings.port, place));
}

// The words of an ssh command that lead to this host.
std::string ssh_words(const SshSettings& settings) {
    const auto host = quote({settings.user ? *settings.user + '@' + settings.host : settings.host});
    return fmt::format("{}{}", settings.port == usual_port ? "" : fmt::format("-p {} ", settings.port),
                       host.value_or("HOST"));
}

base::Failure unknown(const std::vector<KnownHostsFile>& files, const HostKey& key, const SshSettings& settings) {
    const std::string add =
        command_to_add(settings.host, settings.port, settings.known_hosts_file.value_or("~/.ssh/known_hosts"),
                       settings.jump ? ssh_words(*settings.jump) : "");
    for (const auto& file : files) {
        const auto* line = find_line(file, Marker::cert_authority, settings);
        if (line == nullptr) continue;
        return fail(base::Fault::auth,
                    "{} line {} trusts {} by an authority (@cert-authority), and host certificates cannot be checked "
                    "here: add the host's own key ({}, {}) with {}, or pin it with --ssh-host-key {}",
                    file.path, line->number, settings.host, key.fingerprint, key.type, add, key.fingerprint);
    }
    return fail(base::Fault::auth,
                "the host key of {} is not known ({}, {}): compare it with the host's own, then add it with {}, or "
                "pin it with --ssh-host-key {}",
                settings.host, key.fingerprint, key.type, add, key.fingerprint);
}

// As OpenSSH does: a host that is known without a port is known on every port.
bool known_without_port(ssh_session session, const SshSettings& settings) {
    if (settings.port == usual_port) return false;
    unsigned port = usual_port;
    ssh_options_set(session, SSH_OPTIONS_PORT, &port);  // connected already: only the name to look up changes
    const bool known = ssh_session_is_known_server(session) == SSH_KNOWN_HOSTS_OK;
    port = settings.port;
    ssh_options_set(session, SSH_OPTIONS_PORT, &port);
    return known;
}

}  // namespace

base::Result<void> verify_host(ssh_session session, const SshSettings& settings) {
    auto key = host_key_of(session, settings);
    if (!key) return fail(key.error());
    const auto files = files_of(session, settings);
    if (auto done = refuse_revoked(files, *key, settings); !done) return fail(done.error());
    if (settings.host_key) {
        if (*settings.host_key == key->fingerprint) return {};
        return fail(base::Fault::auth,
                    "the host key of {} is {} ({}), not the pinned {}: if the host was set up anew, pin the new key "
                    "with --ssh-host-key, and of a host with several keys the one that is named here; if not, "
                    "somebody may be in between",
                    settings.host, key->fingerprint, key->type, *settings.host_key);
    }
    switch (ssh_session_is_known_server(session)) {
        case SSH_KNOWN_HOSTS_OK:
            return {};
        case SSH_KNOWN_HOSTS_CHANGED:
        case SSH_KNOWN_HOSTS_OTHER:
            return changed(files, *key, settings);
        case SSH_KNOWN_HOSTS_ERROR:
            return fail(base::Fault::auth, "known_hosts cannot be read: {}", reason(session));
        case SSH_KNOWN_HOSTS_NOT_FOUND:
        case SSH_KNOWN_HOSTS_UNKNOWN:
            break;
    }
    if (known_without_port(session, settings)) return {};
    return unknown(files, *key, settings);
}

}  // namespace mtawatch::ssh
