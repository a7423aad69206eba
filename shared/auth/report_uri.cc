#include "shared/auth/report_uri.h"

#include <fmt/core.h>

#include <algorithm>

#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

// RFC 3986: what may stand in a URI; everything else must be percent-encoded.
bool is_uri_character(char c) {
    constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
    return base::is_alpha(c) || base::is_digit(c) || others.find(c) != std::string_view::npos;
}

bool has_valid_escapes(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdefABCDEF";
    for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (at + 2 >= text.size()) return false;
        if (hex.find(text[at + 1]) == std::string_view::npos || hex.find(text[at + 2]) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

// "a@b.example?subject=x" -> "b.example"; "" when there is no mailbox.
std::string mailbox_domain(std::string_view rest) {
    rest = rest.substr(0, rest.find('?'));
    const std::size_t at = rest.rfind('@');
    if (at == std::string_view::npos || at == 0) return {};
    const auto ascii = dns::ascii_name(rest.substr(at + 1));
    return ascii && ascii->find('.') != std::string::npos ? *ascii : std::string();
}

std::string host_of(std::string_view rest) {
    if (!rest.starts_with("//")) return {};
    rest.remove_prefix(2);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    rest = rest.substr(0, rest.find(':'));
    const auto ascii = dns::ascii_name(rest);
    return ascii ? *ascii : std::string();
}

ReportUri read(std::string_view text, bool https_too) {
    ReportUri uri;
    uri.text = text;
    if (!std::ranges::all_of(text, is_uri_character) || !has_valid_escapes(text)) return uri;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return uri;
    uri.scheme = base::to_lower(text.substr(0, colon));
    std::string_view rest = text.substr(colon + 1);
    if (uri.scheme == "mailto") {
        if (const std::size_t mark = rest.rfind('!'); mark != std::string_view::npos) {
            uri.has_size = true;
            rest = rest.substr(0, mark);
        }
        if (!rest.starts_with("//")) uri.domain = mailbox_domain(rest);
    } else if (uri.scheme == "https" && https_too) {
        uri.domain = host_of(rest);
    }
    return uri;
}

// "a@example.com" of "mailto:a@example.com", "mailto://a@example.com", "<a@example.com>".
std::string mended_uri(std::string_view text) {
    std::string uri;
    for (const char c : text) {
        if (std::string_view("<>'\"").find(c) == std::string_view::npos) uri += c;
    }
    const bool schemeless = uri.find(':') == std::string::npos && uri.find('@') != std::string::npos;
    if (schemeless) return "mailto:" + uri;
    if (base::iequals(std::string_view(uri).substr(0, 9), "mailto://")) return "mailto:" + uri.substr(9);
    return uri;
}

}  // namespace

std::vector<std::string> mended_report_uris(std::string_view value, bool https_too) {
    std::vector<std::string> uris;
    std::string spaced(value);
    std::ranges::replace(spaced, ',', ' ');
    std::string open;  // "mailto:" whose address comes after a blank
    for (const std::string_view word : base::words(spaced)) {
        const std::string uri = mended_uri(open + std::string(word));
        open = base::iequals(word, "mailto:") ? std::string(word) : std::string();
        if (read(uri, https_too).valid() && std::ranges::find(uris, uri) == uris.end()) uris.push_back(uri);
    }
    return uris;
}

std::vector<ReportUri> parse_report_uris(std::string_view value, std::string_view tag, bool https_too,
                                         Findings& findings) {
    std::vector<ReportUri> uris;
    for (const std::string_view piece : base::split(value, ',')) {
        const std::string_view text = base::trim(piece);
        ReportUri uri = read(text, https_too);
        if (!uri.valid()) {
            const std::string shown = base::one_line(text, 100);
            const auto mended = mended_report_uris(text, https_too);
            if (text.empty()) {
                findings.add(Weight::broken, "bad-uri",
                             fmt::format("{}= has a comma with no address beside it; remove the comma", tag));
            } else if (!mended.empty() && text.find(':') != std::string_view::npos) {
                findings.add(Weight::broken, "bad-uri",
                             fmt::format("{}={} is no address for reports; write {}={}", tag, shown, tag,
                                         base::join(mended, ",")));
            } else if (text.find(':') == std::string_view::npos && text.find('@') != std::string_view::npos) {
                findings.add(Weight::broken, "bad-uri",
                             fmt::format("{}={} lacks its scheme; write {}=mailto:{}", tag, shown, tag, shown));
            } else {
                findings.add(Weight::broken, "bad-uri",
                             fmt::format("{}={} is no address for reports; write {}=mailto:ADDRESS{}", tag, shown, tag,
                                         https_too ? " or an https address" : ""));
            }
        }
        uris.push_back(std::move(uri));
    }
    return uris;
}

}  // namespace mtawatch::auth
