// Parser of the file of reply rules (reply_rules.yml), and what must hold for such a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/config/node.h"
#include "shared/mta/classes/reply_table.h"

namespace mtawatch::mta::classes {

// A rule of the file:
//
//   - rule: user-unknown
//     reason: unknown-user
//     class: hard            # of that reason; "code" is soft for a temporary refusal, hard else
//     source: Postfix
//     text: user unknown | unknown user
//     match: "550 5.1.1 <a@b.example>: User unknown"
//     near: "550 5.1.8 <a@b.example>: Sender unknown"
struct ReplyRuleEntry {
    ReplyRule rule;
    std::string source;
    std::string match;  // a reply whose rule this is
    std::string near;   // one that it does not meet, however near
    std::size_t line = 0;
};

// Fault::configuration names file, line and key.
[[nodiscard]] base::Result<std::vector<ReplyRuleEntry>> parse_reply_rules(std::string_view text, std::string_view file);

// What is wrong with rules that each can be read: two with one name; a `match` that is another rule's or none's, a
// `near` that meets the rule, a text that never decides because an earlier rule takes it. Each fault names line and
// rule; empty: all is well.
[[nodiscard]] std::vector<std::string> check_reply_rules(const std::vector<ReplyRuleEntry>& rules,
                                                         const ReplyTable& table);

// A rule of an operator's configuration: name, and text, reason and class of a map. The class may be left out.
[[nodiscard]] base::Result<ReplyRule> read_own_reply_rule(const std::string& name, const config::Node& node);

}  // namespace mtawatch::mta::classes
