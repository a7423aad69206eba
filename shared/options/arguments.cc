#include "shared/options/arguments.h"

#include <getopt.h>

#include <fmt/format.h>

#include "shared/base/text.h"
#include "shared/options/values.h"

namespace mtawatch::options {

namespace {

using base::fail;
using base::Fault;

constexpr int first_long = 256;             // getopt_long's code of the first long option, above every letter
constexpr std::size_t longest_quote = 100;  // of an argument in a message

std::string shortened(std::string_view text) { return base::one_line(text, longest_quote); }

// The table in the form of getopt_long; owns the strings it points to.
struct GetoptTable {
    explicit GetoptTable(const OptionTable& table) {
        names.reserve(table.size());
        letters =
            "-:";  // '-': arguments in their order, whatever the environment says; ':': tell a missing value apart
        for (std::size_t i = 0; i < table.size(); ++i) {
            const Option& option = table[i];
            const int takes = option.kind == Kind::flag ? no_argument
                              : option.value_optional   ? optional_argument
                                                        : required_argument;
            names.emplace_back(option.name);
            longs.push_back({names.back().c_str(), takes, nullptr, first_long + static_cast<int>(i)});
            if (option.letter == 0) continue;
            letters += option.letter;
            letters.append(static_cast<std::size_t>(takes), ':');
        }
        longs.push_back({nullptr, 0, nullptr, 0});
    }
    std::vector<std::string> names;
    std::vector<::option> longs;
    std::string letters;
};

base::Failure stray(std::string_view argument) {
    return fail(Fault::usage, "stray argument \"{}\"; every value needs its option, see --help", shortened(argument));
}

// What getopt_long complained about in `token`.
base::Failure complaint(const OptionTable& table, int code, std::string_view token) {
    if (code == ':') {
        const std::string letter(1, static_cast<char>(optopt));
        const Option& option =
            optopt >= first_long ? table[static_cast<std::size_t>(optopt - first_long)] : *find_option(table, letter);
        return fail(Fault::usage, "{} needs a value, {}; see --help", dashed(option), metavar(option));
    }
    if (optopt >= first_long) {
        const Option& option = table[static_cast<std::size_t>(optopt - first_long)];
        return fail(Fault::usage, "{} takes no value (\"{}\")", dashed(option), shortened(token));
    }
    const std::string_view name = token.substr(0, token.find('='));
    if (optopt != 0 && name.substr(0, 2) != "--") {
        return fail(Fault::usage, "unknown option -{} (\"{}\"); see --help",
                    shortened(std::string(1, static_cast<char>(optopt))), shortened(token));
    }
    const std::string_view bare = name.substr(std::min<std::size_t>(2, name.size()));
    return fail(Fault::usage, "unknown option {}{}; see --help", shortened(name), suggestion(table, bare));
}

}  // namespace

std::string dashed(const Option& option) { return fmt::format("--{}", option.name); }

const Option* find_option(const OptionTable& table, std::string_view name) {
    for (const Option& option : table) {
        if (option.name == name || (name.size() == 1 && option.letter == name[0])) return &option;
    }
    return nullptr;
}

std::string suggestion(const OptionTable& table, std::string_view name) {
    std::vector<std::string_view> names;
    for (const Option& option : table) names.push_back(option.name);
    const std::string_view nearest = base::closest(name, names);
    return nearest.empty() ? "" : fmt::format("; did you mean --{}?", nearest);
}

base::Result<std::vector<Given>> read_arguments(const OptionTable& table, const std::vector<std::string>& arguments) {
    const GetoptTable known(table);
    std::vector<std::string> copies(arguments);  // getopt_long wants writable pointers
    std::vector<char*> argv;
    std::string program = "program";  // getopt_long begins behind it
    argv.push_back(program.data());
    for (std::string& argument : copies) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int argc = static_cast<int>(argv.size()) - 1;

    std::vector<Given> given;
    optind = 0;  // 0 starts glibc's getopt afresh, so that several command lines can be read in one process
    opterr = 0;
    while (true) {
        const int at = optind == 0 ? 1 : optind;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): Options::parse says that one thread at a time may call it
        const int code = getopt_long(argc, argv.data(), known.letters.c_str(), known.longs.data(), nullptr);
        if (code == -1) break;
        const std::string_view token = argv[static_cast<std::size_t>(at)];
        if (code == 1) return stray(optarg);
        if (code == '?' || code == ':') return complaint(table, code, token);
        const Option* option = code >= first_long ? &table[static_cast<std::size_t>(code - first_long)]
                                                  : find_option(table, std::string(1, static_cast<char>(code)));
        // getopt_long takes the beginning of a name for the name; a command line must not change its meaning when
        // an option is added.
        if (code >= first_long && token.substr(2, token.find('=') - 2) != option->name) {
            return fail(Fault::usage, "unknown option {}; did you mean {}?",
                        shortened(token.substr(0, token.find('='))), dashed(*option));
        }
        Given one{option, std::nullopt, ""};
        if (optarg != nullptr) one.value = optarg;
        given.push_back(std::move(one));
    }
    if (optind < argc) return stray(argv[static_cast<std::size_t>(optind)]);
    return given;
}

}  // namespace mtawatch::options
