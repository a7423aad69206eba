// Proves that what is written for a domain, host, address or URL is told from every other kind of thing, in one
// sentence that says what to write.
#include "shared/base/target_text.h"

#include <boost/test/unit_test.hpp>

namespace {

using mtawatch::base::expect_target;
using mtawatch::base::TargetKind;

// "" where the text is fine.
std::string said(std::string_view text, TargetKind kind) {
    const auto done = expect_target(text, kind);
    return done ? std::string() : done.error().what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(target_text)

BOOST_AUTO_TEST_CASE(what_is_meant_is_taken) {
    for (const char* text : {"example.com", "EXAMPLE.com.", "b\u00fccher.example", "_spf.example.com", "a-b.example"}) {
        BOOST_TEST(said(text, TargetKind::domain) == "", text);
        BOOST_TEST(said(text, TargetKind::name) == "", text);
        BOOST_TEST(said(text, TargetKind::host) == "", text);
    }
    BOOST_TEST(said("localhost", TargetKind::host) == "");
    BOOST_TEST(said("[2001:db8::1]", TargetKind::host) == "");
    BOOST_TEST(said("mail2026", TargetKind::name) == "");
    for (const char* text : {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"}) {
        BOOST_TEST(said(text, TargetKind::host) == "", text);
        BOOST_TEST(said(text, TargetKind::address) == "", text);
        BOOST_TEST(said(text, TargetKind::network) == "", text);
    }
    BOOST_TEST(said("192.0.2.0/24", TargetKind::network) == "");
    for (const char* text : {"192.0.2.0/24", "mail.example.com", "2001:db8::1", "2001:db8::/120"}) {
        BOOST_TEST(said(text, TargetKind::target) == "", text);
    }
    BOOST_TEST(said("https://mail.example.com:8443/x?y=1", TargetKind::url) == "");
    BOOST_TEST(said("http://[2001:db8::1]:8080", TargetKind::url) == "");
    BOOST_TEST(said("user@example.com", TargetKind::mailbox) == "");
    BOOST_TEST(said("", TargetKind::mailbox) == "");
}

BOOST_AUTO_TEST_CASE(another_kind_of_thing_is_named) {
    struct Row {
        const char* text;
        TargetKind kind;
        const char* sentence;
    };
    const TargetKind domain = TargetKind::domain;
    const TargetKind host = TargetKind::host;
    for (const Row& row : std::initializer_list<Row>{
             {"https://example.com/", domain, "\"https://example.com/\" is a URL; write example.com"},
             {"http://127.0.0.1:8080", host, "\"http://127.0.0.1:8080\" is a URL; write 127.0.0.1"},
             {"https://[2001:db8::1]/", host, "\"https://[2001:db8::1]/\" is a URL; write 2001:db8::1"},
             {"user@example.com", domain, "\"user@example.com\" is a mail address; write example.com"},
             {"<a@example.com>", domain,
              "\"<a@example.com>\" has angle brackets around it; write a domain such as "
              "example.com"},
             {"example.com>", domain,
              "\"example.com>\" has the character \">\", which no name has; write a domain such "
              "as example.com"},
             {"example.com,", domain, "\"example.com,\" ends in a comma; write example.com"},
             {"a.example,b.example", domain,
              "\"a.example,b.example\" is a list; give each of them by itself; write a "
              "domain such as example.com"},
             {"example.com/", domain, "\"example.com/\" has a path; write example.com"},
             {"127.0.0.1:587", host, "\"127.0.0.1:587\" has a port; write 127.0.0.1"},
             {"[2001:db8::1]:25", host, "\"[2001:db8::1]:25\" has a port; write 2001:db8::1"},
             {"[192.0.2.1]", host, "\"[192.0.2.1]\" has brackets around it; write 192.0.2.1"},
             {" example.com", domain, "\" example.com\" has a blank or control character; write example.com"},
             {"exa mple.com", domain,
              "\"exa mple.com\" has a blank or control character; write a domain such as "
              "example.com"},
             {"exa$mple.com", domain,
              "\"exa$mple.com\" has the character \"$\", which no name has; write a domain such "
              "as example.com"},
             {"*.example.com", domain, "\"*.example.com\" is a wildcard; write example.com"},
             {"192.0.2.1", domain, "\"192.0.2.1\" is an IP address; write a domain such as example.com"},
             {"com", domain, "\"com\" is one label, and a domain has at least two; write a domain such as example.com"},
             {"a..b", domain, "\"a..b\" has an empty label; write a domain such as example.com"},
             {"", domain, "\"\" is empty; write a domain such as example.com"},
             {"192.0.2", host, "\"192.0.2\" is neither a name nor an IP address; write a host name or an IP address"},
             {"192.0.2.0/24", host, "\"192.0.2.0/24\" is a network; write 192.0.2.0"},
             {"192.0.2", TargetKind::address,
              "\"192.0.2\" is no IPv4 or IPv6 address; write an IP address such as "
              "192.0.2.1"},
             {"mail.example.com", TargetKind::address,
              "\"mail.example.com\" is no IPv4 or IPv6 address; write an IP "
              "address such as 192.0.2.1"},
             {"192.0.2.9/24", TargetKind::network, "\"192.0.2.9/24\" has host bits set; write 192.0.2.0/24"},
             {"mail.example.com", TargetKind::url, "\"mail.example.com\" is no URL; write https://mail.example.com/"},
             {"mail.example.com:8080", TargetKind::url,
              "\"mail.example.com:8080\" is no URL; write "
              "https://mail.example.com:8080/"},
             {"http://", TargetKind::url, "\"http://\" names no host; write a URL such as https://mail.example.com/"},
             {"Foo <a@example.com>", TargetKind::mailbox,
              "\"Foo <a@example.com>\" has angle brackets; write "
              "a@example.com"},
         }) {
        BOOST_TEST(said(row.text, row.kind) == row.sentence);
    }
}

BOOST_AUTO_TEST_SUITE_END()
