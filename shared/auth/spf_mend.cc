#include "shared/auth/spf_mend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "shared/auth/record_text.h"
#include "shared/auth/spf_record.h"
#include "shared/base/ip.h"
#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

using Words = std::vector<std::string>;

constexpr std::array<std::string_view, 8> mechanisms{"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"};
constexpr std::array<std::string_view, 4> ends{"~all", "-all", "?all", "+all"};
// More networks than this to write an address range as: it was no range of senders.
constexpr std::size_t max_range_networks = 16;

bool is_mechanism(std::string_view name) {
    return std::ranges::any_of(mechanisms, [name](std::string_view one) { return base::iequals(one, name); });
}

bool is_qualifier(char c) { return std::string_view("+-~?").find(c) != std::string_view::npos; }

// A word that ends where its value should begin: "include:", "ip4", "redirect=".
bool lacks_value(std::string_view word) {
    if (!word.empty() && is_qualifier(word.front())) word.remove_prefix(1);
    const bool marked = word.ends_with(':') || word.ends_with('=');
    const std::string_view name = marked ? word.substr(0, word.size() - 1) : word;
    if (base::iequals(name, "redirect") || base::iequals(name, "exp")) return marked;
    if (!is_mechanism(name) || base::iequals(name, "all")) return false;
    const bool value_needed = !base::iequals(name, "a") && !base::iequals(name, "mx") && !base::iequals(name, "ptr");
    return marked || value_needed;
}

bool parses(const Words& words) {
    return std::ranges::all_of(
        words, [](const std::string& word) { return parse_spf_record("v=spf1 " + word).valid() && !word.empty(); });
}

// A value that no receiver can make anything of, though the grammar takes it.
bool is_nonsense(std::string_view value) {
    return value.find('@') != std::string_view::npos || value.find("://") != std::string_view::npos;
}

// "255.255.255.0" is 24; nothing for what is no netmask.
std::optional<unsigned> prefix_of_mask(std::string_view text) {
    const auto mask = base::IpAddress::parse(text);
    if (!mask || !mask->is_v4()) return std::nullopt;
    const std::uint32_t inverted = ~mask->v4_value();
    if ((inverted & (inverted + 1)) != 0) return std::nullopt;
    unsigned prefix = 32;
    for (std::uint32_t rest = inverted; rest != 0; rest >>= 1U) --prefix;
    return prefix;
}

// The networks that "192.0.2.1-192.0.2.20" stands for.
std::optional<Words> range_words(const base::IpAddress& first, const base::IpAddress& last) {
    if (!first.is_v4() || !last.is_v4() || last < first) return std::nullopt;
    Words words;
    std::uint64_t at = first.v4_value();
    const std::uint64_t end = std::uint64_t{last.v4_value()} + 1;
    while (at < end) {
        unsigned bits = 0;
        while (bits < 32 && at % (std::uint64_t{2} << bits) == 0 && at + (std::uint64_t{2} << bits) <= end) ++bits;
        const auto base = base::IpAddress::v4(static_cast<std::uint32_t>(at));
        words.push_back(bits == 0 ? fmt::format("ip4:{}", base.to_string())
                                  : fmt::format("ip4:{}/{}", base.to_string(), 32 - bits));
        if (words.size() > max_range_networks) return std::nullopt;
        at += std::uint64_t{1} << bits;
    }
    return words;
}

