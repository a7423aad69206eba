#include "shared/auth/tag_list.h"

#include <fmt/core.h>

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

// No standard knows more than fifteen tags; a longer list was made to cost time.
constexpr std::size_t max_tags = 200;

bool is_tag_name(std::string_view name) {
    if (name.empty() || !base::is_alpha(name[0])) return false;
    return std::ranges::all_of(name, [](char c) { return base::is_alpha(c) || base::is_digit(c) || c == '_'; });
}

// Printable, a blank or folding, or UTF-8 (RFC 8616); DEL and other control characters are not.
bool is_value_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return base::is_blank(c) || (byte >= 0x21 && byte != 0x7f);
}

// What a person meant who typed quotes or backslashes into a zone editor that adds its own.
std::string zone_file_hint(std::string_view text) {
    if (text.find('\\') != std::string_view::npos) {
        return "; the backslashes belong to the zone file, not into the record";
    }
    if (text.find('"') != std::string_view::npos) {
        return "; the quotation marks belong to the zone file, not into the record";
    }
    return {};
}

void add_tag(std::string_view piece, TagList& list) {
    const std::size_t equals = piece.find('=');
    const std::string_view name = base::trim(piece.substr(0, equals));
    if (equals == std::string_view::npos || !is_tag_name(name)) {
        list.findings.add(Weight::broken, "bad-tag",
                          fmt::format("\"{}\" is no tag (name=value){}", base::one_line(base::trim(piece), 60),
                                      zone_file_hint(piece)));
        return;
    }
    Tag tag{std::string(name), std::string(base::trim(piece.substr(equals + 1)))};
    if (!std::ranges::all_of(tag.value, is_value_character)) {
        list.findings.add(Weight::broken, "bad-tag", fmt::format("{}= holds control characters", tag.name));
    }
    if (list.find(tag.name) != nullptr) {
        list.findings.add(Weight::broken, "duplicate-tag",
                          fmt::format("the tag {}= stands there twice; keep one of them", tag.name));
    }
    list.tags.push_back(std::move(tag));
}

}  // namespace

const std::string* TagList::find(std::string_view name) const {
    const auto found = std::ranges::find_if(tags, [name](const Tag& tag) { return tag.name == name; });
    return found == tags.end() ? nullptr : &found->value;
}

TagList parse_tag_list(std::string_view text) {
    TagList list;
    const std::vector<std::string_view> pieces = base::split(text, ';');
    if (pieces.size() > max_tags) {
        list.findings.add(Weight::broken, "bad-tag", fmt::format("more than {} tags", max_tags));
        return list;
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (!base::trim(pieces[i]).empty()) {
            add_tag(pieces[i], list);
        } else if (i + 1 < pieces.size()) {
            list.findings.add(Weight::broken, "bad-tag", "there is nothing between two semicolons");
        }
    }
    return list;
}

std::vector<std::string> words_of(std::string_view value, char separator) {
    std::vector<std::string> words;
    for (const std::string_view word : base::split(value, separator)) {
        if (const std::string_view trimmed = base::trim(word); !trimmed.empty()) words.emplace_back(trimmed);
    }
    return words;
}

}  // namespace mtawatch::auth
