#include <algorithm>
#include <tuple>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_hash.h"
#include "shared/mta/classes/reply_table.h"

namespace mtawatch::mta::classes {
namespace {

using base::fail;
using base::Result;

constexpr std::string_view gap_sign = " .. ";

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.push_back(base::trim(text.substr(0, end)));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + separator.size());
    }
}

// Calls `pair` with where two words in a row begin and end, and their hash as each_word() has it.
template <class Pair>
void each_pair(std::string_view text, const Pair& pair) {
    std::size_t last = 0;
    each_word(
        text, [](std::uint32_t) {},
        [&](std::size_t begin, std::uint32_t hash) {
            // The key of a pair is the one that begins before the word it comes with.
            if (begin >= last) {
                last = begin;
                return;
            }
            const std::size_t second = text.find(' ', begin) + 1;
            pair(begin, std::min(text.find(' ', second), text.size()), hash);
        });
}

}  // namespace

std::vector<std::string_view> written_alternatives(std::string_view texts) { return split_at(texts, " | "); }

std::vector<std::string> written_out(std::string_view text) {
    std::vector<std::string> done;
    std::vector<std::string> open{std::string(text)};
    while (!open.empty()) {
        const std::string next = std::move(open.back());
        open.pop_back();
        // The innermost group first.
        const std::size_t end = next.find(')');
        const std::size_t begin = end == std::string::npos ? end : next.rfind('(', end);
        if (begin == std::string::npos) {
            done.push_back(next);
            continue;
        }
        const auto words = base::split(std::string_view(next).substr(begin + 1, end - begin - 1), '/');
        // The last first, because the last is taken first.
        for (auto word = words.rbegin(); word != words.rend(); ++word) {
            open.push_back(next.substr(0, begin).append(*word).append(next.substr(end + 1)));
        }
    }
    return done;
}

void ReplyTableBuilder::add_usual(std::string_view reply) {
    ReplyReader reader;
    each_word(
        reader.read({}, reply).words, [](std::uint32_t) {},
        [&](std::size_t, std::uint32_t hash) { usual_.push_back(hash); });
}

Result<void> ReplyTableBuilder::add(const ReplyRule& rule) {
    const auto number = static_cast<std::uint16_t>(sources_.size());
    for (const std::string_view text : written_alternatives(rule.texts)) {
        if (auto done = add_alternative(text, number); !done) {
            return fail(base::Fault::configuration, "the text \"{}\" {}", text, done.error().what);
        }
    }
    sources_.push_back(rule);
    return {};
}

Result<void> ReplyTableBuilder::add_alternative(std::string_view text, std::uint16_t rule) {
    // Words come first, because the first part is looked for; then bare codes, then what must not be there.
    std::vector<std::string_view> parts = split_at(text, " & ");
    std::ranges::stable_sort(parts, {}, [](std::string_view part) {
        return part.starts_with('!') ? 2 : part.ends_with(':') ? 1 : 0;
    });
    if (parts.front().starts_with('!')) return fail(base::Fault::configuration, "says only what must not be there");
    std::string conditions;
    for (std::size_t i = 1; i < parts.size(); ++i) conditions.append(parts[i]).append(" & ");
    for (const std::string& condition : written_out(conditions)) {
        ReplyTable::Alternative alternative{rule, 0, 0, 0, 0, 0, 0};
        if (auto done = add_conditions(condition, alternative); !done) return done;
        if (parts.front().find(gap_sign) != std::string_view::npos) {
            if (auto done = add_gap(parts.front(), alternative); !done) return done;
            continue;
        }
        for (const std::string& phrase : written_out(parts.front())) {
            alternative.phrase = static_cast<std::uint16_t>(phrases_.size());
            if (auto done = add_phrase(phrase); !done) return done;
            if (auto done = keep(alternative); !done) return done;
        }
    }
    return {};
}

