#include "shared/base/target_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "shared/base/ip.h"
#include "shared/base/text.h"

namespace mtawatch::base {

namespace {

constexpr std::size_t shown_bytes = 100;

// Of a text that is no such thing: what it is, and what was most likely meant.
struct Mistake {
    std::string is;     // "is a URL"
    std::string meant;  // "example.com"; "" when nobody can know
};

bool is_name_character(char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

// Only digits and dots, as a mistyped IPv4 address has them.
bool looks_numeric(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
}

std::string host_of_url(std::string_view text) {
    text.remove_prefix(text.find("://") + 3);
    text = text.substr(0, text.find_first_of("/?#"));
    if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) text.remove_prefix(at + 1);
    if (text.starts_with('[')) return std::string(text.substr(1, text.find(']') - 1));
    return std::string(text.substr(0, text.find(':')));
}

std::optional<Mistake> enclosed(std::string_view text) {
    struct Pair {
        char open;
        char close;
        std::string_view what;
    };
    constexpr std::array<Pair, 6> pairs{{{'<', '>', "angle brackets"},
                                         {'[', ']', "brackets"},
                                         {'(', ')', "brackets"},
                                         {'{', '}', "braces"},
                                         {'"', '"', "quotation marks"},
                                         {'\'', '\'', "quotation marks"}}};
    for (const Pair& pair : pairs) {
        if (text.size() < 2 || text.front() != pair.open || text.back() != pair.close) continue;
        return Mistake{"has " + std::string(pair.what) + " around it", std::string(text.substr(1, text.size() - 2))};
    }
    return std::nullopt;
}

// "mail.example.com:587", "192.0.2.1:25", "[2001:db8::1]:25": the host alone.
std::optional<std::string> without_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || IpAddress::parse(text)) return std::nullopt;
    const std::string_view port = text.substr(colon + 1);
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
    if (!std::ranges::all_of(port, is_digit) || host.empty()) return std::nullopt;
    return std::string(host);
}

bool takes_networks(TargetKind kind) { return kind == TargetKind::network || kind == TargetKind::target; }

// What every kind but a URL and a mailbox can be mistaken for.
std::optional<Mistake> mistaken(std::string_view text, TargetKind kind) {
    if (text.find("://") != std::string_view::npos) return Mistake{"is a URL", host_of_url(text)};
    if (text.ends_with(',') || text.ends_with(';')) {
        return Mistake{"ends in a " + std::string(text.back() == ',' ? "comma" : "semicolon"),
                       std::string(text.substr(0, text.size() - 1))};
    }
    if (text.find(',') != std::string_view::npos || text.find(';') != std::string_view::npos) {
        return Mistake{"is a list; give each of them by itself", ""};
    }
    // A host with IPv6 in brackets is what URLs and other programs have.
    const bool v6 = text.starts_with('[') && text.ends_with(']') && IpAddress::parse(text.substr(1, text.size() - 2)) &&
                    text.find(':') != std::string_view::npos;
    if (v6 && kind == TargetKind::host) return std::nullopt;
    if (auto mistake = enclosed(text)) return mistake;
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; })) {
        std::string bare(trim(text));
        if (std::ranges::any_of(bare, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; })) {
            bare.clear();
        }
        return Mistake{"has a blank or control character", std::move(bare)};
    }
    if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
        return Mistake{"is a mail address", std::string(text.substr(at + 1))};
    }
    if (auto host = without_port(text)) return Mistake{"has a port", std::move(*host)};
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos && !takes_networks(kind)) {
        const bool network = IpAddress::parse(text.substr(0, slash)).has_value();
        return Mistake{network ? "is a network" : "has a path", std::string(text.substr(0, slash))};
    }
    return std::nullopt;
}

std::string_view wanted(TargetKind kind) {
    switch (kind) {
        case TargetKind::domain:
            return "a domain such as example.com";
        case TargetKind::name:
            return "a name such as mail.example.com";
        case TargetKind::host:
            return "a host name or an IP address";
        case TargetKind::address:
            return "an IP address such as 192.0.2.1";
        case TargetKind::network:
            return "an IP address or a network such as 192.0.2.0/24";
        case TargetKind::target:
            return "an IP address, a network such as 192.0.2.0/24 or a host name";
        case TargetKind::url:
            return "a URL such as https://mail.example.com/";
        case TargetKind::mailbox:
            return "an address such as user@example.com";
    }
    return "a name";
}

