#include "shared/auth/spf_macro.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view record_letters = "slodipvh";
constexpr std::string_view explanation_letters = "slodipvhcrt";
constexpr std::string_view delimiter_characters = ".-+,/_=";
// A name has at most 127 labels and an explanation at most 64 KiB; any larger count keeps everything.
constexpr unsigned keep_everything = 100'000;

// Whether this byte may stand for itself (macro-literal; blanks only in explanations).
bool is_literal(char c, SpfMacroPlace place) {
    if (c == ' ') return place == SpfMacroPlace::explanation;
    return c >= 0x21 && c <= 0x7e && c != '%';
}

std::string shown(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x21 && byte <= 0x7e) return fmt::format("'{}'", c);
    return fmt::format("byte 0x{:02x}", byte);
}

// The inside of "%{…}", braces excluded.
Result<SpfMacro> parse_macro(std::string_view inside, SpfMacroPlace place) {
    if (inside.empty()) return fail(Fault::malformed, "%{{}} names no macro letter");
    SpfMacro macro;
    macro.letter = base::lower(inside[0]);
    macro.url_escape = macro.letter != inside[0];
    const std::string_view allowed = place == SpfMacroPlace::explanation ? explanation_letters : record_letters;
    if (!base::is_alpha(inside[0]) || allowed.find(macro.letter) == std::string_view::npos) {
        if (explanation_letters.find(macro.letter) != std::string_view::npos) {
            return fail(Fault::malformed, "the macro letter {} is allowed in explanation texts only", shown(inside[0]));
        }
        return fail(Fault::malformed, "{} is no macro letter", shown(inside[0]));
    }
    std::size_t at = 1;
    bool has_digits = false;
    for (; at < inside.size() && base::is_digit(inside[at]); ++at) {
        has_digits = true;
        macro.keep = std::min(macro.keep * 10 + static_cast<unsigned>(inside[at] - '0'), keep_everything);
    }
    if (has_digits && macro.keep == 0) return fail(Fault::malformed, "a macro cannot keep 0 parts");
    if (at < inside.size() && base::lower(inside[at]) == 'r') {
        macro.reverse = true;
        ++at;
    }
    for (; at < inside.size(); ++at) {
        if (delimiter_characters.find(inside[at]) == std::string_view::npos) {
            return fail(Fault::malformed, "{} is no macro delimiter", shown(inside[at]));
        }
        macro.delimiters += inside[at];
    }
    return macro;
}

void add_text(SpfMacroString& into, std::string_view text) {
    if (into.pieces.empty() || into.pieces.back().macro) into.pieces.emplace_back();
    into.pieces.back().text += text;
}

// Whether the text ends in "." toplabel ["."] (section 7.1).
bool ends_in_toplabel(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view label = text.substr(dot + 1);
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    bool has_letter_or_dash = false;
    for (const char c : label) {
        if (!base::is_alpha(c) && !base::is_digit(c) && c != '-') return false;
        has_letter_or_dash = has_letter_or_dash || !base::is_digit(c);
    }
    return has_letter_or_dash;
}

std::string url_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool unreserved = base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string transformed(std::string_view value, const SpfMacro& macro) {
    if (macro.keep == 0 && !macro.reverse && macro.delimiters.empty()) return std::string(value);
    const std::string_view delimiters = macro.delimiters.empty() ? std::string_view(".") : macro.delimiters;
    std::vector<std::string_view> parts;
    std::size_t start = 0;
    for (std::size_t at = 0; at <= value.size(); ++at) {
        if (at < value.size() && delimiters.find(value[at]) == std::string_view::npos) continue;
        parts.push_back(value.substr(start, at - start));
        start = at + 1;
    }
    if (macro.reverse) std::ranges::reverse(parts);
    if (macro.keep != 0 && macro.keep < parts.size()) {
        parts.erase(parts.begin(), parts.end() - static_cast<std::ptrdiff_t>(macro.keep));
    }
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out += '.';
        out += parts[i];
    }
    return out;
}

