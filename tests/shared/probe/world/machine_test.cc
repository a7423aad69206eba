// What --ssh and its companions become before anything connects.
#include "shared/probe/world/machine.h"

#include <boost/test/unit_test.hpp>

#include "shared/ssh/ssh.h"
#include "tests/support/fake_clock.h"

using namespace mtawatch;
using namespace std::chrono_literals;

namespace {

// The settings that the connection is opened with, or the text of the Error before that.
base::Result<ssh::SshSettings> settings_for(const probe::world::SshTarget& target) {
    test::FakeClock clock;
    const base::Deadline deadline(clock, 5s);
    probe::world::World world;
    std::optional<ssh::SshSettings> seen;
    world.open_ssh = [&seen](const ssh::SshSettings& settings,
                             const base::Deadline&) -> base::Result<std::unique_ptr<io::Commands>> {
        seen = settings;
        return base::fail(base::Fault::refused, "no network here");
    };
    auto opened = probe::world::Machine::open(world, target, deadline);
    BOOST_REQUIRE(!opened);
    if (!seen) return base::fail(opened.error());
    return *seen;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(machine)

BOOST_AUTO_TEST_CASE(a_jump_host_shares_key_and_known_hosts_and_not_the_pin) {
    probe::world::SshTarget target;
    target.target = "nagios@mx1.example.net";
    target.key_file = "/etc/key";
    target.known_hosts_file = "/etc/hosts-known";
    target.host_key = "SHA256:abc";
    target.jump = "gate@[2001:db8::1]:2222";
    target.only_ipv6 = true;
    const auto settings = settings_for(target);
    BOOST_REQUIRE_MESSAGE(settings.has_value(), settings.error().what);
    BOOST_TEST(settings->host == "mx1.example.net");
    BOOST_TEST(*settings->host_key == "SHA256:abc");
    BOOST_REQUIRE(settings->jump != nullptr);
    const ssh::SshSettings& jump = *settings->jump;
    BOOST_TEST(*jump.user == "gate");
    BOOST_TEST(jump.host == "2001:db8::1");
    BOOST_TEST(jump.port == 2222);
    BOOST_TEST(*jump.key_file == "/etc/key");
    BOOST_TEST(*jump.known_hosts_file == "/etc/hosts-known");
    BOOST_TEST(!jump.host_key);
    BOOST_TEST((jump.family == ssh::Family::ipv6));
    BOOST_TEST(jump.jump == nullptr);
}

BOOST_AUTO_TEST_CASE(without_a_jump_host_the_connection_is_direct) {
    probe::world::SshTarget target;
    target.target = "mx1.example.net";
    const auto settings = settings_for(target);
    BOOST_REQUIRE(settings.has_value());
    BOOST_TEST(settings->jump == nullptr);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_host_names_its_option) {
    probe::world::SshTarget target;
    target.target = "mx1.example.net";
    target.jump = "-oProxyCommand=id";
    BOOST_TEST(settings_for(target).error().what ==
               "--ssh-jump: '-oProxyCommand=id': a host name does not begin with '-'");
    target.target = "";
    BOOST_TEST(settings_for(target).error().what == "--ssh: '': the host is missing; write [USER@]HOST[:PORT]");
}

BOOST_AUTO_TEST_SUITE_END()
