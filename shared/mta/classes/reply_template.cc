#include "shared/mta/classes/reply_template.h"

#include <algorithm>
#include <array>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_text.h"

namespace mtawatch::mta::classes {
namespace {

constexpr std::size_t looked_at = 2048;  // far more than a template can hold

// Whose host names say who refused: those of lists stay whole, of the others the machine is left out.
constexpr std::array<std::string_view, 16> list_domains{
    "spamhaus.org",    "spamcop.net",     "barracudacentral.org", "sorbs.net",     "surbl.org",  "uribl.com",
    "abusix.zone",     "spfbl.net",       "uceprotect.net",       "mailspike.net", "manitu.net", "psbl.surriel.com",
    "invaluement.com", "senderscore.com", "nordspam.com",         "spamrats.com"};
constexpr std::array<std::string_view, 20> provider_domains{
    "outlook.com", "hotmail.com", "google.com",   "yahoo.com",    "yahoodns.net",   "icloud.com",     "apple.com",
    "gmx.net",     "web.de",      "t-online.de",  "orange.fr",    "mail.ru",        "yandex.ru",      "qq.com",
    "163.com",     "comcast.net", "mimecast.com", "pphosted.com", "ppe-hosted.com", "messagelabs.com"};

bool is_under(std::string_view host, std::string_view domain) {
    if (!base::iends_with(host, domain)) return false;
    return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

bool is_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, base::is_digit); }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }

std::string host_word(std::string_view host) {
    if (std::ranges::any_of(list_domains, [&](std::string_view domain) { return is_under(host, domain); })) {
        return std::string(host);
    }
    for (const std::string_view domain : provider_domains) {
        if (host.size() > domain.size() && is_under(host, domain)) return "*." + std::string(domain);
    }
    return "<host>";
}

// "S3140", "TSS04", "OFR_506", "DYN:T1": capitals and digits, at most five of those at the end.
bool is_code(std::string_view word) {
    constexpr std::size_t longest = 12;
    constexpr std::size_t most_digits = 5;
    if (word.size() > longest || !base::is_digit(word.back())) return false;
    const auto is_part = [](char c) { return is_capital(c) || base::is_digit(c) || c == '-' || c == '_' || c == ':'; };
    if (!std::ranges::all_of(word, is_part) || std::ranges::none_of(word, is_capital)) return false;
    const auto digits = std::ranges::count_if(word, base::is_digit);
    std::size_t at_end = 0;
    while (base::is_digit(word[word.size() - 1 - at_end])) ++at_end;
    return at_end <= most_digits && static_cast<std::size_t>(digits) == at_end;
}

// Made up for this message: digits among letters, or letters that no word has.
bool is_id(std::string_view word) {
    constexpr std::size_t shortest_with_digit = 6;
    constexpr std::size_t shortest_with_turns = 8;
    constexpr std::size_t shortest_with_signs = 24;
    const auto digits = std::ranges::count_if(word, base::is_digit);
    if (digits >= 2 || (digits == 1 && word.size() >= shortest_with_digit)) return true;
    const bool plain = std::ranges::all_of(word, base::is_alpha);
    std::size_t turns = 0;
    for (std::size_t i = 1; i < word.size(); ++i) turns += is_small(word[i - 1]) && is_capital(word[i]) ? 1U : 0U;
    if (plain && word.size() >= shortest_with_turns && turns >= 3) return true;
    return word.size() >= shortest_with_signs && word.find_first_of("+/=_") != std::string_view::npos;
}

std::string word_of(std::string_view word);

// One part of a URL's path, or a value of its query.
std::string path_part(std::string_view part, bool value) {
    constexpr std::size_t longest_plain = 12;
    constexpr std::size_t longest_value = 24;
    constexpr std::ptrdiff_t many_digits = 6;
    const auto digits = std::ranges::count_if(part, base::is_digit);
    if (is_ip_address(part)) return "<ip>";
    if (part.find('@') != std::string_view::npos) return "<id>";
    if (value) return digits == 0 && part.size() <= longest_value ? std::string(part) : "<v>";
    if (digits >= many_digits || (digits > 0 && part.size() > longest_plain)) return "<id>";
    if (looks_like_host(part) || looks_like_host(part.substr(0, part.rfind('.')))) return "<host>";
    return std::string(part);
}

