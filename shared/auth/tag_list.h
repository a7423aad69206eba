// Parser of "v=…; p=…" records: the tag list of RFC 6376 section 3.2, which DMARC and others share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/finding.h"

namespace mtawatch::auth {

struct Tag {
    std::string name;   // as written
    std::string value;  // without blanks and line ends around it
    bool operator==(const Tag&) const = default;
};

// The tags in order, with what breaks the grammar (bad names, missing "=", two tags of a name, control characters).
// Findings are broken ones: the standard wants such a list ignored as a whole.
struct TagList {
    std::vector<Tag> tags;
    Findings findings;
    // The first tag of that name; tag names are case-sensitive (section 3.2).
    [[nodiscard]] const std::string* find(std::string_view name) const;
};

[[nodiscard]] TagList parse_tag_list(std::string_view text);

// The colon- or comma-separated words of a value, each without blanks around it, empty ones left out.
[[nodiscard]] std::vector<std::string> words_of(std::string_view value, char separator);

}  // namespace mtawatch::auth
