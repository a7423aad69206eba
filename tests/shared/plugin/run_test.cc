// Proves what every plugin does with its command line, its time and its mistakes, by running a sample check in process.
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "shared/base/text.h"
#include "shared/plugin/run.h"
#include "shared/probe/world/world.h"
#include "tests/support/fake_clock.h"

using namespace mtawatch;
using namespace std::chrono_literals;
using plugin::Kind;
using plugin::Options;
using plugin::Outcome;
using plugin::Report;
using plugin::State;

namespace {

// A file tree of its own below the temporary folder.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "mtawatch-XXXXXX").string();
        BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    void write(const std::string& name, const std::string& text) const {
        const std::filesystem::path file = path_ / name.substr(1);
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }
    [[nodiscard]] std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

struct Fixture {
    test::FakeClock clock;
    Folder folder;
    io::Files files{folder.path()};
    base::Progress progress;
    probe::world::World world;
    // What the sample check does once its options are read.
    std::function<base::Result<Report>(const Options&, const base::Deadline&)> look =
        [](const Options& options, const base::Deadline&) -> base::Result<Report> {
        return Report{}.add(State::ok, "looked at " + options.text("target"));
    };

    Outcome run(const std::vector<std::string>& arguments) {
        plugin::Check check{
            .name = "sample",
            .purpose = "Alerts when a sample is bad",
            .options = options::options_of(
                {{{.name = "target", .letter = 'a', .metavar = "NAME", .help = "What to look at", .required = true},
                  {.name = "warning", .letter = 'w', .kind = Kind::range, .help = "Days", .low_is_bad = "days"},
                  {.name = "window", .kind = Kind::duration, .help = "How long", .fallback = "1h"},
                  {.name = "size", .kind = Kind::integer, .help = "How many", .least = 1, .most = 100},
                  {.name = "disk", .kind = Kind::thresholds, .help = "Percent"},
                  {.name = "only", .help = "Which", .repeatable = true},
                  {.name = "quick", .letter = 'q', .kind = Kind::flag, .help = "No waiting"}},
                 plugin::dns_options(),
                 plugin::family_options()}),
            .run = [this](const Options& options, const base::Deadline& deadline, probe::world::World&) {
                return look(options, deadline);
            }};
        return plugin::run(check, arguments,
                           {.clock = clock, .files = files, .world = world, .ini_path = "/ini", .progress = &progress});
    }
    // The one line of a refused command line, without the plugin's name.
    std::string refusal(const std::vector<std::string>& arguments) {
        const Outcome outcome = run(arguments);
        BOOST_TEST(outcome.exit_code == 3);
        const std::string prefix = "SAMPLE UNKNOWN - ";
        BOOST_TEST(outcome.text.find(prefix) == 0);
        BOOST_TEST(outcome.text.find('\n') == outcome.text.size() - 1);
        return outcome.text.substr(prefix.size(), outcome.text.size() - prefix.size() - 1);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(run, Fixture)

BOOST_AUTO_TEST_CASE(an_answer_is_state_line_and_exit_code) {
    BOOST_TEST((run({"-a", "x"}) == Outcome{0, "SAMPLE OK - looked at x\n"}));
    BOOST_TEST((run({"--target=x"}) == Outcome{0, "SAMPLE OK - looked at x\n"}));
    BOOST_TEST((run({"-ax", "-q"}) == Outcome{0, "SAMPLE OK - looked at x\n"}));
    BOOST_TEST((run({"--target", "[2001:db8::1]"}) == Outcome{0, "SAMPLE OK - looked at [2001:db8::1]\n"}));
    BOOST_TEST((run({"--target", "-5:5"}) == Outcome{0, "SAMPLE OK - looked at -5:5\n"}));
}

BOOST_AUTO_TEST_CASE(help_and_version_hold_whatever_else_is_wrong) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"-h"}, {"--help"}, {"--nonsense", "--help"}, {"stray", "-h", "-w", "x"}}) {
        const Outcome outcome = run(arguments);
        BOOST_TEST(outcome.exit_code == 3);
        BOOST_TEST(outcome.text.find("Usage: check_sample --target NAME [options]\n") != std::string::npos);
        BOOST_TEST(outcome.text.find("\n -w, --warning RANGE\n") != std::string::npos);
        BOOST_TEST(outcome.text.find("    How long (default: 1h)\n") != std::string::npos);
        std::size_t start = 0;
        for (std::size_t end = 0; (end = outcome.text.find('\n', start)) != std::string::npos; start = end + 1) {
            BOOST_TEST(end - start <= 80U, outcome.text.substr(start, end - start));
        }
    }
    const Outcome version = run({"--version"});
    BOOST_TEST(version.exit_code == 3);
    BOOST_TEST(version.text.find("check_sample ") == 0);
    BOOST_TEST(version.text.find(" (mtawatch)\n") != std::string::npos);
    BOOST_TEST(run({"-V"}).text == version.text);
}