// "(a/b) .. (c/d)": one alternative, so that its words are looked for once.
Result<void> ReplyTableBuilder::add_gap(std::string_view text, ReplyTable::Alternative alternative) {
    const std::vector<std::string_view> pieces = split_at(text, gap_sign);
    if (pieces.size() != 2 || pieces[0].starts_with('@')) {
        return fail(base::Fault::configuration, "has a \" .. \" that does not stand between two phrases of words");
    }
    alternative.phrase = static_cast<std::uint16_t>(phrases_.size());
    for (const std::string_view piece : pieces) {
        const std::vector<std::string> all = written_out(piece);
        if (all.size() > UINT8_MAX)
            return fail(base::Fault::configuration, "has a group of more than {} words", UINT8_MAX);
        (piece.data() == pieces[0].data() ? alternative.fronts : alternative.backs) =
            static_cast<std::uint8_t>(all.size());
        for (const std::string& phrase : all) {
            if (auto done = add_phrase(phrase); !done) return done;
        }
    }
    ReplyTable::Needs needs{};
    for (std::size_t i = 0; i < alternative.fronts; ++i) {
        const ReplyTable::Phrase& front = phrases_[alternative.phrase + i];
        if (!front.needs) return keep(alternative);
        needs[front.need >> 6U] |= std::uint64_t{1} << (front.need & 63U);
    }
    alternative.needs = static_cast<std::uint16_t>(needs_.size());
    needs_.push_back(needs);
    return keep(alternative);
}

Result<void> ReplyTableBuilder::keep(const ReplyTable::Alternative& alternative) {
    if (is_repeated(alternative)) {
        phrases_.resize(alternative.phrase);
        return {};
    }
    alternatives_.push_back(alternative);
    constexpr std::size_t most = UINT16_MAX;
    if (phrases_.size() > most)
        return fail(base::Fault::configuration, "is one too many: there is room for {} phrases", most);
    return {};
}

// Conditions between " & "; each set of them is laid out once.
Result<void> ReplyTableBuilder::add_conditions(std::string_view text, ReplyTable::Alternative& alternative) {
    const auto [at, added] = conditions_.try_emplace(std::string(text));
    if (added) {
        at->second.first = static_cast<std::uint16_t>(phrases_.size());
        for (const std::string_view part : split_at(text, " & ")) {
            if (part.empty()) continue;
            if (part.find(gap_sign) != std::string_view::npos)
                return fail(base::Fault::configuration, "has a \" .. \" in a condition");
            if (auto done = add_phrase(part); !done) return done;
        }
        at->second.second = static_cast<std::uint8_t>(phrases_.size() - at->second.first);
    }
    std::tie(alternative.conditions, alternative.condition_count) = at->second;
    return {};
}

// Whether another alternative of the rule says the same: groups have such.
bool ReplyTableBuilder::is_repeated(const ReplyTable::Alternative& alternative) const {
    const ReplyTable::Phrase& one = phrases_[alternative.phrase];
    for (auto other = alternatives_.rbegin(); other != alternatives_.rend() && other->rule == alternative.rule;
         ++other) {
        if (alternative.fronts != 0 || other->fronts != 0 || other->conditions != alternative.conditions ||
            other->condition_count != alternative.condition_count)
            continue;
        const ReplyTable::Phrase& known = phrases_[other->phrase];
        if (known.offset == one.offset && known.size == one.size && known.place == one.place && known.open == one.open)
            return true;
    }
    return false;
}

Result<void> ReplyTableBuilder::add_phrase(std::string_view text) {
    const bool absent = text.starts_with('!');
    if (absent) text.remove_prefix(1);
    const bool place = text.starts_with('@');
    if (place) text.remove_prefix(1);
    const bool open = text.ends_with('*');
    if (open) text.remove_suffix(1);
    const std::string letters = place ? phrase_place(text) : phrase_words(text);
    if (letters.empty()) return fail(base::Fault::configuration, "has a part without a word (host names begin with @)");
    if (open && letters.size() < front_bytes)
        return fail(base::Fault::configuration, "needs four letters before the *");
    const auto [known, added] = offsets_.try_emplace(letters, static_cast<std::uint32_t>(letters_.size()));
    if (added) letters_ += letters;
    phrases_.push_back({known->second, static_cast<std::uint16_t>(letters.size()), place, open, absent, false, 0});
    set_need(phrases_.back());
    return {};
}

