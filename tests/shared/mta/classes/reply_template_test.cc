// Templates: what of a reply is kept, and that no address or number of a person or a message is.
#include "shared/mta/classes/reply_template.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace mtawatch::mta::classes;

BOOST_AUTO_TEST_CASE(a_template_keeps_what_is_said_and_nothing_that_names_a_person) {
    struct {
        const char* reply;
        const char* text;
    } const rows[] = {
        {"", ""},
        {"smtp;550 5.1.1 <petra@shop.example>: User unknown", "550 5.1.1 <<address>>: User unknown"},
        {"550-5.1.1 One\n550-5.1.1 two\n550 5.1.1 three x7k2m9q1-v4.28 - gsmtp",
         "550 5.1.1 One two three <id> - gsmtp"},
        {"550-No 550 more", "550 No more"},
        {"421 4.7.0 [TSS04] Messages from 192.0.2.1 (2001:db8::1) deferred",
         "421 4.7.0 [TSS04] Messages from <ip> (<ip>) deferred"},
        {"550 OFR_506 [506] S3140 DYN:T1 AS(201806281)", "550 OFR_506 [<n>] S3140 DYN:T1 AS(<n>)"},
        {"554 blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1",
         "554 blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/<ip>"},
        {"550 no [AM1EUR02.eop-EUR02.prod.outlook.com 2026-11-16T03:31:22.952Z 4CB14028D512C979]",
         "550 no [*.outlook.com <id> <id>]"},
        {"connect to mx7.shop.example[192.0.2.9]:25: Connection refused",
         "connect to <host>[<ip>]<n>: Connection refused"},
        {"550 see http://help.example/why/shop.example.html?c=policy&id=4711&who=a@b.example#x",
         "550 see http://help.example/why/<host>?c=policy&id=<v>&who=<id>#x"},
        {"554 DT:SPM 163 smtp15, size=10240 host=mx1.shop.example", "554 DT:SPM <n> smtp<n>, size=<n> host=<host>"},
        {"550 petra.muster@shop.example,anna@shop.example: no", "550 <address>,<address>: no"},
        {"550 RESOLVER.ADR.RecipientNotFound; not found", "550 RESOLVER.ADR.RecipientNotFound; not found"},
        {"550 a\x1b[31mb | \xff c", "550 a [<id> | \xEF\xBF\xBD c"},
    };
    for (const auto& row : rows) {
        BOOST_CHECK_EQUAL(reply_template(row.reply), row.text);
        BOOST_CHECK_EQUAL(reply_template(reply_template(row.reply)), reply_template(row.reply));
    }
}

BOOST_AUTO_TEST_CASE(a_template_is_cut_at_a_word) {
    std::string reply = "550";
    for (int i = 0; i < 100; ++i) reply += " words";
    BOOST_CHECK_EQUAL(reply_template(reply).size(), 237U);
    BOOST_CHECK_EQUAL(reply_template("550 " + std::string(300, 'x')), "550");
}
