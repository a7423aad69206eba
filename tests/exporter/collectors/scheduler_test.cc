#include "exporter/collectors/scheduler.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/fake_clock.h"

using namespace mtawatch;
using namespace mtawatch::exporter::collectors;
using mtawatch::base::Deadline;
using mtawatch::base::Fault;
using mtawatch::base::Result;
using mtawatch::exporter::exposition::add_series;
using mtawatch::probe::world::World;
using mtawatch::test::FakeClock;
using namespace std::chrono_literals;

namespace {

// What the fake probe does next, and how often it was asked.
struct Script {
    std::function<Result<Published>()> next;
    int runs = 0;
};

Published listed(double value) {
    Published published;
    add_series(published.families, "mail_dnsbl_listed", {"192.0.2.1", "list.example", "critical"}, value);
    return published;
}

struct Board {
    Board() {
        script.next = [] { return listed(1); };
        board.replace({task("192.0.2.1")});
    }
    Task task(const std::string& target) {
        return {"dnsbl", target, 60s, 10s, [this](World&, const Deadline& deadline) {
                    ++script.runs;
                    allowed = deadline.remaining();
                    clock.advance(2s);
                    return script.next();
                }};
    }
    // Moves on and runs what is due then.
    void after(mtawatch::base::Duration time) {
        clock.advance(time);
        while (board.run_due(world)) {
        }
    }
    [[nodiscard]] std::string text() const {
        std::string out;
        exporter::exposition::ExpositionWriter writer(exporter::exposition::Format::text, out);
        exporter::exposition::CollectableSource({&board}).write(writer);
        return out;
    }
    [[nodiscard]] bool shows(const std::string& line) const {
        return text().find("\n" + line + "\n") != std::string::npos;
    }

    FakeClock clock;
    std::vector<std::string> lines;
    base::Log log{base::LogLevel::debug, base::LogFormat::logfmt, clock,
                  [this](std::string_view line) { lines.emplace_back(line); }};
    Script script;
    mtawatch::base::Duration allowed{};
    World world;
    TaskBoard board{clock, log, 1};
};

constexpr auto success = "mail_probe_success{probe=\"dnsbl\",target=\"192.0.2.1\"} ";
constexpr auto value = "mail_dnsbl_listed{target=\"192.0.2.1\",list=\"list.example\",list_severity=\"critical\"} ";

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler)

BOOST_AUTO_TEST_CASE(nothing_is_shown_before_the_first_run) {
    const Board board;
    BOOST_TEST(board.text().empty());
    BOOST_TEST(board.board.status().at(0).state == "not run yet");
}

BOOST_AUTO_TEST_CASE(a_run_publishes_its_values_and_how_it_went) {
    Board board;
    board.after(10s);
    BOOST_TEST(board.script.runs == 1);
    BOOST_TEST(board.allowed == 10s);
    BOOST_TEST(board.shows(std::string(success) + "1"));
    BOOST_TEST(board.shows(std::string(value) + "1"));
    BOOST_TEST(board.shows("mail_probe_duration_seconds{probe=\"dnsbl\",target=\"192.0.2.1\"} 2"));
    BOOST_TEST(board.shows("mail_probe_last_run_timestamp_seconds{probe=\"dnsbl\",target=\"192.0.2.1\"} 1700000010"));
    BOOST_TEST(
        board.shows("mail_probe_last_success_timestamp_seconds{probe=\"dnsbl\",target=\"192.0.2.1\"} 1700000010"));
}

BOOST_AUTO_TEST_CASE(it_runs_once_an_interval_and_makes_up_for_nothing) {
    Board board;
    board.after(10s);
    board.after(10s);
    BOOST_TEST(board.script.runs == 1);
    board.after(50s);
    BOOST_TEST(board.script.runs == 2);
    board.after(3600s);  // the machine slept
    BOOST_TEST(board.script.runs == 3);
}