void ReplyTableBuilder::set_need(ReplyTable::Phrase& phrase) const {
    if (phrase.place) return;
    const std::string_view text = std::string_view(letters_).substr(phrase.offset, phrase.size);
    const std::string_view word = text.substr(0, text.find(' '));
    if (phrase.open && word.size() == text.size()) return;
    phrase.needs = true;
    phrase.need = static_cast<std::uint8_t>(hash_of(word) >> 24U);
}

// Finds the phrase by the two words in a row that the fewest usual replies have, longer ones rather than shorter ones;
// or by its only word.
void ReplyTableBuilder::add_entry(std::uint16_t alternative, std::uint8_t number) {
    const ReplyTable::Phrase& phrase = phrases_[alternatives_[alternative].phrase + number];
    const std::string room = padded(" " + letters_.substr(phrase.offset, phrase.size));
    const std::string_view text(room.data(), phrase.size + std::size_t{1});
    const std::size_t first_end = std::min(text.find(' ', 1), text.size());
    const bool one = first_end == text.size();
    const bool two = !one && text.find(' ', first_end + 1) == std::string_view::npos;
    ReplyTable::Entry best{0, alternative, number, 0, phrase.place};
    std::size_t least = SIZE_MAX;
    const auto take = [&](std::size_t begin, std::size_t size, std::uint32_t hash) {
        const auto [from, to] = std::ranges::equal_range(usual_, hash);
        constexpr std::size_t longest = 64;
        const std::size_t price = static_cast<std::size_t>(to - from) * longest + longest - std::min(size, longest);
        if (price >= least) return;
        least = price;
        best.hash = hash;
        best.before = static_cast<std::uint8_t>(begin - 1) & 0x7FU;
    };
    const std::string_view first = text.substr(1, first_end - 1);
    if (one && phrase.open) {
        take(1, front_bytes, hash_of_front(first));
    } else if (one || (two && phrase.open)) {
        take(1, first.size(), hash_of(first));
    } else {
        each_pair(text, [&](std::size_t begin, std::size_t end, std::uint32_t hash) {
            // A word that may go on has another hash then.
            if (!(phrase.open && end == text.size()) && begin <= 0x7F) take(begin, end - begin, hash);
        });
    }
    entries_.push_back(best);
}

ReplyTable ReplyTableBuilder::table() {
    std::ranges::sort(usual_);
    rules_.clear();
    entries_.clear();
    for (const ReplyRule& rule : sources_)
        rules_.push_back({rule.name, rule.reply_class, rule.bounce_class, rule.by_code});
    for (std::size_t i = 0; i < alternatives_.size(); ++i) {
        const ReplyTable::Alternative& alternative = alternatives_[i];
        const std::size_t count = alternative.fronts == 0 ? 1 : alternative.backs;
        for (std::size_t k = 0; k < count; ++k)
            add_entry(static_cast<std::uint16_t>(i), static_cast<std::uint8_t>(alternative.fronts + k));
    }
    const auto slot_of = [](const ReplyTable::Entry& entry) { return entry.hash >> (32U - ReplyTable::slot_bits); };
    // Rules in order within a slot: the first that holds spares the later ones.
    std::ranges::stable_sort(entries_, {}, slot_of);
    slots_.assign(ReplyTable::slot_count + 1, 0);
    for (const ReplyTable::Entry& entry : entries_) ++slots_[slot_of(entry) + 1];
    for (std::size_t i = 1; i < slots_.size(); ++i) slots_[i] = static_cast<std::uint16_t>(slots_[i] + slots_[i - 1]);
    filter_.assign(ReplyTable::filter_words, 0);
    for (const ReplyTable::Entry& entry : entries_) {
        const std::uint32_t bit = entry.hash & ((1U << ReplyTable::filter_bits) - 1);
        filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
    return {rules_, phrases_, alternatives_, needs_, entries_, slots_, filter_, letters_};
}

}  // namespace mtawatch::mta::classes
