// Repair of the spelling of SPF records: the slips of hand and of zone editors that leave no doubt about what was
// meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::auth {

// Whether a TXT record was meant to be an SPF record and is none: "v=spf10", a blank or quotation mark in front, "spf1
// …".
[[nodiscard]] bool is_spf_near_miss(std::string_view text);

// The terms that one word of a record was meant to be, each of which parses: "ip4:192.0.2.1~all" is two, an address
// range several, "a:192.0.2.1" one. A word that is fine stands for itself. Nothing when nobody can know ("ip4:192.0.2",
// "include:user@example.com").
[[nodiscard]] std::optional<std::vector<std::string>> mended_spf_word(std::string_view word);

// The record that a text was meant to be, in the order it has: blanks of other kinds, dashes of a word processor,
// quotation marks and punctuation are put right, then each word is mended. Its grammar is right; nothing when a word
// cannot be mended, or the text has no version to begin with.
[[nodiscard]] std::optional<std::string> mended_spf_record(std::string_view text);

}  // namespace mtawatch::auth
