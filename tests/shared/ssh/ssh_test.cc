// What the remote shell gets, and what is refused before anything connects. The dialogue with a real sshd is tested in
// tests/integration/ssh_test.py.
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <memory>

#include "shared/ssh/ssh.h"

using namespace mtawatch;

namespace {

struct ClosePipe {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
};

// What a real /bin/sh makes of a quoted line: its arguments, each ended by a newline and a mark.
std::string split_by_shell(const std::string& line) {
    const std::string script = "set -- " + line + "; for a in \"$@\"; do printf '%s|' \"$a\"; done";
    const std::unique_ptr<std::FILE, ClosePipe> pipe(popen(script.c_str(), "r"));  // the shell is what is under test
    std::string output;
    char buffer[256];
    std::size_t got = 0;
    while ((got = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0) output.append(buffer, got);
    return output;
}

std::string target_error(std::string_view text) {
    auto settings = ssh::parse_target(text);
    BOOST_REQUIRE_MESSAGE(!settings, text);
    BOOST_TEST(int(settings.error().fault) == int(base::Fault::usage));
    return settings.error().what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ssh_quote)

BOOST_AUTO_TEST_CASE(plain_words_stay_plain) {
    BOOST_TEST(ssh::quote({"/usr/sbin/postqueue", "-c", "/etc/postfix-2", "-j"}).value() ==
               "/usr/sbin/postqueue -c /etc/postfix-2 -j");
}

BOOST_AUTO_TEST_CASE(everything_else_is_quoted) {
    BOOST_TEST(ssh::quote({"a b"}).value() == "'a b'");
    BOOST_TEST(ssh::quote({""}).value() == "''");
    BOOST_TEST(ssh::quote({"it's"}).value() == "'it'\\''s'");
    BOOST_TEST(ssh::quote({"A=1"}).value() == "'A=1'");
    BOOST_TEST(ssh::quote({"~root"}).value() == "'~root'");
    BOOST_TEST(ssh::quote({"$(id)", "`id`", "*", "a;b", "a&b", "a|b", "a>b", "!x", "#x", "\\"}).value() ==
               "'$(id)' '`id`' '*' 'a;b' 'a&b' 'a|b' 'a>b' '!x' '#x' '\\'");
    BOOST_TEST(ssh::quote({"a\nb"}).value() == "'a\nb'");
}

BOOST_AUTO_TEST_CASE(a_real_shell_gets_back_every_byte_but_nul) {
    std::string every;
    for (int c = 1; c < 256; ++c) every += static_cast<char>(c);
    BOOST_TEST(split_by_shell(ssh::quote({"x", every, "", "'", "''", "-n"}).value()) == "x|" + every + "||'|''|-n|");
}

BOOST_AUTO_TEST_CASE(a_nul_byte_is_refused) {
    auto line = ssh::quote({std::string("a\0b", 3)});
    BOOST_REQUIRE(!line);
    BOOST_TEST(int(line.error().fault) == int(base::Fault::usage));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ssh_target)

BOOST_AUTO_TEST_CASE(host_user_and_port) {
    BOOST_TEST(ssh::parse_target("mx1.example.net")->host == "mx1.example.net");
    BOOST_TEST(ssh::parse_target("mx1.example.net")->port == 22);
    BOOST_TEST(!ssh::parse_target("mx1.example.net")->user);
    const auto full = ssh::parse_target("nagios@mx1.example.net:2222").value();
    BOOST_TEST(*full.user == "nagios");
    BOOST_TEST(full.host == "mx1.example.net");
    BOOST_TEST(full.port == 2222);
    BOOST_TEST(ssh::parse_target("2001:db8::1")->host == "2001:db8::1");
    BOOST_TEST(ssh::parse_target("[2001:db8::1]")->host == "2001:db8::1");
    BOOST_TEST(ssh::parse_target("root@[2001:db8::1]:22022")->port == 22022);
    BOOST_TEST(*ssh::parse_target("a@b@mx1.example.net")->user == "a@b");
}

BOOST_AUTO_TEST_CASE(a_host_that_looks_like_an_option_is_refused) {
    BOOST_TEST(target_error("-oProxyCommand=id").find("does not begin with '-'") != std::string::npos);
    BOOST_TEST(target_error("root@-oProxyCommand=id").find("does not begin with '-'") != std::string::npos);
    BOOST_TEST(target_error("-l@mx1.example.net").find("is not a user name") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_target_is_refused) {
    target_error("");
    target_error("@mx1.example.net");
    target_error("root@");
    target_error("mx1.example.net:");
    target_error("mx1.example.net:0");
    target_error("mx1.example.net:65536");
    target_error("mx1.example.net:ssh");
    target_error("[2001:db8::1");
    target_error("[2001:db8::1]22");
    target_error("mx1.example.net:22:33");
    target_error("mx1 example");
    target_error("mx1\nexample");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ssh_open)

BOOST_AUTO_TEST_CASE(a_pin_of_the_wrong_kind_is_a_usage_error) {
    const base::SystemClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    ssh::SshSettings settings;
    settings.host = "192.0.2.1";
    settings.host_key = "MD5:aa:bb";
    auto opened = ssh::open(settings, deadline);
    BOOST_REQUIRE(!opened);
    BOOST_TEST(int(opened.error().fault) == int(base::Fault::usage));
}

BOOST_AUTO_TEST_SUITE_END()
