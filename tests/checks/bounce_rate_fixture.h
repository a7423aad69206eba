// Fixture of check_bounce_rate's tests: a fake clock, files with a modification time, and programs with canned output.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <string>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_commands.h"
#include "tests/support/folder.h"
#include "tests/support/run_check.h"

namespace mtawatch::test {

inline constexpr std::int64_t test_now = 1'795'262'400;  // 2026-11-21T12:00:00Z

inline std::string stamp(std::int64_t seconds, const char* form) {
    std::tm parts{};
    const std::time_t time = seconds;
    gmtime_r(&time, &parts);
    char text[40];
    return {text, std::strftime(text, sizeof text, form, &parts)};
}

inline std::vector<std::string> with(std::vector<std::string> first, const std::vector<std::string>& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
}

class Fixture {
  public:
    Fixture() {
        setenv("TZ", "UTC", 1);
        tzset();
        clock_.set_wall(base::WallTime(std::chrono::seconds(test_now)));
    }
    // Last written `ago` seconds before now.
    void write(std::string_view name, const std::string& text, std::int64_t ago = 0) const {
        folder_.write(name, text);
        const timespec time{test_now - ago, 0};
        const timespec times[2]{time, time};
        utimensat(AT_FDCWD, (folder_.path() + std::string(name)).c_str(), times, 0);
    }
    std::string text(const std::vector<std::string>& arguments) {
        io::Files files = folder_.files();
        probe::world::World world;
        world.clock = &clock_;
        world.files = &files;
        world.commands = &commands_;
        const auto outcome = run_check(arguments, world);
        return fmt::format("{} {}", outcome.exit_code, outcome.text);
    }
    // The first line without the figures.
    std::string line(const std::vector<std::string>& arguments) {
        const std::string all = text(arguments);
        const std::string first = all.substr(0, all.find('\n'));
        return first.substr(0, first.find(" | "));
    }
    FakeCommands& commands() { return commands_; }

  private:
    Folder folder_;
    FakeClock clock_;
    FakeCommands commands_;
};

struct Scenario {
    const char* name;
    std::string file;
    std::vector<std::string> arguments;
    const char* answer;
};

inline void check_all(const std::vector<Scenario>& scenarios, const char* file, const std::vector<std::string>& first) {
    for (const Scenario& scenario : scenarios) {
        BOOST_TEST_CONTEXT(scenario.name) {
            Fixture fixture;
            fixture.write(file, scenario.file);
            BOOST_CHECK_EQUAL(fixture.line(with(first, scenario.arguments)), scenario.answer);
        }
    }
}

}  // namespace mtawatch::test
