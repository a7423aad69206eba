// Classifier of SMTP replies: one word for the reason and one for the class of a bounce, by a table of rules, first
// match wins. docs/replies.md says how a reply is read and how rules are added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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
    expired,        // tried until the time was up
    size,           // the message is too large
    system,         // a fault of the receiver's system
    configuration,  // a fault of ours
    local,          // no receiver's word: an administrator's bounce or pause, our own throttle or suppression list
    protocol,       // commands or answers out of order
    other,
};
inline constexpr std::size_t reply_classes = 20;
// "rate-limit" … "other": the values of the label `reason`.
[[nodiscard]] std::string_view name(ReplyClass reply_class);
[[nodiscard]] std::optional<ReplyClass> reply_class_of_name(std::string_view name);

// `local` is not a verdict of a receiver (suppression list, deleted by an administrator): outside every ratio.
enum class BounceClass : std::uint8_t { hard, soft, block, other, local };
inline constexpr std::size_t bounce_class_count = 5;
[[nodiscard]] std::string_view name(BounceClass bounce_class);
[[nodiscard]] std::optional<BounceClass> bounce_class_of_name(std::string_view name);
// The class that a reason alone gives; `dsn_status` tells a domain that does not exist (5) from one that did not
// resolve now (4). ReplyVerdict::bounce_class knows more.
[[nodiscard]] BounceClass class_of_reply(ReplyClass reply, std::string_view dsn_status);

struct ReplyVerdict {
    ReplyClass reply_class = ReplyClass::other;
    BounceClass bounce_class = BounceClass::other;
    std::string_view rule;  // the rule's name, e.g. "microsoft-S3150"; "none" when no rule matched
};

struct ReplyRule;
struct ReplyText;

// The built-in rules, laid out by the build, so that making one costs nothing; with an operator's own in front of them.
// Immutable, so threads may share it. A reply of 140 bytes costs about a third of a microsecond.
class ReplyClassifier {
  public:
    ReplyClassifier();
    // `own` has been checked (classes_config.h); names are copied.
    explicit ReplyClassifier(std::span<const ReplyRule> own);
    ReplyClassifier(const ReplyClassifier&) = delete;
    ReplyClassifier& operator=(const ReplyClassifier&) = delete;
    ~ReplyClassifier();

    // Either text may be empty. Case does not matter; at most max_reply_bytes (reply_text.h) of each are looked at.
    [[nodiscard]] ReplyVerdict classify(std::string_view dsn_status, std::string_view dsn_diag) const;
    [[nodiscard]] ReplyVerdict classify(const ReplyText& reply) const;
    [[nodiscard]] std::size_t rules() const;

  private:
    struct Own;
    std::unique_ptr<const Own> own_;  // null: none
};

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
