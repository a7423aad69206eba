// check_mail_submit against scripted submission servers: every phase that can fail, and every way it can.
#include "tests/checks/mail_submit_fixture.h"

namespace mtawatch::checks {
namespace {

using namespace test::mail_submit;
using test::close;
using test::expect;
using test::hang;
using test::say;
using test::Script;
using test::Step;

BOOST_AUTO_TEST_CASE(mail_that_is_taken) {
    const std::string taken = "MAIL_SUBMIT OK - mail.example.net:587 takes mail from monitor@example.net for ";
    const std::string all = " | time=0s;;;0" + times("");
    check({
        {"ok_plain", logged_in(good_mail), with({}), 0,
         taken + "ops@example.org: login with PLAIN over TLSv1.3, 0.000 s" + all},
        {"ok_two_recipients",
         logged_in({expect("*"), sender_taken, expect("RCPT TO:<ops@example.org>"), say("250 ok\r\n"),
                    expect("RCPT TO:<postmaster@example.com>"), say("251 will forward\r\n"), expect("RSET"),
                    say("250 ok\r\n"), expect("QUIT"), close()}),
         with({"--to", "postmaster@example.com"}), 0,
         taken + "2 recipients: login with PLAIN over TLSv1.3, 0.000 s" + all},
        {"ok_implicit_tls_by_port",
         [](Fixture& net) {
             Script script{test::tls({.own = net.leaf}),       say("220 hello\r\n"), expect("EHLO here.example.net"),
                           say("250-x\r\n250 AUTH PLAIN\r\n"), expect(plain_line()), say("235 ok\r\n")};
             script.insert(script.end(), good_mail.begin(), good_mail.end());
             net.serve(script, "192.0.2.25:465");
         },
         with({"-p", "465", "--helo", "here.example.net"}), 0,
         "MAIL_SUBMIT OK - mail.example.net:465 takes mail from …"},
        {"ok_recipient_is_the_sender_by_default",
         logged_in({expect("*"), sender_taken, expect("RCPT TO:<monitor@example.net>"), say("250 ok\r\n"),
                    expect("RSET"), say("250 ok\r\n"), expect("QUIT"), close()}),
         {"-H", "mail.example.net", "--ca-file", "/ca.pem", "--user", user, "--password-file", "/password"},
         0,
         taken + "monitor@example.net: …"},
        {"ok_without_a_login",
         [](Fixture& net) { net.serve(net.offering("PLAIN", good_mail)); },
         {"-H", "mail.example.net", "--ca-file", "/ca.pem", "--from", user, "--to", "ops@example.org"},
         0,
         taken + "ops@example.org: without a login, over TLSv1.3, 0.000 s …"},
        {"ok_world_readable_password_gets_a_note",
         [](Fixture& net) {
             net.secret("/password", password, 0644);
             net.serve(net.logged_in(good_mail));
         },
         with({}), 0,
         taken +
             "ops@example.org: login with PLAIN over TLSv1.3, 0.000 s; note: /password can be read by everybody on "
             "this machine, chmod 640" +
             all},
        {"warn_rset_refused_after_all_was_taken",
         logged_in({expect("*"), sender_taken, expect("*"), say("250 ok\r\n"), expect("RSET"), say("502 no\r\n"),
                    expect("QUIT"), close()}),
         with({}), 1,
         "MAIL_SUBMIT WARNING - mail.example.net:587 takes sender and recipients, and then RSET goes wrong: 502 no" +
             all},
        {"warn_rset_silent",
         logged_in({expect("*"), sender_taken, expect("*"), say("250 ok\r\n"), expect("RSET"), hang()}), with({}), 1,
         "MAIL_SUBMIT WARNING - mail.example.net:587 takes sender and recipients, and then RSET goes wrong: no answer "
         "in time" +
             all},
        {"ok_quit_unanswered",
         logged_in(
             {expect("*"), sender_taken, expect("*"), say("250 ok\r\n"), expect("RSET"), say("250 ok\r\n"), hang()}),
         with({}), 0, taken + "ops@example.org: …"},
    });
}

BOOST_AUTO_TEST_CASE(refusals) {
    const auto quit = [](Script script) {
        script.push_back(expect("QUIT"));
        script.push_back(close());
        return script;
    };
    const auto login = [&](const char* reply) {
        return offering("PLAIN", quit({expect(plain_line()), say(std::string(reply) + "\r\n")}));
    };
    const auto sender = [&](const char* reply) {
        return logged_in(quit({expect("MAIL FROM:<monitor@example.net>"), say(std::string(reply) + "\r\n")}));
    };
    const auto recipient = [&](const char* reply) {
        return logged_in(
            quit({expect("*"), sender_taken, expect("RCPT TO:<ops@example.org>"), say(std::string(reply) + "\r\n")}));
    };
    const std::string warn = "MAIL_SUBMIT WARNING - mail.example.net:587 ";
    const std::string wrong = "; look at user, secret and account; this was the one attempt of this run |";
    check({
        {"crit_greeting_421", serving(quit({say("421 4.3.2 too busy\r\n")})), with({}), 2,
         head +
             "refuses the connection with its greeting: 421 4.3.2 too busy; look at the server's log, its limits and "
             "its lists of hosts |"
             " time_resolve=0s;;;0 time_connect=0s;;;0\n"},
        {"warn_greeting_421_as_asked", serving(quit({say("421 4.3.2 too busy\r\n")})), with({"--temporary", "warning"}),
         1, warn + "refuses the connection with its greeting: 421 4.3.2 too busy; …"},
        {"crit_greeting_554_whatever_temporary_says", serving(quit({say("554 no\r\n")})),
         with({"--temporary", "warning"}), 2, head + "refuses the connection with its greeting: 554 no; …"},
        {"crit_ehlo_refused", serving(quit({say("220 x\r\n"), expect("*"), say("501 5.5.4 name?\r\n")})), with({}), 2,
         head + "refuses EHLO: 501 5.5.4 name?; is the name of --helo one that it takes? |…"},
        {"crit_535", login("535 5.7.8 Error: authentication failed"), with({}), 2,
         head + "refuses the login: 535 5.7.8 Error: authentication failed" + wrong + times("hello")},
        {"crit_535_in_two_lines", login("535-5.7.8 Username and Password not accepted. See\r\n535 5.7.8 https://x"),
         with({}), 2,
         head + "refuses the login: 535 5.7.8 Username and Password not accepted. See 5.7.8 https://x" + wrong +
             times("hello")},
        {"crit_454_temporary", login("454 4.7.0 Temporary authentication failure"), with({}), 2,
         head +
             "refuses the login: 454 4.7.0 Temporary authentication failure; look at its authentication service "
             "(SASL), not at the password |" +
             times("hello")},
        {"crit_534", login("534 5.7.9 too weak"), with({}), 2,
         head +
             "refuses the login: 534 5.7.9 too weak; the mechanism is too weak for this account: choose another with "
             "--mechanism |" +
             times("hello")},
        {"crit_mail_530",
         [&](Fixture& net) {
             net.serve(net.offering("PLAIN", quit({expect("MAIL FROM:<a@example.net>"), say("530 5.7.0 log in\r\n")})));
         },
         {"-H", "mail.example.net", "--ca-file", "/ca.pem", "--from", "a@example.net"},
         2,
         head + "refuses the sender a@example.net: 530 5.7.0 log in; it wants a login first: give --user and "
                "--password-file |…"},
        {"crit_mail_550", sender("550 5.7.1 not yours"), with({}), 2,
         head +
             "refuses the sender monitor@example.net: 550 5.7.1 not yours; is this login allowed to send as this "
             "--from? |" +
             times("auth")},
        {"crit_mail_552", sender("552 5.3.4 full"), with({}), 2,
         head + "refuses the sender monitor@example.net: 552 5.3.4 full; look at its disk and quotas |" +
             times("auth")},
        {"crit_mail_451", sender("451 4.3.0 later"), with({}), 2,
         head + "refuses the sender monitor@example.net: 451 4.3.0 later; look at the server's log |" + times("auth")},
        {"warn_mail_451", sender("451 4.3.0 later"), with({"--temporary", "warning"}), 1,
         warn + "refuses the sender monitor@example.net: 451 4.3.0 later; look at the server's log |" + times("auth")},
        {"crit_rcpt_550", recipient("550 5.1.1 unknown"), with({}), 2,
         head +
             "refuses the recipient ops@example.org: 550 5.1.1 unknown; does the recipient exist, and may this login "
             "send there? |" +
             times("mail")},
        {"crit_rcpt_450", recipient("450 4.2.0 greylisted"), with({}), 2,
         head +
             "refuses the recipient ops@example.org: 450 4.2.0 greylisted; greylisting or a lookup that fails: look "
             "at the server's log, or choose another --to |" +
             times("mail")},
        {"crit_one_of_two_recipients_refused",
         logged_in(quit({expect("*"), sender_taken, expect("*"), say("554 5.7.1 relay\r\n"),
                         expect("RCPT TO:<postmaster@example.com>"), say("250 ok\r\n")})),
         with({"--to", "postmaster@example.com"}), 2,
         head + "refuses the recipient ops@example.org: 554 5.7.1 relay; …"},
        {"crit_354_to_rcpt_is_no_yes", recipient("354 go ahead"), with({}), 2,
         head + "refuses the recipient ops@example.org: 354 go ahead; …"},
        {"crit_421_in_the_middle", recipient("421 4.7.0 goodbye"), with({"--to", "postmaster@example.com"}), 2,
         head + "refuses the recipient ops@example.org: 421 4.7.0 goodbye; …"},
    });
}

// Cut off after the first `count` steps, the server says nothing more, or goes away, or talks nonsense.
BOOST_AUTO_TEST_CASE(every_phase_silent_closed_reset_and_garbled) {
    const std::pair<std::size_t, const char*> phases[] = {{0, "before its greeting"},
                                                          {2, "after EHLO"},
                                                          {4, "while going over to TLS"},
                                                          {5, "while going over to TLS"},
                                                          {7, "after EHLO"},
                                                          {9, "during the login"},
                                                          {11, "after the sender (MAIL)"},
                                                          {13, "after a recipient (RCPT)"}};
    for (const auto& phase : phases) {
        const std::size_t count = phase.first;
        const auto cut = [&](Fixture& net, std::vector<Step> ending) {
            Script script = net.logged_in(good_mail);
            script.resize(count, close());
            script.insert(script.end(), ending.begin(), ending.end());
            net.serve(script);
        };
        const std::string at = phase.second;
        check({
            {"crit_silent", [&](Fixture& net) { cut(net, {hang()}); }, with({}), 2,
             head + "does not answer " + at + ": no answer in time |…"},
            {"crit_too_late",
             [&](Fixture& net) {
                 cut(net, {test::delay(std::chrono::seconds(9)), say("250 late\r\n")});
             },
             with({}), 2, head + "does not answer " + at + ": no answer in time |…"},
        });
        if (count == 5) continue;  // the handshake is shared/tls's own subject
        check({
            {"crit_closed", [&](Fixture& net) { cut(net, {close()}); }, with({}), 2,
             head + "closes the connection " + at + "…"},
            {"crit_empty_line",
             [&](Fixture& net) {
                 cut(net, {say("\r\n"), expect("QUIT"), close()});
             },
             with({}), 2, head + "does not say what belongs there " + at + " |…"},
            {"crit_garbage",
             [&](Fixture& net) {
                 cut(net, {say("\x80\x01|?\r\n"), expect("QUIT"), close()});
             },
             with({}), 2, head + "does not say what belongs there " + at + ": \xef\xbf\xbd !? |…"},
            {"crit_endless",
             [&](Fixture& net) {
                 std::string much;
                 while (much.size() < 300'000) much += "250-and so on\r\n";
                 cut(net, {say(much), expect("QUIT"), close()});
             },
             with({}), 2,
             head + "does not say what belongs there " + at + ": the server says more than 262144 bytes |…"},
        });
    }
    check({
        {"crit_port_closed", [](Fixture&) {}, with({}), 2,
         head + "cannot be reached: 192.0.2.25:587: connection refused | time_resolve=0s;;;0\n"},
        {"crit_connection_never_comes_about", [](Fixture& net) { net.network.add_silent("192.0.2.25:587"); }, with({}),
         2, head + "does not answer when connecting: 192.0.2.25:587: no answer in time | time_resolve=0s;;;0\n"},
        {"crit_ipv6_in_brackets",
         [](Fixture&) {},
         {"-H", "[2001:db8::1]", "--ca-file", "/ca.pem", "--from", user},
         2,
         "MAIL_SUBMIT CRITICAL - [2001:db8::1]:587 cannot be reached: …"},
        {"crit_no_such_name",
         [](Fixture&) {},
         {"-H", "none.example.net", "--ca-file", "/ca.pem", "--from", user},
         2,
         "MAIL_SUBMIT CRITICAL - none.example.net:587 has no address: …"},
        {"unknown_resolver_fails",
         [](Fixture&) {},
         {"-H", "dead.example.net", "--ca-file", "/ca.pem", "--from", user},
         3,
         "MAIL_SUBMIT UNKNOWN - …"},
    });
}

BOOST_AUTO_TEST_CASE(times_against_thresholds) {
    const auto slow = [](std::map<std::string, std::chrono::milliseconds> what) {
        return [what](Fixture& net) {
            Script script{say("220 x\r\n"), expect("*"), say("250-x\r\n250 AUTH PLAIN\r\n"), expect("*"),
                          say("235 ok\r\n")};
            script.insert(script.end(), good_mail.begin(), good_mail.end());
            net.serve(script);
            net.slow.slow = what;
        };
    };
    using std::chrono::milliseconds;
    const auto plain = [](std::vector<std::string> more) {
        std::vector<std::string> arguments{"-H", "192.0.2.25",      "--tls",     "none", "--allow-plaintext", "--user",
                                           user, "--password-file", "/password", "--to", "ops@example.org"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    };
    const std::string who = "192.0.2.25:587 ";
    check({
        {"ok_at_the_warning_edge", slow({{"AUTH", milliseconds(2000)}}), plain({"-w", "2", "-c", "4"}), 0,
         "MAIL_SUBMIT OK - " + who +
             "takes mail from monitor@example.net for ops@example.org: login with PLAIN in plain "
             "text, 2.000 s | time=2s;2;4;0 time_resolve=0s;;;0 time_connect=0s;;;0 time_greeting=0s;;;0 "
             "time_hello=0s;;;0 "
             "time_auth=2s;;;0 time_mail=0s;;;0 time_rcpt=0s;;;0\n"},
        {"warning_just_above", slow({{"AUTH", milliseconds(1500)}, {"RCPT", milliseconds(501)}}),
         plain({"-w", "2", "-c", "4"}), 1,
         "MAIL_SUBMIT WARNING - " + who + "took 2.001 s for all, above 2 | time=2.001s;2;4;0 …"},
        {"critical_at_its_edge_is_a_warning", slow({{"MAIL", milliseconds(4000)}}), plain({"-w", "2", "-c", "4"}), 1,
         "MAIL_SUBMIT WARNING - " + who + "took 4.000 s for all, above 2 |…"},
        {"critical_just_above", slow({{"connect", milliseconds(4001)}}), plain({"-w", "2", "-c", "4"}), 2,
         "MAIL_SUBMIT CRITICAL - " + who + "took 4.001 s for all, above 4 |…"},
        {"rset_and_quit_do_not_count", slow({{"RSET", milliseconds(3000)}, {"QUIT", milliseconds(3000)}}),
         plain({"-c", "2"}), 0, "MAIL_SUBMIT OK - …"},
        {"phase_warning", slow({{"AUTH", milliseconds(1001)}}), plain({"--phase", "auth=1/3", "--phase", "mail=1/"}), 1,
         "MAIL_SUBMIT WARNING - " + who +
             "took 1.001 s for auth, above 1 | time=1.001s;;;0 time_resolve=0s;;;0 "
             "time_connect=0s;;;0 time_greeting=0s;;;0 time_hello=0s;;;0 time_auth=1.001s;1;3;0 time_mail=0s;1;;0 "
             "time_rcpt=0s;;;0\n"},
        {"phase_critical", slow({{"RCPT", milliseconds(3001)}}), plain({"--phase", "rcpt=1/3"}), 2,
         "MAIL_SUBMIT CRITICAL - " + who + "took 3.001 s for rcpt, above 3 |…"},
    });
}

BOOST_AUTO_TEST_CASE(what_could_not_be_looked_at) {
    const auto unknown = [](const char* text) { return std::string("MAIL_SUBMIT UNKNOWN - ") + text; };
    const auto nothing = [](Fixture&) {};
    const std::vector<std::string> host{"-H", "mail.example.net"};
    const auto on_host = [&](std::vector<std::string> more) {
        more.insert(more.begin(), host.begin(), host.end());
        return more;
    };
    check({
        {"unknown_nothing_to_try", offering("PLAIN LOGIN", {expect("QUIT"), close()}),
         on_host({"--ca-file", "/ca.pem"}), 3,
         unknown("mail.example.net:587 offers PLAIN LOGIN, and no mail was tried: give --user with --password-file, or "
                 "--from where it takes mail without a login |") +
             times("hello")},
        {"no_host", nothing, {"--from", user}, 3, unknown("--hostname HOST is …")},
        {"no_secret", nothing, on_host({"--user", user}), 3,
         unknown("the user \"monitor@example.net\" needs a password file or a token file\n")},
        {"two_secrets", nothing, with({"--token-file", "/token", "--password-file", "/password"}), 3,
         unknown("give a password file or a token file, not both\n")},
        {"no_user", nothing, on_host({"--password-file", "/password"}), 3,
         unknown("the secret is given, and no user it belongs to\n")},
        {"mechanism_alone", nothing, on_host({"--mechanism", "PLAIN"}), 3,
         unknown("a mechanism is given, and no user to log in as\n")},
        {"token_with_plain", nothing, with({"--token-file", "/token", "--mechanism", "PLAIN"}), 3,
         unknown("PLAIN needs a password file\n")},
        {"password_with_xoauth2", nothing, with({"--mechanism", "XOAUTH2"}), 3,
         unknown("XOAUTH2 needs a token file\n")},
        {"plain_text_not_allowed", nothing, on_host({"--tls", "none", "--user", user, "--password-file", "/password"}),
         3,
         unknown("without TLS anybody on the way can read the login: use TLS, or allow this expressly "
                 "(--allow-plaintext, allow_plaintext: true)\n")},
        {"plain_text_not_allowed_on_loopback_either",
         nothing,
         {"-H", "127.0.0.1", "--tls", "none", "--user", user, "--password-file", "/password"},
         3,
         unknown("without TLS anybody…")},
        {"user_is_no_address", nothing, on_host({"--user", "monitor", "--password-file", "/password"}), 3,
         unknown("the user \"monitor\" is no address, so name the sender too\n")},
        {"recipient_alone", nothing, on_host({"--to", "a@example.org"}), 3,
         unknown("a recipient is given, and no sender to ask for it\n")},
        {"sender_is_no_address", nothing, with({"--from", "a> SIZE=1@example.net"}), 3,
         unknown("the sender \"a> SIZE=1@example.net\" is no address; write it as user@example.com, in ASCII\n")},
        {"line_break_in_the_recipient", nothing, with({"--to", "a@example.net>\r\nDATA"}), 3,
         unknown("the recipient \"a@example.net>  DATA\" is no address; …")},
        {"line_break_in_helo", nothing, with({"--helo", "x\r\nNOOP"}), 3, unknown("the name for EHLO has a blank, …")},
        {"times_without_mail", nothing, on_host({"-w", "1"}), 3,
         unknown("--warning and --critical judge a whole submission; name its sender with --user or --from\n")},
        {"unknown_phase", nothing, with({"--phase", "data=1/2"}), 3,
         unknown("--phase \"data=1/2\": write PHASE=WARNING/CRITICAL in seconds, auth=1/3; phases: resolve connect tls "
                 "greeting hello auth mail rcpt\n")},
        {"phase_that_cannot_be", nothing, on_host({"--from", user, "--phase", "auth=1/2"}), 3,
         unknown("--phase auth=1/2: with these options there is no such phase\n")},
        {"password_file_missing", nothing, on_host({"--user", user, "--password-file", "/none"}), 3,
         unknown("/none: No such file or directory\n")},
        {"password_file_is_a_folder", [](Fixture& net) { net.folder.write("/d/x", ""); },
         on_host({"--user", user, "--password-file", "/d"}), 3, unknown("/d: is a directory, a file is needed\n")},
        {"password_file_empty", [](Fixture& net) { net.secret("/password", " \n"); }, with({}), 3,
         unknown("/password is empty: write the secret into it\n")},
        {"password_file_of_two_lines", [](Fixture& net) { net.secret("/password", password + "\n" + password); },
         with({}), 3, unknown("/password holds more than one line\n")},
        {"scram_wants_ascii", [](Fixture& net) { net.secret("/password", "p\xc3\xa4ss"); },
         with({"--mechanism", "SCRAM-SHA-256"}), 3,
         unknown("SCRAM-SHA-256 takes a user and a password in ASCII only: choose another mechanism\n")},
        {"ca_file_missing",
         nothing,
         {"-H", "mail.example.net", "--from", user, "--ca-file", "/none"},
         3,
         unknown("/none: No such file or directory\n")},
        {"no_certificate_without_tls", nothing, on_host({"--tls", "none", "--from", user, "--no-verify"}), 3,
         unknown("without TLS there is no certificate to verify, or not to\n")},
    });
}

BOOST_AUTO_TEST_CASE(json_holds_what_was_seen) {
    Fixture net;
    net.serve(
        net.logged_in({expect("*"), sender_taken, expect("*"), say("550 5.1.1 unknown\r\n"), expect("QUIT"), close()}));
    const auto outcome = net.run(with({"-o", "json"}));
    const auto from = outcome.text.find("\"observation\":");
    BOOST_REQUIRE(from != std::string::npos);
    BOOST_TEST(
        outcome.text.substr(from) ==
        R"("observation":{"address":"192.0.2.25","end":"refused","step":"rcpt","reply":{"code":550,"text":"550 )"
        R"(5.1.1 unknown"},"reason":null,"afterwards":null,"protocol":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384",)"
        R"("auth_before_tls":false,"mechanisms":["PLAIN","LOGIN"],"mechanism":"PLAIN","from":"monitor@example.net",)"
        R"("recipients":[{"address":"ops@example.org","accepted":false,"reply":{"code":550,"text":"550 5.1.1 )"
        R"(unknown"}}],"seconds":{"resolve":0,"connect":0,"tls":0,"greeting":0,"hello":0,"auth":0,"mail":0,)"
        R"("rcpt":null,"reset":null,"total":null}}})"
        "\n");
}

}  // namespace
}  // namespace mtawatch::checks
