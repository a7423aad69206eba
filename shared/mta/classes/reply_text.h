// An SMTP reply taken apart before rules look at it: its numbers, what was said, and the hosts and URLs that it names.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace mtawatch::mta::classes {

// Replies are a few lines; a longer text is noise whose end adds nothing.
inline constexpr std::size_t max_reply_bytes = 4096;
inline constexpr std::size_t reply_padding = 8;

// Both are words in small ASCII letters with one blank in front of each, so that a rule's phrase is found whatever
// quotes, brackets, hyphens, underscores and capitals the receiver puts between and into them:
//
//   "smtp;550-5.1.1 <a@b.example>: Recipient address rejected:\n550 5.1.1 User_unknown. See http://x.example/why?p=1"
//   words  " 5xx: 550: 5.1.1 recipient address rejected user unknown . see"
//   places " x example why p 1 ."
//
// * In front are "4xx:" or "5xx:", then the SMTP code ("550:"), then the enhanced code of RFC 3463. They come from the
//   reply; where it has none, from dsnStatus. The words behind dsnStatus's digits, which PowerMTA writes itself, count
//   only where there is no reply.
// * Codes that each line of a reply repeats, mail addresses, anything in <>, IP addresses and the MTA's own wrapping
//   (Postfix "host … said:", KumoMTA "Response { … }", a type like "smtp;") are in neither.
// * Host names and URLs are in `places`, but not the host that the MTA itself talks about ("connect to x[192.0.2.1]").
// * " ." is the end of a sentence, and in `places` of a name. Accents are gone ("boîte", "boite": both "boite"), an
//   apostrophe too ("doesn't": "doesnt"), "e-mail" is "email", and words that say nothing ("the", "has been") are left
//   out. Each Chinese or Japanese character is a word of its own.
// * Behind both, reply_padding bytes that are no words can be read.
struct ReplyText {
    std::string_view words;
    std::string_view places;
};

class ReplyReader {
  public:
    ReplyReader() = default;
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;

    // The views are good until the next read. Either text may be empty; at most max_reply_bytes of each are looked at.
    [[nodiscard]] ReplyText read(std::string_view dsn_status, std::string_view dsn_diag);

  private:
    friend std::string phrase_words(std::string_view phrase);
    friend std::string phrase_place(std::string_view phrase);

    [[nodiscard]] std::string_view take_front(std::string_view text);
    [[nodiscard]] std::string_view take_kumo_response(std::string_view text);
    void take(std::string_view text);
    std::size_t take_angle(std::string_view text, std::size_t begin);
    void take_chunk(std::string_view chunk, unsigned seen, bool wrapped);
    void take_marked(std::string_view chunk, unsigned seen, bool wrapped);
    void take_piece(std::string_view piece, bool wrapped);
    void take_place(std::string_view place);
    void take_code(std::string_view code);
    void take_word(std::string_view word);
    void drop_filler(char* begin);
    void put(char c) { *end_++ = c; }
    void end_sentence();
    [[nodiscard]] bool full() const;

    // Nothing grows to more than three times its size: "ß;" in Latin-1 is " ss .".
    static constexpr std::size_t room = 3 * max_reply_bytes + 64;
    std::array<char, room> words_;
    std::array<char, max_reply_bytes + 64> places_;
    char* end_ = words_.data();
    char* place_end_ = places_.data();
    std::array<char, 3> code_{};  // the SMTP code in front, "\0" = none
    std::string_view enhanced_;   // the enhanced code in front
    bool own_ = false;            // "x-pmta;"
    bool any_enhanced_ = false;
};

// Whether "a.b" is a host name, and not the end of one sentence and the beginning of the next ("deferred.Please",
// "full.see") or a name with parts ("RESOLVER.ADR.RecipientNotFound").
[[nodiscard]] bool looks_like_host(std::string_view name);
// IPv4 or IPv6, with or without "IPv6:" in front; loosely: "4.16.55.1" of a receiver's own numbers is one.
[[nodiscard]] bool is_ip_address(std::string_view text);
// The length of "X.Y.Z" of RFC 3463 section 2 at the front of `text`, 0 where there is none.
[[nodiscard]] std::size_t enhanced_code_size(std::string_view text);

// The words of a rule's phrase, as `words` has them, without the blank in front. "550:" and "4xx:" stay.
[[nodiscard]] std::string phrase_words(std::string_view phrase);
// A rule's host name or piece of a URL, as `places` has it, without the blank in front.
[[nodiscard]] std::string phrase_place(std::string_view phrase);

}  // namespace mtawatch::mta::classes
