// The dialogue before the handshake, for five protocols, with servers that play along and many that do not.
#include "shared/smtp/starttls.h"

#include <boost/test/unit_test.hpp>

#include "shared/base/text.h"
#include "shared/smtp/reply.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_stream.h"

namespace mtawatch::smtp {
namespace {

using base::Fault;
using test::close;
using test::expect;
using test::hang;
using test::say;
using test::Script;

struct Played {
    StartTls found;
    std::optional<base::Error> error;
    std::string complaints;
};

Played play(Protocol protocol, const Script& script, std::size_t bytes_at_once = 1U << 20U) {
    test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    Played played;
    const auto stream = test::scripted_stream(script, &played.complaints, bytes_at_once);
    auto found = start_tls(*stream, protocol, "monitor.example.net", deadline);
    if (found) played.found = std::move(*found);
    if (!found) played.error = std::move(found.error());
    return played;
}

const Script good_smtp{say("220 mx1.example.net ESMTP\r\n"),
                       expect("EHLO monitor.example.net"),
                       say("250-mx1.example.net\r\n250-size 10240000\r\n250-starttls\r\n250 DSN\r\n"),
                       expect("STARTTLS"),
                       say("220 2.0.0 Ready to start TLS\r\n"),
                       hang()};

BOOST_AUTO_TEST_CASE(servers_that_play_along) {
    const std::tuple<const char*, Protocol, Script> cases[] = {
        {"smtp", Protocol::smtp, good_smtp},
        {"smtp_greeting_of_three_lines",
         Protocol::smtp,
         {say("220-mx1.example.net\r\n220-no spam\r\n220 ESMTP\r\n"), expect("EHLO monitor.example.net"),
          say("250-mx1.example.net\r\n250 STARTTLS\r\n"), expect("STARTTLS"), say("220 go\r\n"), hang()}},
        {"smtp_late_banner",
         Protocol::smtp,
         {test::delay(std::chrono::seconds(4)), say("220 mx1.example.net ESMTP\r\n"), expect("*"),
          say("250-x\r\n250 STARTTLS\r\n"), expect("STARTTLS"), say("220\r\n"), hang()}},
        {"lmtp",
         Protocol::lmtp,
         {say("220 lmtp ready\n"), expect("LHLO monitor.example.net"), say("250-lmtp\n250 STARTTLS\n"),
          expect("STARTTLS"), say("220 2.0.0 OK\n"), hang()}},
        {"imap_capability_in_greeting",
         Protocol::imap,
         {say("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready.\r\n"), expect("a2 STARTTLS"),
          say("a2 OK Begin TLS negotiation now.\r\n"), hang()}},
        {"imap_capability_asked",
         Protocol::imap,
         {say("* OK ready\r\n"), expect("a1 CAPABILITY"), say("* capability IMAP4rev1 starttls\r\na1 OK done\r\n"),
          expect("a2 STARTTLS"), say("* OK wait\r\na2 ok go\r\n"), hang()}},
        {"pop3",
         Protocol::pop3,
         {say("+OK ready\r\n"), expect("CAPA"), say("+OK\r\nTOP\r\nSTLS\r\nSASL PLAIN\r\n.\r\n"), expect("STLS"),
          say("+OK Begin TLS negotiation now.\r\n"), hang()}},
        {"pop3_without_capa",
         Protocol::pop3,
         {say("+OK ready\r\n"), expect("CAPA"), say("-ERR unknown\r\n"), expect("STLS"), say("+OK\r\n"), hang()}},
        {"sieve",
         Protocol::sieve,
         {say("\"IMPLEMENTATION\" \"x\"\r\n\"SIEVE\" \"fileinto reject\"\r\n\"STARTTLS\"\r\nOK \"ready.\"\r\n"),
          expect("STARTTLS"), say("OK \"Begin TLS negotiation now.\"\r\n"), hang()}},
        {"sieve_with_literal",
         Protocol::sieve,
         {say("\"IMPLEMENTATION\" {7}\r\nOK \"no\"\r\n\"STARTTLS\"\r\nOK {3+}\r\nabc\r\n"), expect("STARTTLS"),
          say("OK\r\n"), hang()}},
    };
    for (const auto& [name, protocol, script] : cases) {
        BOOST_TEST_CONTEXT(name) {
            for (const std::size_t at_once : {1U << 20U, 1U}) {
                const auto played = play(protocol, script, at_once);
                BOOST_TEST(!played.error.has_value());
                BOOST_TEST(smtp::name(played.found.end) == "ready");
                BOOST_TEST(!played.found.greeting.empty());
                BOOST_TEST(played.complaints == "");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(servers_that_do_not) {
    const test::Step ehlo = expect("EHLO monitor.example.net");
    const test::Step tls_offer = say("250-mx\r\n250 STARTTLS\r\n");
    const std::tuple<const char*, Protocol, Script, StartTlsEnd, const char*> cases[] = {
        {"smtp_554",
         Protocol::smtp,
         {say("554 no service for you\r\n"), close()},
         StartTlsEnd::greeting_refused,
         "554 no service for you"},
        {"smtp_421",
         Protocol::smtp,
         {say("421 4.3.2 too busy\r\n"), close()},
         StartTlsEnd::greeting_refused,
         "421 4.3.2 too busy"},
        {"smtp_not_offered",
         Protocol::smtp,
         {say("220 mx\r\n"), ehlo, say("250-mx\r\n250 SIZE\r\n"), hang()},
         StartTlsEnd::not_offered,
         "250 mx"},
        {"smtp_starttls_only_in_the_greeting_line",
         Protocol::smtp,
         {say("220 mx\r\n"), ehlo, say("250 STARTTLS\r\n"), hang()},
         StartTlsEnd::not_offered,
         "250 STARTTLS"},
        {"smtp_before_ehlo",
         Protocol::smtp,
         {say("220 mx\r\n"), ehlo, say("502 what\r\n"), hang()},
         StartTlsEnd::not_offered,
         "502 what"},
        {"smtp_hello_refused",
         Protocol::smtp,
         {say("220 mx\r\n"), ehlo, say("550 bad name\r\n"), hang()},
         StartTlsEnd::hello_refused,
         "550 bad name"},
        {"smtp_refused",
         Protocol::smtp,
         {say("220 mx\r\n"), ehlo, tls_offer, expect("STARTTLS"), say("454 TLS not available\r\n"), hang()},
         StartTlsEnd::refused,
         "454 TLS not available"},
        {"smtp_injected",
         Protocol::smtp,
         {say("220 mx\r\n"), ehlo, tls_offer, expect("STARTTLS"), say("220 go\r\n250 I am in between\r\n"), hang()},
         StartTlsEnd::injected,
         "250 I am in between"},
        {"smtp_ssh",
         Protocol::smtp,
         {say("SSH-2.0-OpenSSH_9.2\r\n"), hang()},
         StartTlsEnd::not_protocol,
         "SSH-2.0-OpenSSH_9.2"},
        {"smtp_code_changes", Protocol::smtp, {say("220-a\r\n221 b\r\n"), hang()}, StartTlsEnd::not_protocol, "221 b"},
        {"smtp_garbage",
         Protocol::smtp,
         {say("\x01\x02|\xff\n"), hang()},
         StartTlsEnd::not_protocol,
         "  |\xef\xbf\xbd"},
        {"smtp_closed_at_once", Protocol::smtp, {close()}, StartTlsEnd::closed, ""},
        {"smtp_closed_in_a_line", Protocol::smtp, {say("220 mx1.exam"), close()}, StartTlsEnd::closed, ""},
        {"smtp_closed_after_ehlo", Protocol::smtp, {say("220 mx\r\n"), ehlo, close()}, StartTlsEnd::closed, ""},
        {"smtp_reset",
         Protocol::smtp,
         {say("220 mx\r\n"), ehlo, test::reset()},
         StartTlsEnd::closed,
         "connection reset by peer"},
        {"imap_bye",
         Protocol::imap,
         {say("* BYE too many\r\n"), close()},
         StartTlsEnd::greeting_refused,
         "* BYE too many"},
        {"imap_preauth",
         Protocol::imap,
         {say("* PREAUTH hello\r\n"), hang()},
         StartTlsEnd::not_offered,
         "* PREAUTH hello"},
        {"imap_not_offered",
         Protocol::imap,
         {say("* OK [CAPABILITY IMAP4rev1] x\r\n"), hang()},
         StartTlsEnd::not_offered,
         "* OK [CAPABILITY IMAP4rev1] x"},
        {"imap_refused",
         Protocol::imap,
         {say("* OK [CAPABILITY STARTTLS] x\r\n"), expect("a2 STARTTLS"), say("a2 NO not now\r\n"), hang()},
         StartTlsEnd::refused,
         "NO not now"},
        {"imap_injected",
         Protocol::imap,
         {say("* OK [CAPABILITY STARTTLS] x\r\n"), expect("a2 STARTTLS"),
          say("a2 OK go\r\n* CAPABILITY AUTH=PLAIN\r\n"), hang()},
         StartTlsEnd::injected,
         "* CAPABILITY AUTH=PLAIN"},
        {"imap_is_smtp", Protocol::imap, {say("220 mx ESMTP\r\n"), hang()}, StartTlsEnd::not_protocol, "220 mx ESMTP"},
        {"imap_closed", Protocol::imap, {say("* OK x\r\n"), expect("a1 CAPABILITY"), close()}, StartTlsEnd::closed, ""},
        {"pop3_refused_greeting",
         Protocol::pop3,
         {say("-ERR busy\r\n"), close()},
         StartTlsEnd::greeting_refused,
         "-ERR busy"},
        {"pop3_not_offered",
         Protocol::pop3,
         {say("+OK\r\n"), expect("CAPA"), say("+OK\r\nTOP\r\n.\r\n"), hang()},
         StartTlsEnd::not_offered,
         "+OK"},
        {"pop3_nothing_known",
         Protocol::pop3,
         {say("+OK\r\n"), expect("CAPA"), say("-ERR\r\n"), expect("STLS"), say("-ERR\r\n"), hang()},
         StartTlsEnd::not_offered,
         "-ERR"},
        {"pop3_injected",
         Protocol::pop3,
         {say("+OK\r\n"), expect("CAPA"), say("+OK\r\nSTLS\r\n.\r\n"), expect("STLS"), say("+OK\r\n+OK x\r\n"), hang()},
         StartTlsEnd::injected,
         "+OK x"},
        {"sieve_bye",
         Protocol::sieve,
         {say("BYE \"full\"\r\n"), close()},
         StartTlsEnd::greeting_refused,
         "BYE \"full\""},
        {"sieve_not_offered",
         Protocol::sieve,
         {say("\"SIEVE\" \"x\"\r\nOK\r\n"), hang()},
         StartTlsEnd::not_offered,
         "OK"},
        {"sieve_injected",
         Protocol::sieve,
         {say("\"STARTTLS\"\r\nOK\r\n"), expect("STARTTLS"), say("OK\r\n\"SASL\" \"PLAIN\"\r\n"), hang()},
         StartTlsEnd::injected,
         "\"SASL\" \"PLAIN\""},
        {"sieve_is_imap", Protocol::sieve, {say("* OK imap\r\n"), hang()}, StartTlsEnd::not_protocol, "* OK imap"},
    };
    for (const auto& [name, protocol, script, end, line] : cases) {
        BOOST_TEST_CONTEXT(name) {
            const auto played = play(protocol, script);
            BOOST_TEST(!played.error.has_value());
            BOOST_TEST(smtp::name(played.found.end) == smtp::name(end));
            BOOST_TEST(base::trim(played.found.line) == base::trim(line));
            BOOST_TEST(played.complaints == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(silence_is_an_error_of_the_peer) {
    for (const Protocol protocol : {Protocol::smtp, Protocol::lmtp, Protocol::imap, Protocol::pop3, Protocol::sieve}) {
        BOOST_TEST((play(protocol, {hang()}).error.value().fault == Fault::timeout));
        BOOST_TEST((play(protocol, {test::delay(std::chrono::seconds(6)), say("220 late\r\n")}).error.value().fault ==
                    Fault::timeout));
    }
    BOOST_TEST((play(Protocol::smtp, {say("220 mx1\r\n"), expect("*"), say("250-only the begin"), hang()})
                    .error.value()
                    .fault == Fault::timeout));
}

BOOST_AUTO_TEST_CASE(a_server_that_never_stops_talking_is_cut_off) {
    std::string endless;
    for (int i = 0; i < 40'000; ++i) endless += "220-more\r\n";
    BOOST_TEST((play(Protocol::smtp, {say(endless)}).error.value().fault == Fault::limit));
    BOOST_TEST((play(Protocol::smtp, {say("220 " + std::string(20'000, 'x'))}).error.value().fault == Fault::limit));
    std::string capabilities = "+OK\r\n";
    for (int i = 0; i < 5'000; ++i) capabilities += "X\r\n";
    BOOST_TEST((play(Protocol::pop3, {say("+OK\r\n"), expect("CAPA"), say(capabilities)}).error.value().fault ==
                Fault::limit));
    std::string untagged;
    for (int i = 0; i < 5'000; ++i) untagged += "* X\r\n";
    BOOST_TEST((play(Protocol::imap, {say("* OK\r\n"), expect("a1 CAPABILITY"), say(untagged)}).error.value().fault ==
                Fault::limit));
    BOOST_TEST((play(Protocol::sieve, {say("\"X\" {99999999}\r\n")}).error.value().fault == Fault::limit));
}

BOOST_AUTO_TEST_CASE(ehlo_capabilities_are_kept) {
    const auto played = play(Protocol::smtp, good_smtp);
    BOOST_TEST(played.found.capabilities == (std::vector<std::string>{"SIZE 10240000", "STARTTLS", "DSN"}),
               boost::test_tools::per_element());
    BOOST_TEST(played.found.greeting == "220 mx1.example.net ESMTP");
    BOOST_TEST(has_keyword({"AUTH=PLAIN LOGIN"}, "auth"));
    BOOST_TEST(!has_keyword({"STARTTLSX"}, "STARTTLS"));
}

BOOST_AUTO_TEST_CASE(reply_lines) {
    BOOST_TEST(parse_reply_line("250-SIZE 1").value().text == "SIZE 1");
    BOOST_TEST(!parse_reply_line("250-SIZE 1").value().last);
    BOOST_TEST(parse_reply_line("250").value().last);
    for (const char* bad : {"", "25", "2500", "250x", "150 x", "650 x", "25a x", " 250 x", "-250"}) {
        BOOST_TEST(!parse_reply_line(bad).has_value(), bad);
    }
}

}  // namespace
}  // namespace mtawatch::smtp
