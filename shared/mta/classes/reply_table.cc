#include "shared/mta/classes/reply_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>

#include "shared/mta/classes/reply_hash.h"

namespace mtawatch::mta::classes {
namespace {

// Phrases are short: a call would cost more than the comparison.
bool same(const char* left, const char* right, std::size_t size) {
    std::size_t i = 0;
    for (; i + sizeof(std::uint64_t) <= size; i += sizeof(std::uint64_t)) {
        std::uint64_t one = 0;
        std::uint64_t other = 0;
        std::memcpy(&one, left + i, sizeof one);
        std::memcpy(&other, right + i, sizeof other);
        if (one != other) return false;
    }
    for (; i < size; ++i) {
        if (left[i] != right[i]) return false;
    }
    return true;
}

// One look at a reply: the phrases of one alternative at a time, in its words or its places.
class Search {
  public:
    Search(const ReplyTable& table, const ReplyText& reply) : table_(table), reply_(reply) {}

    // Notes a word of the reply for lacks().
    void see(std::uint32_t hash) { seen_[hash >> 30U] |= std::uint64_t{1} << (hash >> 24U & 63U); }
    [[nodiscard]] bool lacks(std::uint8_t need) const { return (seen_[need >> 6U] >> (need & 63U) & 1U) == 0; }
    [[nodiscard]] bool lacks_all(const ReplyTable::Needs& needs) const {
        return ((seen_[0] & needs[0]) | (seen_[1] & needs[1]) | (seen_[2] & needs[2]) | (seen_[3] & needs[3])) == 0;
    }
    [[nodiscard]] bool lacks(const ReplyTable::Phrase& phrase) const { return phrase.needs && lacks(phrase.need); }

    [[nodiscard]] std::string_view text(bool place) const { return place ? reply_.places : reply_.words; }

    // Whether the rest of the alternative holds where one of its phrases stands at `at`.
    [[nodiscard]] bool holds(const ReplyTable::Alternative& alternative, std::size_t at) const {
        return (alternative.fronts == 0 || follows(alternative, at)) && meets_conditions(alternative);
    }

    [[nodiscard]] bool meets_conditions(const ReplyTable::Alternative& alternative) const {
        return std::ranges::all_of(table_.phrases.subspan(alternative.conditions, alternative.condition_count),
                                   [&](const ReplyTable::Phrase& phrase) { return is_there(phrase) != phrase.absent; });
    }

    [[nodiscard]] bool is_there(const ReplyTable::Phrase& phrase) const {
        if (lacks(phrase)) return false;
        const std::string_view all = text(phrase.place);
        const std::string_view wanted = letters(phrase);
        for (std::size_t at = all.find(wanted); at != std::string_view::npos; at = all.find(wanted, at + 1)) {
            if (stands(phrase, at)) return true;
        }
        return false;
    }

    // Whether one of the fronts stands in the same sentence, at most max_gap bytes before `at`.
    [[nodiscard]] bool follows(const ReplyTable::Alternative& alternative, std::size_t at) const {
        const auto fronts = table_.phrases.subspan(alternative.phrase, alternative.fronts);
        const std::string_view before = text(fronts.front().place).substr(0, at);
        const std::size_t point = before.rfind(" .");
        const std::size_t least = point == std::string_view::npos ? 0 : point + 1;
        return std::ranges::any_of(fronts, [&](const ReplyTable::Phrase& front) {
            if (lacks(front) || front.size >= at) return false;
            const std::size_t earliest = at > front.size + max_gap ? at - front.size - max_gap : 0;
            const std::string_view near = before.substr(std::max(least, earliest));
            const std::size_t base = before.size() - near.size();
            const std::string_view wanted = letters(front);
            for (std::size_t begin = near.find(wanted); begin != std::string_view::npos;
                 begin = near.find(wanted, begin + 1)) {
                if (stands(front, base + begin)) return true;
            }
            return false;
        });
    }