BOOST_AUTO_TEST_CASE(first_runs_are_spread) {
    Board board;
    int runs = 0;
    std::vector<Task> tasks;
    for (int i = 0; i < 100; ++i) {
        tasks.push_back({"dnsbl", std::to_string(i), 60s, 10s, [&](World&, const Deadline&) {
                             ++runs;
                             return Result<Published>();
                         }});
    }
    board.board.replace(std::move(tasks));
    board.after(5s);
    BOOST_TEST(runs > 20);
    BOOST_TEST(runs < 80);
    board.after(5s);
    BOOST_TEST(runs == 100);
    // They keep their places in the interval.
    board.after(55s);
    BOOST_TEST(runs < 180);
}

BOOST_AUTO_TEST_CASE(a_failed_look_keeps_the_values_until_they_are_five_intervals_old) {
    Board board;
    board.after(10s);
    board.script.next = []() -> Result<Published> {
        return mtawatch::base::fail(Fault::resolver, "192.0.2.53: no answer");
    };
    board.after(60s);
    BOOST_TEST(board.shows(std::string(success) + "0"));
    BOOST_TEST(board.shows(std::string(value) + "1"));
    BOOST_TEST(
        board.shows("mail_probe_last_success_timestamp_seconds{probe=\"dnsbl\",target=\"192.0.2.1\"} 1700000010"));
    board.after(60s);
    board.after(60s);
    board.after(60s);
    BOOST_TEST(board.shows(std::string(value) + "1"));
    board.after(60s);
    BOOST_TEST(!board.shows(std::string(value) + "1"));
    BOOST_TEST(board.shows(std::string(success) + "0"));
    const exporter::exposition::SourceStatus status = board.board.status().at(0);
    BOOST_TEST(!status.healthy);
    BOOST_TEST(status.state == "looked 2 s ago: 192.0.2.53: no answer");
}

