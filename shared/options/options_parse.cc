// Options::parse of options.h: options from the command line and --extra-opts, checked against the option table.
#include <algorithm>

#include "shared/base/text.h"
#include "shared/options/arguments.h"
#include "shared/options/values.h"

namespace mtawatch::options {

namespace {

using base::fail;
using base::Fault;

base::Error located(const Given& given, const base::Error& error) {
    const base::Error named = error.at(dashed(*given.option));
    return given.place.empty() ? named : named.at(given.place);
}

// The options of a file, in the form of those on the command line.
base::Result<std::vector<Given>> from_file(const OptionTable& table, const std::vector<ExtraOption>& extras) {
    std::vector<Given> result;
    for (const ExtraOption& extra : extras) {
        const Option* option = find_option(table, extra.name);
        if (option == nullptr || option->name == "extra-opts") {
            return fail(Fault::usage, "{}: unknown option {}{}", extra.place, base::one_line(extra.name, 100),
                        suggestion(table, extra.name));
        }
        Given one{option, extra.value, extra.place};
        if (option->kind == Kind::flag && one.value) {
            return fail(located(one, {Fault::usage, "takes no value; write the name alone"}));
        }
        if (option->kind != Kind::flag && !one.value) return fail(located(one, {Fault::usage, "needs a value"}));
        result.push_back(std::move(one));
    }
    return result;
}

base::Result<void> accept(const Given& given) {
    if (!given.value || given.option->kind.accept == nullptr) return {};
    if (auto done = given.option->kind.accept(*given.option, *given.value); !done) {
        return fail(located(given, done.error()));
    }
    return {};
}

// --help and --version win, whatever else is wrong with the command line.
std::string_view asks_for_text(const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
        if (argument == "-h" || argument == "--help") return "help";
        if (argument == "-V" || argument == "--version") return "version";
    }
    return {};
}

bool is_given(const std::vector<Given>& all, std::string_view name) {
    return std::ranges::any_of(all, [&](const Given& given) { return given.option->name == name; });
}

// Refuses an option that is given twice and is not repeatable: it could be read two ways.
base::Result<void> no_doubles(const std::vector<Given>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].option->repeatable || all[i].option->kind == Kind::flag) continue;
        for (std::size_t k = 0; k < i; ++k) {
            if (all[k].option != all[i].option) continue;
            return fail(located(
                all[i],
                {Fault::usage, "is given twice (\"" + base::one_line(all[k].value.value_or(""), 60) + "\" and \"" +
                                   base::one_line(all[i].value.value_or(""), 60) + "\"); give it once"}));
        }
    }
    return {};
}

base::Result<std::vector<Given>> gather(const OptionTable& table, std::vector<Given> line, const ParseRules& rules) {
    std::vector<Given> extras;
    for (const Given& given : line) {
        if (given.option->name != "extra-opts" || !rules.load) continue;
        auto loaded = rules.load(given.value.value_or(""));
        if (!loaded) return fail(loaded.error());
        auto options = from_file(table, *loaded);
        if (!options) return options;
        extras.insert(extras.end(), options->begin(), options->end());
    }
    if (!rules.later_counts) {
        if (auto done = no_doubles(line); !done) return fail(done.error());
        if (auto done = no_doubles(extras); !done) return fail(done.error());
    }
    // The command line wins over the file; of a repeatable option both count.
    std::vector<Given> all;
    for (Given& extra : extras) {
        if (extra.option->repeatable || !is_given(line, extra.option->name)) all.push_back(std::move(extra));
    }
    for (Given& given : line) all.push_back(std::move(given));
    return all;
}

// Refuses two options of which one may be given.
base::Result<void> no_rivals(const std::vector<Given>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Option& option = *all[i].option;
        if (option.one_of.empty()) continue;
        for (std::size_t k = 0; k < i; ++k) {
            const Option& earlier = *all[k].option;
            if (earlier.one_of != option.one_of || earlier.name == option.name) continue;
            return fail(Fault::usage, "{} and {} exclude each other; give one of them, or none", dashed(earlier),
                        dashed(option));
        }
    }
    return {};
}

base::Result<void> complete(const OptionTable& table, const std::vector<Given>& all) {
    for (const Given& given : all) {
        if (auto done = accept(given); !done) return done;
    }
    for (const Option& option : table) {
        if (option.required && !is_given(all, option.name)) {
            return fail(Fault::usage, "--{} {} is required; see --help", option.name, metavar(option));
        }
    }
    return no_rivals(all);
}

}  // namespace

base::Result<Options> Options::parse(const OptionTable& table, const std::vector<std::string>& arguments,
                                     const ParseRules& rules) {
    Options options;
    options.table_ = table;
    if (const std::string_view text = asks_for_text(arguments); !text.empty()) {
        options.values_[std::string(text)] = {""};
        return options;
    }
    auto line = read_arguments(table, arguments);
    if (!line) return fail(line.error());
    auto all = gather(table, std::move(*line), rules);
    if (!all) return fail(all.error());
    if (!is_given(*all, "help") && !is_given(*all, "version")) {
        if (auto done = complete(table, *all); !done) return fail(done.error());
    }
    for (Given& given : *all) {
        options.values_[std::string(given.option->name)].push_back(std::move(given.value).value_or(""));
    }
    return options;
}

}  // namespace mtawatch::options
