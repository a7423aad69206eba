// Part of the build: checks reply_rules.yml and lays it out as constants, so that no run has to.
// make_reply_table reply_rules.yml > reply_builtin.cc
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "shared/base/last_resort.h"
#include "shared/mta/classes/reply_rules.h"
#include "shared/mta/classes/reply_table.h"

namespace {

using namespace mtawatch::mta::classes;

std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (static_cast<unsigned char>(c) < 0x80) {
            result += c;
        } else {
            result += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        }
    }
    return result + '"';
}

// A string as one literal for each piece: compilers refuse very long ones.
std::string pieces(std::string_view text) {
    constexpr std::size_t most = 200;
    std::string result;
    for (; !text.empty(); text.remove_prefix(std::min(most, text.size())))
        result += "    " + quoted(text.substr(0, most)) + "\n";
    return result;
}

template <class List, class Row>
void print_array(const char* type, const char* name, const List& list, const Row& row) {
    fmt::print("constexpr {} {}[] = {{\n", type, name);
    for (const auto& item : list) fmt::print("    {},\n", row(item));
    fmt::print("}};\n");
}

void print_table(const ReplyTable& table) {
    fmt::print(
        "// Made from reply_rules.yml by make_reply_table.\n#include \"shared/mta/classes/reply_builtin.h\"\n\n"
        "namespace mtawatch::mta::classes {{\nnamespace {{\n\n");
    print_array("ReplyTable::Rule", "rules", table.rules, [](const ReplyTable::Rule& rule) {
        return fmt::format("{{{}, ReplyClass{{{}}}, BounceClass{{{}}}, {}}}", quoted(rule.name),
                           static_cast<int>(rule.reply_class), static_cast<int>(rule.bounce_class), rule.by_code);
    });
    print_array("ReplyTable::Phrase", "phrases", table.phrases, [](const ReplyTable::Phrase& phrase) {
        return fmt::format("{{{}, {}, {}, {}, {}, {}, {}}}", phrase.offset, phrase.size, phrase.place, phrase.open,
                           phrase.absent, phrase.needs, phrase.need);
    });
    print_array("ReplyTable::Alternative", "alternatives", table.alternatives,
                [](const ReplyTable::Alternative& alternative) {
                    return fmt::format("{{{}, {}, {}, {}, {}, {}, {}}}", alternative.rule, alternative.phrase,
                                       alternative.conditions, alternative.condition_count, alternative.fronts,
                                       alternative.backs, alternative.needs);
                });
    print_array("ReplyTable::Needs", "needs", table.needs, [](const ReplyTable::Needs& needs) {
        return fmt::format("{{{}U, {}U, {}U, {}U}}", needs[0], needs[1], needs[2], needs[3]);
    });
    print_array("ReplyTable::Entry", "entries", table.entries, [](const ReplyTable::Entry& entry) {
        return fmt::format("{{{}U, {}, {}, {}, {}}}", entry.hash, entry.alternative, entry.phrase,
                           static_cast<int>(entry.before), static_cast<bool>(entry.place));
    });
    print_array("std::uint16_t", "slots", table.slots, [](std::uint16_t slot) { return std::to_string(slot); });
    print_array("std::uint64_t", "filter", table.filter, [](std::uint64_t word) { return fmt::format("{}U", word); });
    fmt::print("constexpr char letters[] =\n{};\n", pieces(table.letters));
    fmt::print(
        "constexpr ReplyTable table{{rules, phrases, alternatives, needs, entries, slots, filter, {{letters, sizeof "
        "letters - 1}}}};\n\n}}  // namespace\n\n"
        "const ReplyTable& reply_builtin() {{ return table; }}\n\n}}  // namespace mtawatch::mta::classes\n");
}

int make(const char* path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto rules = parse_reply_rules(text, path);
    if (!rules) {
        fmt::print(stderr, "{}\n", rules.error().what);
        return 1;
    }
    ReplyTableBuilder builder;
    for (const ReplyRuleEntry& entry : *rules) {
        builder.add_usual(entry.match);
        if (const auto done = builder.add(entry.rule); !done) {
            fmt::print(stderr, "{} line {}: {}\n", path, entry.line, done.error().what);
            return 1;
        }
    }
    const ReplyTable table = builder.table();
    const std::vector<std::string> faults = check_reply_rules(*rules, table);
    for (const std::string& fault : faults) fmt::print(stderr, "{} {}\n", path, fault);
    if (!faults.empty()) return 1;
    print_table(table);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    return mtawatch::base::run_main({.before = "make_reply_table: "}, [&] { return make(argv[1]); });
}
