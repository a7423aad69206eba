// check_mta_service as a whole: what systemctl show printed, a port and a URL, against exit code and text. A real
// systemd is met in tests/integration/service_test.py.
#include <boost/test/unit_test.hpp>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_commands.h"
#include "tests/support/run_check.h"
#include "tests/support/scripted_stream.h"

using namespace mtawatch;

namespace {

// FakeClock begins at 2023-11-14 22:13:20 UTC.
constexpr const char* hour_ago = "Tue 2023-11-14 21:13:20 UTC";
constexpr const char* minute_ago = "Tue 2023-11-14 22:12:20 UTC";

const std::string show =
    "env TZ=UTC systemctl show --no-pager "
    "--property=Id,LoadState,ActiveState,SubState,UnitFileState,Type,Result,NRestarts,ExecMainStatus,ExecMainCode,"
    "ActiveEnterTimestamp,InactiveEnterTimestamp,TriggeredBy,LastTriggerUSec --";

std::string unit(std::string_view load, std::string_view active, std::string_view sub, std::string_view more = "") {
    return fmt::format("LoadState={}\nActiveState={}\nSubState={}\n{}", load, active, sub, more);
}

std::string running(std::string_view since = hour_ago, int restarts = 0) {
    return unit(
        "loaded", "active", "running",
        fmt::format("Type=simple\nResult=success\nNRestarts={}\nUnitFileState=enabled\nActiveEnterTimestamp={}\n",
                    restarts, since));
}

struct Bench {
    test::FakeClock clock;
    test::FakeCommands commands;
    test::ScriptedNetwork network;
    probe::world::World world;

