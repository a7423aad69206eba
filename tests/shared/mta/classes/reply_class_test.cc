// Replies as receivers word them, and the one word that each becomes.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "shared/mta/classes/reply_class.h"
#include "shared/mta/classes/reply_text.h"

using namespace mtawatch::mta::classes;

namespace {

struct Scenario {
    const char* name;
    const char* status;
    const char* diag;
    const char* reason;
    const char* rule;
};

const std::vector<Scenario> known_replies{
    {"gmail unknown user", "5.1.1 (bad destination mailbox address)",
     "smtp;550 5.1.1 The email account that you tried to reach does not exist. - gsmtp", "unknown-user",
     "gmail-no-account"},
    {"gmail unauthenticated", "5.7.26 (x)",
     "smtp;550 5.7.26 This mail has been blocked because the sender is unauthenticated.", "authentication",
     "gmail-5.7.26"},
    {"gmail code is a whole word", "", "smtp;550 5.7.261 whatever", "other", "none"},
    {"gmail flood", "4.7.28 (x)", "smtp;421 4.7.28 Gmail has detected an unusual rate of unsolicited mail",
     "rate-limit", "gmail-rate"},
    {"gmail reputation before content", "5.7.1 (delivery not authorized)",
     "smtp;550 5.7.1 Our system has detected that this message is likely suspicious due to the very low reputation of "
     "the "
     "sending domain.",
     "reputation", "gmail-reputation"},
    {"gmail unsolicited", "5.7.1 (x)",
     "smtp;550-5.7.1 Our system has detected that this message is likely unsolicited mail.", "content",
     "gmail-unsolicited"},
    {"gmail storage", "4.2.2 (mailbox full)", "smtp;452 4.2.2 The recipient's inbox is out of storage space.",
     "mailbox-full", "gmail-storage"},
    {"microsoft block list code", "5.7.1 (x)",
     "smtp;550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. ... our block list (S3150).", "blocklist",
     "microsoft-S3150"},
    {"microsoft RP-001", "4.7.1 (x)", "smtp;421 RP-001 (SNT004-MC1F43) Unfortunately, some messages weren't sent",
     "rate-limit", "microsoft-RP"},
    {"microsoft edge blocking beats access denied", "5.4.1 (x)",
     "smtp;550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "unknown-user",
     "microsoft-edge-blocking"},
    {"microsoft 5.1.10", "5.1.10 (x)", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", "unknown-user",
     "microsoft-resolver"},
    {"null mx has the same code", "5.1.10 (x)", "smtp;556 5.1.10 recipient domain has null MX", "dns",
     "rfc7505-null-mx"},
    {"microsoft throttling", "4.7.500 (x)",
     "smtp;451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS77712)", "rate-limit",
     "microsoft-4.7.500"},
    {"yahoo TSS04", "4.7.0 (x)",
     "smtp;421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
     "rate-limit", "yahoo-TSS04"},
    {"yahoo TS03", "4.7.1 (x)", "smtp;421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred",
     "reputation", "yahoo-deferred"},
    {"yahoo GL01", "4.7.0 (x)", "smtp;421 Message temporarily deferred - [GL01] Message from (192.0.2.1)", "greylist",
     "yahoo-GL01"},
    {"yahoo disabled", "5.0.0 (undefined status)",
     "smtp;554 30 Sorry, your message to user@yahoo.com cannot be delivered. This mailbox is disabled (554.30).",
     "inactive", "yahoo-disabled"},
    {"yahoo dmarc", "5.7.9 (x)", "smtp;554 5.7.9 Message not accepted for policy reasons. See postmaster error codes",
     "policy", "yahoo-5.7.9"},
    {"apple content", "5.7.1 (x)", "smtp;554 5.7.1 [CS01] Message rejected due to local policy.", "content",
     "apple-CS01"},
    {"apple reputation", "5.7.1 (x)", "smtp;550 5.7.1 [HM08] Message rejected due to local policy.", "reputation",
     "apple-HM08"},
    {"gmx policy", "5.0.0 (undefined status)",
     "smtp;554 Transaction failed Reject due to policy restrictions. For explanation visit "
     "https://postmaster.gmx.net/en/error-messages?c=hi",
     "policy", "gmx-policy"},
    {"t-online", "5.0.0 (x)",
     "smtp;554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster or contact tosa@rx.t-online.de)", "reputation",
     "t-online-tosa"},
    {"orange reputation", "5.0.0 (x)", "smtp;550 mwinf5c10 ME Mail rejete. Mail rejected. OFR_506 [506]", "reputation",
     "orange-refused"},
    {"orange connections", "4.0.0 (x)",
     "smtp;421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow "
     "down. "
     "OFR004_104 [104]",
     "rate-limit", "orange-limit"},
    {"orange unknown", "5.1.1 (x)",
     "smtp;550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_418", "unknown-user",
     "orange-unknown"},
    {"free", "4.0.0 (x)", "smtp;421 Too many spams from your IP (192.0.2.1), please visit http://postmaster.free.fr/",
     "reputation", "free-spam"},
    {"comcast", "4.0.0 (x)", "smtp;421 resimta-po-01v Try again later. RL000001", "rate-limit", "comcast-RL"},
    {"att", "5.7.1 (x)", "smtp;553 5.3.0 flpd575 DNSBL:ATTRBL 521< 192.0.2.1 >_is_blocked.For assistance", "blocklist",
     "att-blocklist"},
    {"mail.ru", "5.0.0 (x)", "smtp;550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=x",
     "content", "mail.ru-spam"},
    {"qq", "5.0.0 (x)", "smtp;550 Connection frequency limited", "rate-limit", "qq-limit"},
    {"spamhaus", "5.7.1 (x)",
     "smtp;554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "blocklist",
     "spamhaus"},
    {"barracuda central", "5.0.0 (x)",
     "smtp;550 permanent failure for one or more recipients (blocked by http://www.barracudacentral.org/reputation)",
     "blocklist", "barracuda-reputation"},
    {"cisco", "5.0.0 (x)",
     "smtp;554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
     "reputation", "cisco-reputation"},
    {"postgrey", "4.2.0 (x)", "smtp;450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://x/",
     "greylist", "greylist"},
    {"GL alone", "4.0.0 (x)", "smtp;451 GL - try later", "greylist", "greylist"},
    {"not GL", "", "smtp;250 english glow", "other", "none"},
    {"postfix unknown user", "5.1.1 (x)",
     "smtp;550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table", "unknown-user",
     "user-unknown"},
    {"postfix relay", "5.7.1 (x)", "smtp;554 5.7.1 <a@b.example>: Relay access denied", "policy", "relaying"},
    {"exim", "5.0.0 (x)", "smtp;550 Unrouteable address", "unknown-user", "unknown-user"},
    {"missing ptr", "5.7.25 (x)", "smtp;550 5.7.25 The IP address sending this message does not have a PTR record",
     "authentication", "rfc7372-rdns"},
    {"spf is a word", "", "smtp;550 SPF check failed", "authentication", "spf"},
    {"spfbl is another", "", "smtp;550 listed by SPFBL", "blocklist", "other-lists"},
    {"connection", "4.4.1 (no answer from host)", "", "connection", "connection"},
    {"no such domain in the status", "5.1.2 (bad destination system: no such domain)", "", "dns", "no-such-domain"},
    {"bare status", "5.2.2 (x)", "smtp;552", "mailbox-full", "mailbox-full"},
    {"status before a full stop", "", "smtp;550 because of 5.2.2.", "mailbox-full", "mailbox-full"},
    {"status inside a longer number", "", "smtp;550 15.2.2 5.2.2.1", "other", "none"},
    {"tls", "5.7.10 (x)", "smtp;530 5.7.0 Must issue a STARTTLS command first", "tls", "gmail-tls"},
    {"tls", "", "smtp;454 certificate verify failed", "tls", "tls"},
    {"nothing", "", "", "other", "none"},
    {"a busy server", "", "smtp;450 server busy", "system", "system"},
    {"upper case", "", "SMTP;550 MAILBOX FULL", "mailbox-full", "mailbox-full"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_reply_has_its_class_and_names_its_rule) {
    const ReplyClassifier classifier;
    for (const Scenario& scenario : known_replies) {
        BOOST_TEST_CONTEXT(scenario.name) {
            const ReplyVerdict verdict = classifier.classify(scenario.status, scenario.diag);
            BOOST_CHECK_EQUAL(name(verdict.reply_class), scenario.reason);
            BOOST_CHECK_EQUAL(verdict.rule, scenario.rule);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_long_reply_is_looked_at_up_to_its_limit) {
    const ReplyClassifier classifier;
    BOOST_CHECK_EQUAL(classifier.classify("", "550" + std::string(max_reply_bytes - 3, ' ') + "spamhaus").rule, "none");
    BOOST_CHECK_EQUAL(classifier.classify("", "550" + std::string(max_reply_bytes - 11, ' ') + "spamhaus").rule,
                      "spamhaus");
}

BOOST_AUTO_TEST_CASE(reply_codes_come_from_the_text_then_from_the_status) {
    struct {
        const char* status;
        const char* diag;
        int code;
        const char* enhanced;
    } const rows[] = {
        {"5.1.1 (bad)", "smtp;550 5.7.26 no", 550, "5.7.26"},
        {"5.1.1 (bad)", "smtp;550-5.1.1 no", 550, "5.1.1"},
        {"5.1.1 (bad)", "smtp;550 no", 550, "5.1.1"},
        {"2.0.0 (success)", "smtp;250 ok", 250, "2.0.0"},
        {"", "smtp;5501 5.1.1", 0, ""},
        {"5.1 (bad)", "x-pmta;bounce-queue", 0, ""},
        {"5.1.1234", "550", 550, ""},
        {"3.1.1", "smtp; 421 4.7.0 [TSS04]", 421, "4.7.0"},
        {"5.999.999", "", 0, "5.999.999"},
        {"", "", 0, ""},
    };
    for (const auto& row : rows) {
        const ReplyCodes codes = reply_codes(row.status, row.diag);
        BOOST_CHECK_EQUAL(codes.code, row.code);
        BOOST_CHECK_EQUAL(codes.enhanced_code(), row.enhanced);
    }
}

BOOST_AUTO_TEST_CASE(what_follows_the_bytes_that_decided_changes_no_code) {
    const std::string far_behind = std::string(300, ' ') + "550-" + std::string(300, ' ');
    const std::initializer_list<std::string_view> diags{far_behind,
                                                        "smtp;550 5.7.26 no",
                                                        "smtp;250 ok",
                                                        "smtp;250 2.",
                                                        "smtp;250 2.1",
                                                        "smtp;250 2.1.",
                                                        "smtp;250 2.100.1",
                                                        "smtp;250 2.100.10",
                                                        "smtp; 421 4.7.0 [TSS04]",
                                                        "smtp;     421 4.7.0",
                                                        "x-pmta;bounce",
                                                        "smtp;5",
                                                        "smtp;55",
                                                        "smtp;550",
                                                        "smtp;5501",
                                                        "",
                                                        "550-5.1.1 no"};
    for (const std::string_view diag : diags) {
        const ReplyCodes codes = reply_codes("5.1.2", diag);
        if (codes.looked > diag.size()) continue;
        for (const std::string_view rest : {"", "0", "1", " ", ".", ".1", "a", "-", ";"}) {
            const std::string other = std::string(diag.substr(0, codes.looked)).append(rest);
            const ReplyCodes again = reply_codes("5.1.2", other);
            BOOST_CHECK_MESSAGE(again.code == codes.code && again.enhanced_code() == codes.enhanced_code(),
                                diag << " and " << other);
        }
    }
}