BOOST_AUTO_TEST_CASE(a_bad_command_line_is_one_line_that_names_option_and_value) {
    BOOST_TEST(refusal({}) == "--target NAME is required; see --help");
    BOOST_TEST(refusal({"-a", "x", "-a", "y"}) == "--target: is given twice (\"x\" and \"y\"); give it once");
    BOOST_TEST(refusal({"-a", "x", "--disk", "/"}).find("--disk: \"/\" holds no range") == 0);
    BOOST_TEST(refusal({"-a", "x", "-w", "5:1"}).find("--warning: \"5:1\" starts above its end") == 0);
    BOOST_TEST(refusal({"-a", "x", "-w", "30"}) ==
               "--warning: 30 alone would alert above 30; write 30: to be warned below 30 days");
    BOOST_TEST(refusal({"-a", "x", "-4", "-6"}) == "--ipv4 and --ipv6 exclude each other; give one of them, or none");
    BOOST_TEST(refusal({"-a", "x", "-t", "0"}).find("--timeout: \"0\" is no timeout") == 0);
    BOOST_TEST(refusal({"-a", "x", "-t", "10:bad"}).find("--timeout: \"10:bad\" names no state") == 0);
    BOOST_TEST(refusal({"-a", "x", "--bad\nnews|x=1"}).find("unknown option --bad news!x") == 0);
}

