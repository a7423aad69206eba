// Proves that programs are run with what they are given and nothing else, and that none is left behind.
#include <signal.h>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <thread>

#include "shared/base/text.h"
#include "shared/io/command.h"

using namespace mtawatch;
using namespace std::chrono_literals;
using base::Fault;

namespace {

struct Fixture {
    base::SystemClock clock;
    std::unique_ptr<io::Commands> commands = io::make_local_commands();
    base::Result<io::CommandResult> run(const std::vector<std::string>& argv, base::Duration allowed = 20s,
                                        io::CommandLimits limits = {}) {
        return commands->run(argv, limits, base::Deadline(clock, allowed));
    }
    io::CommandResult result(const std::vector<std::string>& argv) {
        auto outcome = run(argv);
        BOOST_REQUIRE_MESSAGE(outcome.has_value(), argv.front());
        return *std::move(outcome);
    }
};

// Waits for the process to go; a killed one stays a zombie of init's until it is reaped.
bool is_gone(pid_t id) {
    for (int i = 0; i < 500; ++i) {
        std::ifstream status("/proc/" + std::to_string(id) + "/stat");
        std::string line;
        if (!std::getline(status, line) || line.find(") Z ") != std::string::npos) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(local_command, Fixture)

BOOST_AUTO_TEST_CASE(output_errors_and_status_are_told_apart) {
    const auto outcome = result({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
    BOOST_TEST(outcome.output == "out\n");
    BOOST_TEST(outcome.error_text == "err\n");
    BOOST_TEST(outcome.exit_status.value() == 3);
    BOOST_TEST(!outcome.signal.has_value());
    BOOST_TEST(result({"sh", "-c", "kill -9 $$"}).signal.value() == SIGKILL);
}

BOOST_AUTO_TEST_CASE(arguments_are_never_seen_by_a_shell) {
    BOOST_TEST(result({"printf", "%s|", "a b", "$(id)", "'", "*", ""}).output == "a b|$(id)|'|*||");
}

BOOST_AUTO_TEST_CASE(a_program_gets_empty_input_and_a_fixed_environment) {
    ::setenv("MTAWATCH_SECRET", "x", 1);
    BOOST_TEST(result({"cat"}).output == "");
    BOOST_TEST(result({"env"}).output == "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
    BOOST_TEST(result({"env", "TZ=UTC", "/usr/bin/env"}).output ==
               "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nTZ=UTC\n");
    BOOST_TEST(!run({"env", "TZ=UTC", "no-such-program"}).has_value());
    BOOST_TEST(result({"sh", "-c", "ls /proc/self/fd | wc -l"}).output == "4\n");  // 0 1 2 and ls's own
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
    BOOST_TEST(result({"grep", "SigBlk", "/proc/self/status"}).output == "SigBlk:\t0000000000000000\n");
    pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
}

BOOST_AUTO_TEST_CASE(a_missing_program_is_not_found) {
    BOOST_TEST((run({"no-such-program"}).error().fault == Fault::not_found));
    BOOST_TEST(run({"no-such-program"}).error().what ==
               "no-such-program: no such program in /usr/sbin:/usr/bin:/sbin:/bin");
    BOOST_TEST((run({"/no/such"}).error().fault == Fault::not_found));
    BOOST_TEST((run({"/etc/passwd"}).error().fault == Fault::permission));
    BOOST_TEST(run({"/etc/passwd"}).error().what ==
               "/etc/passwd: Permission denied; this user may not run it (see ls -l)");
    BOOST_TEST((run({}).error().fault == Fault::usage));
    BOOST_TEST((run({""}).error().fault == Fault::usage));
}

BOOST_AUTO_TEST_CASE(a_long_command_line_is_visibly_shortened) {
    const auto ended = run({"sleep", "1000", std::string(200, '0')}, 10ms);
    BOOST_TEST(ended.error().what == "sleep 1000 " + std::string(109, '0') + "...: did not end in time");
}

BOOST_AUTO_TEST_CASE(a_program_that_hangs_is_ended_with_its_children) {
    // The child's child writes its id and sleeps; both must be gone afterwards.
    pid_t grandchild = 0;
    const auto start = clock.steady();
    const auto outcome = commands->stream(
        {"sh", "-c", "sh -c 'echo $$; exec sleep 1000' & wait"},
        [&](std::string_view piece) {
            grandchild = base::to_number<pid_t>(base::trim(piece)).value_or(0);
            return true;
        },
        base::Deadline(clock, 500ms));
    BOOST_REQUIRE(!outcome.has_value());
    BOOST_TEST((outcome.error().fault == Fault::timeout));
    BOOST_TEST(outcome.error().what == "sh -c sh -c 'echo $$; exec sleep 1000' & wait: did not end in time");
    BOOST_TEST((clock.steady() - start < 10s));
    BOOST_REQUIRE(grandchild > 0);
    BOOST_TEST(is_gone(grandchild));
}

BOOST_AUTO_TEST_CASE(a_program_that_ignores_term_is_killed) {
    const auto outcome = run({"sh", "-c", "trap '' TERM; while :; do :; done"}, 200ms);
    BOOST_REQUIRE(!outcome.has_value());
    BOOST_TEST((outcome.error().fault == Fault::timeout));
}

BOOST_AUTO_TEST_CASE(a_background_child_that_holds_the_pipe_is_not_waited_for) {
    const auto start = clock.steady();
    const auto outcome = result({"sh", "-c", "sleep 20 & echo $!"});
    BOOST_TEST((clock.steady() - start < 10s));
    const auto child = base::to_number<pid_t>(base::trim(outcome.output));
    BOOST_REQUIRE(child.has_value());
    // It stayed behind, one for every run of a plugin.
    BOOST_TEST(is_gone(*child));
}

// What such a child has just written is read before its program's end counts; there is always more.
BOOST_AUTO_TEST_CASE(a_child_that_writes_on_after_its_program_ended_cannot_hold_us) {
    const auto start = clock.steady();
    const auto ignore = [](std::string_view) { return true; };
    const auto outcome = commands->stream({"sh", "-c", "cat /dev/zero & exit 0"}, ignore, base::Deadline(clock, 500ms));
    // Whether there was a moment without more is for the scheduler to say.
    BOOST_TEST((outcome.has_value() || outcome.error().fault == Fault::timeout));
    BOOST_TEST((clock.steady() - start < 10s));
}

BOOST_AUTO_TEST_CASE(a_program_that_floods_one_pipe_cannot_hold_us) {
    for (const auto* flood : {"cat /dev/zero", "cat /dev/zero >&2"}) {
        const auto start = clock.steady();
        const auto outcome = commands->stream(
            {"sh", "-c", flood}, [](std::string_view) { return true; }, base::Deadline(clock, 500ms));
        BOOST_REQUIRE(!outcome.has_value());
        BOOST_TEST((outcome.error().fault == Fault::timeout));
        BOOST_TEST((clock.steady() - start < 10s));
    }
}

BOOST_AUTO_TEST_CASE(output_larger_than_a_pipe_arrives_whole_and_over_the_limit_is_refused) {
    const auto whole = run({"head", "-c", "3000000", "/dev/zero"}, 20s, {.max_output = 3'000'000});
    BOOST_REQUIRE(whole.has_value());
    BOOST_TEST(whole->output.size() == 3'000'000U);
    const auto outcome = run({"cat", "/dev/zero"}, 20s, {.max_output = 1000});
    BOOST_REQUIRE(!outcome.has_value());
    BOOST_TEST((outcome.error().fault == Fault::limit));
    BOOST_TEST(outcome.error().what == "cat /dev/zero: more than 1000 bytes of output");
    const auto noisy = result({"sh", "-c", "head -c 1000000 /dev/zero >&2; echo ok"});
    BOOST_TEST(noisy.output == "ok\n");
    BOOST_TEST(noisy.error_text.size() == io::CommandLimits{}.max_error);
}

BOOST_AUTO_TEST_CASE(a_sink_that_has_enough_stops_the_program) {
    std::size_t seen = 0;
    const auto outcome = commands->stream(
        {"cat", "/dev/zero"},
        [&](std::string_view piece) {
            seen += piece.size();
            return seen < 100'000;
        },
        base::Deadline(clock, 20s));
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->signal.value() == SIGTERM);
    BOOST_TEST(seen < 1'000'000U);
}

BOOST_AUTO_TEST_CASE(running_programs_can_be_ended_from_another_thread) {
    std::thread killer([] {
        std::this_thread::sleep_for(100ms);
        io::kill_running_commands();
    });
    const auto outcome = run({"sleep", "1000"});
    killer.join();
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->signal.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