std::string url_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
    std::size_t end = std::min(url.find_first_of("/?#", host), url.size());
    std::string result(url.substr(0, host));
    const std::string_view name = url.substr(host, end - host);
    result += is_ip_address(name) ? "<ip>" : std::string(name);
    bool query = false;
    while (end < url.size()) {
        const char sign = url[end];
        query = query || sign == '?';
        const std::size_t begin = end + 1;
        end = std::min(url.find_first_of(query ? "&#" : "/?#", begin), url.size());
        const std::string_view part = url.substr(begin, end - begin);
        const std::size_t equals = query ? part.find('=') : std::string_view::npos;
        result += sign;
        if (equals == std::string_view::npos) {
            result += path_part(part, query && part.size() > 12);
        } else {
            result.append(part.substr(0, equals + 1)).append(path_part(part.substr(equals + 1), true));
        }
    }
    return result;
}

// What stands for a word without the signs around it.
std::string plain_word(std::string_view word) {
    if (word.empty()) return {};
    if (enhanced_code_size(word) == word.size()) return std::string(word);
    if (word.find("://") != std::string_view::npos || base::to_lower(word.substr(0, 4)) == "www.") return url_of(word);
    const std::size_t at = word.find('@');
    if (at != std::string_view::npos && at > 0 && at + 1 < word.size()) return "<address>";
    if (is_ip_address(word)) return "<ip>";
    if (word.find_first_not_of("0123456789.,:+-%/") == std::string_view::npos) {
        return word.find_first_of("0123456789") == std::string_view::npos ? std::string(word) : "<n>";
    }
    if (is_code(word)) return std::string(word);
    const std::size_t sign = word.find_first_of("=:");
    if (sign != std::string_view::npos && sign > 0 && sign + 1 < word.size() &&
        std::ranges::all_of(word.substr(0, sign), [](char c) { return base::is_alpha(c) || c == '-' || c == '_'; })) {
        return std::string(word.substr(0, sign + 1)) + word_of(word.substr(sign + 1));
    }
    if (looks_like_host(word)) return host_word(word);
    const std::size_t digits = std::min(word.find_first_of("0123456789"), word.size());
    constexpr std::size_t most_digits = 3;
    if (digits > 1 && word.size() - digits <= most_digits && is_digits(word.substr(digits)) &&
        std::ranges::all_of(word.substr(0, digits), is_small)) {
        return std::string(word.substr(0, digits)) + "<n>";
    }
    return is_id(word) ? "<id>" : std::string(word);
}

// The same of a word with its signs; brackets inside part it: "mx.b.example[192.0.2.1]:25".
std::string word_of(std::string_view word) {
    constexpr std::string_view around = "([<{)]>}\"'#,;.!*";
    std::size_t begin = 0;
    std::size_t end = word.size();
    while (begin < end && around.find(word[begin]) != std::string_view::npos && !word.substr(begin).starts_with("*."))
        ++begin;
    while (end > begin && (around.find(word[end - 1]) != std::string_view::npos || word[end - 1] == ':')) --end;
    const std::string_view core = word.substr(begin, end - begin);
    std::string result(word.substr(0, begin));
    const bool url = core.find("://") != std::string_view::npos;
    const std::size_t bracket = url ? std::string_view::npos : core.find_first_of("[]<>(){},;");
    if (bracket == std::string_view::npos) {
        result += plain_word(core);
    } else {
        result += word_of(core.substr(0, bracket));
        result += core[bracket];
        result += word_of(core.substr(bracket + 1));
    }
    return result.append(word.substr(end));
}

}  // namespace

std::string reply_template(std::string_view dsn_diag) {
    const std::string line = base::one_line(dsn_diag.substr(0, looked_at), looked_at);
    std::string_view text = base::trim(line);
    const std::size_t type = text.substr(0, 12).find(';');
    if (type != std::string_view::npos &&
        std::ranges::all_of(text.substr(0, type), [](char c) { return base::is_alpha(c) || c == '-'; })) {
        text.remove_prefix(type + 1);
    }
    std::string result;
    std::string_view code;
    std::string_view enhanced;
    const auto add = [&](std::string_view word) {
        if (word.empty()) return true;
        if (result.size() + word.size() + 1 > max_template_bytes) return false;
        if (!result.empty()) result += ' ';
        result += word;
        return true;
    };
    for (std::string_view word : base::words(text)) {
        const bool coded = word.size() >= 3 && is_digits(word.substr(0, 3)) && (word.size() == 3 || word[3] == '-');
        if (coded && (result.empty() || word.substr(0, 3) == code)) {
            // Each line of a reply repeats its code.
            if (result.empty()) add(code = word.substr(0, 3));
            word.remove_prefix(std::min<std::size_t>(4, word.size()));
        }
        const bool has_enhanced = enhanced_code_size(word) != 0 && enhanced_code_size(word) == word.size();
        if (has_enhanced && !enhanced.empty() && word == enhanced) continue;
        if (has_enhanced && enhanced.empty() && result.size() <= 4) enhanced = word;
        if (!add(word_of(word))) break;
    }
    return result;
}

}  // namespace mtawatch::mta::classes
