#include "shared/mta/classes/bounce_class.h"

#include <array>

#include "shared/base/text.h"

namespace mtawatch::mta::classes {

std::string_view name(BounceClass bounce_class) {
    static constexpr std::array<std::string_view, bounce_class_count> names{"hard", "soft", "block", "other", "local"};
    return names[static_cast<std::size_t>(bounce_class)];
}

std::optional<BounceClass> bounce_class_of_name(std::string_view wanted) {
    for (std::size_t i = 0; i < bounce_class_count; ++i) {
        if (name(static_cast<BounceClass>(i)) == wanted) return static_cast<BounceClass>(i);
    }
    return std::nullopt;
}

bool is_local_diag(std::string_view dsn_diag) {
    // PowerMTA writes what a receiver said behind "smtp;", and its own reasons behind "x-pmta;", except for the
    // suppression list, which it words as an SMTP reply.
    return dsn_diag.starts_with("x-pmta;") || base::icontains(dsn_diag, "is in suppression list") ||
           base::icontains(dsn_diag, "deleted by administrator");
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
            return BounceClass::soft;
        case ReplyClass::other:
            break;
    }
    return BounceClass::other;
}

BounceClasses::BounceClasses() {
    for (const std::string_view category : {"bad-mailbox", "bad-domain", "inactive-mailbox", "routing-errors",
                                            "InvalidRecipient", "BadDomain", "InactiveMailbox", "RoutingErrors"}) {
        set(category, BounceClass::hard);
    }
    for (const std::string_view category :
         {"spam-related", "policy-related", "content-related", "virus-related", "invalid-sender", "relaying-issues",
          "SpamBlock", "SpamContent", "SpamRelated", "ProhibitedAttachment", "ContentRelated", "VirusRelated",
          "PolicyRelated", "AuthenticationFailed", "InvalidSender", "RelayDenied", "RelayingIssues"}) {
        set(category, BounceClass::block);
    }
    for (const std::string_view category :
         {"quota-issues", "no-answer-from-host", "message-expired", "bad-connection", "bad-configuration",
          "protocol-errors", "QuotaIssues", "NoAnswerFromHost", "MessageExpired", "BadConnection", "BadConfiguration",
          "ProtocolErrors", "DNSFailure", "TransientFailure", "TooManyRecipients"}) {
        set(category, BounceClass::soft);
    }
}

void BounceClasses::set(std::string_view category, BounceClass bounce_class) {
    classes_.insert_or_assign(std::string(category), bounce_class);
}

BounceClass BounceClasses::of_category(std::string_view category) const {
    const auto found = classes_.find(category);
    return found == classes_.end() ? BounceClass::other : found->second;
}

bool BounceClasses::is_open(std::string_view category) const {
    return (category.empty() || category == "other") && !classes_.contains(category);
}

}  // namespace mtawatch::mta::classes
