// Classifier of SMTP replies: one word for the reason (from dsnStatus and dsnDiag), by a table of rules, first match
// wins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::mta::classes {

enum class ReplyClass : std::uint8_t {
    rate_limit,
    reputation,
    blocklist,
    authentication,
    content,
    greylist,
    unknown_user,
    mailbox_full,
    inactive,
    dns,
    connection,
    tls,
    policy,
    other,
};
inline constexpr std::size_t reply_classes = 14;
// "rate-limit" … "other": the values of the label `reason`.
[[nodiscard]] std::string_view name(ReplyClass reply_class);

struct ReplyVerdict {
    ReplyClass reply_class = ReplyClass::other;
    std::string_view rule;  // the rule's name, e.g. "microsoft-S3150"; "none" when no rule matched
};

// The built-in rules in one automaton: one pass over the text whatever their number. Immutable, so threads may share
// it. A pass over 200 bytes costs about 0.5 us, so callers keep the answer per distinct reply.
class ReplyClassifier {
  public:
    ReplyClassifier();
    ReplyClassifier(const ReplyClassifier&) = delete;
    ReplyClassifier& operator=(const ReplyClassifier&) = delete;
    ~ReplyClassifier();

    // Either text may be empty. Case does not matter; at most max_reply_bytes of dsn_diag are looked at.
    [[nodiscard]] ReplyVerdict classify(std::string_view dsn_status, std::string_view dsn_diag) const;
    [[nodiscard]] std::size_t rules() const;

  private:
    struct Automaton;
    std::unique_ptr<const Automaton> automaton_;
};

// Replies are a few lines; a longer text is noise whose end adds nothing.
inline constexpr std::size_t max_reply_bytes = 4096;

// The numbers of a reply, for pmta_replies_total.
struct ReplyCodes {
    std::size_t looked = 0;          // bytes at the front of dsn_diag that decided all this, whatever follows them
    std::uint16_t code = 0;          // SMTP code 200-599 at the start of the text after "smtp;"; 0 = none
    std::uint8_t enhanced_size = 0;  // bytes of `enhanced` in use; 0 = none
    char enhanced[10]{};             // RFC 3463 "5.7.26": from the text behind the code, else from dsn_status

    [[nodiscard]] std::string_view enhanced_code() const { return {enhanced, enhanced_size}; }
    bool operator==(const ReplyCodes&) const = default;
};
[[nodiscard]] ReplyCodes reply_codes(std::string_view dsn_status, std::string_view dsn_diag);

}  // namespace mtawatch::mta::classes
