#include "shared/plugin/help.h"

#include <fmt/format.h>

#include "shared/base/json.h"
#include "shared/base/text.h"
#include "shared/plugin/run.h"
#include "shared/plugin/values.h"

namespace mtawatch::plugin {

namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t indent = 4;

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

std::string usage(const Check& check) {
    std::string text = "Usage: " + program_name(check);
    for (const Option& option : check.options) {
        if (option.required) text += fmt::format(" --{} {}", option.name, metavar(option));
    }
    return wrapped(text + " [options]", 0);
}

void write_option(base::JsonWriter& json, const Option& option, bool common) {
    json.object().member("name", option.name);
    json.member("letter", option.letter == 0 ? std::string() : std::string(1, option.letter));
    json.member("kind", name(option.kind)).member("metavar", metavar(option)).member("help", option.help);
    json.member("default", option.fallback).member("default_text", option.fallback_text);
    json.member("repeatable", option.repeatable).member("required", option.required);
    json.member("value_optional", option.value_optional).member("may_be_empty", option.may_be_empty);
    json.member("common", common).end();
}

}  // namespace

std::string_view version() { return MTAWATCH_VERSION; }

std::string program_name(const Check& check) { return fmt::format("check_{}", check.name); }

OptionTable whole_table(const Check& check) { return options_of({check.options, common_options()}); }

std::string help_text(const Check& check) {
    std::string text = version_text(check) + wrapped(std::string(check.purpose) + ".", 0) + "\n" + usage(check);
    if (!check.example.empty()) text += "Example:\n" + wrapped(check.example, indent, " \\");
    text += "\nOptions:\n";
    for (const Option& option : whole_table(check)) text += heading(option) + "\n" + wrapped(explanation(option));
    text +=
        "\nA RANGE is [@]start:end and alerts outside it (with @ inside): 10 is above 10,\n"
        "10: below 10, ~:10 above 10 with any lower value allowed, 5:10 outside 5 to 10.\n"
        "A DURATION is numbers with units: 90s, 10m, 1h30m, 2d.\n"
        "Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n";
    return text;
}

std::string version_text(const Check& check) {
    return fmt::format("{} {} (mtawatch)\n", program_name(check), version());
}

std::string describe(const Check& check) {
    base::JsonWriter json;
    json.object().member("name", check.name).member("program", program_name(check));
    json.member("version", version()).member("purpose", check.purpose).member("example", check.example);
    json.key("options").array();
    for (const Option& option : check.options) write_option(json, option, false);
    for (const Option& option : common_options()) write_option(json, option, true);
    return json.end().end().take();
}

}  // namespace mtawatch::plugin
