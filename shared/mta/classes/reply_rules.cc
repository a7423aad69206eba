#include "shared/mta/classes/reply_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "shared/base/text.h"

namespace mtawatch::mta::classes {
namespace {

using base::fail;
using base::Result;
using config::MapReader;
using config::Node;

// The reason and class of a rule, as words.
Result<void> set_verdict(const Node& node, const std::string& reason, const std::string& bounce_class,
                         ReplyRule& rule) {
    const auto reply_class = reply_class_of_name(reason);
    if (!reply_class || *reply_class == ReplyClass::other)
        return fail(node.error("reason: \"" + reason + "\" is none of the reasons in docs/replies.md"));
    rule.reply_class = *reply_class;
    rule.bounce_class = class_of_reply(*reply_class, {});
    rule.by_code = *reply_class == ReplyClass::dns && (bounce_class.empty() || bounce_class == "code");
    if (bounce_class.empty() || rule.by_code) return {};
    const auto given = bounce_class_of_name(bounce_class);
    if (!given) return fail(node.error("class: no such class; write hard, soft, block, other or local"));
    rule.bounce_class = *given;
    return {};
}

// The least that an alternative needs, as a reply: its parts as sentences, its codes in front.
class Sample {
  public:
    explicit Sample(std::string_view text) {
        std::string codes;
        while (!text.empty()) {
            const std::size_t end = std::min(text.find(" & "), text.size());
            add(base::trim(text.substr(0, end)), codes);
            text.remove_prefix(std::min(end + 3, text.size()));
        }
        words.insert(0, codes).append(reply_padding, '\0');
        places.append(reply_padding, '\0');
    }

    [[nodiscard]] ReplyText text() const {
        return {{words.data(), words.size() - reply_padding}, {places.data(), places.size() - reply_padding}};
    }

  private:
    std::string words;
    std::string places;

    void add(std::string_view part, std::string& codes) {
        if (part.starts_with('!')) return;
        const bool place = part.starts_with('@');
        const bool open = part.ends_with('*');
        const auto words_of = [&](std::string_view piece) {
            return " " + (place ? phrase_place(piece) : phrase_words(piece));
        };
        if (place) part.remove_prefix(1);
        constexpr std::string_view gap = " .. ";
        const std::size_t behind = part.find(gap);
        std::string letters = words_of(part.substr(0, behind));
        if (behind != std::string_view::npos) letters += " xyz" + words_of(part.substr(behind + gap.size()));
        if (open) letters += 'x';
        if (letters.ends_with(':')) {
            // "550:" is a permanent refusal as well.
            if (letters[2] != 'x') codes.insert(0, std::string(" ") + letters[1] + "xx:");
            codes += letters;
        } else {
            (place ? places : words) += letters + " .";
        }
    }
};

Result<ReplyRuleEntry> read_entry(const Node& node) {
    ReplyRuleEntry entry;
    std::string reason;
    std::string bounce_class;
    MapReader map(node);
    map.text("rule", entry.rule.name).text("reason", reason).text("class", bounce_class).text("source", entry.source);
    map.text("text", entry.rule.texts).text("match", entry.match).text("near", entry.near);
    for (const char* key : {"rule", "reason", "class", "source", "text", "match", "near"}) map.required(key);
    if (auto done = map.finish(); !done) return fail(done.error());
    entry.line = node.line();
    if (auto done = set_verdict(node, reason, bounce_class, entry.rule); !done) return fail(done.error());
    // The class follows from the reason, so that one reason means one thing wherever it is shown; dns has two.
    const bool dns = entry.rule.reply_class == ReplyClass::dns;
    if (!dns && entry.rule.bounce_class != class_of_reply(entry.rule.reply_class, {})) {
        return fail(node.error(
            fmt::format("class: {} is always {}", reason, name(class_of_reply(entry.rule.reply_class, {})))));
    }
    return entry;
}

}  // namespace

Result<std::vector<ReplyRuleEntry>> parse_reply_rules(std::string_view text, std::string_view file) {
    const auto root = config::parse_yaml(text, file);
    if (!root) return fail(root.error());
    const auto items = root->items();
    if (!items) return fail(items.error());
    std::vector<ReplyRuleEntry> rules;
    for (const Node& item : *items) {
        auto entry = read_entry(item);
        if (!entry) return fail(entry.error());
        rules.push_back(std::move(*entry));
    }
    return rules;
}

std::vector<std::string> check_reply_rules(const std::vector<ReplyRuleEntry>& rules, const ReplyTable& table) {
    std::vector<std::string> faults;
    std::set<std::string_view> names;
    ReplyReader reader;
    const auto name_of = [&](std::size_t rule) {
        return rule == ReplyTable::none ? std::string_view("none") : table.rules[rule].name;
    };
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const ReplyRuleEntry& entry = rules[i];
        const auto fault = [&](std::string_view what) {
            faults.push_back(fmt::format("line {}: {}: {}", entry.line, entry.rule.name, what));
        };
        if (!names.insert(entry.rule.name).second) fault("there is another rule with this name");
        const std::size_t found = table.find(reader.read({}, entry.match));
        if (found != i) fault(fmt::format("match: \"{}\" is taken by {}", entry.match, name_of(found)));
        if (table.meets(i, reader.read({}, entry.near))) fault(fmt::format("near: \"{}\" meets the rule", entry.near));
        for (const std::string_view text : written_alternatives(entry.rule.texts)) {
            std::size_t taker = ReplyTable::none;
            const bool decides = std::ranges::any_of(written_out(text), [&](const std::string& alternative) {
                const Sample sample(alternative);
                taker = table.find(sample.text());
                return taker == i;
            });
            if (!decides) fault(fmt::format("text: \"{}\" never decides, {} takes it", text, name_of(taker)));
        }
    }
    return faults;
}

Result<ReplyRule> read_own_reply_rule(const std::string& name, const Node& node) {
    ReplyRule rule;
    rule.name = name;
    std::string reason;
    std::string bounce_class;
    MapReader map(node);
    map.text("text", rule.texts).text("reason", reason).text("class", bounce_class).required("text").required("reason");
    if (auto done = map.finish(); !done) return fail(done.error());
    if (auto done = set_verdict(node, reason, bounce_class, rule); !done) return fail(done.error());
    ReplyTableBuilder builder;
    if (auto done = builder.add(rule); !done) return fail(node.error(done.error().what));
    return rule;
}

}  // namespace mtawatch::mta::classes
