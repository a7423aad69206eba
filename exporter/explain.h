// What --explain prints: the meaning of one reply, of a list of replies, or of all the replies of a log.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/io/byte_source.h"
#include "shared/mta/classes/reply_class.h"

namespace mtawatch::exporter {

// One reply: reason, rule, codes and bounce class, a line each.
[[nodiscard]] std::string explain_reply(std::string_view reply, const mta::classes::ReplyClassifier& replies);

using TextSink = std::function<void(std::string_view)>;

// A whole source, packed or not; `name` is for messages.
//
// * A log (accounting files of PowerMTA, Postfix, KumoMTA): how many bounces and deferrals each reason has, then each
//   kind of reply (its template: no address, no id) with count, share, reason, class and rule.
// * Anything else: a reply a line. Each becomes the line "class TAB reason TAB rule TAB reply", in the same order.
//
// With `unknown` only the kinds of reply that no rule knows, most frequent first. Faults: io, malformed (a log without
// a single bounce or deferral, nothing at all).
[[nodiscard]] base::Result<void> explain_source(io::ByteSource& source, const std::string& name,
                                                const mta::classes::ReplyClassifier& replies, bool unknown,
                                                const TextSink& sink);

}  // namespace mtawatch::exporter