// What is wrong with a text as a name, or nothing.
std::optional<Mistake> name_mistake(std::string_view text, TargetKind kind) {
    const auto address = IpAddress::parse(text);
    if (address && (kind == TargetKind::host || kind == TargetKind::target)) return std::nullopt;
    if (address) return Mistake{"is an IP address", ""};
    if (text.starts_with("*.")) return Mistake{"is a wildcard", std::string(text.substr(2))};
    const auto odd = std::ranges::find_if_not(text, is_name_character);
    if (odd != text.end()) return Mistake{"has the character \"" + std::string(1, *odd) + "\", which no name has", ""};
    if (looks_numeric(text)) return Mistake{"is neither a name nor an IP address", ""};
    std::string_view bare = text;
    if (bare.ends_with('.')) bare.remove_suffix(1);
    if (bare.empty() || bare.starts_with('.') || bare.find("..") != std::string_view::npos) {
        return Mistake{"has an empty label", ""};
    }
    if (kind == TargetKind::domain && bare.find('.') == std::string_view::npos) {
        return Mistake{"is one label, and a domain has at least two", ""};
    }
    return std::nullopt;
}

bool fits(std::string_view text, TargetKind kind);

std::optional<Mistake> mistake_of(std::string_view text, TargetKind kind) {
    if (text.empty()) return Mistake{"is empty", ""};
    if (kind == TargetKind::url) {
        const bool scheme = text.starts_with("http://") || text.starts_with("https://");
        if (!scheme) {
            const bool host = fits(text, TargetKind::host) || without_port(text);
            return Mistake{"is no URL", host ? "https://" + std::string(text) + "/" : std::string()};
        }
        std::string_view rest = text.substr(text.find("://") + 3);
        const bool printable = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > ' '; });
        if (!printable || text.ends_with(',') || rest.empty() || rest.starts_with('/')) {
            return Mistake{printable && !text.ends_with(',') ? "names no host" : "is no single URL", ""};
        }
        return std::nullopt;
    }
    if (kind == TargetKind::mailbox) {
        const std::size_t open = text.find('<');
        if (open != std::string_view::npos && text.ends_with('>')) {
            return Mistake{"has angle brackets", std::string(text.substr(open + 1, text.size() - open - 2))};
        }
        return std::nullopt;
    }
    if (auto mistake = mistaken(text, kind)) return mistake;
    if (kind == TargetKind::host && text.starts_with('[')) return std::nullopt;
    if (takes_networks(kind) && text.find('/') != std::string_view::npos) {
        const auto network = IpNetwork::parse(text);
        if (network) return std::nullopt;
        const auto address = IpAddress::parse(text.substr(0, text.find('/')));
        const auto prefix = to_number<unsigned>(text.substr(text.find('/') + 1));
        if (address && prefix && *prefix <= (address->is_v4() ? 32U : 128U)) {
            return Mistake{"has host bits set", IpNetwork::of(*address, *prefix).to_string()};
        }
        return Mistake{address ? "has no prefix length that fits the address" : "has a path", ""};
    }
    if (kind == TargetKind::address || kind == TargetKind::network) {
        return IpAddress::parse(text) ? std::nullopt : std::optional(Mistake{"is no IPv4 or IPv6 address", ""});
    }
    return name_mistake(text, kind);
}

bool fits(std::string_view text, TargetKind kind) { return !mistake_of(text, kind); }

}  // namespace

Result<void> expect_target(std::string_view text, TargetKind kind) {
    if (text.empty() && kind == TargetKind::mailbox) return {};
    const auto mistake = mistake_of(text, kind);
    if (!mistake) return {};
    const std::string shown = one_line(text, shown_bytes);
    const bool can_say = !mistake->meant.empty() && fits(mistake->meant, kind);
    return fail(Fault::usage, "\"{}\" {}; write {}", shown, mistake->is,
                can_say ? one_line(mistake->meant, shown_bytes) : std::string(wanted(kind)));
}

}  // namespace mtawatch::base
