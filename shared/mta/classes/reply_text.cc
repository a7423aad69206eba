#include "shared/mta/classes/reply_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "shared/base/text.h"

namespace mtawatch::mta::classes {
namespace {

// What a byte can mean; those of a chunk are put together, so that a plain word needs no second look.
enum Mark : std::uint8_t {
    letter = 1,
    digit = 2,
    dot = 4,
    at_sign = 8,
    slash = 16,
    high = 32,   // part of a character beyond ASCII
    sign = 64,   // parts words, but not chunks: - _ : = and the rest
    space = 128  // parts chunks
};

constexpr std::array<std::uint8_t, 256> byte_marks() {
    std::array<std::uint8_t, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = i >= 128 ? high : (i <= ' ' ? space : sign);
    }
    for (int c = 'a'; c <= 'z'; ++c) {
        table[static_cast<std::size_t>(c)] = table[static_cast<std::size_t>(c - 32)] = letter;
    }
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = digit;
    for (const char c : std::string_view("()[]{}<>\",;|`*\x7f")) table[static_cast<std::uint8_t>(c)] = space;
    table['.'] = dot;
    table['@'] = at_sign;
    table['/'] = slash;
    return table;
}
constexpr std::array<std::uint8_t, 256> marks = byte_marks();

std::uint8_t mark(char c) { return marks[static_cast<std::uint8_t>(c)]; }
// A short word as a number, so that it is compared at once.
constexpr std::uint64_t packed(std::string_view word) {
    std::uint64_t value = 0;
    for (const char c : word) value = value << 8U | static_cast<std::uint8_t>(c);
    return value;
}

// Words that say nothing here, so that "the account has been disabled" and "account disabled" are one text.
bool is_filler(std::string_view word) {
    constexpr std::size_t longest = 6;
    if (word.size() > longest) return word == "currently";
    switch (packed(word)) {
        case packed("a"):
        case packed("an"):
        case packed("the"):
        case packed("is"):
        case packed("am"):
        case packed("are"):
        case packed("was"):
        case packed("were"):
        case packed("be"):
        case packed("been"):
        case packed("being"):
        case packed("has"):
        case packed("have"):
        case packed("had"):
        case packed("now"):
        case packed("also"):
        case packed("please"):
        case packed("sorry"):
            return true;
        default:
            return false;
    }
}

bool is_word_byte(char c) { return (mark(c) & (letter | digit | high)) != 0; }
bool is_host_byte(char c) { return (mark(c) & (letter | digit | dot)) != 0 || c == '-' || c == '_'; }

bool starts_with_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() && base::iequals(text.substr(0, word.size()), word);
}

bool has_code(std::string_view text) {
    return text.size() >= 3 && (text[0] == '2' || text[0] == '4' || text[0] == '5') && base::is_digit(text[1]) &&
           base::is_digit(text[2]) && (text.size() == 3 || !is_word_byte(text[3])) &&
           !(text.size() > 4 && text[3] == '.' && base::is_digit(text[4]));
}

bool is_dotted(std::string_view text) {
    const auto groups = std::ranges::count(text, '.');
    return groups >= 3 && std::ranges::all_of(text, [](char c) { return base::is_digit(c) || c == '.'; });
}

bool is_ipv6(std::string_view text) {
    if (starts_with_word(text, "ipv6:")) text.remove_prefix(5);
    const auto is_part = [](char c) {
        return base::is_digit(c) || c == ':' || c == '.' || (base::lower(c) >= 'a' && base::lower(c) <= 'f');
    };
    return std::ranges::count(text, ':') >= 2 && text.find_first_of("0123456789") != std::string_view::npos &&
           std::ranges::all_of(text, is_part);
}

// The letters U+00C0 to U+017F without their accents; a blank is no letter.
constexpr std::string_view plain_letters =
    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuu"
    "uu"
    "wwyyyzzzzzzs";
static_assert(plain_letters.size() == 0x180 - 0xC0);

struct Character {
    std::size_t bytes = 1;  // that it takes
    bool alone = false;     // a word of its own: Chinese, Japanese, Korean
    std::size_t size = 0;   // of what stands for it; 0: it parts words
    std::array<char, 4> text{};
};

Character plain_character(std::size_t bytes, unsigned code_point) {
    const char letter_of = plain_letters[code_point - 0xC0];
    Character character{bytes, letter_of == ' ', letter_of == ' ' ? 0U : 1U, {letter_of}};
    constexpr unsigned sharp_s = 0xDF;
    if (code_point == sharp_s) character = {bytes, false, 2, {'s', 's'}};
    return character;
}

