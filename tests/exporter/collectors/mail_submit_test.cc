// The collector `mail_submit`: its section of the configuration, and what of an observation becomes a series.
#include "exporter/collectors/mail_submit.h"

#include <boost/test/unit_test.hpp>

#include "exporter/collectors/registry.h"
#include "shared/config/node.h"
#include "shared/io/files.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/metric_families.h"
#include "tests/support/scripted_stream.h"

namespace mtawatch::exporter::collectors {
namespace {

using probe::mail_server::SubmitEnd;
using probe::mail_server::SubmitStep;
using test::value_in;

base::Result<std::vector<Task>> tasks_of(const std::string& yaml) {
    return mail_submit_tasks(config::parse_yaml(yaml, "config.yml").value());
}

BOOST_AUTO_TEST_CASE(a_submission_section_becomes_one_task_per_server) {
    const auto tasks = tasks_of(R"(
timeout: 15s
targets:
  - {host: mail.example.net, user: monitor@example.net, password_file: /password, to: [a@example.org, b@example.org]}
  - {host: mail.example.net, tls: implicit, user: monitor, token_file: /token, from: m@example.net, mechanism: XOAUTH2}
  - {host: mail.example.net, from: m@example.net, target: by address}
)");
    BOOST_REQUIRE_MESSAGE(tasks.has_value(), tasks.error().what);
    BOOST_REQUIRE(tasks->size() == 3U);
    BOOST_TEST(tasks->at(0).probe == "mail_submit");
    BOOST_TEST(tasks->at(0).target == "mail.example.net:587");
    BOOST_TEST(tasks->at(1).target == "mail.example.net:465");
    BOOST_TEST(tasks->at(2).target == "by address");
    BOOST_TEST((tasks->at(0).interval == std::chrono::minutes(15)));
    BOOST_TEST((tasks->at(0).timeout == std::chrono::seconds(15)));
}

BOOST_AUTO_TEST_CASE(mistakes_in_a_submission_section_name_file_line_and_key) {
    const std::pair<const char*, const char*> cases[] = {
        {"interval: 1h", "targets"},
        {"targets:\n  - {user: a@example.net}", "config.yml line 2: targets[0]: \"host\" is missing"},
        {"targets:\n  - {host: a}", "config.yml line 2: targets[0]: give a user with its secret, or from"},
        {"targets:\n  - {host: a, user: m@example.net}",
         "targets[0]: the user \"m@example.net\" needs a password file"},
        {"targets: [{host: a, user: m@example.net, password_file: /p, tls: none}]", "allow_plaintext: true"},
        {"targets: [{host: a, from: m@example.net, tls: maybe}]", "tls"},
        {"targets: [{host: a, from: m@example.net, port: 99999}]", "port"},
        {"targets: [{host: a, from: m@example.net, speed: 3}]", "speed"},
        {"targets: [{host: a, from: m@example.net}, {host: a, from: n@example.net}]",
         "a:587 stands there twice: tell the two apart by target: NAME"},
    };
    for (const auto& [yaml, text] : cases) {
        const auto tasks = tasks_of(yaml);
        BOOST_REQUIRE_MESSAGE(!tasks.has_value(), yaml);
        BOOST_TEST((tasks.error().fault == base::Fault::configuration));
        BOOST_TEST(tasks.error().what.find(text) != std::string::npos, tasks.error().what);
    }
}

BOOST_AUTO_TEST_CASE(mail_that_is_taken_is_1_and_every_other_end_is_0) {
    const std::vector<std::string> target{"mail.example.net:587"};
    probe::mail_server::MailSubmitObservation seen;
    seen.took[static_cast<std::size_t>(SubmitStep::auth)] = std::chrono::milliseconds(1500);
    const Published taken = publish(seen, target[0]);
    BOOST_TEST(value_in(taken.families, "mail_submit_accepted", target).value() == 1);
    BOOST_TEST(value_in(taken.families, "mail_submit_phase_duration_seconds", {target[0], "auth"}).value() == 1.5);
    BOOST_TEST(!value_in(taken.families, "mail_submit_phase_duration_seconds", {target[0], "rcpt"}).has_value());
    for (const SubmitEnd end : {SubmitEnd::unknown_name, SubmitEnd::unreachable, SubmitEnd::silent, SubmitEnd::closed,
                                SubmitEnd::refused, SubmitEnd::not_offered, SubmitEnd::injected, SubmitEnd::not_smtp,
                                SubmitEnd::no_tls, SubmitEnd::untrusted, SubmitEnd::unproved}) {
        seen.end = end;
        BOOST_TEST(value_in(publish(seen, target[0]).families, "mail_submit_accepted", target).value() == 0);
        BOOST_TEST(!publish(seen, target[0]).failure.has_value());
    }
    seen.end = SubmitEnd::not_tried;
    BOOST_TEST(publish(seen, target[0]).families.empty());
    BOOST_TEST(publish(seen, target[0]).failure.has_value());
}

BOOST_AUTO_TEST_CASE(a_submission_task_looks_for_itself_and_a_secret_that_is_gone_is_a_failed_look) {
    test::FakeClock clock;
    const test::Folder folder;
    io::Files files = folder.files();
    test::ScriptedNetwork network;
    network.add("192.0.2.25:587", {test::say("421 4.3.2 later\r\n"), test::expect("QUIT"), test::close()});
    probe::world::World world;
    world.clock = &clock;
    world.files = &files;
    world.connector = &network;
    const auto tasks = tasks_of(
        "targets: [{host: 192.0.2.25, tls: none, allow_plaintext: true, user: m@example.net, password_file: /secret}]");
    BOOST_REQUIRE_MESSAGE(tasks.has_value(), tasks.error().what);
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    const auto unseen = tasks->at(0).run(world, deadline);
    BOOST_REQUIRE(!unseen.has_value());
    BOOST_TEST(unseen.error().what == "/secret: No such file or directory");
    folder.write("/secret", "pw");
    const auto published = tasks->at(0).run(world, deadline);
    BOOST_REQUIRE(published.has_value());
    BOOST_TEST(value_in(published->families, "mail_submit_accepted", {"192.0.2.25:587"}).value() == 0);
    BOOST_TEST(network.connections() == 1U);
    BOOST_TEST(network.complaints() == "");
}

}  // namespace
}  // namespace mtawatch::exporter::collectors