// What stands where an address should: "192.0.2.1", "192.0.2.0/24", "192.0.2.0/255.255.255.0", a range.
std::optional<Words> address_words(std::string_view value) {
    if (value.ends_with('.')) value.remove_suffix(1);
    if (const std::size_t dash = value.find('-'); dash != std::string_view::npos) {
        const auto first = base::IpAddress::parse(value.substr(0, dash));
        const auto last = base::IpAddress::parse(value.substr(dash + 1));
        return first && last ? range_words(*first, *last) : std::nullopt;
    }
    const std::size_t slash = value.find('/');
    const auto address = base::IpAddress::parse(value.substr(0, slash));
    if (!address) return std::nullopt;
    std::string prefix;
    if (slash != std::string_view::npos) {
        const std::string_view written = value.substr(slash + 1);
        const auto mask = prefix_of_mask(written);
        prefix = "/" + (mask ? fmt::format("{}", *mask) : std::string(written));
    }
    return Words{fmt::format("{}:{}{}", address->is_v4() ? "ip4" : "ip6", value.substr(0, slash), prefix)};
}

// "https://spf.example.com/" and "include:spf.example.com" for "spf.example.com".
std::string_view bare_domain(std::string_view value) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!base::iequals(value.substr(0, scheme.size()), scheme)) continue;
        value.remove_prefix(scheme.size());
        value = value.substr(0, value.find('/'));
    }
    const std::size_t colon = value.find(':');
    if (colon != std::string_view::npos && is_mechanism(value.substr(0, colon))) value.remove_prefix(colon + 1);
    return value;
}

// One word with a name and a value: "ip4:…", "redirect=…".
std::optional<Words> mended_term(std::string_view qualifier, std::string_view name, std::string_view value) {
    std::string lower = base::to_lower(name);
    if (lower == "ipv4" || lower == "ip" || lower == "ipv6") lower = "ip4";
    if (lower == "redirect" || lower == "exp") {
        return Words{fmt::format("{}={}", lower, bare_domain(value))};
    }
    if (!is_mechanism(lower)) return std::nullopt;
    std::optional<Words> words;
    if (lower == "ip4" || lower == "ip6") {
        words = address_words(value);
    } else if (lower == "a" || lower == "mx") {
        words = address_words(value);
        if (!words) words = Words{fmt::format("{}:{}", lower, bare_domain(value))};
    } else {
        words = Words{fmt::format("{}:{}", lower, bare_domain(value))};
    }
    if (!words) return std::nullopt;
    for (std::string& word : *words) word.insert(0, qualifier);
    return words;
}

// "ip4:192.0.2.1~all" and "ip4:192.0.2.9ip4:192.0.2.10" in two.
std::optional<Words> unglued(const std::string& word) {
    const std::string lower = base::to_lower(word);
    for (const std::string_view end : ends) {
        const std::size_t at = lower.rfind(end);
        if (at != std::string::npos && at > 0 && at + end.size() == lower.size()) {
            return Words{word.substr(0, at), word.substr(at)};
        }
    }
    for (const std::string_view next : {"ip4:", "ip6:", "include:"}) {
        const std::size_t at = lower.find(next, 1);
        if (at == std::string::npos || is_qualifier(lower[at - 1]) || lower[at - 1] == ':') continue;
        return Words{word.substr(0, at), word.substr(at)};
    }
    return std::nullopt;
}

// Where the value of a word begins: the first ':' or '='.
std::size_t mark_of(std::string_view word) { return word.find_first_of(":="); }

// Repairs that one word needs even though the grammar takes it: "ip4=…" is a modifier to everyone.
bool looks_right(const std::string& word) {
    if (!parses({word})) return false;
    const std::size_t mark = mark_of(word);
    if (mark == std::string::npos) return true;
    std::string_view name(word.data(), mark);
    if (is_qualifier(name.front())) name.remove_prefix(1);
    const std::string_view value = std::string_view(word).substr(mark + 1);
    if (word[mark] == '=' && is_mechanism(name)) return false;
    return !is_nonsense(value) && bare_domain(value) == value;
}

