// The rules of replies in the form that is searched: which phrases each rule has, and an index of their rarest words.
// The built-in rules are laid out at build time (make_reply_table), an operator's own when a configuration is read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/mta/classes/reply_class.h"
#include "shared/mta/classes/reply_text.h"

namespace mtawatch::mta::classes {

// A rule as people write it. `texts` is alternatives between " | "; each holds when all of its parts, between " & ",
// do:
//
//   user unknown          the phrase, at word boundaries, in what was said
//   throttl*              a phrase whose last word may go on
//   user .. not found     two phrases with up to max_gap bytes of the same sentence between them
//   (no/bad/) user        each word of the group or, behind the last "/", nothing
//   5.1.1, 550:, 4xx:     the enhanced code, the SMTP code, a temporary refusal
//   @spamhaus.org         a host name or a piece of a URL
//   !sender               what must not be there
struct ReplyRule {
    std::string name;
    ReplyClass reply_class = ReplyClass::other;
    BounceClass bounce_class = BounceClass::other;
    bool by_code = false;  // soft where the reply is a temporary refusal, whatever bounce_class says
    std::string texts;
};
inline constexpr std::size_t max_gap = 60;  // bytes: two names and an adverb

struct ReplyTable {
    struct Rule {
        std::string_view name;
        ReplyClass reply_class = ReplyClass::other;
        BounceClass bounce_class = BounceClass::other;
        bool by_code = false;
    };
    // One phrase: `size` bytes of `letters`.
    struct Phrase {
        std::uint32_t offset = 0;
        std::uint16_t size = 0;
        bool place = false;
        bool open = false;    // its last word may go on
        bool absent = false;  // of a condition: must not be there
        // A word that the phrase needs, as one of 256: a reply that has none of that number lacks the phrase. A phrase
        // of one word that may go on needs none.
        bool needs = false;
        std::uint8_t need = 0;
    };
    struct Alternative {
        std::uint16_t rule = 0;
        std::uint16_t phrase = 0;      // a phrase; or where there is a gap, `fronts` phrases, then `backs`: one of each
        std::uint16_t conditions = 0;  // further phrases that must, or must not, be there; many alternatives share them
        std::uint8_t condition_count = 0;
        std::uint8_t fronts = 0;
        std::uint8_t backs = 0;
        std::uint16_t needs = 0;  // of a gap: the set of Phrase::need of the fronts
    };
    using Needs = std::array<std::uint64_t, 4>;  // 256 bits
    // A phrase by two words in a row, or its only word: the one of an alternative, or one of its backs.
    struct Entry {
        std::uint32_t hash = 0;
        std::uint16_t alternative = 0;
        std::uint8_t phrase = 0;      // from the alternative's first
        std::uint8_t before : 7 = 0;  // bytes of the phrase in front of the word
        bool place : 1 = false;
    };
    static constexpr std::size_t slot_bits = 12;
    static constexpr std::size_t slot_count = std::size_t{1} << slot_bits;
    static constexpr std::size_t filter_bits = 16;
    static constexpr std::size_t filter_words = (std::size_t{1} << filter_bits) / 64;

    std::span<const Rule> rules;
    std::span<const Phrase> phrases;
    std::span<const Alternative> alternatives;
    std::span<const Needs> needs;           // 0 is all bits
    std::span<const Entry> entries;         // by the upper slot_bits of the hash
    std::span<const std::uint16_t> slots;   // slot_count + 1: where each slot's entries begin
    std::span<const std::uint64_t> filter;  // a bit for each hash, by its lower filter_bits: most words are no entry's
    std::string_view letters;

    static constexpr std::size_t none = SIZE_MAX;
    // The first rule that the reply meets, or none.
    [[nodiscard]] std::size_t find(const ReplyText& reply) const;
    // Whether the reply meets this rule, whatever others say.
    [[nodiscard]] bool meets(std::size_t rule, const ReplyText& reply) const;
};

// Lays a table out. The table is good as long as the builder.
class ReplyTableBuilder {
  public:
    // Fault::configuration says what is wrong with the texts.
    [[nodiscard]] base::Result<void> add(const ReplyRule& rule);
    // Texts of replies, so that words that most of them have are not what is looked for. Changes speed, never answers.
    void add_usual(std::string_view reply);
    [[nodiscard]] ReplyTable table();

  private:
    [[nodiscard]] base::Result<void> add_alternative(std::string_view text, std::uint16_t rule);
    [[nodiscard]] base::Result<void> add_gap(std::string_view text, ReplyTable::Alternative alternative);
    [[nodiscard]] base::Result<void> add_conditions(std::string_view text, ReplyTable::Alternative& alternative);
    [[nodiscard]] base::Result<void> add_phrase(std::string_view text);
    [[nodiscard]] base::Result<void> keep(const ReplyTable::Alternative& alternative);
    [[nodiscard]] bool is_repeated(const ReplyTable::Alternative& alternative) const;
    void set_need(ReplyTable::Phrase& phrase) const;
    void add_entry(std::uint16_t alternative, std::uint8_t phrase);

    std::vector<ReplyRule> sources_;
    std::map<std::string, std::pair<std::uint16_t, std::uint8_t>, std::less<>> conditions_;  // text: where, how many
    std::vector<ReplyTable::Rule> rules_;
    std::vector<ReplyTable::Phrase> phrases_;
    std::vector<ReplyTable::Alternative> alternatives_;
    std::vector<ReplyTable::Needs> needs_{ReplyTable::Needs{~0ULL, ~0ULL, ~0ULL, ~0ULL}};
    std::vector<ReplyTable::Entry> entries_;
    std::vector<std::uint16_t> slots_;
    std::vector<std::uint64_t> filter_;
    std::vector<std::uint32_t> usual_;  // hashes of words, sorted once
    std::string letters_;
    std::map<std::string, std::uint32_t, std::less<>> offsets_;  // of phrases in letters_
};

// The alternatives of a rule's texts as they are written, and one with its groups written out.
[[nodiscard]] std::vector<std::string_view> written_alternatives(std::string_view texts);
[[nodiscard]] std::vector<std::string> written_out(std::string_view text);

}  // namespace mtawatch::mta::classes
