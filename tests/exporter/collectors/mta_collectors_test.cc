// The collectors pmta_monitor, mta_queue, mta_service and mta_host: their sections, and what becomes a series.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "exporter/collectors/mta_probes.h"
#include "exporter/collectors/pmta_monitor.h"
#include "exporter/collectors/registry.h"
#include "exporter/collectors/scheduler.h"
#include "shared/config/node.h"
#include "shared/mta/documents/pmta_status.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_commands.h"
#include "tests/support/metric_families.h"

namespace mtawatch::exporter::collectors {
namespace {

using test::series_in;
using test::value_in;
using Section = base::Result<std::vector<Task>> (*)(const config::Node&);

base::Result<std::vector<Task>> tasks_of(Section section, std::string_view yaml) {
    return section(config::parse_yaml(yaml, "config.yml").value());
}

std::string fixture(const std::string& name) {
    const std::ifstream file(std::string(MTAWATCH_SOURCE_DIR) + "/tests/fixtures/powermta/" + name);
    BOOST_REQUIRE_MESSAGE(file, name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The fixture's status with another total of recipients that went out.
std::string status_with(int recipients) {
    std::string text = fixture("status.dom");
    const std::string key = "status.traffic.total.out.rcp=\"";
    const auto from = text.find(key) + key.size();
    return text.replace(from, text.find('"', from) - from, std::to_string(recipients));
}

struct Bench {
    test::FakeClock clock;
    test::FakeCommands commands;
    probe::world::World world;
    Bench() {
        world.clock = &clock;
        world.commands = &commands;
        const std::string all = " --maxitems=100000";
        commands.add("/usr/sbin/pmta --dom show queues --mode=backoff" + all,
                     {"queue[0].name=\"example.com/vmta2\"\nqueue[0].rcp=\"200\"\nqueue[0].mode=\"backoff\"\n"
                      "totalRcp=\"200\"\n"});
        commands.add("/usr/sbin/pmta --dom show queues --paused=yes" + all, {"title=\"t\"\ntotalRcp=\"0\"\n"});
        commands.add("/usr/sbin/pmta --dom show domains" + all,
                     {"domain[0].name=\"example.com\"\ndomain[0].rcp=\"700\"\ntotalRcp=\"700\"\n"});
        commands.add("/usr/sbin/pmta --dom show vmtas" + all,
                     {"vmta[0].name=\"vmta1\"\nvmta[0].rcp=\"805\"\ntotalRcp=\"805\"\n"});
    }
    base::Result<Published> run(const Task& task) {
        return task.run(world, base::Deadline(clock, std::chrono::seconds(10)));
    }
};

BOOST_AUTO_TEST_CASE(pmta_monitor_publishes_what_powermta_tells) {
    Bench bench;
    bench.commands.add("/usr/sbin/pmta --dom show status", {fixture("status.dom")});
    const auto tasks = tasks_of(pmta_monitor_tasks, "program: true");
    BOOST_REQUIRE(tasks.has_value());
    BOOST_TEST(tasks->front().probe == "pmta_monitor");
    const auto published = bench.run(tasks->front());
    BOOST_REQUIRE(published.has_value());
    BOOST_TEST(value_in(published->families, "pmta_up", {}).value() == 1);
    BOOST_TEST(value_in(published->families, "pmta_info", {"5.0r5", "Linux 6.1.0-44-amd64"}).value() == 1);
    BOOST_TEST(value_in(published->families, "pmta_start_time_seconds", {}).value() == 1'700'000'000 - 20'739);
    BOOST_TEST(value_in(published->families, "pmta_traffic_recipients_total", {"out"}).value() == 2'007'007);
    BOOST_TEST(value_in(published->families, "pmta_traffic_bytes_total", {"in"}).value() == 8'799'700);
    BOOST_TEST(value_in(published->families, "pmta_connections_max", {"out"}).value() == 1200);
    BOOST_TEST(value_in(published->families, "pmta_queued_recipients", {"smtp"}).value() == 805);
    BOOST_TEST(value_in(published->families, "pmta_spool_initialized_ratio", {}).value() == 1);
    BOOST_TEST(value_in(published->families, "pmta_domain_queued_recipients", {"example.com"}).value() == 700);
    BOOST_TEST(value_in(published->families, "pmta_domain_queued_recipients", {"other"}).value() == 105);
    BOOST_TEST(value_in(published->families, "pmta_vmta_queued_recipients", {"vmta1"}).value() == 805);
    BOOST_TEST(!value_in(published->families, "pmta_vmta_queued_recipients", {"other"}));
    BOOST_TEST(value_in(published->families, "pmta_backoff_queue_recipients", {"example.com", "vmta2"}).value() == 200);
    BOOST_TEST(value_in(published->families, "pmta_queues", {"backoff"}).value() == 1);
    BOOST_TEST(value_in(published->families, "pmta_queues", {"paused"}).value() == 0);
    BOOST_TEST(!value_in(published->families, "pmta_license_expiry_timestamp_seconds", {}));
    BOOST_TEST(!published->failure);
}

BOOST_AUTO_TEST_CASE(totals_survive_reset_counters) {
    Bench bench;
    for (const int total : {1000, 1500, 20, 50}) {
        bench.commands.add("/usr/sbin/pmta --dom show status", {status_with(total)});
    }
    const auto tasks = tasks_of(pmta_monitor_tasks, "program: true").value();
    std::vector<double> seen;
    for (int i = 0; i < 4; ++i) {
        seen.push_back(value_in(bench.run(tasks.front())->families, "pmta_traffic_recipients_total", {"out"}).value());
    }
    BOOST_TEST(seen == (std::vector<double>{1000, 1500, 1520, 1550}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_powermta_that_does_not_answer_is_down_and_leaves_no_other_value) {
    Bench bench;
    bench.commands.add("/usr/sbin/pmta --dom show status", {"", 1, "pmta: unable to connect"});
    const auto published = bench.run(tasks_of(pmta_monitor_tasks, "program: true").value().front());
    BOOST_REQUIRE(published.has_value());
    BOOST_TEST(value_in(published->families, "pmta_up", {}).value() == 0);
    BOOST_TEST(published->families.size() == 1U);
    BOOST_REQUIRE(published->failure.has_value());
    BOOST_TEST(published->failure->what.find("unable to connect") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_part_that_powermta_does_not_show_is_absent_and_reported) {
    Bench bench;
    bench.commands.add("/usr/sbin/pmta --dom show status", {fixture("status.dom")});
    bench.commands.add("/usr/sbin/pmta show license", {"", 2, "unknown command"});
    const auto published = bench.run(tasks_of(pmta_monitor_tasks, "program: true\nlicense: true").value().front());
    BOOST_REQUIRE(published.has_value());
    BOOST_TEST(value_in(published->families, "pmta_up", {}).value() == 1);
    BOOST_TEST(!value_in(published->families, "pmta_license_expiry_timestamp_seconds", {}));
    BOOST_REQUIRE(published->failure.has_value());
    BOOST_TEST(published->failure->what.find("the licence") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(postfix_queues_that_are_not_listed_are_empty) {
    Bench bench;
    bench.commands.add("postqueue -j",
                       {"{\"queue_name\": \"deferred\", \"queue_id\": \"A\", \"arrival_time\": 1699990000, "
                        "\"message_size\": 5, \"recipients\": []}\n"});
    const auto tasks = tasks_of(mta_queue_tasks, "targets: [{mta: postfix, host: mx1}]");
    BOOST_REQUIRE(tasks.has_value());
    BOOST_TEST(tasks->front().target == "postfix mx1");
    const auto published = bench.run(tasks->front());
    BOOST_REQUIRE(published.has_value());
    BOOST_TEST(value_in(published->families, "mail_queue_messages", {"mx1", "postfix", "deferred"}).value() == 1);
    BOOST_TEST(value_in(published->families, "mail_queue_messages", {"mx1", "postfix", "active"}).value() == 0);
    BOOST_TEST(
        value_in(published->families, "mail_queue_oldest_message_timestamp_seconds", {"mx1", "postfix"}).value() ==
        1'699'990'000);
}

BOOST_AUTO_TEST_CASE(an_unreadable_queue_publishes_nothing) {
    Bench bench;
    bench.commands.add("postqueue -j", {"", 69, "not allowed to view the mail queue"});
    const auto published = bench.run(tasks_of(mta_queue_tasks, "targets: [{mta: postfix}]").value().front());
    BOOST_REQUIRE(!published.has_value());
    BOOST_TEST((published.error().fault == base::Fault::permission));
}

BOOST_AUTO_TEST_CASE(kumomta_queues_beyond_the_budget_are_other) {
    probe::mta_state::MtaQueueObservation seen;
    seen.mta = probe::mta_state::Mta::kumomta;
    seen.queues = {{"scheduled", 1000, {}}, {"ready", 7, {}}};
    for (int i = 0; i < 300; ++i) seen.groups.push_back({"q" + std::to_string(i), 2, {}});
    seen.suspended = {{"ip1", "too many failures"}};
    const auto published = publish(seen, "mx1");
    BOOST_TEST(series_in(published.families, "mail_queue_messages") == 256U);
    BOOST_TEST(value_in(published.families, "mail_queue_messages", {"mx1", "kumomta", "q0"}).value() == 2);
    BOOST_TEST(value_in(published.families, "mail_queue_messages", {"mx1", "kumomta", "other"}).value() ==
               1000 - 254 * 2);
    BOOST_TEST(value_in(published.families, "mail_queue_messages", {"mx1", "kumomta", "ready"}).value() == 7);
    BOOST_TEST(value_in(published.families, "mail_kumomta_source_suspended", {"mx1", "ip1"}).value() == 1);
}

BOOST_AUTO_TEST_CASE(services_are_active_or_not_and_absent_when_unseen) {
    probe::mta_state::UnitFacts running;
    running.unit = "postfix.service";
    running.active_state = "active";
    running.restarts = 3;
    probe::mta_state::UnitFacts failed;
    failed.unit = "pmta.service";
    failed.active_state = "failed";
    const auto published = publish({running, failed}, "mx1");
    BOOST_TEST(value_in(published.families, "mail_service_active", {"mx1", "postfix.service"}).value() == 1);
    BOOST_TEST(value_in(published.families, "mail_service_active", {"mx1", "pmta.service"}).value() == 0);
    BOOST_TEST(value_in(published.families, "mail_service_restarts", {"mx1", "postfix.service"}).value() == 3);
    BOOST_TEST(!value_in(published.families, "mail_service_restarts", {"mx1", "pmta.service"}));
    Bench bench;
    BOOST_TEST(!bench.run(tasks_of(mta_service_tasks, "targets: [{units: [x]}]").value().front()).has_value());
}

BOOST_AUTO_TEST_CASE(a_host_with_an_unreadable_log_still_shows_its_disks) {
    probe::mta_state::MtaHostObservation seen;
    seen.disks = {{"/", "/", 250, 750}};
    seen.unseen = {{"mail log", {base::Fault::permission, "no"}}};
    const auto published = publish(seen, "mx1");
    BOOST_TEST(value_in(published.families, "mail_host_disk_used_ratio", {"mx1", "/"}).value() == 0.25);
    BOOST_TEST(!value_in(published.families, "mail_host_log_errors", {"mx1"}));
    BOOST_TEST(published.failure.has_value());
}

BOOST_AUTO_TEST_CASE(mistakes_in_the_sections_name_file_line_and_key) {
    const std::tuple<Section, const char*, const char*> cases[] = {
        {pmta_monitor_tasks, "url: http://127.0.0.1:8080\nprogram: true", "give url or program"},
        {pmta_monitor_tasks, "url: http://127.0.0.1:8080\nssh: mx1", "give url or ssh"},
        {pmta_monitor_tasks, "interval: 5s\ntimeout: 10s", "timeout must not be longer than interval"},
        {pmta_monitor_tasks, "speed: 1", "speed"},
        {pmta_monitor_tasks, "program: true\nssh_key: /k", "need ssh"},
        {mta_queue_tasks, "targets: [{mta: postfix, ssh_jump: bastion}]", "need ssh"},
        {mta_queue_tasks, "targets: [{mta: exim}]", "config.yml line 1: targets[0]"},
        {mta_queue_tasks, "targets: [{mta: postfix, url: 'http://x'}]", "Postfix is not asked by url"},
        {mta_queue_tasks, "targets: [{mta: kumomta, ssh: mx1}]", "KumoMTA is asked by url"},
        {mta_queue_tasks, "interval: 30s", "targets"},
        {mta_service_tasks, "targets: [{host: a}]", "give units or mta"},
        {mta_host_tasks, "targets: [{disks: [var]}]", "no absolute path"},
    };
    for (const auto& [section, yaml, text] : cases) {
        const auto tasks = tasks_of(section, yaml);
        BOOST_REQUIRE_MESSAGE(!tasks.has_value(), yaml);
        BOOST_TEST((tasks.error().fault == base::Fault::configuration));
        BOOST_TEST(tasks.error().what.find(text) != std::string::npos, tasks.error().what);
    }
}

BOOST_AUTO_TEST_CASE(targets_and_hosts_come_from_what_is_written) {
    const auto tasks = tasks_of(mta_queue_tasks, R"(
interval: 1m
targets:
  - {mta: pmta, url: "http://192.0.2.7:8080"}
  - {mta: postfix, ssh: "nagios@mx1.example.net:2222", ssh_key: /etc/key}
  - {mta: kumomta}
)");
    BOOST_REQUIRE_MESSAGE(tasks.has_value(), tasks.error().what);
    BOOST_TEST(tasks->at(0).target == "pmta http://192.0.2.7:8080");
    BOOST_TEST(tasks->at(1).target == "postfix nagios@mx1.example.net:2222");
    BOOST_TEST(tasks->at(2).target == "kumomta localhost");
    BOOST_TEST((tasks->at(0).interval == std::chrono::minutes(1)));
}

}  // namespace
}  // namespace mtawatch::exporter::collectors
