#include "shared/mta/classes/reply_class.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <deque>
#include <map>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_rules.h"

namespace mtawatch::mta::classes {
namespace {

constexpr std::size_t max_texts = 512;  // distinct texts of the table, one bit each
constexpr std::size_t max_texts_per_rule = 3;

using Found = std::bitset<max_texts>;

bool is_word_byte(char c) { return base::is_alpha(c) || base::is_digit(c); }

// Whether text[begin, end) stands alone: "5.7.1" does not in "5.7.12", "5.7.1.2" or "15.7.1", but does before a full
// stop.
bool is_word(std::string_view text, std::size_t begin, std::size_t end) {
    if (begin > 0) {
        const char before = text[begin - 1];
        if (is_word_byte(before)) return false;
        if (before == '.' && begin > 1 && base::is_digit(text[begin - 2]) && base::is_digit(text[begin])) return false;
    }
    if (end < text.size()) {
        const char after = text[end];
        if (is_word_byte(after)) return false;
        if (after == '.' && end + 1 < text.size() && base::is_digit(text[end + 1]) && base::is_digit(text[end - 1])) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string_view name(ReplyClass reply_class) {
    static constexpr std::array<std::string_view, reply_classes> names{
        "rate-limit",   "reputation", "blocklist", "authentication", "content", "greylist", "unknown-user",
        "mailbox-full", "inactive",   "dns",       "connection",     "tls",     "policy",   "other"};
    return names[static_cast<std::size_t>(reply_class)];
}

// Aho-Corasick with all transitions filled in: one table look-up a byte. States are numbered breadth-first.
struct ReplyClassifier::Automaton {
    struct Text {
        std::size_t size = 0;
        bool word = false;
    };
    struct Rule {
        std::array<std::uint16_t, max_texts_per_rule> texts{};
        std::size_t count = 0;
    };

    std::array<std::uint8_t, 256> letter{};  // byte (upper case too) to column; 0 for bytes that no text has
    std::size_t letters = 1;
    std::vector<std::uint16_t> next;     // state * letters + column
    std::vector<std::uint16_t> ends;     // state: 1 + the text that ends here, or 0
    std::vector<std::uint16_t> shorter;  // state: the longest proper suffix at which a text ends, or 0
    std::vector<Text> texts;
    std::vector<Rule> rules;

    Automaton();
    [[nodiscard]] std::uint16_t add_text(std::string_view text, std::map<std::string, std::uint16_t>& known);
    void add_path(std::string_view text, std::uint16_t number);
    void link();
    void scan(std::string_view text, Found& found) const;
};

ReplyClassifier::Automaton::Automaton() {
    for (const ReplyRule& rule : reply_rules) {
        for (const char c : rule.texts) {
            std::uint8_t& column = letter[static_cast<std::uint8_t>(c)];
            if (column == 0) column = static_cast<std::uint8_t>(letters++);
        }
    }
    for (char c = 'A'; c <= 'Z'; ++c) {
        letter[static_cast<std::uint8_t>(c)] = letter[static_cast<std::uint8_t>(base::lower(c))];
    }
    next.assign(letters, 0);
    ends.assign(1, 0);
    std::map<std::string, std::uint16_t> known;
    for (const ReplyRule& rule : reply_rules) {
        Rule compiled;
        std::string_view left = rule.texts;
        while (!left.empty()) {
            constexpr std::string_view separator = " & ";
            const std::size_t end = std::min(left.find(separator), left.size());
            compiled.texts[compiled.count++] = add_text(left.substr(0, end), known);
            left.remove_prefix(std::min(end + separator.size(), left.size()));
        }
        rules.push_back(compiled);
    }
    link();
}

std::uint16_t ReplyClassifier::Automaton::add_text(std::string_view text, std::map<std::string, std::uint16_t>& known) {
    const auto [at, added] = known.emplace(std::string(text), static_cast<std::uint16_t>(texts.size()));
    if (!added) return at->second;
    const bool word = text.front() == '=';
    if (word) text.remove_prefix(1);
    texts.push_back({text.size(), word});
    add_path(text, at->second);
    return at->second;
}

void ReplyClassifier::Automaton::add_path(std::string_view text, std::uint16_t number) {
    std::size_t state = 0;
    for (const char c : text) {
        const std::size_t edge = state * letters + letter[static_cast<std::uint8_t>(c)];
        if (next[edge] == 0) {
            next[edge] = static_cast<std::uint16_t>(ends.size());
            ends.push_back(0);
            next.resize(next.size() + letters, 0);
        }
        state = next[edge];
    }
    ends[state] = static_cast<std::uint16_t>(number + 1);
}

void ReplyClassifier::Automaton::link() {
    shorter.assign(ends.size(), 0);
    std::vector<std::uint16_t> fallback(ends.size(), 0);
    std::deque<std::uint16_t> queue;
    for (std::size_t column = 0; column < letters; ++column) {
        if (next[column] != 0) queue.push_back(next[column]);
    }
    for (; !queue.empty(); queue.pop_front()) {
        const std::size_t state = queue.front();
        const std::size_t back = fallback[state];
        shorter[state] = ends[back] != 0 ? static_cast<std::uint16_t>(back) : shorter[back];
        for (std::size_t column = 0; column < letters; ++column) {
            std::uint16_t& target = next[state * letters + column];
            if (target == 0) {
                target = next[back * letters + column];
            } else {
                fallback[target] = next[back * letters + column];
                queue.push_back(target);
            }
        }
    }
}

void ReplyClassifier::Automaton::scan(std::string_view text, Found& found) const {
    std::size_t state = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        state = next[state * letters + letter[static_cast<std::uint8_t>(text[i])]];
        for (std::size_t at = ends[state] != 0 ? state : shorter[state]; at != 0; at = shorter[at]) {
            const std::size_t number = ends[at] - 1U;
            const Text& which = texts[number];
            if (!which.word || is_word(text, i + 1 - which.size, i + 1)) found.set(number);
        }
    }
}

ReplyClassifier::ReplyClassifier() : automaton_(std::make_unique<const Automaton>()) {}
ReplyClassifier::~ReplyClassifier() = default;

std::size_t ReplyClassifier::rules() const { return automaton_->rules.size(); }

ReplyVerdict ReplyClassifier::classify(std::string_view dsn_status, std::string_view dsn_diag) const {
    Found found;
    // The status and the text are apart in every text of the table, so they need no copy that joins them.
    automaton_->scan(dsn_status.substr(0, max_reply_bytes), found);
    automaton_->scan(dsn_diag.substr(0, max_reply_bytes), found);
    if (found.none()) return {ReplyClass::other, "none"};
    for (std::size_t i = 0; i < automaton_->rules.size(); ++i) {
        const Automaton::Rule& rule = automaton_->rules[i];
        const auto has = [&](std::uint16_t text) { return found[text]; };
        if (std::all_of(rule.texts.begin(), rule.texts.begin() + static_cast<std::ptrdiff_t>(rule.count), has)) {
            return {reply_rules[i].reply_class, reply_rules[i].name};
        }
    }
    return {ReplyClass::other, "none"};
}

namespace {

struct EnhancedCode {
    std::size_t size = 0;    // 0: there is none
    std::size_t looked = 0;  // bytes that were looked at, one past the end where the end decided
};

// "X.Y.Z" of RFC 3463 section 2 at the front of `text`.
EnhancedCode enhanced_code(std::string_view text) {
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return {0, 5};
    std::size_t at = 2;
    for (const bool last : {false, true}) {
        const std::size_t begin = at;
        while (at < text.size() && at - begin < 3 && base::is_digit(text[at])) ++at;
        if (at == begin) return {0, at + 1};
        if (!last && (at >= text.size() || text[at++] != '.')) return {0, at + 1};
    }
    const bool goes_on = at < text.size() && (base::is_digit(text[at]) || base::is_alpha(text[at]));
    return {goes_on ? 0 : at, at + 1};
}

}  // namespace

ReplyCodes reply_codes(std::string_view dsn_status, std::string_view dsn_diag) {
    ReplyCodes codes;
    const auto take = [&](std::string_view text) {
        const EnhancedCode found = enhanced_code(text);
        std::copy_n(text.begin(), found.size, codes.enhanced);
        codes.enhanced_size = static_cast<std::uint8_t>(found.size);
        return found.looked;
    };
    std::string_view text = dsn_diag;
    if (text.size() >= 5 && std::memcmp(text.data(), "smtp;", 5) == 0) text.remove_prefix(5);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    codes.looked = dsn_diag.size() - text.size() + 4;
    const bool code = text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && base::is_digit(text[1]) &&
                      base::is_digit(text[2]) && (text.size() == 3 || text[3] == ' ' || text[3] == '-');
    if (code) {
        codes.code = static_cast<std::uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
        codes.looked += text.size() > 4 ? take(text.substr(4)) : 1;
    }
    if (codes.enhanced_size == 0) take(dsn_status);
    return codes;
}

}  // namespace mtawatch::mta::classes
