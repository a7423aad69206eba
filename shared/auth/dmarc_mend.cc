#include "shared/auth/dmarc_mend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "shared/auth/record_text.h"
#include "shared/auth/tag_list.h"
#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

constexpr std::array<std::string_view, 14> tag_names{"v",     "p",    "sp",  "np", "rua", "ruf", "fo",
                                                     "adkim", "aspf", "psd", "t",  "pct", "rf",  "ri"};

// Of a word that can be told to be a mistyped policy.
constexpr std::size_t shortest_word = 4;

bool is_tag_name(std::string_view name) {
    return std::ranges::any_of(tag_names, [name](std::string_view one) { return base::iequals(one, name); });
}

// Where a piece "name = value" or "name:value" has its mark; only a known name is taken with a colon.
std::optional<std::size_t> mark_of(std::string_view piece) {
    const std::size_t mark = piece.find_first_of(":=");
    if (mark == std::string_view::npos || mark == 0) return std::nullopt;
    const std::string_view name = base::trim(piece.substr(0, mark));
    if (piece[mark] == ':' && !is_tag_name(name)) return std::nullopt;
    return std::ranges::all_of(name, [](char c) { return base::is_alpha(c) || base::is_digit(c) || c == '_'; })
               ? std::optional(mark)
               : std::nullopt;
}

// The pieces between semicolons; where there is none, also between commas and blanks before a known tag.
std::vector<std::string> pieces_of(const std::string& text) {
    std::vector<std::string> pieces;
    for (const std::string_view part : base::split(text, ';')) {
        std::string piece;
        for (const std::string_view word : base::words(part)) {
            std::string_view bare = word;
            const auto mark = mark_of(bare);
            if (mark && is_tag_name(bare.substr(0, *mark)) && !piece.empty()) {
                pieces.push_back(std::exchange(piece, {}));
            }
            piece += (piece.empty() ? "" : " ") + std::string(bare);
        }
        if (!piece.empty()) pieces.push_back(std::move(piece));
    }
    return pieces;
}

std::string mended_policy(std::string_view value) {
    if (value.size() < shortest_word) return "none";
    const std::string lower = base::to_lower(value);
    const std::string_view word = base::closest(lower, {"none", "quarantine", "reject"});
    return std::string(word.empty() ? "none" : word);
}

class TagText {
  public:
    // The value of a tag, or null.
    std::string* find(std::string_view name) {
        const auto found = std::ranges::find_if(tags_, [name](const Tag& tag) { return tag.name == name; });
        return found == tags_.end() ? nullptr : &found->value;
    }
    void set(std::string_view name, std::string value) {
        if (std::string* there = find(name)) {
            *there = std::move(value);
        } else {
            tags_.push_back({std::string(name), std::move(value)});
        }
    }
    void erase(std::string_view name) {
        std::erase_if(tags_, [name](const Tag& tag) { return tag.name == name; });
    }
    // In the order they were set.
    [[nodiscard]] std::string text() const {
        std::string out = "v=DMARC1";
        for (const Tag& tag : tags_) out += fmt::format("; {}={}", tag.name, tag.value);
        return out;
    }
    [[nodiscard]] static TagText of(std::string_view record) {
        TagText out;
        for (const Tag& tag : parse_tag_list(record).tags) {
            const std::string name = base::to_lower(tag.name);
            if (name != "v" && out.find(name) == nullptr) out.tags_.push_back({name, tag.value});
        }
        return out;
    }

  private:
    std::vector<Tag> tags_;
};

bool is_letter_of(std::string_view value, std::string_view letters) {
    return value.size() == 1 && letters.find(base::lower(value.front())) != std::string_view::npos;
}

// Whether receivers do something with a tag other than a policy or an address.
bool is_useful(std::string_view name, std::string_view value) {
    if (value.empty() || name == "rf" || name == "ri" || (name == "pct" && value == "100")) return false;
    if (name == "t") return is_letter_of(value, "yn");
    if (name == "adkim" || name == "aspf") return is_letter_of(value, "rs");
    if (name == "psd") return is_letter_of(value, "ynu");
    if (name == "fo") {
        const auto words = words_of(value, ':');
        return std::ranges::all_of(words, [](const std::string& word) { return is_letter_of(word, "01ds"); });
    }
    return true;
}

