#include "shared/auth/spf_record.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view version = "v=spf1";

struct NamedMechanism {
    std::string_view name;
    SpfKind kind;
};
constexpr std::array<NamedMechanism, 8> mechanism_names{{{"all", SpfKind::all},
                                                         {"include", SpfKind::include},
                                                         {"a", SpfKind::a},
                                                         {"mx", SpfKind::mx},
                                                         {"ptr", SpfKind::ptr},
                                                         {"ip4", SpfKind::ip4},
                                                         {"ip6", SpfKind::ip6},
                                                         {"exists", SpfKind::exists}}};

// "24" of "/24": no leading zero, at most `widest`.
std::optional<unsigned> parse_prefix(std::string_view digits, unsigned widest) {
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    const auto value = base::to_number<unsigned>(digits);
    if (!value || *value > widest) return std::nullopt;
    return value;
}

base::Failure bad_prefix(std::string_view text, unsigned widest) {
    return fail(Fault::malformed, "\"/{}\" is no prefix length from 0 to {}", text, widest);
}

// Takes "/24", "//64" or "/24//64" off the end. A slash that is not followed by digits alone stays in the name.
Result<void> parse_dual_cidr(std::string_view& text, SpfTerm& term) {
    const auto digits_after = [&text](std::size_t slash) {
        const std::string_view tail = text.substr(slash + 1);
        return !tail.empty() && std::ranges::all_of(tail, base::is_digit);
    };
    std::size_t slash = text.rfind('/');
    if (slash == std::string_view::npos || !digits_after(slash)) return {};
    if (slash > 0 && text[slash - 1] == '/') {
        const auto prefix = parse_prefix(text.substr(slash + 1), 128);
        if (!prefix) return bad_prefix(text.substr(slash), 128);
        term.prefix6 = *prefix;
        text = text.substr(0, slash - 1);
        slash = text.rfind('/');
        if (slash == std::string_view::npos || !digits_after(slash)) return {};
    }
    const auto prefix = parse_prefix(text.substr(slash + 1), 32);
    if (!prefix) return bad_prefix(text.substr(slash + 1), 32);
    term.prefix4 = *prefix;
    text = text.substr(0, slash);
    return {};
}

// "ip4:192.0.2.1~all": two terms without the blank between them.
std::string missing_blank_hint(std::string_view text) {
    for (const std::string_view glued : {"~all", "-all", "?all", "+all"}) {
        const std::size_t at = base::to_lower(text).find(glued);
        if (at != std::string::npos && at > 0) return fmt::format("; a blank is missing before {}", text.substr(at));
    }
    return {};
}

// The value of ip4: or ip6:, which must be there.
Result<void> parse_network(std::string_view text, SpfTerm& term) {
    const bool v4 = term.kind == SpfKind::ip4;
    const unsigned widest = v4 ? 32 : 128;
    unsigned prefix = widest;
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        const auto read = parse_prefix(text.substr(slash + 1), widest);
        if (!read) return bad_prefix(fmt::format("{}{}", text.substr(slash + 1), missing_blank_hint(text)), widest);
        prefix = *read;
    }
    const auto address = base::IpAddress::parse(text.substr(0, slash));
    if (!address) {
        return fail(Fault::malformed, "\"{}\" is no {} address{}", text.substr(0, slash), v4 ? "IPv4" : "IPv6",
                    missing_blank_hint(text));
    }
    if (address->is_v4() != v4) {
        return fail(Fault::malformed, "\"{}\" is an {} address; write {}:{}", text.substr(0, slash),
                    v4 ? "IPv6" : "IPv4", v4 ? "ip6" : "ip4", text);
    }
    term.network = base::IpNetwork::of(*address, prefix);
    term.host_bits_set = term.network.base != *address;
    return {};
}

Result<void> parse_domain(std::string_view text, SpfTerm& term) {
    if (const auto address = base::IpAddress::parse(text)) {
        return fail(Fault::malformed, "\"{}\" is an address; write {}:{}", text, address->is_v4() ? "ip4" : "ip6",
                    text);
    }
    auto domain = parse_spf_domain_spec(text);
    if (!domain) return fail(domain.error());
    term.domain = std::move(*domain);
    return {};
}

// What follows a mechanism's name: "", ":value", "/24", ":value/24".
Result<void> parse_mechanism_value(std::string_view rest, SpfTerm& term) {
    const bool colon = rest.starts_with(':');
    std::string_view value = colon ? rest.substr(1) : rest;
    switch (term.kind) {
        case SpfKind::all:
            if (!rest.empty()) return fail(Fault::malformed, "\"all\" takes no value{}", missing_blank_hint(rest));
            return {};
        case SpfKind::ip4:
        case SpfKind::ip6:
            if (!colon || value.empty()) return fail(Fault::malformed, "the address is missing");
            return parse_network(value, term);
        case SpfKind::include:
        case SpfKind::exists:
            if (!colon) return fail(Fault::malformed, "the domain name is missing");
            return parse_domain(value, term);
        case SpfKind::ptr:
            if (rest.empty()) return {};
            if (!colon) return fail(Fault::malformed, "\"ptr\" takes nothing but :DOMAIN");
            return parse_domain(value, term);
        default:
            break;
    }
    if (rest.empty()) return {};
    if (auto done = parse_dual_cidr(value, term); !done) return done;
    if (!colon) {
        if (!value.empty()) return fail(Fault::malformed, "\"{}\" is neither :DOMAIN nor a prefix length", rest);
        return {};
    }
    return parse_domain(value, term);
}