    Bench() {
        world.clock = &clock;
        world.commands = &commands;
        world.connector = &network;
    }
    plugin::Outcome run(const std::string& arguments) {
        std::vector<std::string> words;
        for (const auto word : base::words(arguments)) words.emplace_back(word);
        return test::run_check(words, world);
    }
};

struct Scenario {
    std::string name;
    test::Said said;  // of systemctl show for the unit x
    std::string arguments;
    int exit_code;
    std::string text;
};

bool has(const std::string& text, std::string_view part) {
    if (text.find(part) != std::string::npos) return true;
    BOOST_TEST_MESSAGE("'" << part << "' is not in: " << text);
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(units)

BOOST_AUTO_TEST_CASE(states) {
    const std::string figures = " | x_restarts=0;;;0 x_uptime=3600s;;;0\n";
    const std::vector<Scenario> scenarios{
        {"ok_running", {running()}, "-u x", 0, "MTA_SERVICE OK - x is active (running) for 1 h" + figures},
        {"crit_does_not_exist",
         {unit("not-found", "inactive", "dead")},
         "-u x",
         2,
         "MTA_SERVICE CRITICAL - x does not exist there: is the name right, is it installed?\n"},
        {"crit_masked", {unit("masked", "inactive", "dead")}, "-u x", 2, "MTA_SERVICE CRITICAL - x is masked\n"},
        {"crit_bad_unit_file",
         {unit("bad-setting", "inactive", "dead")},
         "-u x",
         2,
         "MTA_SERVICE CRITICAL - x: its unit file cannot be loaded (bad-setting)\n"},
        {"crit_failed",
         {unit("loaded", "failed", "failed",
               fmt::format("Type=simple\nResult=exit-code\nExecMainCode=1\nExecMainStatus=75\nNRestarts=0\n"
                           "InactiveEnterTimestamp={}\n",
                           minute_ago))},
         "-u x",
         2,
         "MTA_SERVICE CRITICAL - x failed (exit-code 75) for 1 min | x_restarts=0;;;0\n"},
        {"crit_stopped",
         {unit("loaded", "inactive", "dead",
               fmt::format("Type=forking\nResult=success\nInactiveEnterTimestamp={}\n", minute_ago))},
         "-u x",
         2,
         "MTA_SERVICE CRITICAL - x is not running for 1 min\n"},
        {"crit_flapping",
         {unit("loaded", "activating", "auto-restart",
               "Type=simple\nResult=exit-code\nExecMainCode=1\nExecMainStatus=1\nNRestarts=7\n")},
         "-u x",
         2,
         "MTA_SERVICE CRITICAL - x keeps failing and is started again (exit-code 1) | x_restarts=7;;;0\n"},
        {"warn_starting",
         {unit("loaded", "activating", "start-pre", "Type=notify\n")},
         "-u x",
         1,
         "MTA_SERVICE WARNING - x is activating (start-pre)\n"},
        {"ok_oneshot_done",
         {unit("loaded", "inactive", "dead",
               fmt::format("Type=oneshot\nResult=success\nInactiveEnterTimestamp={}\n", hour_ago))},
         "-u x",
         0,
         "MTA_SERVICE OK - x ended well for 1 h\n"},
        {"crit_oneshot_never_run",
         {unit("loaded", "inactive", "dead", "Type=oneshot\nResult=success\n")},
         "-u x",
         2,
         "MTA_SERVICE CRITICAL - x has not run since the start of the machine\n"},
        {"ok_timer_driven_service_waits",
         {unit("loaded", "inactive", "dead", "Type=simple\nResult=success\nTriggeredBy=x.timer\n")},
         "-u x",
         0,
         "MTA_SERVICE OK - x ended well\n"},
        {"ok_wanted_inactive",
         {unit("loaded", "inactive", "dead")},
         "-u x --state inactive",
         0,
         "MTA_SERVICE OK - x is not running, as wanted\n"},
        {"crit_wanted_inactive_but_runs",
         {running()},
         "-u x --state inactive",
         2,
         "MTA_SERVICE CRITICAL - x is active, wanted inactive" + figures},
        {"crit_restarts",
         {running(hour_ago, 12)},
         "-u x --restarts 3/10",
         2,
         "MTA_SERVICE CRITICAL - x was restarted 12 times by itself (above 10) | x_restarts=12;3;10;0 "
         "x_uptime=3600s;;;0\n"},
        {"warn_restarts_by_one_range",
         {running(hour_ago, 12)},
         "-u x --restarts 3",
         1,
         "MTA_SERVICE WARNING - x was restarted 12 times by itself (above 3) | x_restarts=12;3;;0 "
         "x_uptime=3600s;;;0\n"},
        {"warn_young",
         {running(minute_ago)},
         "-u x --min-uptime 5m",
         1,
         "MTA_SERVICE WARNING - x was started only 1 min ago | x_restarts=0;;;0 x_uptime=60s;;;0\n"},
        {"warn_disabled",
         {unit("loaded", "active", "running", "Type=simple\nUnitFileState=disabled\n")},
         "-u x --enabled",
         1,
         "MTA_SERVICE WARNING - x is disabled: it will not start at boot\n"},
        {"unknown_restarts_not_counted",
         {unit("loaded", "active", "running", "Type=simple\n")},
         "-u x --restarts 3/10",
         3,
         "MTA_SERVICE UNKNOWN - x: systemd does not count restarts there (before 235)\n"},
        {"unknown_no_systemd",
         {"", 1, "System has not been booted with systemd as init system (PID 1). Can't operate.\n"},
         "-u x",
         3,
         "MTA_SERVICE UNKNOWN - systemctl on this machine exited with 1: System has not been booted with "
         "systemd as "
         "init "
         "system (PID 1). Can't operate.\n"},
        {"unknown_garbage",
         {"Segmentation fault\n"},
         "-u x",
         3,
         "MTA_SERVICE UNKNOWN - systemctl show x: LoadState or ActiveState is missing\n"},
        {"unknown_empty", {""}, "-u x", 3, "MTA_SERVICE UNKNOWN - systemctl show told of 0 of 1 units\n"},
    };
    for (const auto& scenario : scenarios) {
        BOOST_TEST_CONTEXT(scenario.name) {
            Bench bench;
            bench.commands.add(show + " x", scenario.said);
            const auto outcome = bench.run(scenario.arguments);
            BOOST_TEST(outcome.exit_code == scenario.exit_code);
            BOOST_TEST(outcome.text == scenario.text);
        }
    }
}

BOOST_AUTO_TEST_CASE(several_units_are_one_command_and_the_worst_comes_first) {
    Bench bench;
    bench.commands.add(show + " a b", {running() + "\n" + unit("loaded", "failed", "failed", "Result=signal\n")});
    const auto outcome = bench.run("-u a -u b");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(outcome.text.starts_with("MTA_SERVICE CRITICAL - b failed (signal) |"));
    BOOST_TEST(bench.commands.ran().size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_postfix_preset_takes_the_instance_where_there_is_one) {
    Bench debian;
    debian.commands.add(show + " postfix@-.service postfix.service",
                        {unit("loaded", "failed", "failed", "Type=forking\n") + "\n" +
                         unit("loaded", "active", "exited", "Type=oneshot\n")});
    const auto outcome = debian.run("--mta postfix");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(has(outcome.text, "postfix@-.service failed"));
    Bench other;
    other.commands.add(show + " postfix@-.service postfix.service",
                       {unit("not-found", "inactive", "dead") + "\n" + running()});
    const auto fine = other.run("--mta postfix");
    BOOST_TEST(fine.exit_code == 0);
    BOOST_TEST(has(fine.text, "postfix.service is active"));
}

BOOST_AUTO_TEST_CASE(unknown_without_systemctl) {
    Bench bench;
    const auto outcome = bench.run("-u x");
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(has(outcome.text, "MTA_SERVICE UNKNOWN - the state of x: "));
}

// "is active (running)" was said of half an answer.
BOOST_AUTO_TEST_CASE(what_systemctl_did_not_say_to_the_end_is_not_judged) {
    Bench bench;
    bench.commands.add(show + " x", {running().substr(0, running().size() - 30)});
    const auto outcome = bench.run("-u x");
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(has(outcome.text, "systemctl on this machine was cut off in the middle of a line: 'ActiveEnterTi"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(greetings)

BOOST_AUTO_TEST_CASE(a_port_must_greet_with_220) {
    const auto run = [](test::Script script) {
        Bench bench;
        bench.network.add("192.0.2.1:25", std::move(script));
        return bench.run("--banner 192.0.2.1:25");
    };
    const auto fine = run({test::say("220 mx1.example.net ESMTP\r\n"), test::close()});
    BOOST_TEST(fine.exit_code == 0);
    BOOST_TEST(fine.text == "MTA_SERVICE OK - 192.0.2.1:25 greets: 220 mx1.example.net ESMTP | banner_time=0s;;;0\n");
    const auto busy = run({test::say("421 4.3.2 try later\r\n"), test::close()});
    BOOST_TEST(busy.exit_code == 2);
    BOOST_TEST(has(busy.text, "greets with \"421 4.3.2 try later\", not with 220"));
    BOOST_TEST(run({test::close()}).exit_code == 2);
    BOOST_TEST(run({test::hang()}).exit_code == 2);
    BOOST_TEST(run({test::reset()}).exit_code == 2);
    BOOST_TEST(run({test::say(std::string(10'000, 'x')), test::close()}).exit_code == 2);
    Bench refused;
    const auto closed = refused.run("--banner 192.0.2.1:25");
    BOOST_TEST(closed.exit_code == 2);
    BOOST_TEST(has(closed.text, "does not greet"));
}

BOOST_AUTO_TEST_CASE(json_holds_the_observation) {
    Bench bench;
    bench.commands.add(show + " x", {running()});
    bench.network.add("192.0.2.1:25", {test::say("220 mx1.example.net ESMTP\r\n"), test::close()});
    const auto outcome = bench.run("-u x --banner 192.0.2.1:25 -o json");
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(has(
        outcome.text,
        R"("observation":{"where":"on this machine","units":[{"unit":"x","load_state":"loaded","active_state":"active",)"
        R"("sub_state":"running","unit_file_state":"enabled","result":"success","restarts":0,"exit_status":null,)"
        R"("active_since":1699996400}],"banner":{"endpoint":"192.0.2.1:25","code":220,"text":"220 mx1.example.net ESMTP",)"
        R"("failure":""},"url":null}})"));
}

// "220-…" and then nothing was OK: no client ever gets past such a greeting.
BOOST_AUTO_TEST_CASE(a_greeting_that_never_comes_to_its_last_line_is_none) {
    const auto run = [](test::Script script) {
        Bench bench;
        bench.network.add("192.0.2.1:25", std::move(script));
        return bench.run("--banner 192.0.2.1:25");
    };
    const auto teaser = run({test::say("220-mx1.example.net waits\r\n220 mx1.example.net ESMTP\r\n"), test::close()});
    BOOST_TEST(teaser.exit_code == 0);
    BOOST_TEST(has(teaser.text, "greets: 220-mx1.example.net waits"));
    BOOST_TEST(run({test::say("220-mx1.example.net waits\r\n"), test::hang()}).exit_code == 2);
    BOOST_TEST(run({test::say("220-mx1.example.net waits\r\n"), test::close()}).exit_code == 2);
    std::string endless;
    for (int i = 0; i < 1000; ++i) endless += "220-and more\r\n";
    const auto never = run({test::say(endless), test::hang()});
    BOOST_TEST(never.exit_code == 2);
    BOOST_TEST(has(never.text, "sends something that is no greeting"));
}

BOOST_AUTO_TEST_CASE(a_url_must_answer_200) {
    const auto run = [](std::string_view status, const std::string& arguments) {
        Bench bench;
        bench.network.add(
            "192.0.2.1:8000",
            {test::say(fmt::format("HTTP/1.1 {} x\r\nContent-Length: 0\r\n\r\n", status)), test::close()});
        return bench.run(arguments);
    };
    BOOST_TEST(run("200", "--url http://192.0.2.1:8000/live").exit_code == 0);
    const auto down = run("503", "--url http://192.0.2.1:8000/live");
    BOOST_TEST(down.exit_code == 2);
    BOOST_TEST(has(down.text, "answers 503, not 200"));
    Bench bench;
    bench.network.add("192.0.2.1:8000", {test::say("HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n"), test::close()});
    bench.commands.add(show + " kumomta.service kumod.service",
                       {running() + "\n" + unit("not-found", "inactive", "dead")});
    const auto kumo = bench.run("--mta kumomta --url http://192.0.2.1:8000 -v");
    BOOST_TEST(kumo.exit_code == 0);
    BOOST_TEST(has(kumo.text, "http://192.0.2.1:8000/api/check-liveness/v1 answers 200"));
}

// "does not answer" was said of servers that did.
BOOST_AUTO_TEST_CASE(an_answer_of_no_use_is_not_called_silence) {
    const auto run = [](test::Script script) {
        Bench bench;
        bench.network.add("192.0.2.1:8000", std::move(script));
        return bench.run("--url http://192.0.2.1:8000/live").text;
    };
    const std::string head = "MTA_SERVICE CRITICAL - http://192.0.2.1:8000/live ";
    BOOST_TEST(has(run({test::say("SSH-2.0-OpenSSH\r\n"), test::close()}),
                   head + "answers wrongly: the answer is not HTTP: 'SSH-2.0-OpenSSH' (bad version)"));
    BOOST_TEST(has(run({test::close()}), head + "does not answer: the server closed the connection"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(usage)

BOOST_AUTO_TEST_CASE(what_cannot_be_right_is_refused) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "nothing to look at"},
        {"-u -x", "-x"},
        {"-u a*", "without blanks and patterns"},
        {"--banner mx1.example.net", "write HOST:PORT"},
        {"--banner 2001:db8::1:25", "in brackets"},
        {"--banner mx1.example.net:0", "write HOST:PORT"},
        {"--state running -u x", "running"},
        {"--restarts 5,10 -u x", "--restarts"},
        {"--restarts / -u x", "such as 80, 80/90 or /90"},
        {"-H mx1.example.net --ssh mx2.example.net -u x", "give one of them"},
        {"--ssh -oProxyCommand=id -u x", "--ssh"},
        {"--ssh root@-oProxyCommand=id -u x", "does not begin with '-'"},
        {"--ssh mx1.example.net --banner 192.0.2.1:25", "give --unit or --mta"},
    };
    for (const auto& [arguments, part] : cases) {
        Bench bench;
        const auto outcome = bench.run(arguments);
        BOOST_TEST(outcome.exit_code == 3, arguments);
        BOOST_TEST(has(outcome.text, part), arguments);
        BOOST_TEST(bench.commands.ran().empty(), arguments);
    }
}

BOOST_AUTO_TEST_SUITE_END()
