// Small, strict, locale-free text helpers: everything here is ASCII unless it says UTF-8.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::base {

[[nodiscard]] constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_alpha(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
[[nodiscard]] constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool iequals(std::string_view a, std::string_view b);
// Whether `text` ends in `suffix`, both compared without regard to ASCII case.
[[nodiscard]] bool iends_with(std::string_view text, std::string_view suffix);
[[nodiscard]] bool icontains(std::string_view text, std::string_view needle);
// Without leading and trailing blanks, tabs, CR and LF.
[[nodiscard]] std::string_view trim(std::string_view text);
// Every piece between separators, empty ones too: "a,,b" is three pieces, "" is one.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
// The text up to the next newline, which is taken off `rest` together with it: for what is too large to be split.
[[nodiscard]] std::string_view take_line(std::string_view& rest);
// The non-empty words between blanks.
[[nodiscard]] std::vector<std::string_view> words(std::string_view text);
[[nodiscard]] std::string join(const std::vector<std::string>& pieces, std::string_view separator);

// The host part of a URL or an address with a port: names and IPv4 addresses as they are, an IPv6 address in brackets
// (RFC 3986 section 3.2.2); one that has them already keeps them.
[[nodiscard]] std::string url_host(std::string_view host);

// The candidate that `word` was most likely meant to be: one that begins with it, or is at most two changed, missing or
// extra characters away; "" when there is none.
[[nodiscard]] std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates);

// The whole text as a decimal number, else nothing: no blanks, no '+', no overflow.
template <std::integral T>
[[nodiscard]] std::optional<T> to_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}
// The whole text as a finite decimal fraction ("-1.5", "2e3"), else nothing.
[[nodiscard]] std::optional<double> to_double(std::string_view text);
// The shortest plain decimal that reads back as the same value, never with an exponent: 0.1, 14000000000.
[[nodiscard]] std::string plain(double value);

// "1 lookup", "3 lookups": a number with its noun, which takes an s.
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view noun);

// Valid UTF-8 of at most `max_bytes`, cut at a character; each invalid byte becomes U+FFFD, NUL too.
[[nodiscard]] std::string clean_utf8(std::string_view text, std::size_t max_bytes);
// One line that a terminal and a pager can show: clean_utf8 with control characters and newlines as blanks.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t max_bytes);

}  // namespace mtawatch::base
