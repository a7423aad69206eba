// check_mta_host as a whole: one host of made-up programs, healthy, degraded, unhealthy and unknown.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "shared/ssh/ssh.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_commands.h"
#include "tests/support/folder.h"
#include "tests/support/run_check.h"

using namespace mtawatch;

namespace {

const std::string show =
    "env TZ=UTC systemctl show --no-pager "
    "--property=Id,LoadState,ActiveState,SubState,UnitFileState,Type,Result,NRestarts,ExecMainStatus,ExecMainCode,"
    "ActiveEnterTimestamp,InactiveEnterTimestamp,TriggeredBy,LastTriggerUSec -- postfix@-.service postfix.service";
const std::string journal = "journalctl --no-pager --facility=mail --since=-1h --output=cat";
constexpr const char* running =
    "LoadState=loaded\nActiveState=active\nSubState=running\n\nLoadState=loaded\n"
    "ActiveState=active\nSubState=exited\n";
constexpr const char* failed =
    "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\n\n"
    "LoadState=loaded\nActiveState=active\nSubState=exited\n";

std::string df(int percent, std::string_view mountpoint) {
    return fmt::format("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000000 {} {} {}% {}\n",
                       percent * 1000, 100'000 - percent * 1000, percent, mountpoint);
}

std::string deliveries(int sent, int bounced) {
    std::string text;
    for (int i = 0; i < sent; ++i) text += "A1: to=<a@example.com>, status=sent (250 ok)\n";
    for (int i = 0; i < bounced; ++i) text += "A1: to=<a@example.com>, status=bounced (550 no)\n";
    return text;
}

std::string mail(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += fmt::format(
            "{{\"queue_name\": \"deferred\", \"queue_id\": \"Q{}\", \"arrival_time\": 1699999000, "
            "\"message_size\": 1, \"recipients\": []}}\n",
            i);
    }
    return text;
}

// A healthy host; a scenario changes what it is about.
struct Host {
    std::string units = running;
    test::Said queue{mail(3)};
    test::Said root{df(40, "/")};
    test::Said spool{df(50, "/var")};
    test::Said log{deliveries(190, 10)};
    test::Said errors{""};
};

plugin::Outcome run(const Host& host, const std::string& more = "") {
    test::FakeClock clock;
    test::FakeCommands commands;
    commands.add(show, {host.units});
    commands.add("postqueue -j", host.queue);
    commands.add("df -P -k -- /", host.root);
    commands.add("df -P -k -- /var/spool/postfix", host.spool);
    commands.add(journal, host.log);
    commands.add(journal + " --priority=err", host.errors);
    probe::world::World world;
    world.clock = &clock;
    world.commands = &commands;
    std::vector<std::string> words{"--mta", "postfix"};
    for (const auto word : base::words(more)) words.emplace_back(word);
    return test::run_check(words, world);
}

// Streams nothing and takes all the time there is.
class HangingJournal final : public io::Commands {
  public:
    explicit HangingJournal(test::FakeClock& clock) : clock_(clock) {}
    base::Result<io::CommandResult> run(const std::vector<std::string>& argv, const io::CommandLimits& limits,
                                        const base::Deadline& deadline) override {
        return others_.run(argv, limits, deadline);
    }
    base::Result<io::CommandResult> stream(const std::vector<std::string>& argv, const io::OutputSink& /*sink*/,
                                           const base::Deadline& deadline) override {
        clock_.advance(deadline.remaining());
        return base::fail(base::Fault::timeout, "{}: did not end in time", argv.front());
    }
    [[nodiscard]] std::string where() const override { return others_.where(); }

