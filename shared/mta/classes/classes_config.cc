#include "shared/mta/classes/classes_config.h"

#include <array>
#include <utility>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_rules.h"

namespace mtawatch::mta::classes {
namespace {

constexpr std::size_t most_reply_rules = 256;  // by hand; a list this long belongs into the built-in table

using base::fail;
using base::Result;
using config::MapReader;
using config::Node;

Result<void> read_provider(const std::string& name, const Node& node, ProviderTable& table) {
    using Add = Result<void> (ProviderTable::*)(std::string_view, std::string_view);
    constexpr std::array<std::pair<std::string_view, Add>, 3> kinds{{{"domains", &ProviderTable::add_domain},
                                                                     {"mx", &ProviderTable::add_mx},
                                                                     {"rollup", &ProviderTable::add_rollup}}};
    MapReader map(node);
    for (const auto& kind : kinds) {
        map.node(kind.first, [&](const Node& list) -> Result<void> {
            const auto names = list.texts();
            if (!names) return fail(names.error());
            for (const std::string& entry : *names) {
                if (const auto done = (table.*kind.second)(name, entry); !done) {
                    return fail(list.error(done.error().what));
                }
            }
            return {};
        });
    }
    return map.finish();
}

// Each member of a map through `read`.
template <class Read>
Result<void> each_member(const Node& node, const Read& read) {
    const auto members = node.members();
    if (!members) return fail(members.error());
    for (const auto& [name, value] : *members) {
        if (auto done = read(name, value); !done) return done;
    }
    return {};
}

Result<void> read_bounce_class(const std::string& word, const Node& list, BounceClasses& classes) {
    const auto bounce_class = bounce_class_of_name(word);
    if (!bounce_class) return fail(list.error("no such class; write hard, soft, block, other or local"));
    const auto categories = list.texts();
    if (!categories) return fail(categories.error());
    for (const std::string& category : *categories) classes.set(category, *bounce_class);
    return {};
}

Result<void> read_alias(const std::string& alias, const Node& value, Classes& into) {
    const auto wanted = value.text();
    if (!wanted) return fail(wanted.error());
    for (std::size_t i = 0; i < static_cast<std::size_t>(logs::Column::custom0); ++i) {
        const auto column = static_cast<logs::Column>(i);
        if (!base::iequals(name(column), *wanted)) continue;
        into.aliases.insert_or_assign(alias, column);
        return {};
    }
    return fail(
        value.error("\"" + *wanted + "\" is no accounting column that is read; write e.g. timeLogged or dsnDiag"));
}

Result<void> read_record_type(const std::string& code, const Node& value, Classes& into) {
    const auto wanted = value.text();
    if (!wanted) return fail(wanted.error());
    const auto type = logs::record_type_of_code(*wanted);
    if (!type) return fail(value.error("write one of PowerMTA's record types: d b t tq r rb rs f"));
    into.record_types.insert_or_assign(code, *type);
    return {};
}

}  // namespace

Result<void> read_classes(const Node& section, Classes& into) {
    MapReader map(section);
    map.node("providers", [&](const Node& node) {
        return each_member(node, [&](const std::string& name, const Node& value) {
            return read_provider(name, value, into.providers);
        });
    });
    map.node("bounce_classes", [&](const Node& node) {
        return each_member(node, [&](const std::string& word, const Node& value) {
            return read_bounce_class(word, value, into.bounce_classes);
        });
    });
    map.node("aliases", [&](const Node& node) {
        return each_member(node,
                           [&](const std::string& alias, const Node& value) { return read_alias(alias, value, into); });
    });
    map.node("record_types", [&](const Node& node) {
        return each_member(
            node, [&](const std::string& code, const Node& value) { return read_record_type(code, value, into); });
    });
    map.node("replies", [&](const Node& node) {
        return each_member(node, [&](const std::string& name, const Node& value) -> Result<void> {
            if (into.reply_rules.size() == most_reply_rules)
                return fail(node.error("at most " + std::to_string(most_reply_rules) + " rules"));
            auto rule = read_own_reply_rule(name, value);
            if (!rule) return fail(rule.error());
            into.reply_rules.push_back(std::move(*rule));
            return {};
        });
    });
    map.text("bounce_patterns", into.bounce_patterns_file);
    return map.finish();
}

Result<void> read_job_columns(const Node& list, std::vector<std::string>& into) {
    auto names = list.texts();
    if (!names) return fail(names.error());
    if (names->size() > logs::custom_column_count) {
        return fail(list.error("at most " + std::to_string(logs::custom_column_count) + " columns"));
    }
    into = std::move(*names);
    return {};
}

Result<Classes> parse_classes(std::string_view text, std::string_view file) {
    const auto root = config::parse_yaml(text, file);
    if (!root) return fail(root.error());
    if (!root->is_null() && !root->is_map()) return fail(root->error("must be a map with the key classes"));
    Classes classes;
    if (const auto section = root->find("classes")) {
        if (auto done = read_classes(*section, classes); !done) return fail(done.error());
    }
    const auto accounting = root->find("accounting");
    if (const auto list = accounting ? accounting->find("job_columns") : std::nullopt) {
        if (auto done = read_job_columns(*list, classes.job_columns); !done) return fail(done.error());
    }
    return classes;
}

}  // namespace mtawatch::mta::classes