std::optional<DmarcPolicy> policy_of(const std::string* value) {
    if (value == nullptr) return std::nullopt;
    for (const DmarcPolicy policy : {DmarcPolicy::none, DmarcPolicy::quarantine, DmarcPolicy::reject}) {
        if (base::iequals(*value, name(policy))) return policy;
    }
    return std::nullopt;
}

void add_tag(const std::string& tag, const std::string& value, TagText& tags) {
    if (tag == "p") {
        const std::string policy = mended_policy(value);
        const auto before = policy_of(tags.find("p"));
        const auto now = policy_of(&policy);
        if (!before || *before < *now || !policy_of(tags.find("p"))) tags.set("p", policy);  // the stricter of two
    } else if (tag == "rua" || tag == "ruf") {
        std::string all = tags.find(tag) == nullptr ? std::string() : *tags.find(tag) + ",";
        const auto uris = mended_report_uris(all + value, false);
        if (!uris.empty()) tags.set(tag, base::join(uris, ","));
    } else if (tag == "sp" || tag == "np") {
        if (policy_of(&value) && tags.find(tag) == nullptr) tags.set(tag, value);
    } else if (is_useful(tag, value) && tags.find(tag) == nullptr) {
        tags.set(tag, value);
    }
}

}  // namespace

std::optional<std::string> mended_dmarc_record(std::string_view given) {
    const std::string text = plain_record_text(given);
    TagText tags;
    tags.set("p", "");
    bool versioned = false;
    std::string last;
    for (const std::string& piece : pieces_of(text)) {
        const auto mark = mark_of(piece);
        if (!mark) {
            // "rua=mailto:a@x; mailto:b@x": the second address of the tag before it.
            if (last == "rua" || last == "ruf") add_tag(last, piece, tags);
            continue;
        }
        const std::string name = base::to_lower(base::trim(std::string_view(piece).substr(0, *mark)));
        std::string_view value = base::trim(std::string_view(piece).substr(*mark + 1));
        while (!value.empty() && std::string_view(",:'").find(value.back()) != std::string_view::npos) {
            value.remove_suffix(1);
        }
        if (value.starts_with('\'')) value.remove_prefix(1);
        if (name == "v") {
            if (!base::iequals(value, "DMARC1")) return std::nullopt;
            versioned = true;
        } else {
            add_tag(name, std::string(value), tags);
            last = name;
        }
    }
    if (!versioned) return std::nullopt;
    if (tags.find("p")->empty()) tags.set("p", "none");
    return tags.text();
}

std::string merged_dmarc_records(const std::vector<std::string>& mended) {
    const auto strictest = std::ranges::max_element(mended, {}, [](const std::string& record) {
        TagText tags = TagText::of(record);
        return policy_of(tags.find("p")).value_or(DmarcPolicy::none);
    });
    TagText out = TagText::of(*strictest);
    for (const std::string& record : mended) {
        TagText tags = TagText::of(record);
        for (const char* name : {"rua", "ruf"}) {
            if (const std::string* value = tags.find(name)) add_tag(name, *value, out);
        }
    }
    return out.text();
}

std::string with_dmarc_policy(std::string_view record, DmarcPolicy policy) {
    TagText tags = TagText::of(record);
    const auto before = policy_of(tags.find("p")).value_or(DmarcPolicy::none);
    if (before >= policy) return std::string(record);
    tags.set("p", std::string(name(policy)));
    for (const char* tag : {"sp", "np"}) {
        const auto own = policy_of(tags.find(tag));
        if (own && *own >= before && *own < policy) tags.erase(tag);
    }
    return tags.text();
}

std::string with_dmarc_tag(std::string_view record, std::string_view tag, std::string_view value) {
    TagText tags = TagText::of(record);
    tags.set(tag, std::string(value));
    return tags.text();
}

}  // namespace mtawatch::auth