BOOST_AUTO_TEST_CASE(the_log_tells_of_a_change_once) {
    Board board;
    board.after(10s);
    board.script.next = []() -> Result<Published> { return mtawatch::base::fail(Fault::resolver, "no answer"); };
    board.after(60s);
    board.after(60s);
    board.script.next = [] { return listed(0); };
    board.after(60s);
    BOOST_REQUIRE(board.lines.size() == 2);
    BOOST_TEST(board.lines[0].find("level=warn msg=\"the probe failed\" probe=dnsbl target=192.0.2.1 "
                                   "reason=\"no answer\"\n") != std::string::npos);
    BOOST_TEST(board.lines[1].find("level=info msg=\"the probe works again\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_run_may_publish_and_fail) {
    Board board;
    board.script.next = [] {
        Published published;
        add_series(published.families, "pmta_up", {}, 0.0);
        published.failure = {Fault::refused, "connection refused"};
        return Result<Published>(published);
    };
    board.after(10s);
    BOOST_TEST(board.shows("pmta_up 0"));
    BOOST_TEST(board.shows(std::string(success) + "0"));
}

BOOST_AUTO_TEST_CASE(a_collector_that_throws_is_a_failed_look) {
    Board board;
    board.script.next = []() -> Result<Published> { throw std::runtime_error("oops"); };
    board.after(10s);
    BOOST_TEST(board.shows(std::string(success) + "0"));
    board.script.next = []() -> Result<Published> { throw 7; };
    board.after(60s);
    BOOST_TEST(board.shows(std::string(success) + "0"));
    BOOST_TEST(board.script.runs == 2);
}

BOOST_AUTO_TEST_CASE(two_tasks_share_a_family) {
    Board board;
    board.board.replace({board.task("192.0.2.1"), board.task("192.0.2.2")});
    board.after(10s);
    const std::string text = board.text();
    BOOST_TEST(board.script.runs == 2);
    BOOST_TEST(text.find("# TYPE mail_dnsbl_listed") == text.rfind("# TYPE mail_dnsbl_listed"));
    // Both publish the same series here: it is shown once.
    BOOST_TEST(text.find(value) == text.rfind(value));
}

BOOST_AUTO_TEST_CASE(a_reload_keeps_what_is_known_and_forgets_what_is_gone) {
    Board board;
    board.after(10s);
    board.board.replace({board.task("192.0.2.1"), board.task("192.0.2.9")});
    BOOST_TEST(board.shows(std::string(value) + "1"));
    BOOST_TEST(board.script.runs == 1);
    board.board.replace({board.task("192.0.2.9")});
    BOOST_TEST(board.text().empty());
}

BOOST_AUTO_TEST_CASE(series_are_shown_by_name_and_label_values_and_the_last_of_equal_ones) {
    Board board;
    board.script.next = [] {
        Published published;
        add_series(published.families, "pmta_queues", {"paused"}, 1.0);
        add_series(published.families, "pmta_queues", {"backoff"}, 2.0);
        add_series(published.families, "pmta_queues", {"paused"}, 3.0);
        add_series(published.families, "mail_service_active", {"mx1", "postfix.service"}, 1.0);
        return published;
    };
    board.after(10s);
    const std::string text = board.text();
    const std::string help(exporter::exposition::metric("pmta_queues").help);
    const std::string service_help(exporter::exposition::metric("mail_service_active").help);
    BOOST_TEST(text.substr(text.find("# HELP mail_service_active")) ==
               "# HELP mail_service_active " + service_help + "\n# TYPE mail_service_active gauge\n" +
                   "mail_service_active{host=\"mx1\",unit=\"postfix.service\"} 1\n" + "# HELP pmta_queues " + help +
                   "\n# TYPE pmta_queues gauge\n" +
                   "pmta_queues{mode=\"backoff\"} 2\npmta_queues{mode=\"paused\"} 3\n");
}

BOOST_AUTO_TEST_CASE(a_collector_that_publishes_an_unknown_name_is_a_failed_look) {
    Board board;
    board.script.next = [] {
        Published published;
        add_series(published.families, "mail_no_such_metric", {}, 1.0);
        return published;
    };
    board.after(10s);
    BOOST_TEST(board.board.status().at(0).state ==
               "looked 2 s ago: a mistake in the collector: the catalogue has no metric mail_no_such_metric");
}

BOOST_AUTO_TEST_CASE(threads_run_what_is_due_and_stop) {
    const mtawatch::base::SystemClock clock;
    const base::Log log(base::LogLevel::error, base::LogFormat::logfmt, clock, base::write_to_stderr);
    TaskBoard board(clock, log, 1);
    std::atomic<int> runs = 0;
    std::vector<Task> tasks;
    for (int i = 0; i < 20; ++i) {
        tasks.push_back({"dnsbl", std::to_string(i), 1ms, 1ms, [&](World&, const Deadline&) {
                             ++runs;
                             return listed(0);
                         }});
    }
    board.replace(std::move(tasks));
    std::vector<World> worlds(3);
    Scheduler scheduler(board, {&worlds[0], &worlds[1], &worlds[2]});
    while (runs < 100) std::this_thread::yield();
    BOOST_TEST(scheduler.stop(10s));
    const int at_stop = runs;
    std::this_thread::yield();
    BOOST_TEST(runs == at_stop);
}

BOOST_AUTO_TEST_CASE(a_probe_that_hangs_does_not_hold_up_the_stop) {
    const mtawatch::base::SystemClock clock;
    const base::Log log(base::LogLevel::error, base::LogFormat::logfmt, clock, base::write_to_stderr);
    TaskBoard board(clock, log, 1);
    std::atomic<bool> begun = false;
    std::atomic<bool> hang = true;
    board.replace({{"dnsbl", "x", 1ms, 1ms, [&](World&, const Deadline&) {
                        begun = true;
                        while (hang) std::this_thread::yield();
                        return listed(0);
                    }}});
    World world;
    Scheduler scheduler(board, {&world});
    while (!begun) std::this_thread::yield();
    BOOST_TEST(!scheduler.stop(1ms));
    hang = false;
    BOOST_TEST(scheduler.stop(10s));
}

BOOST_AUTO_TEST_SUITE_END()