std::string value_of(char letter, const SpfMacroValues& values) {
    const std::size_t at = values.sender.rfind('@');
    switch (letter) {
        case 's':
            return values.sender;
        case 'l':
            return at == std::string::npos ? "postmaster" : values.sender.substr(0, at);
        case 'o':
            return at == std::string::npos ? values.sender : values.sender.substr(at + 1);
        case 'd':
            return values.domain;
        case 'i':
            return spf_dotted(values.ip);
        case 'p':
            return values.validated ? values.validated() : "unknown";
        case 'v':
            return values.ip.is_v4() ? "in-addr" : "ip6";
        case 'h':
            return values.helo;
        case 'c':
            return values.ip.to_string();
        case 'r':
            return values.receiver.empty() ? "unknown" : values.receiver;
        default:
            return std::to_string(values.now);
    }
}

}  // namespace

bool SpfMacroString::is_constant() const {
    return std::ranges::none_of(pieces,
                                [](const SpfMacroPiece& piece) { return piece.macro && piece.macro->letter != 'd'; });
}

Result<SpfMacroString> parse_spf_macro_string(std::string_view text, SpfMacroPlace place) {
    SpfMacroString out;
    out.written = text;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '%') {
            if (!is_literal(text[at], place)) {
                return fail(Fault::malformed, "{} is not allowed here", shown(text[at]));
            }
            add_text(out, text.substr(at++, 1));
            out.ends_in_macro = false;
            continue;
        }
        const char next = at + 1 < text.size() ? text[at + 1] : '\0';
        out.ends_in_macro = true;
        if (next == '%' || next == '_' || next == '-') {
            add_text(out, next == '%' ? "%" : next == '_' ? " " : "%20");
            at += 2;
            continue;
        }
        if (next != '{') return fail(Fault::malformed, "a % sign must begin %{{…}}, %%, %_ or %-");
        const std::size_t end = text.find('}', at);
        if (end == std::string_view::npos) return fail(Fault::malformed, "a macro is not closed by }}");
        auto macro = parse_macro(text.substr(at + 2, end - at - 2), place);
        if (!macro) return fail(macro.error());
        out.pieces.push_back({std::move(*macro), {}});
        at = end + 1;
    }
    return out;
}

Result<SpfMacroString> parse_spf_domain_spec(std::string_view text) {
    if (text.empty()) return fail(Fault::malformed, "the domain name is empty");
    auto parsed = parse_spf_macro_string(text, SpfMacroPlace::term);
    if (!parsed || parsed->ends_in_macro) return parsed;
    if (!ends_in_toplabel(text)) {
        return fail(Fault::malformed, "\"{}\" does not end like a domain name (a dot and a top-level label)", text);
    }
    return parsed;
}

std::string expand_spf_macros(const SpfMacroString& text, const SpfMacroValues& values) {
    std::string out;
    for (const SpfMacroPiece& piece : text.pieces) {
        if (!piece.macro) {
            out += piece.text;
            continue;
        }
        const std::string value = transformed(value_of(piece.macro->letter, values), *piece.macro);
        out += piece.macro->url_escape ? url_escaped(value) : value;
    }
    return out;
}

std::string spf_target_name(std::string expanded) {
    if (expanded.ends_with('.')) expanded.pop_back();
    constexpr std::size_t longest = 253;  // RFC 7208 section 7.3
    while (expanded.size() > longest) {
        const std::size_t dot = expanded.find('.');
        if (dot == std::string::npos) return expanded;
        expanded.erase(0, dot + 1);
    }
    return expanded;
}

std::string spf_dotted(const base::IpAddress& ip) {
    if (ip.is_v4()) return ip.to_string();
    std::string out;
    for (const char byte : ip.bytes()) {
        const std::string pair = fmt::format("{:02X}", static_cast<unsigned char>(byte));
        for (const char nibble : pair) {
            if (!out.empty()) out += '.';
            out += nibble;
        }
    }
    return out;
}

}  // namespace mtawatch::auth
