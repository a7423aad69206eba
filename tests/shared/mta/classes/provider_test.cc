// Names of recipients and mail exchangers, and who runs the mailbox behind them.
#include <boost/test/unit_test.hpp>
#include <string>

#include "shared/base/text.h"
#include "shared/mta/classes/provider.h"
#include "shared/mta/classes/provider_names.h"
#include "shared/mta/logs/record.h"

using namespace mtawatch::mta::logs;
using namespace mtawatch::mta::classes;
namespace base = mtawatch::base;

BOOST_AUTO_TEST_CASE(every_built_in_name_is_found_under_its_provider) {
    const ProviderTable table = ProviderTable::builtin();
    for (const NamedProvider& entry : provider_domains) {
        for (const std::string_view name : base::words(entry.names)) {
            BOOST_CHECK_EQUAL(table.name(table.by_domain(name)), entry.provider);
        }
    }
    for (const NamedProvider& entry : provider_rollups) {
        for (const std::string_view name : base::words(entry.names)) {
            BOOST_CHECK_EQUAL(table.name(table.by_rollup(std::string(name) + ".rollup/v")), entry.provider);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_configured_name_replaces_the_built_in_owner) {
    ProviderTable table = ProviderTable::builtin();
    BOOST_REQUIRE(table.add_domain("mine", "gmail.com"));
    BOOST_REQUIRE(table.add_domain("mine", "*.corp.example"));
    BOOST_REQUIRE(table.add_mx("mine", "*.mx.corp.example"));
    BOOST_REQUIRE(table.add_rollup("mine", "corp.rollup"));
    BOOST_CHECK_EQUAL(table.name(table.by_domain("gmail.com")), "mine");
    BOOST_CHECK_EQUAL(table.name(table.by_domain("a.b.corp.example")), "mine");
    BOOST_CHECK_EQUAL(table.name(table.by_domain("corp.example")), "other");
    BOOST_CHECK_EQUAL(table.name(table.by_mx("in.mx.corp.example (192.0.2.1)")), "mine");
    BOOST_CHECK_EQUAL(table.name(table.by_rollup("corp.rollup/v1")), "mine");
    for (const char* bad : {"", ".", "a b", "a/b", "user@example.com"}) {
        const auto added = table.add_domain("mine", bad);
        BOOST_REQUIRE(!added);
        BOOST_CHECK_EQUAL(added.error().what, std::string("provider \"mine\": \"") + bad + "\" is no domain name");
    }
    BOOST_CHECK(!table.add_domain("", "example.com"));
}

BOOST_AUTO_TEST_CASE(a_complaint_without_recipient_is_attributed_by_its_format_and_sender) {
    const ProviderTable table = ProviderTable::builtin();
    const auto of = [&](const char* domain, const char* format, const char* agent, const char* mta) {
        return std::string(table.name(table.of_complaint(domain, format, agent, mta)));
    };
    BOOST_CHECK_EQUAL(of("gmail.com", "jmrp", "", ""), "gmail");
    BOOST_CHECK_EQUAL(of("", "jmrp", "", ""), "microsoft");
    BOOST_CHECK_EQUAL(of("", "arf", "Yahoo!-Mail-Feedback/2.0", ""), "yahoo");
    BOOST_CHECK_EQUAL(of("", "arf", "AOL SComp", ""), "aol");
    BOOST_CHECK_EQUAL(of("", "arf", "", "mta1.comcast.net"), "comcast");
    BOOST_CHECK_EQUAL(of("", "arf", "", "feedback.gmx.net (192.0.2.1)"), "gmx");
    BOOST_CHECK_EQUAL(of("", "arf", "Some Agent", "mta.example"), "other");
}

BOOST_AUTO_TEST_CASE(the_recipients_domain_comes_from_the_address_then_from_the_queue) {
    BOOST_CHECK_EQUAL(recipient_domain("a@b@example.com", "x/y"), "example.com");
    BOOST_CHECK_EQUAL(recipient_domain("<a@example.com>", ""), "example.com");
    BOOST_CHECK_EQUAL(recipient_domain("", "example.net/vmta1"), "example.net");
    BOOST_CHECK_EQUAL(recipient_domain("", "a/b/vmta1"), "a/b");
    BOOST_CHECK_EQUAL(recipient_domain("", "yahoo.rollup/vmta1"), "");
    BOOST_CHECK_EQUAL(recipient_domain("", "{feedbackLoop}/{default}"), "");
    BOOST_CHECK_EQUAL(recipient_domain("nobody", ""), "");
    BOOST_CHECK_EQUAL(host_of("mx.example.net (192.0.2.1)"), "mx.example.net");
    BOOST_CHECK_EQUAL(host_of(""), "");
}
