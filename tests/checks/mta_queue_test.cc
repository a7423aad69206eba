// check_mta_queue as a whole, from arguments to exit code and text: Postfix and PowerMTA's program on a machine of
// made-up answers, KumoMTA over a scripted connection. The web monitor and SSH are met for real in tests/integration.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "checks/mta_options.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_commands.h"
#include "tests/support/run_check.h"
#include "tests/support/scripted_stream.h"

using namespace mtawatch;

namespace {

constexpr std::int64_t now = 1'700'000'000;

std::string fixture(const std::string& name) {
    const std::ifstream file(std::string(MTAWATCH_SOURCE_DIR) + "/tests/fixtures/powermta/" + name);
    BOOST_REQUIRE_MESSAGE(file, name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string mail(int count, std::string_view queue, std::int64_t age, std::string_view domain, int first = 0) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += fmt::format(R"({{"queue_name": "{}", "queue_id": "Q{}", "arrival_time": {}, "message_size": 1000, )"
                            R"("forced_expire": false, "sender": "", "recipients": [{{"address": "a@{}"}}]}})"
                            "\n",
                            queue, first + i, now - age, domain);
    }
    return text;
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
    test::Said said;  // of `postqueue -j`
    std::string arguments;
    int exit_code;
    std::string text;
};

void check(const Scenario& scenario) {
    BOOST_TEST_CONTEXT(scenario.name) {
        Bench bench;
        bench.commands.add("postqueue -j", scenario.said);
        const auto outcome = bench.run("--mta postfix " + scenario.arguments);
        BOOST_TEST(outcome.exit_code == scenario.exit_code);
        BOOST_TEST(outcome.text == scenario.text);
    }
}

// PowerMTA's program answers with the fixtures.
struct PmtaBench : Bench {
    PmtaBench() {
        commands.add("/usr/sbin/pmta --dom show status", {fixture("status.dom")});
        commands.add("/usr/sbin/pmta --dom show queues --mode=backoff --maxitems=100000",
                     {"title=\"t\"\nqueue[0].name=\"example.com/vmta2\"\nqueue[0].rcp=\"200\"\n"
                      "queue[0].mode=\"backoff\"\ntotalRcp=\"200\"\ntotalQueuesWithRcp=\"1\"\n"});
        commands.add("/usr/sbin/pmta --dom show queues --paused=yes --maxitems=100000",
                     {"title=\"t\"\nqueue[0].name=\"example.org/vmta1\"\nqueue[0].rcp=\"105\"\n"
                      "queue[0].paused=\"yes\"\ntotalRcp=\"105\"\ntotalQueuesWithRcp=\"1\"\n"});
        commands.add("/usr/sbin/pmta --dom show domains --maxitems=100000",
                     {"title=\"t\"\ndomain[0].name=\"example.com\"\ndomain[0].rcp=\"700\"\n"
                      "domain[1].name=\"example.org\"\ndomain[1].rcp=\"105\"\ntotalRcp=\"805\"\n"});
        commands.add("/usr/sbin/pmta --xml list --older-than=24h --maxitems=10", {fixture("messages.xml")});
        commands.add("/usr/sbin/pmta --xml list --older-than=48h --maxitems=10", {"<rsp><data/><succ/></rsp>"});
        commands.add("/usr/sbin/pmta show license", {fixture("license.txt")});
    }
};

bool starts(const std::string& text, std::string_view begin) {
    if (text.starts_with(begin)) return true;
    BOOST_TEST_MESSAGE(text);
    return false;
}

bool has(const std::string& text, std::string_view part) {
    if (text.find(part) != std::string::npos) return true;
    BOOST_TEST_MESSAGE("'" << part << "' is not in: " << text);
    return false;
}

test::Script answer(std::string_view body) {
    return {test::say(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body)),
            test::close()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(postfix)

BOOST_AUTO_TEST_CASE(states) {
    const std::string figures = ";;;0 size=";
    const std::vector<Scenario> scenarios{
        {"ok_empty",
         {""},
         "",
         0,
         "MTA_QUEUE OK - Postfix on this machine: 0 messages queued | messages=0;100;500;0 size=0B;;;0\n"},
        {"ok_at_the_warning_edge",
         {mail(100, "deferred", 60, "example.com")},
         "",
         0,
         "MTA_QUEUE OK - Postfix on this machine: 100 messages queued: deferred 100; oldest 1 min in deferred (Q0); "
         "most for "
         "example.com 100 | messages=100;100;500;0 deferred=100;;;0 size=100000B;;;0 oldest=60s;;;0\n"},
        {"warn_above_the_limit",
         {mail(101, "deferred", 60, "example.com")},
         "",
         1,
         "MTA_QUEUE WARNING - Postfix on this machine: 101 messages queued (above 100): deferred 101; oldest 1 min in "
         "deferred (Q0); most for example.com 101 | messages=101;100;500;0 deferred=101;;;0 size=101000B;;;0 "
         "oldest=60s;;;0\n"},
        {"crit_above_the_limit",
         {mail(3, "active", 0, "example.com")},
         "-w 1 -c 2",
         2,
         "MTA_QUEUE CRITICAL - Postfix on this machine: 3 messages queued (above 2): active 3; oldest 0 s in active "
         "(Q0); "
         "most for example.com 3 | messages=3;1;2;0 active=3;;;0 size=3000B;;;0 oldest=0s;;;0\n"},
        {"crit_by_age",
         {mail(1, "active", 10, "a.example") + mail(1, "hold", 90'000, "b.example", 1)},
         "--warning-age 1h --critical-age 1d",
         2,
         "MTA_QUEUE CRITICAL - oldest 1 d 1 h in hold (Q1) (over 1 d) | messages=2;100;500;0 active=1;;;0 hold=1;;;0 "
         "size=2000B;;;0 oldest=90000s;3600;86400;0\n"},
        {"crit_by_domain",
         {mail(5, "active", 1, "a.example") + mail(2, "active", 1, "b.example", 5)},
         "--by domain --warning-group 1 --critical-group 4",
         2,
         "MTA_QUEUE CRITICAL - domain a.example: 5 messages (above 4) (and 1 more) | messages=7;100;500;0 active=7;;;0 "
         "size=7000B;;;0 oldest=1s;;;0 a.example=5;1;4;0 b.example=2;1;4;0\n"
         "WARNING: domain b.example: 2 messages (above 1)\n"},
        {"unknown_no_permission",
         {"", 69, "postqueue: fatal: User nagios(997) is not allowed to view the mail queue\n"},
         "",
         3,
         "MTA_QUEUE UNKNOWN - Postfix's queue could not be read: postqueue on this machine exited with 69: postqueue: "
         "fatal: User nagios(997) is not allowed to view the mail queue; add this user to authorized_mailq_users in "
         "Postfix's main.cf\n"},
        {"unknown_postfix_is_down",
         {"", 69, "postqueue: fatal: Queue report unavailable - mail system is down\n"},
         "",
         3,
         "MTA_QUEUE UNKNOWN - Postfix's queue could not be read: postqueue on this machine exited with 69: postqueue: "
         "fatal: Queue report unavailable - mail system is down\n"},
        {"unknown_failed_after_a_part",
         {mail(1, "active", 1, "a.example"), 1, "showq died"},
         "",
         3,
         "MTA_QUEUE UNKNOWN - Postfix's queue could not be read: postqueue on this machine exited with 1: showq "
         "died\n"},
        {"unknown_cut_short",
         {"{\"queue_name\": \"active\", \"queue_id\""},
         "",
         3,
         "MTA_QUEUE UNKNOWN - Postfix's queue could not be read: postqueue -j ended in the middle of line 1: "
         "'{\"queue_name\": \"active\", \"queue_id\"'\n"},
        {"unknown_garbage",
         {"Mail queue is empty\n"},
         "",
         3,
         "MTA_QUEUE UNKNOWN - Postfix's queue could not be read: line 1 of postqueue -j is no message: The JSON "
         "element "
         "does not have the requested type.: 'Mail queue is empty'\n"},
    };
    for (const auto& scenario : scenarios) check(scenario);
}

BOOST_AUTO_TEST_CASE(unknown_without_postqueue) {
    Bench bench;
    const auto outcome = bench.run("--mta postfix");
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(outcome.text ==
               "MTA_QUEUE UNKNOWN - Postfix's queue could not be read: postqueue on this machine: no such program\n");
}

BOOST_AUTO_TEST_CASE(unknown_when_the_program_hangs) {
    Bench bench;
    bench.commands.add("postqueue -j", base::Error{base::Fault::timeout, "postqueue did not end in time"});
    const auto outcome = bench.run("--mta postfix");
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(has(outcome.text, "did not end in time"));
}

BOOST_AUTO_TEST_CASE(several_instances_are_added_up) {
    Bench bench;
    bench.commands.add("postqueue -c /etc/postfix -j", {mail(2, "active", 1, "a.example")});
    bench.commands.add("postqueue -c /etc/postfix-2 -j", {mail(3, "deferred", 1, "a.example")});
    const auto outcome = bench.run("--mta postfix --config-dir /etc/postfix --config-dir /etc/postfix-2");
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(has(outcome.text, "5 messages queued: active 2, deferred 3"));
    const auto broken = bench.run("--mta postfix --config-dir /etc/postfix --config-dir /etc/other");
    BOOST_TEST(broken.exit_code == 3);
    BOOST_TEST(has(broken.text, "instance /etc/other"));
}

BOOST_AUTO_TEST_CASE(more_domains_than_are_counted_say_how_wrong_the_figures_may_be) {
    std::string text;
    for (int i = 0; i < 11'000; ++i) text += mail(1, "active", 1, fmt::format("d{}.example", i), i);
    Bench bench;
    bench.commands.add("postqueue -j", {text});
    const auto outcome = bench.run("--mta postfix -w 20000 -c 30000 --by domain --warning-group 5 -v");
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(has(outcome.text, "the figures are at most 1 too high"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pmta_program)

BOOST_AUTO_TEST_CASE(ok_with_spool_and_queues) {
    PmtaBench bench;
    const auto outcome = bench.run("--mta pmta --pmta-program");
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(
        outcome.text ==
        "MTA_QUEUE OK - PowerMTA on this machine: 805 recipients queued: smtp 805 | recipients=805;100000;500000;0 "
        "smtp=805;;;0 pipe=0;;;0 discard=0;;;0 file=0;;;0 size=169600B;;;0 spool=3.2%;75;90;0;100\n");
    BOOST_TEST(bench.commands.ran().size() == 1U);
}

BOOST_AUTO_TEST_CASE(crit_by_backoff_names_the_queue) {
    PmtaBench bench;
    const auto outcome = bench.run("--mta pmta --pmta-program --backoff 50/100");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(
        starts(outcome.text, "MTA_QUEUE CRITICAL - 200 recipients in backoff (above 100): example.com/vmta2 200 |"));
}

BOOST_AUTO_TEST_CASE(one_range_alone_warns_and_leaves_the_critical_default) {
    struct Row {
        const char* options;
        int exit_code;
        const char* text;
        const char* figure;
    };
    // 200 recipients are in backoff, the spool is 3.2 % full.
    for (const Row& row : std::initializer_list<Row>{
             {"--backoff 50", 1, "MTA_QUEUE WARNING - 200 recipients in backoff (above 50)", "backoff=200;50;;0"},
             {"--backoff 200", 0, "MTA_QUEUE OK", "backoff=200;200;;0"},
             {"--backoff 300:", 1, "200 recipients in backoff (below 300)", "backoff=200;300:;;0"},
             {"--backoff @100:200", 1, "200 recipients in backoff (inside 100:200)", "backoff=200;@100:200;;0"},
             {"--backoff /100", 2, "200 recipients in backoff (above 100)", "backoff=200;;100;0"},
             {"--backoff 50/300", 1, "200 recipients in backoff (above 50)", "backoff=200;50;300;0"},
             {"--spool 3", 1, "spool 3.2 % full (above 3)", "spool=3.2%;3;90;0;100"},
             {"--spool 1/2", 2, "spool 3.2 % full (above 2)", "spool=3.2%;1;2;0;100"},
             {"--spool 3/", 1, "spool 3.2 % full (above 3)", "spool=3.2%;3;;0;100"}}) {
        PmtaBench bench;
        const auto outcome = bench.run(std::string("--mta pmta --pmta-program ") + row.options);
        BOOST_TEST(outcome.exit_code == row.exit_code, row.options << ": " << outcome.text);
        BOOST_TEST(has(outcome.text, row.text), row.options);
        BOOST_TEST(has(outcome.text, row.figure), row.options);
    }
    PmtaBench bench;
    BOOST_TEST(bench.run("--mta pmta --pmta-program --spool 90:80").exit_code == 3);
}

BOOST_AUTO_TEST_CASE(warn_by_domain) {
    PmtaBench bench;
    const auto outcome = bench.run("--mta pmta --pmta-program --by domain --warning-group 699");
    BOOST_TEST(outcome.exit_code == 1);
    BOOST_TEST(starts(outcome.text, "MTA_QUEUE WARNING - domain example.com: 700 recipients (above 699) |"));
}

BOOST_AUTO_TEST_CASE(crit_by_age_asks_from_the_longest_on) {
    PmtaBench bench;
    const auto warned = bench.run("--mta pmta --pmta-program --warning-age 24h --critical-age 48h");
    BOOST_TEST(warned.exit_code == 1);
    BOOST_TEST(
        starts(warned.text, "MTA_QUEUE WARNING - mail is older than 1 d, oldest 1 d 1 h in example.com/vmta2 |"));
    const auto critical = bench.run("--mta pmta --pmta-program --critical-age 24h");
    BOOST_TEST(critical.exit_code == 2);
    const auto fine = bench.run("--mta pmta --pmta-program --critical-age 48h -v");
    BOOST_TEST(fine.exit_code == 0);
    BOOST_TEST(has(fine.text, "no message is older than the limit"));
}

BOOST_AUTO_TEST_CASE(unknown_when_a_queue_was_busy_while_listing) {
    PmtaBench bench;
    bench.commands.add("/usr/sbin/pmta --xml list --older-than=5h --maxitems=10",
                       {"<rsp><data/><succ>1 queue busy while listing</succ></rsp>"});
    const auto outcome = bench.run("--mta pmta --pmta-program --critical-age 5h");
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(has(outcome.text, "the age of messages could not be seen"));
}

BOOST_AUTO_TEST_CASE(the_licence) {
    PmtaBench bench;
    BOOST_TEST(bench.run("--mta pmta --pmta-program --license 30:/7:").exit_code == 0);
    const auto soon = bench.run("--mta pmta --pmta-program --license 40000:/7:");
    BOOST_TEST(soon.exit_code == 1);
    BOOST_TEST(starts(soon.text, "MTA_QUEUE WARNING - the licence ends in 27884 days (below 40000) |"));
    const auto bare = bench.run("--mta pmta --pmta-program --license 30/7");
    BOOST_TEST(bare.exit_code == 3);
    BOOST_TEST(has(bare.text, "write 30: to be warned below 30 days"));
}

BOOST_AUTO_TEST_CASE(crit_stalled_only_with_mail_and_nothing_leaving) {
    PmtaBench bench;
    BOOST_TEST(bench.run("--mta pmta --pmta-program --stalled 1m").exit_code == 0);
    std::string idle = fixture("status.dom");
    const std::string key = "status.traffic.lastMin.out.rcp=\"";
    idle.replace(idle.find(key) + key.size(), 4, "0");
    Bench stuck;
    stuck.commands.add("/usr/sbin/pmta --dom show status", {idle});
    const auto outcome = stuck.run("--mta pmta --pmta-program --stalled 1m");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(starts(outcome.text,
                      "MTA_QUEUE CRITICAL - stalled: 805 recipients are queued and nothing left in the last minute |"));
    Bench empty;
    empty.commands.add(
        "/usr/sbin/pmta --dom show status",
        {"status.traffic.lastHr.out.rcp=\"0\"\nstatus.queue.smtp.rcp=\"0\"\nstatus.status=\"running\"\n"});
    BOOST_TEST(empty.run("--mta pmta --pmta-program --stalled 1h").exit_code == 0);
    BOOST_TEST(empty.run("--mta pmta --pmta-program --stalled 1m").exit_code == 3);
}

BOOST_AUTO_TEST_CASE(crit_when_it_is_not_running_and_warn_while_it_reads_its_spool) {
    Bench bench;
    bench.commands.add("/usr/sbin/pmta --dom show status",
                       {"status.queue.smtp.rcp=\"1\"\nstatus.spool.initPct=\"45\"\nstatus.status=\"running\"\n"});
    const auto reading = bench.run("--mta pmta --pmta-program");
    BOOST_TEST(reading.exit_code == 1);
    BOOST_TEST(starts(reading.text, "MTA_QUEUE WARNING - PowerMTA is still reading its spool: 45 % |"));
    Bench other;
    other.commands.add("/usr/sbin/pmta --dom show status",
                       {"status.queue.smtp.rcp=\"1\"\nstatus.status=\"stopping\"\n"});
    BOOST_TEST(other.run("--mta pmta --pmta-program").exit_code == 2);
}

BOOST_AUTO_TEST_CASE(sudo_runs_constant_arguments_and_names_the_sudoers_line) {
    Bench bench;
    bench.commands.add("sudo -n /usr/sbin/pmta --dom show status", {"", 1, "sudo: a password is required\n"});
    const auto outcome = bench.run("--mta pmta --pmta-program --sudo");
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(
        outcome.text ==
        "MTA_QUEUE UNKNOWN - PowerMTA's queue could not be read: pmta on this machine exited with 1: sudo: a password "
        "is required; allow it in sudoers: NOPASSWD: /usr/sbin/pmta --dom show status\n");
}

BOOST_AUTO_TEST_CASE(unknown_for_everything_that_is_no_status) {
    for (const auto* output : {"", "<html><title>Log in</title></html>", "{\"data\": {", "<rsp><data><mta>", "garbage",
                               "status.queue.smtp.rcp=\"5\"\n", "status.status=\"running\"\n"}) {
        Bench bench;
        bench.commands.add("/usr/sbin/pmta --dom show status", {output});
        const auto outcome = bench.run("--mta pmta --pmta-program");
        BOOST_TEST(outcome.exit_code == 3, output);
        BOOST_TEST(has(outcome.text, "PowerMTA's queue could not be read: /usr/sbin/pmta --dom show status: "));
    }
    Bench bench;
    bench.commands.add("/usr/sbin/pmta --dom show status", {"", 1, "pmta: unable to connect to the PowerMTA service"});
    BOOST_TEST(bench.run("--mta pmta --pmta-program").exit_code == 3);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(web)

BOOST_AUTO_TEST_CASE(kumomta_counts_scheduled_and_ready) {
    Bench bench;
    bench.network.add("127.0.0.1:8000",
                      answer(R"({"scheduled_count": {"type": "gauge", "value": {"queue": {"example.com": 40}}},)"
                             R"("ready_count": {"type": "gauge", "value": {"service": {"smtp_client": 2}}},)"
                             R"("scheduled_by_domain": {"type": "gauge", "value": {"domain": {"example.com": 40}}}})"));
    const auto outcome = bench.run("--mta kumomta --by domain --critical-group 39");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(outcome.text ==
               "MTA_QUEUE CRITICAL - domain example.com: 40 messages (above 39) | messages=42;100000;500000;0 "
               "scheduled=40;;;0 ready=2;;;0 example.com=40;;39;0\n");
}

BOOST_AUTO_TEST_CASE(warn_when_kumomta_suspended_a_source) {
    Bench bench;
    bench.network.add("192.0.2.9:8000",
                      answer("scheduled_count{queue=\"a\"} 1\n"
                             "egress_source_health_suspended{source=\"ip1\", reason=\"too many failures\"} 1\n"));
    const auto outcome = bench.run("--mta kumomta -H 192.0.2.9");
    BOOST_TEST(outcome.exit_code == 1);
    BOOST_TEST(starts(outcome.text, "MTA_QUEUE WARNING - source ip1 is suspended by KumoMTA: too many failures |"));
}

BOOST_AUTO_TEST_CASE(unknown_for_every_closed_door) {
    const auto text_of = [](test::Script script) {
        Bench bench;
        bench.network.add("127.0.0.1:8080", std::move(script));
        const auto outcome = bench.run("--mta pmta");
        BOOST_TEST(outcome.exit_code == 3);
        return outcome.text;
    };
    Bench refused;
    BOOST_TEST(refused.run("--mta pmta").exit_code == 3);
    Bench silent;
    silent.network.add_silent("127.0.0.1:8080");
    BOOST_TEST(silent.run("--mta pmta").exit_code == 3);
    BOOST_TEST(has(text_of({test::say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), test::close()}),
                   "add 'http-access ADDRESS monitor'"));
    BOOST_TEST(
        has(text_of({test::say("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), test::close()}), "--basic-auth-file"));
    BOOST_TEST(has(text_of({test::say("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), test::close()}), "404"));
    BOOST_TEST(has(text_of(answer("<html><head><title>Sign in</title></head></html>")),
                   "http://127.0.0.1:8080/status?format=xml: an HTML page came (\"Sign in\")"));
    // Neither the page that was asked for nor where it led to was named.
    BOOST_TEST(has(text_of({test::say("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), test::close()}),
                   "http://127.0.0.1:8080/status?format=xml: answered with status 500"));
    BOOST_TEST(has(text_of({test::say("HTTP/1.1 302 No\r\nLocation: https://other.example.net/\r\nContent-Length: "
                                      "0\r\n\r\n"),
                            test::close()}),
                   "redirects to https://other.example.net/ (status 302) instead of answering"));
    BOOST_TEST(has(text_of({test::say("HTTP/1.1 302 No\r\nLocation: https://a:b@other.example.net/x?token=1\r\n"
                                      "Content-Length: 0\r\n\r\n"),
                            test::close()}),
                   "redirects to https://other.example.net/x (status 302) instead of answering"));
    BOOST_TEST(has(text_of(answer(fixture("status.xml").substr(0, 300))), "cut short"));
    text_of({test::say("SSH-2.0-OpenSSH\r\n"), test::close()});
    text_of({test::say("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<rsp>"), test::close()});
}

BOOST_AUTO_TEST_CASE(a_page_of_ten_queues_is_said_to_be_a_part) {
    Bench bench;
    bench.network.add("127.0.0.1:8080", answer(fixture("status.xml")));
    bench.network.add(
        "127.0.0.1:8080",
        answer("<rsp><data><title>t</title><queue><name>a.example/v1</name><rcp>10</rcp><mode>backoff</mode>"
               "<paused>no</paused></queue><totalRcp>805</totalRcp></data><succ/></rsp>"));
    const auto outcome = bench.run("--mta pmta --backoff 100/500");
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(
        has(outcome.text, "PowerMTA showed only a part, so it may be more: give --api-key-file or --pmta-program"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(usage)

BOOST_AUTO_TEST_CASE(what_cannot_be_fed_is_refused) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "--mta"},
        {"--mta exim", "exim"},
        {"--mta postfix --url http://127.0.0.1", "Postfix is not asked over HTTP"},
        {"--mta postfix -H mx1.example.net", "for another host give --ssh"},
        {"--mta postfix --backoff 1/2", "--backoff is for PowerMTA"},
        {"--mta postfix --stalled 1m", "--stalled is for PowerMTA"},
        {"--mta postfix --by vmta", "counted by domain only"},
        {"--mta postfix --warning-group 5", "need --by"},
        {"--mta kumomta --ssh mx1.example.net", "asked over HTTP"},
        {"--mta kumomta --critical-age 1h", "hold no age"},
        {"--mta kumomta --by vmta", "no VMTAs"},
        {"--mta pmta --critical-age 1h", "only with --api-key-file"},
        {"--mta pmta --pmta-program --stalled 2h", "write 1m or 1h"},
        {"--mta pmta --sudo", "--sudo is for --pmta-program"},
        {"--mta pmta --config-dir /etc/postfix", "--config-dir is for Postfix"},
        {"--mta pmta --by provider", "domain, vmta or queue"},
        {"--mta postfix --ssh-key /tmp/key", "--ssh-key is for --ssh"},
        {"--mta postfix --ssh-jump bastion", "--ssh-jump is for --ssh"},
        {"--mta postfix --critical-age 60", "60"},
    };
    for (const auto& [arguments, part] : cases) {
        Bench bench;
        bench.commands.add("postqueue -j", {""});
        const auto outcome = bench.run(arguments);
        BOOST_TEST(outcome.exit_code == 3, arguments);
        BOOST_TEST(has(outcome.text, part), arguments);
        BOOST_TEST(bench.commands.ran().empty(), arguments);
    }
}

BOOST_AUTO_TEST_CASE(json_holds_the_observation) {
    Bench bench;
    bench.commands.add("postqueue -j", {mail(2, "active", 5, "a.example")});
    const auto outcome = bench.run("--mta postfix -o json");
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(
        has(outcome.text, R"("observation":{"mta":"postfix","where":"on this machine","unit":"messages","queued":2)"));
    BOOST_TEST(has(outcome.text, R"("groups":[{"name":"a.example","count":2}])"));
    BOOST_TEST(has(outcome.text, R"("oldest":{"arrival":1699999995,"queue":"active","id":"Q0"})"));
}

BOOST_AUTO_TEST_CASE(json_holds_queues_in_backoff) {
    PmtaBench bench;
    const auto outcome = bench.run("--mta pmta --pmta-program --backoff 50/100 -o json");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(has(
        outcome.text,
        R"("observation":{"mta":"pmta","where":"on this machine","unit":"recipients","queued":805,"bytes":169600,)"
        R"("queues":[{"name":"smtp","count":805,"bytes":null},{"name":"pipe","count":0,"bytes":null},)"
        R"({"name":"discard","count":0,"bytes":null},{"name":"file","count":0,"bytes":null}],)"
        R"("groups":[],"groups_complete":true,"group_error":0,"oldest":null,)"
        R"("backoff":{"recipients":200,"complete":true,"queues":[{"domain":"example.com","vmta":"vmta2","recipients":200,"reason":""}]},)"
        R"("paused":{"recipients":105,"complete":true,"queues":[{"domain":"example.org","vmta":"vmta1","recipients":105,"reason":""}]},)"
        R"("spool_percent":3.22,"left_last_minute":5809,"left_last_hour":348704,"unseen":[]}})"));
}

BOOST_AUTO_TEST_CASE(the_default_limits_in_help_are_those_that_are_used) {
    const auto postfix = checks::default_queue_limits(probe::mta_state::Mta::postfix);
    const auto pmta = checks::default_queue_limits(probe::mta_state::Mta::pmta);
    const auto kumomta = checks::default_queue_limits(probe::mta_state::Mta::kumomta);
    BOOST_TEST(checks::default_queue_warning ==
               fmt::format("postfix {}, others {}", postfix.warning->text(), pmta.warning->text()));
    BOOST_TEST(checks::default_queue_critical ==
               fmt::format("postfix {}, others {}", postfix.critical->text(), pmta.critical->text()));
    BOOST_TEST(checks::default_queue_text == fmt::format("postfix {}/{}, others {}/{}", postfix.warning->text(),
                                                         postfix.critical->text(), pmta.warning->text(),
                                                         pmta.critical->text()));
    BOOST_TEST(kumomta.warning->text() == pmta.warning->text());
    BOOST_TEST(kumomta.critical->text() == pmta.critical->text());
}

BOOST_AUTO_TEST_SUITE_END()
