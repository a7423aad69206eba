#include "shared/mta/classes/bounce_class.h"

#include <initializer_list>

namespace mtawatch::mta::classes {

BounceClasses::BounceClasses() {
    const auto add = [&](BounceClass bounce_class, bool hint, std::initializer_list<std::string_view> categories) {
        for (const std::string_view category : categories) classes_[std::string(category)] = {bounce_class, hint};
    };
    // PowerMTA's categories.
    add(BounceClass::hard, false, {"bad-mailbox", "bad-domain", "inactive-mailbox", "routing-errors"});
    add(BounceClass::block, false,
        {"spam-related", "policy-related", "content-related", "virus-related", "invalid-sender", "relaying-issues"});
    add(BounceClass::soft, false,
        {"quota-issues", "no-answer-from-host", "message-expired", "bad-connection", "bad-configuration",
         "protocol-errors"});
    // The classes of KumoMTA's classifier; the last three are of what is no failure.
    add(BounceClass::hard, true, {"InvalidRecipient", "BadDomain", "InactiveMailbox", "RoutingErrors"});
    add(BounceClass::block, true,
        {"SpamBlock", "SpamContent", "SpamRelated", "ProhibitedAttachment", "ContentRelated", "VirusRelated",
         "PolicyRelated", "AuthenticationFailed", "InvalidSender", "RelayDenied", "RelayingIssues"});
    add(BounceClass::soft, true,
        {"QuotaIssues", "NoAnswerFromHost", "MessageExpired", "BadConnection", "BadConfiguration", "ProtocolErrors",
         "DNSFailure", "TransientFailure", "TooManyRecipients"});
    add(BounceClass::other, false, {"AutoReply", "Subscribe", "Unsubscribe"});
}

void BounceClasses::set(std::string_view category, BounceClass bounce_class) {
    classes_.insert_or_assign(std::string(category), Meaning{bounce_class, false});
}

BounceClass BounceClasses::of_category(std::string_view category) const {
    const auto found = classes_.find(category);
    return found == classes_.end() ? BounceClass::other : found->second.bounce_class;
}

bool BounceClasses::is_open(std::string_view category) const { return !classes_.contains(category); }

BounceClass BounceClasses::of_bounce(std::string_view category, BounceClass said) const {
    if (said == BounceClass::local) return said;
    const auto found = classes_.find(category);
    if (found == classes_.end() || (found->second.hint && said != BounceClass::other)) return said;
    return found->second.bounce_class;
}

}  // namespace mtawatch::mta::classes
