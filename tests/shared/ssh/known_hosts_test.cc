// Lines of known_hosts files, and the commands that are recommended about them. Whom a line names is libssh's reading
// and is tested with a real sshd (tests/integration/ssh_test.py).
#include "shared/ssh/known_hosts.h"

#include <boost/test/unit_test.hpp>

using namespace mtawatch;
using ssh::KnownHostsLine;
using ssh::Marker;

namespace mtawatch::ssh {

std::ostream& operator<<(std::ostream& out, const KnownHostsLine& line) {
    return out << line.number << ' ' << int(line.marker) << " '" << line.names << "' '" << line.type << "' '"
               << line.key << '\'';
}

}  // namespace mtawatch::ssh

BOOST_AUTO_TEST_SUITE(ssh_known_hosts)

BOOST_AUTO_TEST_CASE(every_form_of_a_line) {
    struct Scenario {
        std::string text;
        std::vector<KnownHostsLine> lines;
    };
    const std::vector<Scenario> scenarios{
        {"", {}},
        {"# comment\n\n  \t\n  # another\n", {}},
        {"mx1 ssh-ed25519 AAAA\n", {{1, Marker::none, "mx1", "ssh-ed25519", "AAAA"}}},
        {"\n mx1,[mx1]:2222\tssh-rsa \t AAAA a comment\r\n", {{2, Marker::none, "mx1,[mx1]:2222", "ssh-rsa", "AAAA"}}},
        {"|1|c2FsdA==|aGFzaA== ssh-rsa AAAA", {{1, Marker::none, "|1|c2FsdA==|aGFzaA==", "ssh-rsa", "AAAA"}}},
        {"@revoked * ssh-rsa AAAA\r\n@cert-authority *.example.net ssh-rsa BBBB\n@new * ssh-rsa CCCC",
         {{1, Marker::revoked, "*", "ssh-rsa", "AAAA"},
          {2, Marker::cert_authority, "*.example.net", "ssh-rsa", "BBBB"},
          {3, Marker::other, "*", "ssh-rsa", "CCCC"}}},
        {"@revoked\nmx1\nmx1 ssh-rsa",
         {{1, Marker::revoked, "", "", ""}, {2, Marker::none, "mx1", "", ""}, {3, Marker::none, "mx1", "ssh-rsa", ""}}},
    };
    for (const auto& scenario : scenarios) {
        BOOST_TEST_CONTEXT(scenario.text) {
            BOOST_TEST(ssh::read_known_hosts(scenario.text) == scenario.lines, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_name_that_is_looked_up) {
    BOOST_TEST(ssh::known_hosts_name("MX1.example.net", 22) == "mx1.example.net");
    BOOST_TEST(ssh::known_hosts_name("mx1.example.net", 2222) == "[mx1.example.net]:2222");
    BOOST_TEST(ssh::known_hosts_name("2001:db8::1", 2222) == "[2001:db8::1]:2222");
}

BOOST_AUTO_TEST_CASE(advice_is_a_command_for_a_shell) {
    BOOST_TEST(ssh::command_to_forget("mx1", 22, "~/.ssh/known_hosts") == "ssh-keygen -R mx1 -f ~/.ssh/known_hosts");
    BOOST_TEST(ssh::command_to_forget("192.0.2.1", 39022, "/etc/its keys") ==
               "ssh-keygen -R '[192.0.2.1]:39022' -f '/etc/its keys'");
    BOOST_TEST(ssh::command_to_add("mx1", 22, "~/.ssh/known_hosts", "") == "ssh-keyscan mx1 >> ~/.ssh/known_hosts");
    BOOST_TEST(ssh::command_to_add("mx1", 2222, "/etc/keys", "bastion") ==
               "ssh bastion ssh-keyscan -p 2222 mx1 >> /etc/keys");
    BOOST_TEST(ssh::command_to_add("mx$1", 22, "~/a b", "") == "ssh-keyscan 'mx$1' >> ~/'a b'");
}

BOOST_AUTO_TEST_SUITE_END()
