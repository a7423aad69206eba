#include "shared/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace mtawatch::base {

std::string to_lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = lower(c);
    return result;
}

bool iequals(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool iends_with(std::string_view text, std::string_view suffix) {
    return text.size() >= suffix.size() && iequals(text.substr(text.size() - suffix.size()), suffix);
}

bool icontains(std::string_view text, std::string_view needle) {
    return !std::ranges::search(text, needle, [](char x, char y) { return lower(x) == lower(y); }).empty() ||
           needle.empty();
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    std::size_t start = 0;
    while (true) {
        const std::size_t end = text.find(separator, start);
        pieces.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
        if (end == std::string_view::npos) return pieces;
        start = end + 1;
    }
}

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> result;
    std::size_t at = 0;
    while (at < text.size()) {
        while (at < text.size() && is_blank(text[at])) ++at;
        const std::size_t start = at;
        while (at < text.size() && !is_blank(text[at])) ++at;
        if (at > start) result.push_back(text.substr(start, at - start));
    }
    return result;
}

std::string join(const std::vector<std::string>& pieces, std::string_view separator) {
    std::string result;
    for (const std::string& piece : pieces) {
        if (&piece != &pieces.front()) result += separator;
        result += piece;
    }
    return result;
}

namespace {

constexpr std::size_t longest_word = 64;  // keeps the table of edit distances small

// Levenshtein distance, row by row.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t k = 0; k <= b.size(); ++k) row[k] = k;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t k = 1; k <= b.size(); ++k) {
            const std::size_t changed = diagonal + (a[i - 1] == b[k - 1] ? 0 : 1);
            diagonal = row[k];
            row[k] = std::min({changed, row[k] + 1, row[k - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string url_host(std::string_view host) {
    const bool bare = host.find(':') == std::string_view::npos || host.starts_with('[');
    return bare ? std::string(host) : "[" + std::string(host) + "]";
}

std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates) {
    if (word.size() < 3 || word.size() > longest_word) return {};
    std::string_view best;
    std::size_t best_distance = 3;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > longest_word) continue;
        const bool begins = candidate.substr(0, word.size()) == word;
        const std::size_t away = begins ? 1 : distance(word, candidate);
        if (away >= best_distance || away >= word.size()) continue;
        best = candidate;
        best_distance = away;
    }
    return best;
}

std::optional<double> to_double(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    if (!std::isfinite(value)) return std::nullopt;
    return value;
}

std::string plain(double value) {
    if (value == 0) return "0";  // also -0, which no reader expects
    char buffer[400];            // the longest double in fixed form has 309 digits before the point
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
    return error == std::errc{} ? std::string(buffer, end) : fmt::format("{}", value);
}

namespace {

// Length of the valid UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates), 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(at);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
    const std::uint8_t second = byte(at + 1);
    const std::uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (second < low || second > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return 0;
    }
    return length;
}

}  // namespace

std::string counted(std::uint64_t number, std::string_view noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string clean_utf8(std::string_view text, std::size_t max_bytes) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string result;
    result.reserve(std::min(text.size(), max_bytes));
    for (std::size_t at = 0; at < text.size();) {
        std::size_t length = text[at] == '\0' ? 0 : sequence_length(text, at);
        const std::string_view piece = length == 0 ? replacement : text.substr(at, length);
        if (result.size() + piece.size() > max_bytes) break;
        result += piece;
        at += std::max<std::size_t>(length, 1);
    }
    return result;
}

std::string one_line(std::string_view text, std::size_t max_bytes) {
    std::string result = clean_utf8(text, max_bytes);
    for (std::size_t i = 0; i < result.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(result[i]);
        if (byte < 0x20 || byte == 0x7F) result[i] = ' ';
        // U+0080 to U+009F: a terminal takes U+009B for ESC [. Two bytes, so two blanks.
        if (byte == 0xC2 && static_cast<std::uint8_t>(result[i + 1]) < 0xA0) result[i] = result[i + 1] = ' ';
    }
    return result;
}

}  // namespace mtawatch::base