// The character beyond ASCII at the front of `word`; a byte that is no UTF-8 is read as Latin-1.
Character character_at(std::string_view word) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<std::uint8_t>(word[i])); };
    const unsigned first = byte(0);
    const std::size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    bool whole = wanted != 0 && word.size() >= wanted;
    for (std::size_t i = 1; whole && i < wanted; ++i) whole = (byte(i) & 0xC0U) == 0x80;
    if (!whole) return first >= 0xC0 ? plain_character(1, first) : Character{1, true, 0, {}};
    if (wanted == 2) {
        unsigned code_point = (first & 0x1FU) << 6U | (byte(1) & 0x3FU);
        if (code_point < 0xC0) return {2, true, 0, {}};
        if (code_point < 0x180) return plain_character(2, code_point);
        constexpr unsigned first_capital = 0x410;  // of Russian; the small letter is 32 further
        if (code_point >= first_capital && code_point < first_capital + 32) code_point += 32;
        return {2,
                false,
                2,
                {static_cast<char>(0xC0U | code_point >> 6U), static_cast<char>(0x80U | (code_point & 0x3FU))}};
    }
    Character character{wanted, true, wanted, {}};
    std::copy_n(word.begin(), wanted, character.text.begin());
    if (wanted == 3) {
        const unsigned code_point = (first & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
        constexpr unsigned apostrophe = 0x2019;
        if (code_point == apostrophe) return {3, false, 0, {}};
        const bool punctuation = (code_point >= 0x2000 && code_point < 0x2070) ||
                                 (code_point >= 0x3000 && code_point < 0x3040) || code_point >= 0xFF00;
        if (punctuation) return {3, true, 0, {}};
        character.alone = code_point >= 0x2E80;
    }
    return character;
}

}  // namespace

std::size_t enhanced_code_size(std::string_view text) {
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return 0;
    std::size_t at = 2;
    for (const bool last : {false, true}) {
        const std::size_t begin = at;
        while (at < text.size() && at - begin < 3 && base::is_digit(text[at])) ++at;
        if (at == begin || (!last && (at >= text.size() || text[at++] != '.'))) return 0;
    }
    const bool goes_on =
        at < text.size() &&
        (is_word_byte(text[at]) || (text[at] == '.' && at + 1 < text.size() && base::is_digit(text[at + 1])));
    return goes_on ? 0 : at;
}

bool is_ip_address(std::string_view text) { return is_dotted(text) || is_ipv6(text); }

bool looks_like_host(std::string_view name) {
    while (!name.empty() && name.back() == '.') name.remove_suffix(1);
    const std::size_t point = name.rfind('.');
    if (point == std::string_view::npos || point == 0 || name.front() == '.' ||
        !std::ranges::all_of(name, is_host_byte))
        return false;
    const std::string_view last = name.substr(point + 1);
    if (last.size() < 2 || !std::ranges::all_of(last, base::is_alpha)) return last.starts_with("xn--");
    const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    const bool capitals = std::ranges::all_of(last, is_capital);
    if (!capitals && std::ranges::any_of(last, is_capital)) return false;
    if (capitals && std::ranges::any_of(name, [](char c) { return c >= 'a' && c <= 'z'; })) return false;
    constexpr std::array<std::string_view, 12> words{"see", "the",  "for",   "you",    "and",  "not",
                                                     "try", "http", "https", "please", "this", "your"};
    if (std::ranges::any_of(words, [&](std::string_view word) { return base::iequals(word, last); })) return false;
    constexpr std::array<std::string_view, 8> endings{"example",  "invalid",     "online",  "local",
                                                      "internal", "localdomain", "digital", "hosting"};
    if (std::ranges::any_of(endings, [&](std::string_view ending) { return base::iequals(ending, last); })) return true;
    constexpr std::size_t longest_usual_ending = 4;
    constexpr std::size_t longest_ending = 12;
    const bool more = name.find('.') != point || name.find_first_of("0123456789-") != std::string_view::npos;
    return last.size() <= longest_usual_ending || (more && !capitals && last.size() <= longest_ending);
}

