#include "tests/property/published_zone.h"

#include <algorithm>

#include "shared/auth/dmarc_record.h"
#include "shared/auth/publication.h"
#include "shared/auth/spf_record.h"
#include "shared/base/text.h"

namespace mtawatch::test {

namespace {

constexpr std::string_view marker = "; publish: ";

// Reads the quoted strings at the front of `text`, and takes them off.
std::optional<std::string> take_strings(std::string_view& text) {
    std::string out;
    bool any = false;
    while (text.starts_with('"')) {
        std::size_t at = 1;
        std::size_t bytes = 0;
        for (; at < text.size() && text[at] != '"'; ++at, ++bytes) {
            if (text[at] != '\\') {
                out += text[at];
                continue;
            }
            if (at + 1 >= text.size()) return std::nullopt;
            if (base::is_digit(text[at + 1])) {
                const auto code = base::to_number<unsigned>(text.substr(at + 1, 3));
                if (!code || *code > 255) return std::nullopt;
                out += static_cast<char>(*code);
                at += 3;
            } else {
                out += text[++at];
            }
        }
        if (at >= text.size() || bytes > 255) return std::nullopt;
        any = true;
        text.remove_prefix(at + 1);
        if (text.starts_with(" \"")) text.remove_prefix(1);
    }
    return any ? std::optional(out) : std::nullopt;
}

std::string_view take_word(std::string_view& text) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

std::optional<ZoneRecord> take_record(std::string_view& text) {
    ZoneRecord record;
    std::string_view name = take_word(text);
    if (!name.ends_with('.')) return std::nullopt;
    name.remove_suffix(1);
    record.name = base::to_lower(name);
    if (take_word(text) != "IN") return std::nullopt;
    record.type = take_word(text);
    if (record.type == "TXT") {
        auto data = take_strings(text);
        if (!data) return std::nullopt;
        record.data = std::move(*data);
    } else {
        record.data = take_word(text);
    }
    return record;
}

bool begins(const std::string& text, std::string_view version) {
    return base::iequals(std::string_view(text).substr(0, version.size()), version);
}

// The kind of record that a TXT record at a name is, and its version.
std::string_view version_at(const std::string& name) {
    if (name.starts_with("_dmarc.")) return "v=DMARC1";
    if (name.starts_with("_smtp._tls.")) return "v=TLSRPTv1";
    if (name.find("._domainkey.") != std::string::npos) return "";
    return "v=spf1";
}

}  // namespace

std::string GeneratedZone::text() const {
    std::string out;
    for (const ZoneRecord& record : records) {
        std::string data = record.data;
        if (record.type == "TXT") {
            const std::string line = auth::zone_line({"x", dns::Type::txt, record.data});
            data = line.substr(line.find('"'));
        }
        out += record.name + " 3600 " + record.type + " " + data + "\n";
    }
    return out;
}

std::optional<std::vector<ZoneRecord>> lines_in(std::string_view detail) {
    std::vector<ZoneRecord> lines;
    for (std::size_t at = detail.find(marker); at != std::string_view::npos; at = detail.find(marker, at + 1)) {
        std::string_view text = detail.substr(at + marker.size());
        do {
            auto record = take_record(text);
            if (!record) return std::nullopt;
            lines.push_back(std::move(*record));
            if (text.starts_with(" and ")) text.remove_prefix(1);
        } while (text.starts_with("and ") && (text.remove_prefix(4), true));
    }
    return lines;
}

std::string without_lines(std::string_view detail) { return std::string(detail.substr(0, detail.find(marker))); }

std::optional<GeneratedZone> with_published(const GeneratedZone& zone, const ZoneRecord& line) {
    GeneratedZone out = zone;
    const auto at_name = [&line](const ZoneRecord& record) { return record.name == line.name; };
    if (std::ranges::any_of(out.records, [&](const ZoneRecord& one) { return at_name(one) && one.type == "CNAME"; })) {
        return std::nullopt;
    }
    if (line.type == "TXT") {
        const std::string_view version = version_at(line.name);
        const auto is_record = [&](const ZoneRecord& one) {
            if (!at_name(one) || one.type != "TXT") return false;
            if (version == "v=spf1") return auth::is_spf_record(one.data);
            if (version == "v=DMARC1") return auth::is_dmarc_record(one.data);
            return begins(one.data, version);
        };
        const auto resembles = [&](const ZoneRecord& one) {
            return at_name(one) && one.type == "TXT" && base::icontains(one.data.substr(0, 16), version.substr(2, 3));
        };
        if (std::ranges::any_of(out.records, is_record)) {
            std::erase_if(out.records, is_record);
        } else {
            std::erase_if(out.records, resembles);
        }
    } else if (line.type == "PTR") {
        std::erase_if(out.records, [&](const ZoneRecord& one) { return at_name(one) && one.type == "PTR"; });
    }
    out.records.push_back(line);
    return out;
}

}  // namespace mtawatch::test
