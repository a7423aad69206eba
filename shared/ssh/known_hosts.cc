#include "shared/ssh/known_hosts.h"

#include <fmt/format.h>

#include "shared/base/text.h"
#include "shared/ssh/ssh.h"

namespace mtawatch::ssh {

namespace {

// For a shell; a home folder stays one.
std::string shell_word(const std::string& text) {
    if (text.starts_with("~/")) return "~/" + shell_word(text.substr(2));
    return quote({text}).value_or("FILE");
}

Marker marker_of(std::string_view word) {
    if (word == "@revoked") return Marker::revoked;
    return word == "@cert-authority" ? Marker::cert_authority : Marker::other;
}

}  // namespace

std::vector<KnownHostsLine> read_known_hosts(std::string_view text) {
    std::vector<KnownHostsLine> lines;
    std::size_t number = 0;
    for (const std::string_view whole : base::split(text, '\n')) {
        ++number;
        auto words = base::words(whole);
        if (words.empty() || words[0].starts_with('#')) continue;
        KnownHostsLine line;
        line.number = number;
        std::size_t at = 0;
        if (words[0].starts_with('@')) line.marker = marker_of(words[at++]);
        for (std::string* part : {&line.names, &line.type, &line.key}) {
            if (at < words.size()) *part = words[at++];
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

std::string known_hosts_name(std::string_view host, std::uint16_t port) {
    const std::string name = base::to_lower(host);
    return port == 22 ? name : fmt::format("[{}]:{}", name, port);
}

std::string command_to_forget(std::string_view host, std::uint16_t port, const std::string& file) {
    return fmt::format("ssh-keygen -R {} -f {}", shell_word(known_hosts_name(host, port)), shell_word(file));
}

std::string command_to_add(std::string_view host, std::uint16_t port, const std::string& file,
                           const std::string& jump) {
    return fmt::format("{}ssh-keyscan {}{} >> {}", jump.empty() ? "" : "ssh " + jump + ' ',
                       port == 22 ? "" : fmt::format("-p {} ", port), shell_word(std::string(host)), shell_word(file));
}

}  // namespace mtawatch::ssh
