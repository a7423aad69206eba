// What of a stream is a program's own output, however it is cut into pieces.
#include "shared/ssh/frame.h"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <memory>
#include <vector>

using namespace mtawatch;

namespace {

const std::string mark = "~mtawatch-0123~";

struct Read {
    std::string inside, noise;
    bool begun = false, ended = false;
    std::optional<int> status;
    bool operator==(const Read&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Read& read) {
    return out << "inside '" << read.inside << "' noise '" << read.noise << "' begun " << read.begun << " ended "
               << read.ended << " status " << read.status.value_or(-1);
}

Read read_in_pieces(const std::string& stream, std::size_t piece) {
    Read read;
    ssh::FrameReader reader(mark, [&read](std::string_view bytes) { read.inside += bytes; });
    for (std::size_t at = 0; at < stream.size(); at += piece) reader.take(std::string_view(stream).substr(at, piece));
    read.noise = reader.noise();
    read.begun = reader.begun();
    read.ended = reader.ended();
    read.status = reader.status();
    return read;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ssh_frame)

BOOST_AUTO_TEST_CASE(only_what_stands_between_the_marks_is_output) {
    struct Scenario {
        std::string stream;
        Read read;
    };
    const std::vector<Scenario> scenarios{
        {"", {"", "", false, false, {}}},
        {mark + mark + "0;", {"", "", true, true, 0}},
        {mark + "one\ntwo\n" + mark + "3;", {"one\ntwo\n", "", true, true, 3}},
        {"Welcome\n" + mark + "data" + mark + "0;Goodbye\n", {"data", "Welcome\n", true, true, 0}},
        {"~mtawatch-\n~" + mark + "~~mtawatch-01" + mark + "255;", {"~~mtawatch-01", "~mtawatch-\n~", true, true, 255}},
        // A shell that never ran the program, and one that was ended in the middle.
        {"This account is currently not available.\n",
         {"", "This account is currently not available.\n", false, false, {}}},
        {mark + "half", {"half", "", true, false, {}}},
        {mark + "data" + mark, {"data", "", true, true, {}}},
        {mark + "data" + mark + "13", {"data", "", true, true, {}}},
        // What can be no status.
        {mark + "data" + mark + ";", {"data", "", true, true, {}}},
        {mark + "data" + mark + "256;", {"data", "", true, true, {}}},
        {mark + "data" + mark + "-1;", {"data", "", true, true, {}}},
        {mark + "data" + mark + "00000;", {"data", "", true, true, {}}},
    };
    for (const auto& scenario : scenarios) {
        for (const std::size_t piece : {1U, 2U, 7U, 15U, 16U, 1000U}) {
            BOOST_TEST_CONTEXT("'" << scenario.stream << "' in pieces of " << piece) {
                BOOST_TEST(read_in_pieces(scenario.stream, piece) == scenario.read);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(of_endless_noise_the_beginning_is_kept) {
    const Read read = read_in_pieces(std::string(1 << 20, 'x') + mark + "data" + mark + "0;", 4096);
    BOOST_TEST(read.inside == "data");
    BOOST_TEST(read.noise == std::string(ssh::FrameReader::max_noise, 'x'));
}

BOOST_AUTO_TEST_CASE(marks_are_new_every_time_and_differ) {
    const auto first = ssh::random_marks();
    const auto second = ssh::random_marks();
    BOOST_TEST(first.output.size() == std::string("~mtawatch-~").size() + 32);
    BOOST_TEST(first.output != first.errors);
    BOOST_TEST(first.output != second.output);
}

BOOST_AUTO_TEST_CASE(the_command_line_as_a_whole) {
    BOOST_TEST(ssh::framed("/usr/sbin/postqueue -j", {"~o~", "~e~"}) ==
               "env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'o=$1; e=$2; shift 2; printf %s \"$o\"; "
               "printf %s \"$e\" >&2; \"$@\"; s=$?; printf %s \"$e\" >&2; printf %s \"$o$s;\"; exit $s' sh '~o~' '~e~' "
               "/usr/sbin/postqueue -j </dev/null");
}

BOOST_AUTO_TEST_CASE(a_real_shell_makes_the_frame) {
    struct ClosePipe {
        void operator()(std::FILE* pipe) const { pclose(pipe); }
    };
    const std::string command = "echo Welcome; " + ssh::framed("printf '%s\\n' 'it'\\''s' $((1+1))", {mark, "~e~"}) +
                                " 2>/dev/null; echo Goodbye";
    const std::unique_ptr<std::FILE, ClosePipe> pipe(popen(command.c_str(), "r"));  // the shell is what is under test
    std::string output;
    char buffer[256];
    std::size_t got = 0;
    while ((got = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0) output.append(buffer, got);
    BOOST_TEST(read_in_pieces(output, 1) == (Read{"it's\n2\n", "Welcome\n", true, true, 0}));
}

BOOST_AUTO_TEST_SUITE_END()
