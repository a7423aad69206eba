// Quoting of arguments for the POSIX shell of the remote host.
#include "shared/base/target_text.h"
#include "shared/base/text.h"
#include "shared/ssh/ssh.h"

namespace mtawatch::ssh {

using base::fail;

namespace {

// Characters that no POSIX shell gives a meaning to, wherever they stand in a word. '=' is left out (it would make
// the first word an assignment), '~' and '%' too.
bool is_plain(char c) {
    return base::is_alpha(c) || base::is_digit(c) || std::string_view("_-./:,@+").find(c) != std::string_view::npos;
}

void append_quoted(std::string& line, std::string_view word) {
    bool plain = !word.empty();
    for (const char c : word) plain = plain && is_plain(c);
    if (plain) {
        line += word;
        return;
    }
    line += '\'';
    for (const char c : word) {
        // Inside single quotes nothing has a meaning but the quote itself: close, escaped quote, open again.
        if (c == '\'') {
            line += "'\\''";
        } else {
            line += c;
        }
    }
    line += '\'';
}

base::Result<void> read_port(std::string_view digits, std::string_view text, SshSettings& into) {
    const auto port = base::to_number<std::uint16_t>(digits);
    if (!port || *port == 0) {
        return fail(base::Fault::usage, "'{}': the port '{}' is not a number from 1 to 65535", text, digits);
    }
    into.port = *port;
    return {};
}

// HOST, HOST:PORT, [V6]:PORT, [V6] or a bare V6 address (more than one colon).
base::Result<void> read_host(std::string_view rest, std::string_view text, SshSettings& into) {
    if (rest.starts_with('[')) {
        const auto close = rest.find(']');
        if (close == std::string_view::npos) return fail(base::Fault::usage, "'{}': '[' without ']'", text);
        into.host = std::string(rest.substr(1, close - 1));
        rest.remove_prefix(close + 1);
        if (rest.empty()) return {};
        if (!rest.starts_with(':')) return fail(base::Fault::usage, "'{}': write [ADDRESS]:PORT", text);
        return read_port(rest.substr(1), text, into);
    }
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos || rest.find(':', colon + 1) != std::string_view::npos) {
        for (const char c : rest) {
            const char low = base::lower(c);
            if (colon != std::string_view::npos && !base::is_digit(c) && (low < 'a' || low > 'f') && c != ':' &&
                c != '.') {
                return fail(base::Fault::usage, "'{}' has more than one ':' and is no IPv6 address", text);
            }
        }
        into.host = std::string(rest);
        return {};
    }
    into.host = std::string(rest.substr(0, colon));
    return read_port(rest.substr(colon + 1), text, into);
}

}  // namespace

base::Result<std::string> quote(const std::vector<std::string>& argv) {
    std::string line;
    for (const auto& word : argv) {
        if (word.find('\0') != std::string::npos) {
            return fail(base::Fault::usage, "an argument holds a NUL byte: '{}'", base::one_line(word, 80));
        }
        if (!line.empty()) line += ' ';
        append_quoted(line, word);
    }
    return line;
}

base::Result<SshSettings> parse_target(std::string_view text) {
    SshSettings settings;
    std::string_view rest = text;
    for (const char c : text) {
        if (base::is_blank(c) || static_cast<unsigned char>(c) < 0x20) {
            return fail(base::Fault::usage, "'{}': a host holds no blanks; write [USER@]HOST[:PORT]",
                        base::one_line(text, 120));
        }
    }
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        settings.user = std::string(rest.substr(0, at));
        rest.remove_prefix(at + 1);
        if (settings.user->empty() || settings.user->starts_with('-')) {
            return fail(base::Fault::usage, "'{}': '{}' is not a user name; write [USER@]HOST[:PORT]", text,
                        *settings.user);
        }
    }
    if (text.find("://") != std::string_view::npos || text.ends_with(',')) {
        auto mistake = base::expect_target(text, base::TargetKind::host);
        if (!mistake) return fail(mistake.error());
    }
    if (auto done = read_host(rest, text, settings); !done) return fail(done.error());
    if (settings.host.empty()) {
        return fail(base::Fault::usage, "'{}': the host is missing; write [USER@]HOST[:PORT]", text);
    }
    // What begins with '-' was meant as an option, by mistake or by an attacker who fills the host name in.
    if (settings.host.starts_with('-')) {
        return fail(base::Fault::usage, "'{}': a host name does not begin with '-'", text);
    }
    return settings;
}

}  // namespace mtawatch::ssh
