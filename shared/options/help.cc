#include "shared/options/help.h"

#include <fmt/format.h>

#include "shared/base/json.h"
#include "shared/base/text.h"
#include "shared/options/values.h"

namespace mtawatch::options {

namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t indent = 8;  // beyond the names, which begin at 5 where an option has no letter
constexpr std::size_t example_indent = 4;

// The words of `text` in lines of at most `columns`, each behind `blanks`; all but the last end in `continuation`.
std::string wrapped(std::string_view text, std::size_t blanks = indent, std::string_view continuation = "") {
    std::string result;
    std::string line;
    for (const std::string_view word : base::words(text)) {
        if (!line.empty() && blanks + line.size() + 1 + word.size() + continuation.size() > columns) {
            result += fmt::format("{}{}{}\n", std::string(blanks, ' '), line, continuation);
            line.clear();
        }
        if (!line.empty()) line += ' ';
        line += word;
    }
    return result + std::string(blanks, ' ') + line + "\n";
}

std::string names(const Option& option) {
    return option.letter != 0 ? fmt::format(" -{}, --{}", option.letter, option.name)
                              : fmt::format("     --{}", option.name);
}

// A list of words that does not fit behind the name stands in the explanation.
bool words_are_explained(const Option& option) {
    return option.kind == Kind::choice && names(option).size() + 1 + option.metavar.size() > columns;
}

std::string heading(const Option& option) {
    const std::string_view value = words_are_explained(option) ? "WORD" : metavar(option);
    if (option.value_optional) return names(option) + fmt::format("[={}]", value);
    return value.empty() ? names(option) : names(option) + fmt::format(" {}", value);
}

std::string explanation(const Option& option) {
    std::string text(option.help);
    if (words_are_explained(option)) {
        std::string words;
        for (const std::string_view word : base::split(option.metavar, '|')) {
            words += fmt::format("{}{}", words.empty() ? "" : ", ", word);
        }
        text += fmt::format("; one of {}", words);
    }
    std::vector<std::string> remarks;
    if (option.required) remarks.emplace_back("required");
    if (option.repeatable) remarks.emplace_back("repeatable");
    const std::string_view fallback = option.fallback_text.empty() ? option.fallback : option.fallback_text;
    if (!fallback.empty()) remarks.push_back(fmt::format("default: {}", fallback));
    if (!remarks.empty()) text += fmt::format(" ({})", base::join(remarks, "; "));
    return text;
}

std::string usage(const Program& program) {
    std::string text = fmt::format("Usage: {}", program.name);
    for (const Option& option : program.options) {
        if (option.required) text += fmt::format(" --{} {}", option.name, metavar(option));
    }
    return wrapped(text + " [options]", 0);
}

void write_option(base::JsonWriter& json, const Option& option) {
    json.object().member("name", option.name);
    json.member("letter", option.letter == 0 ? std::string() : std::string(1, option.letter));
    json.member("kind", option.kind.word).member("metavar", metavar(option)).member("help", option.help);
    json.member("default", option.fallback).member("default_text", option.fallback_text);
    json.member("repeatable", option.repeatable).member("required", option.required);
    json.member("value_optional", option.value_optional).member("may_be_empty", option.may_be_empty);
    json.member("common", option.common).end();
}

}  // namespace

std::string_view version() { return MTAWATCH_VERSION; }

std::string help_text(const Program& program) {
    std::string text = version_text(program) + wrapped(std::string(program.purpose) + ".", 0);
    if (!program.description.empty()) text += "\n" + wrapped(program.description, 0);
    text += "\n" + usage(program);
    if (!program.example.empty()) text += "Example:\n" + wrapped(program.example, example_indent, " \\");
    text += "\nOptions:\n";
    for (const Option& option : program.options) text += heading(option) + "\n" + wrapped(explanation(option));
    if (!program.notes.empty()) text += fmt::format("\n{}", program.notes);
    return text;
}

std::string version_text(const Program& program) { return fmt::format("{} {} (mtawatch)\n", program.name, version()); }

std::string describe(const Program& program) {
    base::JsonWriter json;
    json.object().member("program", program.name).member("version", version());
    json.member("purpose", program.purpose).member("description", program.description);
    json.member("example", program.example).key("options").array();
    for (const Option& option : program.options) write_option(json, option);
    return json.end().end().take();
}

}  // namespace mtawatch::options
