// The closed sets of words: reasons and classes, and which class a reason has.
#include <array>

#include "shared/mta/classes/reply_class.h"

namespace mtawatch::mta::classes {
namespace {

template <class Word>
std::optional<Word> word_of(std::string_view wanted, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (name(static_cast<Word>(i)) == wanted) return static_cast<Word>(i);
    }
    return std::nullopt;
}

}  // namespace

std::string_view name(ReplyClass reply_class) {
    static constexpr std::array<std::string_view, reply_classes> names{
        "rate-limit",   "reputation", "blocklist",     "authentication", "content",  "greylist", "unknown-user",
        "mailbox-full", "inactive",   "dns",           "connection",     "tls",      "policy",   "expired",
        "size",         "system",     "configuration", "local",          "protocol", "other"};
    return names[static_cast<std::size_t>(reply_class)];
}

std::optional<ReplyClass> reply_class_of_name(std::string_view wanted) {
    return word_of<ReplyClass>(wanted, reply_classes);
}

std::string_view name(BounceClass bounce_class) {
    static constexpr std::array<std::string_view, bounce_class_count> names{"hard", "soft", "block", "other", "local"};
    return names[static_cast<std::size_t>(bounce_class)];
}

std::optional<BounceClass> bounce_class_of_name(std::string_view wanted) {
    return word_of<BounceClass>(wanted, bounce_class_count);
}

BounceClass class_of_reply(ReplyClass reply, std::string_view dsn_status) {
    switch (reply) {
        case ReplyClass::unknown_user:
        case ReplyClass::inactive:
            return BounceClass::hard;
        case ReplyClass::dns:
            return dsn_status.starts_with('4') ? BounceClass::soft : BounceClass::hard;
        case ReplyClass::reputation:
        case ReplyClass::blocklist:
        case ReplyClass::authentication:
        case ReplyClass::content:
        case ReplyClass::policy:
            return BounceClass::block;
        case ReplyClass::rate_limit:
        case ReplyClass::greylist:
        case ReplyClass::mailbox_full:
        case ReplyClass::connection:
        case ReplyClass::tls:
        case ReplyClass::expired:
        case ReplyClass::size:
        case ReplyClass::system:
        case ReplyClass::configuration:
        case ReplyClass::protocol:
            return BounceClass::soft;
        case ReplyClass::local:
            return BounceClass::local;
        case ReplyClass::other:
            break;
    }
    return BounceClass::other;
}

}  // namespace mtawatch::mta::classes