// The words of a text with what belongs together put together: "- all", "include: x", "ip4 192.0.2.1".
Words joined_words(std::string_view text) {
    Words out;
    bool open = false;  // the last word waits for the rest of it
    for (const std::string_view piece : base::words(text)) {
        std::string word(piece);
        if (word.find('%') == std::string::npos) {
            while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.pop_back();
        }
        if (word.empty()) continue;
        if (open && !looks_right(word)) {
            std::string& last = out.back();
            const bool mark_missing = !is_qualifier(last.back()) && last.back() != ':' && last.back() != '=';
            last += (mark_missing ? ":" : "") + word;
        } else if (open && is_qualifier(out.back().back()) && out.back().size() == 1) {
            out.back() += word;
        } else {
            out.push_back(std::move(word));
        }
        open = out.back().size() == 1 ? is_qualifier(out.back().front()) : lacks_value(out.back());
    }
    return out;
}

// What follows the version, or nothing where none begins the text.
std::optional<std::string_view> after_version(std::string_view text) {
    text = base::trim(text);
    if (!text.empty() && base::lower(text.front()) == 'v') {
        text = base::trim(text.substr(1));
        if (!text.starts_with('=') && !text.starts_with(':')) return std::nullopt;
        text = base::trim(text.substr(1));
    }
    if (!base::iequals(text.substr(0, 3), "spf")) return std::nullopt;
    text.remove_prefix(3);
    if (text.starts_with('1')) text.remove_prefix(1);
    while (!text.empty() && std::string_view("0.,;:").find(text.front()) != std::string_view::npos)
        text.remove_prefix(1);
    if (!text.empty() && text.front() != ' ') return std::nullopt;
    return base::trim(text);
}

}  // namespace

bool is_spf_near_miss(std::string_view text) {
    if (is_spf_record(text)) return false;
    const std::string plain = plain_record_text(text);
    const std::string_view bare = base::trim(plain);
    return base::icontains(bare.substr(0, 8), "spf1") || base::iequals(bare.substr(0, 6), "v=spf ");
}

std::optional<std::vector<std::string>> mended_spf_word(std::string_view given) {
    const std::string word(given);
    if (word.empty()) return std::nullopt;
    if (looks_right(word)) return Words{word};
    if (auto pieces = unglued(word)) {
        Words all;
        for (const std::string& piece : *pieces) {
            auto mended = mended_spf_word(piece);
            if (!mended) return std::nullopt;
            all.insert(all.end(), mended->begin(), mended->end());
        }
        return all;
    }
    if (word.find('%') == std::string::npos && word.find_first_of(",;") != std::string::npos) {
        std::string spaced = word;
        std::ranges::replace_if(
            spaced, [](char c) { return c == ',' || c == ';'; }, ' ');
        Words all;
        for (const std::string& piece : joined_words(spaced)) {
            auto mended = mended_spf_word(piece);
            if (!mended) return std::nullopt;
            all.insert(all.end(), mended->begin(), mended->end());
        }
        return all;
    }
    std::optional<Words> mended = address_words(word);
    if (!mended) {
        const bool qualified = is_qualifier(word.front());
        const std::string_view rest = std::string_view(word).substr(qualified ? 1 : 0);
        const std::size_t mark = mark_of(rest);
        if (mark == std::string_view::npos) return std::nullopt;
        mended = mended_term(std::string_view(word).substr(0, qualified ? 1 : 0), rest.substr(0, mark),
                             rest.substr(mark + 1));
    }
    if (!mended || !std::ranges::all_of(*mended, looks_right)) return std::nullopt;
    return mended;
}

std::optional<std::string> mended_spf_record(std::string_view text) {
    const std::string plain = plain_record_text(text);
    const auto rest = after_version(plain);
    if (!rest) return std::nullopt;
    std::string out = "v=spf1";
    for (const std::string& word : joined_words(*rest)) {
        if (after_version(word)) continue;  // "v=spf1 v=spf1 …"
        const auto mended = mended_spf_word(word);
        if (!mended) return std::nullopt;
        for (const std::string& term : *mended) out += " " + term;
    }
    if (!parse_spf_record(out).valid()) return std::nullopt;
    return out;
}

}  // namespace mtawatch::auth