  private:
    test::FakeClock& clock_;
    test::FakeCommands others_;
};

bool has(const std::string& text, std::string_view part) {
    if (text.find(part) != std::string::npos) return true;
    BOOST_TEST_MESSAGE("'" << part << "' is not in: " << text);
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mta_host)

BOOST_AUTO_TEST_CASE(ok_healthy) {
    const auto outcome = run({});
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(
        outcome.text ==
        "MTA_HOST OK - this machine is healthy: 6 things looked at | queue=3;100;500;0 disk_root=40%;80;90;0;100 "
        "disk_var=50%;80;90;0;100 log_errors=0;0;100;0 delivered=95%;95:;85:;0;100\n");
}

BOOST_AUTO_TEST_CASE(warn_degraded_by_the_queue) {
    const auto outcome = run({.queue = {mail(101)}});
    BOOST_TEST(outcome.exit_code == 1);
    BOOST_TEST(
        has(outcome.text, "MTA_HOST WARNING - this machine is degraded: 101 messages queued (above 100), oldest"));
}

BOOST_AUTO_TEST_CASE(crit_unhealthy_by_a_service) {
    const auto outcome = run({.units = failed, .root = {df(85, "/")}});
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(
        has(outcome.text,
            "MTA_HOST CRITICAL - this machine is unhealthy: postfix@-.service failed (exit-code) (and 1 more) |"));
    BOOST_TEST(has(outcome.text, "\nWARNING: / is 85 % full (above 80)\n"));
}

BOOST_AUTO_TEST_CASE(crit_by_disk_delivery_and_log_errors) {
    BOOST_TEST(
        has(run({.spool = {df(91, "/var")}}).text, "/var is 91 % full (above 90), with /var/spool/postfix on it"));
    const auto bounces = run({.log = {deliveries(84, 16)}});
    BOOST_TEST(bounces.exit_code == 2);
    BOOST_TEST(has(bounces.text, "84 % of 100 mails were delivered in the last hour (below 85)"));
    const auto errors = run({.errors = {"fatal: no SASL\nfatal: open database\n"}});
    BOOST_TEST(errors.exit_code == 1);
    BOOST_TEST(has(errors.text, "2 errors in the mail log of the last hour (journal) (above 0), 0 rejects"));
}

BOOST_AUTO_TEST_CASE(few_mails_are_not_judged) {
    const auto outcome = run({.log = {deliveries(1, 20)}}, "-v");
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(has(outcome.text, "21 mails ended in the last hour, 20 of them bounced: too few to judge"));
}

BOOST_AUTO_TEST_CASE(a_part_that_cannot_be_seen_is_named_and_never_healthy) {
    const auto queue = run({.queue = {"", 69, "not allowed to view the mail queue"}});
    BOOST_TEST(queue.exit_code == 3);
    BOOST_TEST(has(queue.text, "MTA_HOST UNKNOWN - this machine is unknown: queue could not be seen: postqueue"));
    BOOST_TEST(has(queue.text, "authorized_mailq_users"));
    const auto disk = run({.spool = {"", 1, "df: /var/spool/postfix: No such file or directory"}});
    BOOST_TEST(disk.exit_code == 3);
    BOOST_TEST(has(disk.text, "disk /var/spool/postfix could not be seen"));
    // The journal shows only our own messages: 0 errors would be a lie.
    const auto journal_hidden =
        run({.log = {"", 0, "Hint: You are currently not seeing messages from other users and the system."}});
    BOOST_TEST(journal_hidden.exit_code == 3);
    BOOST_TEST(has(journal_hidden.text, "mail log could not be seen"));
    const auto journal_cut = run({.log = {"postfix/qmgr[1]: A1: removed\npostfix/qm"}});
    BOOST_TEST(journal_cut.exit_code == 3);
    BOOST_TEST(
        has(journal_cut.text, "mail log could not be seen: journalctl on this machine was cut off in the middle"));
    // What is worse than unknown stays in front.
    const auto both = run({.units = failed, .queue = {"", 69, "x"}});
    BOOST_TEST(both.exit_code == 2);
    BOOST_TEST(has(both.text, "\nUNKNOWN: queue could not be seen"));
}

BOOST_AUTO_TEST_CASE(without_a_mail_server_named_it_looks_at_disk_and_log) {
    test::FakeClock clock;
    test::FakeCommands commands;
    commands.add("df -P -k -- /", {df(40, "/")});
    commands.add(journal, {"postfix/qmgr[1]: A1: removed\n"});
    commands.add(journal + " --priority=err", {""});
    probe::world::World world;
    world.clock = &clock;
    world.commands = &commands;
    const auto outcome = test::run_check({}, world);
    BOOST_TEST(outcome.exit_code == 0);
    BOOST_TEST(outcome.text ==
               "MTA_HOST OK - this machine is healthy: 2 things looked at | disk_root=40%;80;90;0;100 "
               "log_errors=0;0;100;0\n");
}

BOOST_AUTO_TEST_CASE(one_range_alone_warns_and_leaves_the_critical_default) {
    for (const auto& [options, figure] :
         std::initializer_list<std::pair<const char*, const char*>>{{"--queue 5", "queue=600;5;500;0"},
                                                                    {"--queue 5/1000", "queue=600;5;1000;0"},
                                                                    {"--disk-limits 10", "disk_root=40%;10;90;0;100"},
                                                                    {"--delivery 99:", "delivered=95%;99:;85:;0;100"},
                                                                    {"--log-errors 7", "log_errors=0;7;100;0"}}) {
        const auto outcome = run({.queue = {mail(600)}}, options);
        BOOST_TEST(has(outcome.text, figure), options);
    }
}

BOOST_AUTO_TEST_CASE(json_for_an_api) {
    const auto outcome = run({.queue = {mail(600)}}, "-o json");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(has(outcome.text, R"("observation":{"where":"on this machine","health":"unhealthy","services":[{)"));
    BOOST_TEST(has(outcome.text, R"("queue":{"mta":"postfix","queued":600})"));
    BOOST_TEST(has(outcome.text, R"("deliveries":{"delivered":190,"bounced":10,"seconds":3600},"unseen":[])"));
}

// The clock was asked next, without any time left for it, and told as a second program that hangs.
BOOST_AUTO_TEST_CASE(a_hanging_journal_is_not_told_as_a_hanging_clock) {
    test::FakeClock clock;
    HangingJournal commands(clock);
    probe::world::World world;
    world.clock = &clock;
    world.commands = &commands;
    const auto outcome = test::run_check({}, world);
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(has(outcome.text, "mail log could not be seen: journalctl: did not end in time"));
    BOOST_TEST(!has(outcome.text, "date"));
}

BOOST_AUTO_TEST_CASE(a_log_file_serves_where_the_journal_holds_no_mail) {
    test::FakeClock clock;
    test::FakeCommands commands;
    commands.add(show, {running});
    commands.add("postqueue -j", {""});
    commands.add("df -P -k -- /", {df(1, "/")});
    commands.add("df -P -k -- /var/spool/postfix", {df(1, "/")});
    commands.add(journal, {"-- No entries --\n"});
    commands.add("date +%Y-%m-%dT%H:%M:%S%z", {"2023-11-14T23:13:20+0100\n"});
    commands.add("tail -c 33554432 -- /var/log/mail.log",
                 {"Nov 14 22:40:00 mx1 postfix/smtpd[1]: fatal: no SASL mechanisms\n"});
    commands.add("tail -c 33554432 -- /var/log/mail.log.1",
                 {"Nov 14 20:40:00 mx1 postfix/smtpd[1]: fatal: old\n"
                  "Nov 14 22:20:00 mx1 postfix/smtpd[1]: error: open database\n"});
    probe::world::World world;
    world.clock = &clock;
    world.commands = &commands;
    const auto outcome = test::run_check({"--mta", "postfix"}, world);
    BOOST_TEST(outcome.exit_code == 1);
    BOOST_TEST(has(outcome.text,
                   "2 errors in the mail log of the last hour (/var/log/mail.log) (above 0), 0 rejects: "
                   "Nov 14 22:40:00 mx1 postfix/smtpd[1]: fatal: no SASL mechanisms"));
}

BOOST_AUTO_TEST_CASE(a_host_where_nobody_logs_is_not_a_quiet_one) {
    for (const auto& [lines, code] : {std::pair<std::string, int>("", 3), {"systemd[1]: Started something\n", 0}}) {
        test::FakeClock clock;
        test::FakeCommands commands;
        commands.add(show, {running});
        commands.add("postqueue -j", {""});
        commands.add("df -P -k -- /", {df(1, "/")});
        commands.add("df -P -k -- /var/spool/postfix", {df(1, "/")});
        commands.add(journal, {""});
        commands.add("date +%Y-%m-%dT%H:%M:%S%z", {"2023-11-14T23:13:20+0100\n"});
        for (const auto* file : {"mail.log", "maillog"}) {
            commands.add(std::string("tail -c 33554432 -- /var/log/") + file,
                         {"", 1, "tail: cannot open: No such file or directory"});
        }
        commands.add("journalctl --no-pager --lines=1 --output=cat", {lines});
        probe::world::World world;
        world.clock = &clock;
        world.commands = &commands;
        const auto outcome = test::run_check({"--mta", "postfix", "-v"}, world);
        BOOST_TEST(outcome.exit_code == code);
        BOOST_TEST(has(outcome.text, code == 3 ? "the journal is empty and there is neither /var/log/mail.log"
                                               : "0 errors in the mail log of the last hour (journal), 0 rejects"));
    }
}

// What find, head and tail say of PowerMTA's accounting on another host, whose clock stands at 1700000000.
struct Accounting {
    test::Said find{"1699999990.25 900 7 /var/log/pmta/acct-2.csv\n1699990000.0 500 8 /var/log/pmta/acct-1.csv\n"};
    test::Said tail{};
    test::Said head{"type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType\n"};
};

const std::string acct_header = "type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType\n";

std::string accounting(const char* time, int delivered, int bounced) {
    std::string text;
    for (int i = 0; i < delivered; ++i) {
        text += fmt::format("d,{},s@a.b,r@c.d,2.0.0 (success),smtp;250 ok,,smtp\n", time);
    }
    for (int i = 0; i < bounced; ++i) {
        text += fmt::format("b,{},s@a.b,r@c.d,5.1.1 (bad mailbox),smtp;550 no,bad-mailbox,smtp\n", time);
    }
    return text;
}

plugin::Outcome run_remote(const Accounting& host, const std::vector<std::string>& more = {}) {
    test::FakeClock clock;
    probe::world::World world;
    world.clock = &clock;
    world.open_ssh = [&](const ssh::SshSettings&,
                         const base::Deadline&) -> base::Result<std::unique_ptr<io::Commands>> {
        auto commands = std::make_unique<test::FakeCommands>("on mx1.example.net");
        commands->add("date +%s", {"1700000000\n"});
        commands->add("find -L /var/log/pmta -maxdepth 1 -type f -name acct-*.csv -printf %T@ %s %i %p\\n", host.find);
        commands->add("head -n 1 -- /var/log/pmta/acct-2.csv", host.head);
        commands->add("tail -c 33554432 -- /var/log/pmta/acct-2.csv", host.tail);
        return commands;
    };
    std::vector<std::string> arguments{"--mta", "pmta", "--ssh", "mx1.example.net", "-v"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run_check(arguments, world);
}

// An empty file was read as "PowerMTA does not log d records here".
BOOST_AUTO_TEST_CASE(an_accounting_file_without_records_is_not_blamed_on_powermtas_settings) {
    const test::Folder folder;
    std::string path = "/acct.csv";
    const auto text_of = [&](const std::string& content) {
        folder.write("/acct.csv", content);
        test::FakeClock clock;
        test::FakeCommands commands;
        io::Files files = folder.files();
        probe::world::World world;
        world.clock = &clock;
        world.commands = &commands;
        world.files = &files;
        return test::run_check({"--mta", "pmta", "--acct", path, "-v"}, world).text;
    };
    const std::string head = "deliveries could not be seen: ";
    BOOST_TEST(has(text_of(""), head + path + ": no record in it; PowerMTA has not written any"));
    BOOST_TEST(has(text_of(acct_header), head + path + ": no record in it"));
    BOOST_TEST(has(text_of(acct_header + accounting("2023-11-14 22:03:20+0000", 0, 5)),
                   head + "PowerMTA does not log d records here"));
    // Another one that cannot be read is the reason.
    path = "/acct*";
    std::filesystem::create_directory(folder.path() + "/acct-1.csv");
    BOOST_TEST(has(text_of(""), head + "/acct-1.csv: "));
}

BOOST_AUTO_TEST_CASE(deliveries_of_powermta_come_over_the_same_connection) {
    const char* now = "2023-11-14 22:13:00+0000";
    const char* before = "2023-11-14 20:00:00+0000";
    struct Row {
        const char* name;
        Accounting host;
        const char* text;
    };
    const std::string cut = "7550 no,bad-mailbox,smtp\n" + accounting("2023-11-14 22:03:20+0000", 190, 10);
    const std::vector<Row> rows{
        {"rate",
         {.tail = {acct_header + accounting(before, 0, 50) + accounting(now, 180, 20)}},
         "WARNING: 90 % of 200 mails were delivered in the last hour (below 95)"},
        {"fine",
         {.tail = {acct_header + accounting(now, 199, 1)}},
         "OK: 99.5 % of 200 mails were delivered in the last hour"},
        {"few",
         {.tail = {acct_header + accounting(now, 3, 2)}},
         "OK: 5 mails ended in the last hour, 2 of them bounced: too few to judge"},
        {"idle", {.find = {"1699990000.0 500 8 /var/log/pmta/acct-1.csv\n"}}, "OK: 0 mails ended in the last hour"},
        {"only_the_end_is_read",
         {.find = {"1699999990.25 99000000 7 /var/log/pmta/acct-2.csv\n"}, .tail = {cut}},
         "OK: 95 % of 200 mails were delivered in the last 10 min"},
        {"no_deliveries_logged",
         {.tail = {acct_header + accounting(now, 0, 50)}},
         "UNKNOWN: deliveries could not be seen: PowerMTA does not log d records here: add `records d,b`"},
        {"no_header",
         {.tail = {"hello\nworld\n"}},
         "deliveries could not be seen: /var/log/pmta/acct-2.csv: no header line; is it an accounting file of "
         "PowerMTA?"},
        {"no_file",
         {.find = {""}},
         "deliveries could not be seen: no file matches /var/log/pmta/acct-*.csv on mx1.example.net"},
        {"no_folder",
         {.find = {"", 1, "find: '/var/log/pmta': No such file or directory"}},
         "deliveries could not be seen: no file matches /var/log/pmta/acct-*.csv on mx1.example.net"},
        {"no_permission",
         {.tail = {"", 1, "tail: cannot open '/var/log/pmta/acct-2.csv' for reading: Permission denied"}},
         "Permission denied; the user of the connection must be able to read the accounting files (group pmta)"},
        {"garbled", {.find = {"hello\n"}}, "deliveries could not be seen: find printed 'hello'"},
    };
    for (const Row& row : rows) {
        const auto outcome = run_remote(row.host);
        BOOST_TEST(has(outcome.text, row.text), row.name);
    }
    const auto json = run_remote({.tail = {acct_header + accounting(now, 180, 20)}}, {"-o", "json"});
    BOOST_TEST(has(json.text, R"("deliveries":{"delivered":180,"bounced":20,"seconds":3600})"));
    BOOST_TEST(!has(run_remote({.find = {"", 1, "find: Permission denied"}}, {"--acct", ""}).text, "deliver"));
    const auto refused = run_remote({}, {"--acct", "/var/*/acct.csv"});
    BOOST_TEST(has(refused.text, "over SSH write an absolute path with a pattern in its last part"));
}

BOOST_AUTO_TEST_CASE(unknown_when_the_host_cannot_be_reached) {
    test::FakeClock clock;
    probe::world::World world;
    world.clock = &clock;
    world.open_ssh = [](const ssh::SshSettings&, const base::Deadline&) -> base::Result<std::unique_ptr<io::Commands>> {
        return base::fail(base::Fault::refused, "cannot connect to mx1.example.net port 22: Connection refused");
    };
    const auto outcome = test::run_check({"--mta", "postfix", "-H", "mx1.example.net"}, world);
    BOOST_TEST(outcome.exit_code == 3);
    BOOST_TEST(
        outcome.text ==
        "MTA_HOST UNKNOWN - the host could not be looked at: cannot connect to mx1.example.net port 22: Connection "
        "refused\n");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_right_is_refused) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{"--delivery", "95:/85:"}, "say whose mail it is"},
        {{"--mta", "exim"}, "exim"},
        {{"--mta", "postfix", "--disk", "var"}, "absolute path"},
        {{"--mta", "postfix", "--delivery", "95/85"}, "write 95: to be warned below 95 percent"},
        {{"--mta", "postfix", "--services", "a,,b"}, "separated by commas"},
        {{"--mta", "postfix", "--cert", "gopher://x"}, "--cert"},
        {{"--mta", "kumomta", "--ssh", "mx1.example.net"}, "give --url"},
        {{"--mta", "postfix", "--url", "http://127.0.0.1"}, "not asked over HTTP"},
    };
    for (const auto& [arguments, part] : cases) {
        test::FakeClock clock;
        probe::world::World world;
        world.clock = &clock;
        const auto outcome = test::run_check(arguments, world);
        BOOST_TEST(outcome.exit_code == 3, part);
        BOOST_TEST(has(outcome.text, part), part);
    }
}

BOOST_AUTO_TEST_SUITE_END()
