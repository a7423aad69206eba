// Proves what every program does with its command line: syntax, refusals, defaults, --help and the description.
#include "shared/options/options.h"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

#include "shared/options/help.h"

using namespace mtawatch;
using namespace std::chrono_literals;
using options::Kind;
using options::Options;
using options::ParseRules;

namespace {

using Arguments = std::vector<std::string>;

base::Result<void> accept_even(const options::Option&, std::string_view text) {
    if (!text.empty() && (text.back() - '0') % 2 == 0) return {};
    return base::fail(base::Fault::usage, "\"{}\" is odd", text);
}
constexpr Kind even{"even", "EVEN", accept_even};

options::Program sample() {
    return {.name = "sample",
            .purpose = "Looks at a sample",
            .options = options::options_of(
                {{{.name = "target", .letter = 'a', .metavar = "NAME", .help = "What to look at", .required = true},
                  {.name = "window", .kind = Kind::duration, .help = "How long", .fallback = "1h"},
                  {.name = "size", .kind = Kind::integer, .help = "How many", .least = 1, .most = 100},
                  {.name = "rate", .kind = Kind::number, .help = "How fast"},
                  {.name = "mode", .kind = Kind::choice, .metavar = "fast|slow|none", .help = "How"},
                  {.name = "at", .kind = Kind::time, .help = "When"},
                  {.name = "server", .kind = Kind::endpoint, .help = "Whom to ask", .repeatable = true},
                  {.name = "only.this",
                   .help = "Which; more of it, so that the line is folded in eighty columns",
                   .repeatable = true},
                  {.name = "text", .help = "What is said", .may_be_empty = true},
                  {.name = "pair", .kind = even, .help = "A kind of this program"},
                  {.name = "quick", .letter = 'q', .kind = Kind::flag, .help = "No waiting", .one_of = "pace"},
                  {.name = "calm", .letter = 'c', .kind = Kind::flag, .help = "Much waiting", .one_of = "pace"},
                  {.name = "extra-opts",
                   .metavar = "SECTION",
                   .help = "Options from elsewhere",
                   .repeatable = true,
                   .value_optional = true,
                   .common = true}},
                 options::help_and_version()}),
            .description = "It is a sample.",
            .example = "sample --target x",
            .notes = "Nothing else.\n"};
}

base::Result<Options> parse(const Arguments& arguments, const ParseRules& rules = {}) {
    return Options::parse(sample().options, arguments, rules);
}

std::string refusal(const Arguments& arguments, const ParseRules& rules = {}) {
    const auto options = parse(arguments, rules);
    if (options) return "accepted";
    BOOST_TEST((options.error().fault == base::Fault::usage));
    return options.error().what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(a_value_stands_behind_its_name_or_an_equals_sign) {
    for (const Arguments& arguments : {Arguments{"-a", "x"}, {"-ax"}, {"--target", "x"}, {"--target=x"}}) {
        BOOST_TEST(parse(arguments).value().text("target") == "x");
    }
    BOOST_TEST(parse({"--target=a=b"}).value().text("target") == "a=b");
    BOOST_TEST(parse({"--target", "--quick"}).value().text("target") == "--quick");
    BOOST_TEST(parse({"--target", "-5:5"}).value().text("target") == "-5:5");
    BOOST_TEST(parse({"-qax"}).value().text("target") == "x");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_right_is_named_with_what_to_write) {
    const std::vector<std::pair<Arguments, std::string>> table{
        {{}, "--target NAME is required; see --help"},
        {{"-a", "x", "--windwo", "1h"}, "unknown option --windwo; did you mean --window?; see --help"},
        {{"-a", "x", "--win", "1h"}, "unknown option --win; did you mean --window?"},
        {{"-a", "x", "--only", "b"}, "unknown option --only; did you mean --only.this?"},
        {{"-a", "x", "-Z"}, "unknown option -Z (\"-Z\"); see --help"},
        {{"-a", "x", "extra"}, "stray argument \"extra\"; every value needs its option, see --help"},
        {{"-a", "x", "--", "extra"}, "stray argument \"extra\"; every value needs its option, see --help"},
        {{"-a"}, "--target needs a value, NAME; see --help"},
        {{"-a", "x", "--window"}, "--window needs a value, DURATION; see --help"},
        {{"-a", ""}, "--target: \"\" is empty; give a value or leave the option out"},
        {{"-a", "x", "--quick=yes"}, "--quick takes no value (\"--quick=yes\")"},
        {{"-a", "x", "-a", "y"}, "--target: is given twice (\"x\" and \"y\"); give it once"},
        {{"-a", "x", "--size", "abc"}, "--size: \"abc\" is no whole number"},
        {{"-a", "x", "--size", "0"}, "--size: \"0\" is out of range; write a number from 1 to 100"},
        {{"-a", "x", "--rate", "1,5"}, "--rate: \"1,5\" is no number"},
        {{"-a", "x", "--mode", "quick"}, "--mode: \"quick\" is not known here; write fast, slow or none"},
        {{"-a", "x", "--window", "90"},
         "--window: '90' is not a duration (the unit is missing); write for example 90s, 10m, 1h30m or 2d"},
        {{"-a", "x", "--at", "yesterday"},
         "--at: \"yesterday\" is no time; write it like 2026-11-21T14:00:00Z or 2026-11-21T15:00:00+01:00"},
        {{"-a", "x", "--pair", "3"}, "--pair: \"3\" is odd"},
        {{"-a", "x", "-q", "--calm"}, "--quick and --calm exclude each other; give one of them, or none"},
        {{"-a", "x", "--bad\nnews|x=1"}, "unknown option --bad news|x; see --help"},
    };
    for (const auto& [arguments, text] : table) BOOST_TEST(refusal(arguments) == text);
    BOOST_TEST(
        refusal({"-a", "x", "--server", "ns.example.net"}).starts_with("--server: \"ns.example.net\" is no addr"));
    BOOST_TEST(refusal({"-a", "x", "--server", "192.0.2.1:0"}).starts_with("--server: \"192.0.2.1:0\": the port must"));
}

BOOST_AUTO_TEST_CASE(help_and_version_hold_whatever_else_is_wrong) {
    for (const Arguments& arguments : {Arguments{"-h"}, {"--nonsense", "--help"}, {"stray", "-h", "--size", "x"}}) {
        BOOST_TEST(parse(arguments).value().flag("help"));
    }
    BOOST_TEST(parse({"-q", "-c", "-V"}).value().flag("version"));
}

BOOST_AUTO_TEST_CASE(values_are_read_by_their_kind) {
    const Options options = parse({"-a",
                                   "x",
                                   "--window=1h30m",
                                   "--size",
                                   "7",
                                   "--rate",
                                   "1.5",
                                   "--mode",
                                   "slow",
                                   "--at",
                                   "2023-11-14T23:13:20+01:00",
                                   "--only.this",
                                   "a",
                                   "--only.this=b",
                                   "--text=",
                                   "--pair",
                                   "4",
                                   "-q",
                                   "-q",
                                   "--server",
                                   "192.0.2.1",
                                   "--server",
                                   "[2001:db8::1]:5300"})
                                .value();
    BOOST_TEST((options.duration("window") == 90min));
    BOOST_TEST(options.integer("size") == 7);
    BOOST_TEST(options.number("rate") == 1.5);
    BOOST_TEST(options.text("mode") == "slow");
    BOOST_TEST((options.find_time("at") == base::WallTime(1'700'000'000s)));
    BOOST_TEST((options.list("only.this") == Arguments{"a", "b"}));
    BOOST_TEST(options.text("text").empty());
    BOOST_TEST(options.text("pair") == "4");
    BOOST_TEST(options.count("quick") == 2);
    BOOST_TEST(!options.flag("calm"));
    BOOST_TEST(
        (options.endpoints("server", 53) == std::vector<io::Endpoint>{{"192.0.2.1", 53}, {"2001:db8::1", 5300}}));
    BOOST_CHECK_THROW(static_cast<void>(options.text("no-such")), std::logic_error);
}

BOOST_AUTO_TEST_CASE(absent_values_are_absent_and_defaults_are_there) {
    const Options options = parse({"-a", "x"}).value();
    BOOST_TEST((options.duration("window") == 1h));
    BOOST_TEST(!options.given("window"));
    BOOST_TEST(!options.find_integer("size"));
    BOOST_TEST(!options.find_text("text"));
    BOOST_TEST(options.list("only.this").empty());
    BOOST_CHECK_THROW(static_cast<void>(options.integer("size")), std::logic_error);
}

BOOST_AUTO_TEST_CASE(the_later_of_two_counts_where_a_service_says_so) {
    const Arguments twice{"-a", "unit", "--window", "1h", "--target=override", "--only.this", "a", "--only.this", "b"};
    const Options options = parse(twice, {.later_counts = true}).value();
    BOOST_TEST(options.text("target") == "override");
    BOOST_TEST((options.list("only.this") == Arguments{"a", "b"}));
    BOOST_TEST(refusal({"-a", "x", "--size", "bad", "--size", "1"}, {.later_counts = true}) ==
               "--size: \"bad\" is no whole number");
}

BOOST_AUTO_TEST_CASE(options_from_elsewhere_are_overruled_by_the_command_line) {
    std::vector<options::ExtraOption> extras{{"target", "file", "f line 1"}, {"q", std::nullopt, "f line 2"}};
    ParseRules rules{.load = [&](std::string_view spec) -> base::Result<std::vector<options::ExtraOption>> {
        BOOST_TEST(spec == "here");
        return extras;
    }};
    BOOST_TEST(parse({"--extra-opts=here"}, rules).value().text("target") == "file");
    BOOST_TEST(parse({"--extra-opts=here"}, rules).value().flag("quick"));
    BOOST_TEST(parse({"--extra-opts=here", "-a", "line"}, rules).value().text("target") == "line");
    extras = {{"traget", "x", "f line 3"}};
    BOOST_TEST(refusal({"--extra-opts=here"}, rules) == "f line 3: unknown option traget; did you mean --target?");
    extras = {{"quick", "yes", "f line 4"}};
    BOOST_TEST(refusal({"--extra-opts=here"}, rules) == "f line 4: --quick: takes no value; write the name alone");
    extras = {{"target", std::nullopt, "f line 5"}};
    BOOST_TEST(refusal({"--extra-opts=here"}, rules) == "f line 5: --target: needs a value");
    extras = {{"size", "many", "f line 6"}};
    BOOST_TEST(refusal({"--extra-opts=here", "-a", "x"}, rules) == "f line 6: --size: \"many\" is no whole number");
}

BOOST_AUTO_TEST_CASE(help_is_written_from_the_table) {
    BOOST_TEST(options::help_text(sample()) == "sample " + std::string(options::version()) + R"( (mtawatch)
Looks at a sample.

It is a sample.

Usage: sample --target NAME [options]
Example:
    sample --target x

Options:
 -a, --target NAME
        What to look at (required)
     --window DURATION
        How long (default: 1h)
     --size N
        How many
     --rate NUMBER
        How fast
     --mode fast|slow|none
        How
     --at TIME
        When
     --server IP[:PORT]
        Whom to ask (repeatable)
     --only.this TEXT
        Which; more of it, so that the line is folded in eighty columns
        (repeatable)
     --text TEXT
        What is said
     --pair EVEN
        A kind of this program
 -q, --quick
        No waiting
 -c, --calm
        Much waiting
     --extra-opts[=SECTION]
        Options from elsewhere (repeatable)
 -h, --help
        Show this text
 -V, --version
        Show name and version

Nothing else.
)");
}

BOOST_AUTO_TEST_CASE(the_program_is_described_as_json) {
    const options::Program program{
        .name = "sample",
        .purpose = "Looks",
        .options = {{.name = "window", .letter = 'w', .kind = Kind::duration, .help = "How long", .fallback = "1h"}}};
    BOOST_TEST(
        options::describe(program) ==
        R"({"program":"sample","version":")" + std::string(options::version()) +
            R"(","purpose":"Looks","description":"","example":"","options":[{"name":"window","letter":"w",)"
            R"("kind":"duration","metavar":"DURATION","help":"How long","default":"1h","default_text":"",)"
            R"("repeatable":false,"required":false,"value_optional":false,"may_be_empty":false,"common":false}]})");
}

BOOST_AUTO_TEST_SUITE_END()