std::string unknown_mechanism(std::string_view name, std::string_view rest) {
    const std::string lower = base::to_lower(name);
    if (lower == "ipv4" || lower == "ip") return fmt::format("no such mechanism; write ip4{}", rest);
    if (lower == "ipv6") return fmt::format("no such mechanism; write ip6{}", rest);
    if ((lower == "redirect" || lower == "exp") && rest.starts_with(':')) {
        return fmt::format("{} is a modifier; write {}={}", lower, lower, rest.substr(1));
    }
    if (lower.empty() && rest.empty()) return "a qualifier alone; write it next to its term, without a blank";
    if (lower.ends_with("all")) return fmt::format("no such mechanism{}", missing_blank_hint(name));
    return fmt::format("no such mechanism as \"{}\"", name);
}

Result<SpfTerm> parse_mechanism(std::string_view written) {
    SpfTerm term;
    term.written = written;
    std::string_view text = written;
    if (std::string_view("+-~?").find(text[0]) != std::string_view::npos) {
        term.qualifier = text[0];
        text.remove_prefix(1);
    }
    const std::size_t end = std::min(text.size(), text.find_first_of(":/="));
    const std::string_view name = text.substr(0, end);
    const std::string_view rest = text.substr(end);
    const auto known = std::ranges::find_if(
        mechanism_names, [name](const NamedMechanism& one) { return base::iequals(one.name, name); });
    if (known == mechanism_names.end()) return fail(Fault::malformed, "{}", unknown_mechanism(name, rest));
    term.kind = known->kind;
    if (auto done = parse_mechanism_value(rest, term); !done) return fail(done.error());
    return term;
}

// Whether the term is name "=" …, the name being ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ).
std::optional<std::size_t> modifier_equals(std::string_view text) {
    if (text.empty() || !base::is_alpha(text[0])) return std::nullopt;
    for (std::size_t at = 1; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '=') return at;
        if (!base::is_alpha(c) && !base::is_digit(c) && c != '-' && c != '_' && c != '.') return std::nullopt;
    }
    return std::nullopt;
}

Result<void> add_modifier(std::string_view written, std::size_t equals, SpfRecord& record) {
    SpfTerm term;
    term.written = written;
    const std::string_view name = written.substr(0, equals);
    const std::string_view value = written.substr(equals + 1);
    const bool redirect = base::iequals(name, "redirect");
    if (!redirect && !base::iequals(name, "exp")) {
        term.kind = SpfKind::unknown_modifier;
        auto parsed = parse_spf_macro_string(value, SpfMacroPlace::term);
        if (!parsed) return fail(parsed.error());
        term.domain = std::move(*parsed);
        record.unknown_modifiers.push_back(std::move(term));
        return {};
    }
    term.kind = redirect ? SpfKind::redirect : SpfKind::exp;
    std::optional<SpfTerm>& slot = redirect ? record.redirect : record.exp;
    if (slot) return fail(Fault::malformed, "{}= may stand in a record once only", base::to_lower(name));
    if (auto done = parse_domain(value, term); !done) return done;
    slot = std::move(term);
    return {};
}

Result<void> add_term(std::string_view written, SpfRecord& record) {
    if (const auto equals = modifier_equals(written)) return add_modifier(written, *equals, record);
    auto mechanism = parse_mechanism(written);
    if (!mechanism) return fail(mechanism.error());
    record.mechanisms.push_back(std::move(*mechanism));
    return {};
}

}  // namespace

bool SpfTerm::queries() const {
    switch (kind) {
        case SpfKind::include:
        case SpfKind::a:
        case SpfKind::mx:
        case SpfKind::ptr:
        case SpfKind::exists:
        case SpfKind::redirect:
            return true;
        default:
            return false;
    }
}

const SpfTerm* SpfRecord::all() const {
    const auto found = std::ranges::find_if(mechanisms, [](const SpfTerm& term) { return term.kind == SpfKind::all; });
    return found == mechanisms.end() ? nullptr : &*found;
}

bool is_spf_record(std::string_view text) {
    if (!base::iequals(text.substr(0, version.size()), version)) return false;
    return text.size() == version.size() || text[version.size()] == ' ';
}

SpfRecord parse_spf_record(std::string_view text) {
    SpfRecord record;
    record.text = text;
    // Only the blank separates terms (section 4.6.1); a tab is a bad character inside one.
    for (const std::string_view written : base::split(text.substr(version.size()), ' ')) {
        if (written.empty()) continue;
        if (auto done = add_term(written, record); !done) {
            record.faults.push_back({std::string(written), done.error().what});
        }
    }
    return record;
}

}  // namespace mtawatch::auth