ReplyText ReplyReader::read(std::string_view dsn_status, std::string_view dsn_diag) {
    end_ = words_.data();
    place_end_ = places_.data();
    code_ = {};
    enhanced_ = {};
    any_enhanced_ = own_ = false;
    const std::string_view status = dsn_status.substr(0, max_reply_bytes);
    const std::string_view diag = base::trim(dsn_diag.substr(0, max_reply_bytes));
    const std::string_view said = take_front(diag.empty() ? status : diag);
    const char own = enhanced_.empty() ? '\0' : enhanced_.front();
    const char given = status.empty() ? '\0' : status.front();
    const char kind = code_[0] != '\0' ? code_[0] : own != '\0' ? own : given;
    if (kind == '4' || kind == '5') {
        for (const char c : {' ', kind, 'x', 'x', ':'}) put(c);
    }
    if (code_[0] != '\0') {
        for (const char c : {' ', code_[0], code_[1], code_[2], ':'}) put(c);
    }
    if (own_) take("x pmta");
    if (!enhanced_.empty()) take_code(enhanced_);
    take(said);
    if (!any_enhanced_) take_code(status.substr(0, enhanced_code_size(status)));
    std::fill_n(end_, reply_padding, '\0');
    std::fill_n(place_end_, reply_padding, '\0');
    return {{words_.data(), static_cast<std::size_t>(end_ - words_.data())},
            {places_.data(), static_cast<std::size_t>(place_end_ - places_.data())}};
}

// Takes types, wrapping and codes off the front, and returns what was said.
std::string_view ReplyReader::take_front(std::string_view text) {
    const auto skip_blanks = [&] {
        while (!text.empty() && (base::is_blank(text.front()) || text.front() == '*')) text.remove_prefix(1);
    };
    skip_blanks();
    constexpr std::string_view field = "diagnostic-code:";
    if (starts_with_word(text, field)) text.remove_prefix(field.size());
    skip_blanks();
    // "smtp;", "x-postfix;": who speaks. Of "x-pmta;" the words stay: no receiver said what follows.
    constexpr std::size_t longest_type = 12;
    const std::size_t type = text.substr(0, longest_type).find(';');
    const bool named = type != std::string_view::npos && type > 0 &&
                       std::ranges::all_of(text.substr(0, type), [](char c) { return base::is_alpha(c) || c == '-'; });
    own_ = named && starts_with_word(text, "x-pmta;");
    if (named) text.remove_prefix(type + 1);
    skip_blanks();
    constexpr std::string_view suspended = "delivery temporarily suspended: ";  // Postfix: the reason follows
    if (text.starts_with(suspended)) text.remove_prefix(suspended.size());
    if (!has_code(text)) {
        for (const std::string_view wrapping : {" said: ", " refused to talk to me: "}) {
            const std::size_t host = text.find(wrapping);
            const bool is_wrapping = host != std::string_view::npos && host > 0 &&
                                     (text[host - 1] == ']' || text[host - 1] == ':' || text[host - 1] == ')');
            if (is_wrapping || (host != std::string_view::npos && wrapping == " said: " &&
                                base::icontains(text.substr(0, host), "remote host"))) {
                text.remove_prefix(host + wrapping.size());
                break;
            }
        }
        skip_blanks();
    }
    text = take_kumo_response(text);
    if (has_code(text)) {
        std::copy_n(text.begin(), 3, code_.begin());
        text.remove_prefix(3);
        while (!text.empty() && (base::is_blank(text.front()) || text.front() == '-' || text.front() == '#'))
            text.remove_prefix(1);
    } else if (!text.empty() && text.front() == '#') {
        text.remove_prefix(1);
    }
    enhanced_ = text.substr(0, enhanced_code_size(text));
    text.remove_prefix(enhanced_.size());
    return text;
}

// KumoMTA writes a refusal that it met while it connected as a structure inside its own words; the receiver's code and
// words are in it.
std::string_view ReplyReader::take_kumo_response(std::string_view text) {
    const std::size_t begin = text.find("Response { code: ");
    if (begin == std::string_view::npos) return text;
    constexpr std::string_view content = "content: \"";
    const std::size_t from = text.find(content, begin);
    if (from == std::string_view::npos) return text;
    const std::string_view front = text.substr(begin, from - begin);
    const auto digits_of = [&](std::string_view name) {
        const std::size_t at = front.find(name);
        if (at == std::string_view::npos) return std::string_view();
        std::size_t end = at + name.size();
        while (end < front.size() && base::is_digit(front[end])) ++end;
        return front.substr(at + name.size(), end - at - name.size());
    };
    const std::string_view code = digits_of("code: ");
    if (code.size() == 3) std::copy_n(code.begin(), 3, code_.begin());
    for (const std::string_view part : {"class: ", "subject: ", "detail: "}) {
        const std::string_view digits = digits_of(part);
        if (digits.empty()) break;
        put(part == "class: " ? ' ' : '.');
        for (const char c : digits) put(c);
        any_enhanced_ = true;
    }
    text.remove_prefix(from + content.size());
    return text.substr(0, text.rfind('"'));
}