    [[nodiscard]] bool stands(const ReplyTable::Phrase& phrase, std::size_t at) const {
        const std::string_view all = text(phrase.place);
        const std::size_t end = at + phrase.size;
        return at > 0 && end <= all.size() && all[at - 1] == ' ' &&
               (end == all.size() || phrase.open || all[end] == ' ') &&
               same(all.data() + at, table_.letters.data() + phrase.offset, phrase.size);
    }

  private:
    [[nodiscard]] std::string_view letters(const ReplyTable::Phrase& phrase) const {
        return {table_.letters.data() + phrase.offset, phrase.size};
    }

    const ReplyTable& table_;
    const ReplyText& reply_;
    std::array<std::uint64_t, 4> seen_{};
};

bool passes(std::span<const std::uint64_t> filter, std::uint32_t hash) {
    const std::uint32_t bit = hash & ((1U << ReplyTable::filter_bits) - 1);
    return (filter[bit / 64] >> (bit % 64) & 1U) != 0;
}

}  // namespace

std::size_t ReplyTable::find(const ReplyText& reply) const {
    struct Candidate {
        std::uint16_t alternative;
        std::uint16_t at;
    };
    // A reply meets few phrases; one that is made to meet more is looked at in parts.
    std::array<Candidate, 128> candidates;
    std::size_t count = 0;
    // Alternatives are in the order of their rules: the first that holds is the answer.
    std::size_t best = none;
    Search search(*this, reply);
    const auto settle = [&] {
        for (std::size_t i = 0; i < count && candidates[i].alternative < best; ++i) {
            if (search.holds(alternatives[candidates[i].alternative], candidates[i].at))
                best = candidates[i].alternative;
        }
        count = 0;
    };
    for (const bool place : {false, true}) {
        const auto see = [&](std::uint32_t hash) {
            if (!place) search.see(hash);
        };
        each_word(search.text(place), see, [&](std::size_t begin, std::uint32_t hash) {
            if (!passes(filter, hash)) return;
            const std::size_t slot = hash >> (32U - slot_bits);
            for (std::size_t i = slots[slot]; i < slots[slot + 1]; ++i) {
                const Entry& entry = entries[i];
                if (entry.hash != hash || entry.before > begin || entry.place != place) continue;
                const Alternative& alternative = alternatives[entry.alternative];
                // What stands in front of a gap was seen already.
                if (entry.phrase != 0 && search.lacks_all(needs[alternative.needs])) continue;
                const std::size_t from = begin - entry.before;
                if (!search.stands(phrases[alternative.phrase + entry.phrase], from)) continue;
                if (count == candidates.size()) settle();
                // In order: few are moved, because few get here.
                std::size_t to = count++;
                for (; to > 0 && candidates[to - 1].alternative > entry.alternative; --to)
                    candidates[to] = candidates[to - 1];
                candidates[to] = {entry.alternative, static_cast<std::uint16_t>(from)};
            }
        });
    }
    settle();
    return best == none ? none : alternatives[best].rule;
}

bool ReplyTable::meets(std::size_t rule, const ReplyText& reply) const {
    Search search(*this, reply);
    each_word(
        reply.words, [&](std::uint32_t hash) { search.see(hash); }, [](std::size_t, std::uint32_t) {});
    return std::ranges::any_of(alternatives, [&](const Alternative& alternative) {
        if (alternative.rule != rule || !search.meets_conditions(alternative)) return false;
        if (alternative.fronts == 0) return search.is_there(phrases[alternative.phrase]);
        const auto backs = phrases.subspan(alternative.phrase + std::size_t{alternative.fronts}, alternative.backs);
        return std::ranges::any_of(backs, [&](const Phrase& back) {
            const std::size_t size = search.text(back.place).size();
            for (std::size_t at = 1; at < size; ++at) {
                if (search.stands(back, at) && search.follows(alternative, at)) return true;
            }
            return false;
        });
    });
}

}  // namespace mtawatch::mta::classes