BOOST_AUTO_TEST_CASE(a_bad_command_line_answers_in_json_when_json_is_wanted) {
    const Outcome outcome = run({"-o", "json", "--nonsense"});
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(outcome.text.find(R"({"plugin":"check_sample","version":)") == 0);
    BOOST_TEST(outcome.text.find(R"("state":"UNKNOWN","summary":"unknown option --nonsense)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(values_reach_the_check_read) {
    look = [](const Options& options, const base::Deadline&) -> base::Result<Report> {
        BOOST_TEST((options.duration("window") == 90min));
        BOOST_TEST(options.find_thresholds("disk")->critical->text() == "90");
        BOOST_TEST((options.family() == plugin::Family::ipv6));
        BOOST_TEST(options.thresholds("warning", "warning").warning->text() == "30:");
        BOOST_TEST(options.verbosity() == 2);
        BOOST_TEST((options.timeout() == 2500ms));
        BOOST_TEST((options.timeout_state() == State::critical));
        return Report{}.add(State::ok, "read");
    };
    BOOST_TEST(run({"-a", "x", "--window=1h30m", "--disk", "80/90", "-qvv6", "-w", "30:", "-t2.5:critical"}).text ==
               "SAMPLE OK - read\n");
}

BOOST_AUTO_TEST_CASE(absent_limits_are_absent) {
    look = [](const Options& options, const base::Deadline&) -> base::Result<Report> {
        BOOST_TEST(!options.thresholds("warning", "warning").any());
        BOOST_TEST(!options.find_thresholds("disk").has_value());
        BOOST_TEST((options.family() == plugin::Family::any));
        return Report{}.add(State::ok, "read");
    };
    BOOST_TEST(run({"-a", "x"}).text == "SAMPLE OK - read\n");
}

BOOST_AUTO_TEST_CASE(a_failed_look_is_judged_by_its_fault) {
    for (const auto& [fault, code] : {std::pair{base::Fault::timeout, 2},
                                      {base::Fault::refused, 2},
                                      {base::Fault::permission, 3},
                                      {base::Fault::resolver, 3}}) {
        look = [fault = fault](const Options&, const base::Deadline&) -> base::Result<Report> {
            return base::fail(fault, "no luck");
        };
        const Outcome outcome = run({"-a", "x"});
        BOOST_TEST(outcome.exit_code == code);
        BOOST_TEST(outcome.text == (code == 2 ? "SAMPLE CRITICAL - no luck\n" : "SAMPLE UNKNOWN - no luck\n"));
    }
}

BOOST_AUTO_TEST_CASE(the_target_has_four_fifths_of_the_time) {
    look = [](const Options&, const base::Deadline& deadline) -> base::Result<Report> {
        BOOST_TEST((deadline.remaining() == 4s));
        return Report{}.add(State::ok, "in time");
    };
    BOOST_TEST(run({"-a", "x", "-t", "5"}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_cut_says_where_and_exits_with_the_timeout_state) {
    look = [this](const Options&, const base::Deadline& deadline) -> base::Result<Report> {
        deadline.within(1s).doing("waiting for 192.0.2.1:25");
        clock.advance(11s);
        return Report{}.add(State::ok, "too late to count");
    };
    BOOST_TEST(
        (run({"-a", "x"}) == Outcome{3, "SAMPLE UNKNOWN - timed out (-t 10 s) while waiting for 192.0.2.1:25\n"}));
    BOOST_TEST(run({"-a", "x", "-t", "10:critical"}).exit_code == 2);
    BOOST_TEST(run({"-a", "x", "-t", "2.5:ok"}).text.find("SAMPLE OK - timed out (-t 2.5 s)") == 0);
}

BOOST_AUTO_TEST_CASE(whatever_is_thrown_becomes_unknown_in_one_line) {
    look = [](const Options&, const base::Deadline&) -> base::Result<Report> {
        throw std::runtime_error("index\nout of range | a=1");
    };
    BOOST_TEST((run({"-a", "x"}) ==
                Outcome{3, "SAMPLE UNKNOWN - internal mistake: index out of range ! a=1; please report it\n"}));
    look = [](const Options&, const base::Deadline&) -> base::Result<Report> { throw 42; };
    BOOST_TEST(run({"-a", "x"}).exit_code == 3);
}

BOOST_AUTO_TEST_CASE(extra_opts_are_read_from_a_section_and_the_command_line_wins) {
    folder.write("/own.ini", "[check_sample]\ntarget = from ini\nonly=a\nonly=b\nq\n[other]\ntarget=other\n");
    look = [](const Options& options, const base::Deadline&) -> base::Result<Report> {
        return Report{}.add(State::ok, options.text("target") + " " + base::join(options.list("only"), ",") +
                                           (options.flag("quick") ? " quick" : ""));
    };
    BOOST_TEST(run({"--extra-opts=@/own.ini"}).text == "SAMPLE OK - from ini a,b quick\n");
    BOOST_TEST(run({"--extra-opts=other@/own.ini"}).text == "SAMPLE OK - other\n");
    BOOST_TEST(run({"--extra-opts=@/own.ini", "-a", "line", "--only", "c"}).text == "SAMPLE OK - line a,b,c quick\n");
    BOOST_TEST(refusal({"--extra-opts=none@/own.ini"}) == "--extra-opts: /own.ini has no section [none]");
    BOOST_TEST(refusal({"--extra-opts=@/absent.ini"}) == "--extra-opts: /absent.ini: No such file or directory");
    BOOST_TEST(refusal({"--extra-opts"}).find("--extra-opts: no ini file found") == 0);
    folder.write("/ini/plugins.ini", "[check_sample]\ntarget=found\n");
    BOOST_TEST(run({"--extra-opts"}).text == "SAMPLE OK - found\n");
    folder.write("/etc/nagios/plugins.ini", "[usual]\ntarget=usual\n");
    folder.write("/ini/plugins.ini", "[check_sample]\nsize=many\ntarget=x\n");
    BOOST_TEST(refusal({"--extra-opts"}) == "/ini/plugins.ini line 2: --size: \"many\" is no whole number");
    folder.write("/ini/plugins.ini", "[check_sample]\ntraget=x\n");
    BOOST_TEST(refusal({"--extra-opts"}) == "/ini/plugins.ini line 2: unknown option traget; did you mean --target?");
    folder.write("/ini/plugins.ini", "[check_sample]\nquick=yes\n");
    BOOST_TEST(refusal({"--extra-opts"}) == "/ini/plugins.ini line 2: --quick: takes no value; write the name alone");
}

BOOST_AUTO_TEST_CASE(a_plugin_is_described_with_the_common_options) {
    const plugin::Check check{.name = "sample", .purpose = "Alerts", .options = plugin::dns_options(), .run = {}};
    const std::string text = options::describe(plugin::program_of(check));
    BOOST_TEST(text.find(R"({"program":"check_sample")") == 0);
    BOOST_TEST(text.find(R"({"name":"dns-server","letter":"","kind":"endpoint","metavar":"IP[:PORT]")") !=
               std::string::npos);
    BOOST_TEST(text.find(R"({"name":"timeout","letter":"t","kind":"timeout","metavar":"SECONDS[:STATE]")") !=
               std::string::npos);
    BOOST_TEST(text.find(R"("may_be_empty":false,"common":true})") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