void ReplyReader::take(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size() && !full()) {
        const char c = text[at];
        if ((mark(c) & space) != 0) {
            if (c == ';') end_sentence();
            at = c == '<' ? take_angle(text, at) : at + 1;
            continue;
        }
        unsigned seen = 0;
        const std::size_t begin = at;
        for (; at < text.size() && (mark(text[at]) & space) == 0; ++at) seen |= mark(text[at]);
        const bool wrapped = at + 1 < text.size() && text[at] == '[' &&
                             (base::is_digit(text[at + 1]) || text.substr(at + 1).starts_with("IPv6:"));
        take_chunk(text.substr(begin, at - begin), seen, wrapped);
    }
}

// "<a@b.example>", "<unknown[192.0.2.1]>", "<br>": an address, a host or markup. A URL may stand in brackets too.
std::size_t ReplyReader::take_angle(std::string_view text, std::size_t begin) {
    std::size_t end = begin + 1;
    while (end < text.size() && text[end] != '>' && text[end] != '<' && !base::is_blank(text[end])) ++end;
    if (end >= text.size() || text[end] != '>') return begin + 1;
    return starts_with_word(text.substr(begin + 1), "http") ? begin + 1 : end + 1;
}

void ReplyReader::take_chunk(std::string_view chunk, unsigned seen, bool wrapped) {
    if ((seen & ~(letter | digit)) != 0) return take_marked(chunk, seen, wrapped);
    if (wrapped && chunk == "unknown") return;
    if (code_[0] != '\0' && chunk == std::string_view(code_.data(), code_.size())) return;
    char* const begin = end_;
    put(' ');
    for (const char c : chunk) put(base::lower(c));
    drop_filler(begin);
}

// Takes the word that begins at `begin` back where it says nothing.
void ReplyReader::drop_filler(char* begin) {
    if (is_filler({begin + 1, static_cast<std::size_t>(end_ - begin) - 1})) end_ = begin;
}

void ReplyReader::take_marked(std::string_view chunk, unsigned seen, bool wrapped) {
    if (code_[0] != '\0' && chunk.size() > 3 && chunk[3] == '-' &&
        chunk.starts_with(std::string_view(code_.data(), code_.size()))) {
        chunk.remove_prefix(4);
    }
    const std::size_t scheme = chunk.find("://");
    if (scheme != std::string_view::npos) {
        std::size_t begin = scheme;
        while (begin > 0 && base::is_alpha(chunk[begin - 1])) --begin;
        take_piece(chunk.substr(0, begin), false);
        return take_place(chunk.substr(scheme + 3));
    }
    if ((seen & at_sign) != 0) {
        const std::size_t sign_at = chunk.find('@');
        std::size_t end = sign_at;
        while (end < chunk.size() && (is_host_byte(chunk[end]) || chunk[end] == '@')) ++end;
        const std::string_view before = chunk.substr(0, sign_at);
        const std::size_t local = before.find_last_of(":");
        if (local != std::string_view::npos) take_piece(before.substr(0, local), false);
        const bool stop = end > 0 && chunk[end - 1] == '.' && end == chunk.size();
        if (stop) end_sentence();
        const std::string_view rest = chunk.substr(end);
        if (!rest.empty())
            take_marked(rest, rest.find('@') == std::string_view::npos ? seen & ~static_cast<unsigned>(at_sign) : seen,
                        false);
        return;
    }
    if (is_ipv6(chunk)) return;
    const std::size_t path = chunk.find('/');
    if (path != std::string_view::npos && looks_like_host(chunk.substr(0, path))) return take_place(chunk);
    const bool ends = chunk.ends_with('.') || chunk.ends_with('!') || chunk.ends_with('?') || chunk.ends_with(".:");
    // Pieces between signs; a dot, a hyphen and an underscore may be parts of a host name.
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= chunk.size(); ++i) {
        const bool part = i < chunk.size() && (is_host_byte(chunk[i]) || mark(chunk[i]) == high || chunk[i] == '\'');
        if (part) continue;
        const bool named = begin > 0 && chunk[begin - 1] == '=';
        take_piece(chunk.substr(begin, i - begin), wrapped || (named && chunk.starts_with("name=")));
        begin = i + 1;
    }
    if (ends) end_sentence();
}

