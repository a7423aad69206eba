// Files that are reached by find and dd: what is asked for, and what is made of the answers. With a real host:
// tests/integration/bounce_rate_ssh_test.py.
#include "shared/probe/world/remote_files.h"

#include <boost/test/unit_test.hpp>

#include <charconv>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_commands.h"

using namespace mtawatch;
using namespace std::chrono_literals;
using base::Fault;
using probe::world::Machine;

namespace {

// A host with one file, which answers dd as dd would.
class FakeHost final : public io::Commands {
  public:
    explicit FakeHost(std::string file) : file_(std::move(file)) {}
    [[nodiscard]] base::Result<io::CommandResult> run(const std::vector<std::string>& argv, const io::CommandLimits&,
                                                      const base::Deadline&) override {
        std::size_t skip = 0;
        std::size_t count = 0;
        for (const auto& word : argv) {
            if (word.starts_with("skip=")) std::from_chars(word.data() + 5, word.data() + word.size(), skip);
            if (word.starts_with("count=")) std::from_chars(word.data() + 6, word.data() + word.size(), count);
        }
        fetches.emplace_back(skip, count);
        return io::CommandResult{0, {}, skip < file_.size() ? file_.substr(skip, count) : "", ""};
    }
    [[nodiscard]] base::Result<io::CommandResult> stream(const std::vector<std::string>&, const io::OutputSink&,
                                                         const base::Deadline&) override {
        return base::fail(Fault::internal, "not here");
    }
    [[nodiscard]] std::string where() const override { return "on mx1"; }

    std::vector<std::pair<std::size_t, std::size_t>> fetches;

  private:
    std::string file_;
};

struct Fixture {
    explicit Fixture(io::Commands& commands) { world.commands = &commands; }
    test::FakeClock clock;
    base::Deadline deadline{clock, 10s};
    probe::world::World world;
    Machine machine() { return *Machine::open(world, {}, deadline); }
};

std::string bytes_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + '\n';
    text.resize(size);
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(remote_files)

BOOST_AUTO_TEST_CASE(every_line_of_find) {
    const auto files = probe::world::read_find("1699999990.25 900 77 /var/log/a b.csv\n0.0 0 1 /x\n");
    BOOST_REQUIRE(files.has_value());
    BOOST_REQUIRE(files->size() == 2);
    BOOST_TEST(files->at(0).path == "/var/log/a b.csv");
    BOOST_TEST(files->at(0).bytes == 900);
    BOOST_TEST(files->at(0).inode == 77);
    BOOST_TEST(files->at(0).modified == 1699999990);
    for (const char* text : {"hello\n", "1.0 2 /x\n", "1.0 2 3\n", "1.0 2 3 \n", "-1 2 3 /x\n", "1e300 2 3 /x\n",
                             "1.0 -2 3 /x\n", " 1.0 2 3 /x\n"}) {
        BOOST_TEST(!probe::world::read_find(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(a_pattern_is_one_run_of_find) {
    test::FakeCommands commands("on mx1");
    const std::string find = "find -L /var/log/pmta -maxdepth 1 -type f -name acct-* -printf %T@ %s %i %p\\n";
    commands.add(find, {"1.0 2 3 /var/log/pmta/acct-1\n1.0 2 4 /var/log/pmta/.acct-2\n"});
    commands.add(find, {"", 1, "find: '/var/log/pmta': No such file or directory"});
    commands.add(find, {"", 1, "find: '/var/log/pmta': Permission denied"});
    Fixture host(commands);
    const auto machine = host.machine();
    const auto list = [&](const std::string& glob) { return probe::world::list_files(machine, glob, host.deadline); };
    const auto found = list("/var/log/pmta/acct-*");
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->size() == 1);
    BOOST_TEST(found->front().path == "/var/log/pmta/acct-1");
    BOOST_TEST(list("/var/log/pmta/acct-*")->empty());
    BOOST_TEST((list("/var/log/pmta/acct-*").error().fault == Fault::permission));
    for (const char* glob : {"acct-*", "", "/var/*/acct", "/var/log/", "~/x"}) {
        BOOST_TEST((list(glob).error().fault == Fault::usage), glob);
    }
}

BOOST_AUTO_TEST_CASE(reading_on_fetches_more_and_more_and_looking_around_little) {
    const std::string file = bytes_of(40U << 20U);
    FakeHost commands(file);
    Fixture host(commands);
    const auto machine = host.machine();
    probe::world::RemoteReader reader(machine, "/x", host.deadline);
    std::string piece(10'000, '\0');
    for (const std::size_t at : {std::size_t{30} << 20U, std::size_t{7}, std::size_t{20} << 20U}) {
        BOOST_TEST(reader.read(at, piece).value() == piece.size());
        BOOST_TEST(piece == file.substr(at, piece.size()));
    }
    BOOST_TEST(commands.fetches.size() == 3);
    for (const auto& [skip, count] : commands.fetches) BOOST_TEST(count == probe::world::RemoteReader::first_fetch);
    commands.fetches.clear();
    std::string whole;
    for (std::size_t at = 0;;) {
        const auto got = reader.read(at, piece);
        BOOST_REQUIRE(got.has_value());
        if (*got == 0) break;
        whole.append(piece, 0, *got);
        at += *got;
    }
    BOOST_TEST((whole == file));
    BOOST_TEST(commands.fetches.size() < 20);
    std::size_t most = 0;
    for (const auto& fetch : commands.fetches) most = std::max(most, fetch.second);
    BOOST_TEST(most == probe::world::RemoteReader::largest_fetch);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_file) {
    for (const std::size_t size : {0U, 1U, 65535U, 65536U, 65537U}) {
        const std::string file = bytes_of(size);
        FakeHost commands(file);
        Fixture host(commands);
        const auto machine = host.machine();
        probe::world::RemoteReader reader(machine, "/x", host.deadline);
        std::string into(200'000, '\0');
        BOOST_TEST(reader.read(0, into).value() == size);
        BOOST_TEST((into.substr(0, size) == file));
        BOOST_TEST(reader.read(size, into).value() == 0);
        BOOST_TEST(reader.read(size + 10, into).value() == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_names_path_and_machine) {
    test::FakeCommands commands("on mx1");
    const std::string dd = "dd if=/x iflag=skip_bytes,count_bytes,fullblock skip=0 count=65536 bs=65536 status=none";
    commands.add(dd, {"", 1, "dd: failed to open '/x': Permission denied"});
    commands.add(dd, {"", 1, "dd: failed to open '/x': No such file or directory"});
    commands.add(dd, base::Error{Fault::timeout, "dd on mx1: no answer in time"});
    Fixture host(commands);
    const auto machine = host.machine();
    probe::world::RemoteReader reader(machine, "/x", host.deadline);
    std::string into(10, '\0');
    const std::vector<std::pair<Fault, std::string>> wanted{
        {Fault::permission,
         "/x: dd on mx1 exited with 1: dd: failed to open '/x': Permission denied; the user of the connection must be "
         "able to read it"},
        {Fault::io, "/x: dd on mx1 exited with 1: dd: failed to open '/x': No such file or directory"},
        {Fault::deadline, "/x: no time left after 0 MB on mx1; give a smaller --window or a longer --timeout"}};
    for (const auto& [fault, text] : wanted) {
        const auto got = reader.read(0, into);
        BOOST_REQUIRE(!got);
        BOOST_TEST((got.error().fault == fault));
        BOOST_TEST(got.error().what == text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