// A word, a number, a code, a host name, or several words with signs between them.
void ReplyReader::take_piece(std::string_view piece, bool wrapped) {
    while (!piece.empty() && piece.front() == '.') piece.remove_prefix(1);
    while (!piece.empty() && piece.back() == '.') piece.remove_suffix(1);
    if (piece.empty()) return;
    if (piece.find('.') != std::string_view::npos) {
        if (is_dotted(piece)) return;
        if (enhanced_code_size(piece) == piece.size()) return take_code(piece);
        if (looks_like_host(piece)) {
            if (!wrapped) take_place(piece);
            return;
        }
    }
    if (piece.size() == 6 && base::iequals(piece, "e-mail")) piece = "email";
    if (piece.size() == 7 && base::iequals(piece, "e-mails")) piece = "emails";
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= piece.size(); ++i) {
        const bool part = i < piece.size() && (is_word_byte(piece[i]) || piece[i] == '\'' ||
                                               (piece[i] == '.' && i > 0 && base::is_digit(piece[i - 1]) &&
                                                i + 1 < piece.size() && base::is_digit(piece[i + 1])));
        if (part) continue;
        take_word(piece.substr(begin, i - begin));
        begin = i + 1;
    }
}

void ReplyReader::take_code(std::string_view code) {
    if (code.empty() || full()) return;
    if (any_enhanced_ && code == enhanced_) return;
    any_enhanced_ = true;
    put(' ');
    for (const char c : code) put(c);
}

void ReplyReader::take_word(std::string_view word) {
    if (word.empty() || full()) return;
    if (code_[0] != '\0' && word == std::string_view(code_.data(), code_.size())) return;
    bool begun = false;
    char* const begin = end_;
    const auto put_letter = [&](char c) {
        if (!begun) put(' ');
        begun = true;
        put(c);
    };
    while (!word.empty()) {
        const char c = word.front();
        std::size_t bytes = 1;
        if (mark(c) != high) {
            if (c != '\'') put_letter(base::lower(c));
        } else {
            const Character character = character_at(word);
            bytes = character.bytes;
            if (character.alone) begun = false;
            for (std::size_t i = 0; i < character.size; ++i) put_letter(character.text[i]);
            if (character.alone) begun = false;
        }
        word.remove_prefix(bytes);
    }
    if (end_ != begin) drop_filler(begin);
}

void ReplyReader::end_sentence() {
    if (full() || end_ == words_.data() || end_[-1] == '.' || end_[-1] == ':') return;
    put(' ');
    put('.');
}

bool ReplyReader::full() const { return words_.data() + words_.size() - end_ < 64; }

// "www.example.com/why?p=1" as " www example com why p 1 ."
void ReplyReader::take_place(std::string_view place) {
    constexpr std::size_t end_of_place = 2;
    const auto left = static_cast<std::size_t>(places_.data() + places_.size() - place_end_);
    if (left < 2 * place.size() + end_of_place) return;
    bool begun = false;
    for (const char c : place) {
        const bool part = (mark(c) & (letter | digit)) != 0;
        if (part && !begun) *place_end_++ = ' ';
        if (part) *place_end_++ = base::lower(c);
        begun = part;
    }
    *place_end_++ = ' ';
    *place_end_++ = '.';
}

std::string phrase_words(std::string_view phrase) {
    ReplyReader reader;
    std::string words;
    for (const std::string_view word : base::words(phrase)) {
        const bool code = word.size() == 4 && word[3] == ':' && (word[0] == '4' || word[0] == '5');
        reader.end_ = reader.words_.data();
        reader.any_enhanced_ = false;
        reader.take(word);
        if (code) {
            words.append(" ").append(word);
        } else {
            words.append(reader.words_.data(), reader.end_);
        }
    }
    return words.empty() ? words : words.substr(1);
}

std::string phrase_place(std::string_view phrase) {
    ReplyReader reader;
    reader.take_place(phrase);
    const std::string_view words(reader.places_.data(),
                                 static_cast<std::size_t>(reader.place_end_ - reader.places_.data()));
    constexpr std::size_t end_of_place = 2;
    return words.size() <= end_of_place ? std::string() : std::string(words.substr(1, words.size() - 1 - end_of_place));
}

}  // namespace mtawatch::mta::classes
